//! An armband that is connected: from the dongle's first command to its notifications.
//!
//! Whatever an earlier program left behind is ended first: its search, its connections. Dropped, a driver leaves the
//! connection as it is, as a killed one does; [`Myo::disconnect`] ends it.

use super::attribute::{self, ADVERTISED_SERVICE, INDICATE, NOTIFY};
use super::control::{Control, EmgMode, ImuMode, Mode};
use super::notification::{Firmware, Notification};
use crate::bgapi::{Address, Command, Event, Response, ResultCode, ValueType};
use crate::client::{Client, Received};
use crate::error::{Error, Result};
use crate::stop::Stop;
use crate::transport::Transport;
use std::time::{Duration, Instant};

/// Slots of connections that a BLED112 has, less what nobody uses.
const SLOTS: u8 = 3;
/// Limited discovery finds beacons, general discovery what can be connected to.
const GENERAL: u8 = 1;
/// Of a connection: an interval of 7.5 ms, a supervision timeout of 640 ms, no interval left out.
const INTERVAL: u16 = 6;
const TIMEOUT: u16 = 64;
const LATENCY: u16 = 0;

/// How long an armband that was heard has to accept a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of a connection takes.
const DISCONNECT_PATIENCE: Duration = Duration::from_secs(1);
/// How long a connection that should bring packets may bring none.
const SILENCE: Duration = Duration::from_secs(3);

/// Which armband, and what it is to send.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// The armband; without it the first that is heard.
    pub address: Option<Address>,
    /// What it sends; firmware before 1.0 knows only filtered EMG with motion, and sends that unless EMG is off.
    pub mode: Mode,
}

/// A connected armband.
#[derive(Debug)]
pub struct Myo<T> {
    client: Client<T>,
    connection: u8,
    address: Address,
    firmware: Firmware,
    name: String,
    battery: u8,
    mode: Mode,
    /// The turn of the next packet of EMG; `None` before the first.
    next_turn: Option<u8>,
    last_packet: Instant,
}

/// A notification, when it came, and what went missing before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// What it says.
    pub notification: Notification,
    /// Nanoseconds of the monotonic clock at which it was read.
    pub at: u64,
    /// Packets of EMG that were lost before it. They come at four attributes in turn, so this is the number that was
    /// lost as long as that is below four.
    pub lost: u8,
}

impl<T: Transport> Myo<T> {
    /// Searches until an armband is heard, connects, reads what it is, and has it send what is wanted.
    pub fn connect(transport: T, settings: &Settings, stop: Stop) -> Result<Self> {
        let mut client = Client::new(transport, stop);
        end_what_goes_on(&mut client)?;
        let (address, address_type) = discover(&mut client, settings.address)?;
        let connection = connect(&mut client, address, address_type)?;
        let firmware = client.read_attribute(connection, attribute::FIRMWARE)?;
        let firmware = Firmware::of(&firmware)
            .ok_or(Error::Malformed { expected: "a firmware's version of 8 bytes", found: firmware })?;
        let name = client.read_attribute(connection, attribute::NAME)?;
        let mut myo = Self {
            client,
            connection,
            address,
            firmware,
            name: String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned(),
            battery: 0,
            mode: Mode { emg: EmgMode::Off, imu: ImuMode::Off, classifier: false },
            next_turn: None,
            last_packet: Instant::now(),
        };
        myo.battery = myo.read_battery()?;
        myo.client.write_attribute(connection, attribute::BATTERY_NOTIFY, &NOTIFY)?;
        myo.set_mode(settings.mode)?;
        Ok(myo)
    }

    /// Who it is.
    pub fn address(&self) -> Address {
        self.address
    }

    /// The version of its firmware.
    pub fn firmware(&self) -> Firmware {
        self.firmware
    }

    /// What its owner called it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Percent of its battery, as last heard.
    pub fn battery(&self) -> u8 {
        self.battery
    }

    /// What it sends.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Bytes from the dongle that belonged to no packet.
    pub fn skipped(&self) -> u64 {
        self.client.skipped()
    }

    /// Asks for its battery: percent.
    pub fn read_battery(&mut self) -> Result<u8> {
        let value = self.client.read_attribute(self.connection, attribute::BATTERY)?;
        value.first().copied().ok_or(Error::Malformed { expected: "percent of a battery", found: value })
    }

    /// Changes what it sends.
    pub fn set_mode(&mut self, mode: Mode) -> Result<()> {
        if self.firmware.major == 0 {
            return self.set_old_mode(mode);
        }
        let motion = matches!(mode.imu, ImuMode::Events | ImuMode::All);
        self.subscribe(attribute::IMU_NOTIFY, NOTIFY, mode.imu != ImuMode::Off)?;
        self.subscribe(attribute::MOTION_NOTIFY, NOTIFY, motion)?;
        self.subscribe(attribute::CLASSIFIER_INDICATE, INDICATE, mode.classifier)?;
        self.subscribe(attribute::FILTERED_EMG_NOTIFY, NOTIFY, mode.emg == EmgMode::Filtered)?;
        for descriptor in attribute::EMG_NOTIFY {
            let wanted = matches!(mode.emg, EmgMode::Filtered200 | EmgMode::Raw);
            self.subscribe(descriptor, NOTIFY, wanted)?;
        }
        self.tell(Control::Mode(mode))?;
        self.tell(Control::NeverSleep)?;
        self.began(mode);
        Ok(())
    }

    fn set_old_mode(&mut self, mode: Mode) -> Result<()> {
        let wanted = mode.emg != EmgMode::Off;
        self.tell(Control::OldStart)?;
        self.subscribe(attribute::FILTERED_EMG_NOTIFY, NOTIFY, wanted)?;
        self.subscribe(attribute::IMU_NOTIFY, NOTIFY, mode.imu != ImuMode::Off)?;
        self.subscribe(attribute::CLASSIFIER_INDICATE, INDICATE, mode.classifier)?;
        self.tell(Control::OldEmg)?;
        let emg = if wanted { EmgMode::Filtered } else { EmgMode::Off };
        self.began(Mode { emg, ..mode });
        Ok(())
    }

    fn subscribe(&mut self, descriptor: u16, how: [u8; 2], wanted: bool) -> Result<()> {
        let value = if wanted { how } else { [0, 0] };
        self.client.write_attribute(self.connection, descriptor, &value)
    }

    fn began(&mut self, mode: Mode) {
        if self.mode.emg != mode.emg {
            // The turns begin anew.
            self.next_turn = None;
        }
        self.mode = mode;
        self.last_packet = Instant::now();
    }

    /// Has it buzz, shine, sleep or anything else.
    pub fn tell(&mut self, control: Control) -> Result<()> {
        self.client.write_attribute(self.connection, attribute::COMMAND, &control.to_bytes())
    }

    /// The next notification; `None` when there was none in time.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Heard>> {
        let end = Instant::now() + timeout;
        while let Some(received) = self.client.next_event(end.saturating_duration_since(Instant::now()))? {
            if let Some(heard) = self.hear(received)? {
                return Ok(Some(heard));
            }
        }
        let streams = self.mode.emg != EmgMode::Off || matches!(self.mode.imu, ImuMode::Data | ImuMode::All);
        match self.last_packet.elapsed() {
            waited if streams && waited > SILENCE => Err(Error::Timeout { what: "samples".into(), waited }),
            _ => Ok(None),
        }
    }

    fn hear(&mut self, Received { event, at }: Received) -> Result<Option<Heard>> {
        match event {
            Event::Disconnected { connection, reason } if connection == self.connection => {
                Err(Error::Disconnected { reason })
            }
            Event::AttributeValue { connection, handle, value_type, value }
                if connection == self.connection
                    && matches!(value_type, ValueType::Notify | ValueType::Indicate) =>
            {
                self.last_packet = Instant::now();
                let Some(notification) = Notification::of(handle, &value) else { return Ok(None) };
                if let Notification::Battery(percent) = notification {
                    self.battery = percent;
                }
                Ok(Some(Heard { notification, at, lost: self.count_lost(notification) }))
            }
            _ => Ok(None),
        }
    }

    /// Packets of EMG that are missing between the last and this one.
    fn count_lost(&mut self, notification: Notification) -> u8 {
        let Notification::Emg { turn, .. } = notification else { return 0 };
        let turns = attribute::EMG.len() as u8;
        let lost = self.next_turn.map_or(0, |expected| (turn + turns - expected) % turns);
        self.next_turn = Some((turn + 1) % turns);
        lost
    }

    /// Ends the connection at once, whether the dongle answers or not.
    pub fn disconnect(mut self) {
        // Who pulled the dongle out has ended it too.
        let _ = self.client.send_last(&Command::Disconnect { connection: self.connection });
    }
}

/// Ends the search and the connections of an earlier program.
fn end_what_goes_on<T: Transport>(client: &mut Client<T>) -> Result<()> {
    // A dongle that was in the middle of something may have lost the first command, with what it was in the middle of.
    if client.ask(&Command::EndProcedure).is_err_and(|error| matches!(error, Error::Timeout { .. })) {
        client.ask(&Command::EndProcedure)?;
    }
    for connection in 0..SLOTS {
        if client.ask(&Command::Disconnect { connection })?.result().is_success() {
            let ended = |event: &Event| match event {
                Event::Disconnected { connection: slot, .. } => *slot == connection,
                _ => false,
            };
            client.wait_event(3, 4, ended, DISCONNECT_PATIENCE)?;
        }
    }
    Ok(())
}

/// Searches until the armband is heard.
fn discover<T: Transport>(client: &mut Client<T>, wanted: Option<Address>) -> Result<(Address, u8)> {
    client.request(&Command::Discover { mode: GENERAL })?;
    let found = loop {
        // A search takes as long as it takes: until somebody puts the armband on.
        let Some(Received { event, .. }) = client.next_event(SILENCE)? else { continue };
        if let Event::ScanResponse { sender, address_type, data, .. } = event
            && data.ends_with(&ADVERTISED_SERVICE)
            && wanted.is_none_or(|wanted| wanted == sender)
        {
            break (sender, address_type);
        }
    };
    client.request(&Command::EndProcedure)?;
    Ok(found)
}

fn connect<T: Transport>(client: &mut Client<T>, address: Address, address_type: u8) -> Result<u8> {
    let command = Command::ConnectDirect {
        address,
        address_type,
        interval_min: INTERVAL,
        interval_max: INTERVAL,
        timeout: TIMEOUT,
        latency: LATENCY,
    };
    let Response::ConnectDirect { connection, .. } = client.request(&command)? else {
        return Err(Error::Refused { what: command.to_string(), result: ResultCode::WRONG_STATE });
    };
    client.wait_event(3, 0, |event| event.says_connected(connection), CONNECT_PATIENCE)?;
    Ok(connection)
}
