//! The simulated dongle: bytes from the host in, bytes to the host out, each at its time.
//!
//! It does not look at a clock. Times are nanoseconds of the monotonic clock, given by the caller; what has a
//! deadline is due at that, whenever the last one was asked for.

use super::armband::{Armband, Value};
use super::emg::Gesture;
use super::fault::Fault;
use super::random::Random;
use crate::bgapi::{Address, Command, Decoder, Event, Response, ResultCode, Source, ValueType};
use crate::myo::attribute::ADVERTISED_SERVICE;
use crate::myo::{Control, EmgMode, ImuMode};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const MILLISECOND: u64 = 1_000_000;
const EMG_PERIOD: u64 = 10 * MILLISECOND;
const SLOW_PERIOD: u64 = 20 * MILLISECOND;
const ADVERTISING_PERIOD: u64 = 20 * MILLISECOND;
/// How long a connection takes, an attribute, and the end of a connection.
const CONNECT_TIME: u64 = 20 * MILLISECOND;
const ATTRIBUTE_TIME: u64 = MILLISECOND;
/// Between pieces of a packet.
const PIECE_TIME: u64 = MILLISECOND / 2;
const LONGEST_PIECE: u64 = 7;
const LONGEST_NOISE: u64 = 12;

const ADDRESS: Address = Address([0x5d, 0x29, 0x37, 0xf5, 0x52, 0xc2]);
const SLOT: u8 = 0;
const SLOTS: u8 = 3;
const NO_BOND: u8 = 0xff;
const CONNECTED_AND_NEW: u8 = 0x05;

/// What the samples are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signal {
    /// Like an arm's.
    #[default]
    Emg,
    /// Numbered, see [`ramp_number`](super::ramp_number); the numbers go on over connections.
    Ramp,
}

/// What is simulated.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// For everything random.
    pub seed: u64,
    /// What the samples are.
    pub signal: Signal,
    /// What the hand does.
    pub gesture: Gesture,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// When the samples are due, for whoever checks times: shared with the dongle, also across threads.
#[derive(Debug, Clone, Default)]
pub struct Pacing(Arc<Mutex<Option<Epoch>>>);

#[derive(Debug, Clone, Copy)]
struct Epoch {
    start: u64,
    first_sample: u64,
}

impl Pacing {
    /// When the sample of this number is measured, if it is one since the last start: nanoseconds of the monotonic
    /// clock.
    #[must_use]
    pub fn sample_time(&self, number: u64) -> Option<u64> {
        let epoch = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = number.checked_sub(epoch.first_sample)?;
        // The second sample of a packet is measured when the packet is due.
        Some(epoch.start + since * EMG_PERIOD / 2 - EMG_PERIOD / 2)
    }

    fn begin(&self, epoch: Epoch) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(epoch);
    }
}

/// Something that comes again and again.
#[derive(Debug, Clone, Copy)]
struct Series {
    period: u64,
    next: u64,
    number: u64,
}

impl Series {
    fn from(now: u64, period: u64) -> Self {
        Self { period, next: now + period, number: 0 }
    }

    /// The deadline and the number of the next one that is due.
    fn take(&mut self, now: u64) -> Option<(u64, u64)> {
        let due = (self.next, self.number);
        (self.next <= now).then(|| {
            self.next += self.period;
            self.number += 1;
            due
        })
    }
}

/// The dongle, and the armband beyond it.
#[derive(Debug)]
pub struct Dongle {
    faults: Vec<Fault>,
    random: Random,
    armband: Armband,
    decoder: Decoder,
    commands: u64,
    discovering: Option<Series>,
    connected: bool,
    emg: Option<Series>,
    filtered: Option<Series>,
    imu: Option<Series>,
    ends_at: Option<u64>,
    unplugged_at: Option<u64>,
    was_unplugged: bool,
    /// What is to be sent, by its time and in order.
    outbox: BTreeMap<(u64, u64), Vec<u8>>,
    sent: u64,
    last_piece: u64,
    pacing: Pacing,
}

impl Dongle {
    /// A dongle that was just plugged in.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let Options { seed, signal, gesture, faults } = options;
        let old = faults.contains(&Fault::OldFirmware);
        Self {
            faults,
            random: Random::new(!seed),
            armband: Armband::new(signal, gesture, seed, old),
            decoder: Decoder::new(Source::Host),
            commands: 0,
            discovering: None,
            connected: false,
            emg: None,
            filtered: None,
            imu: None,
            ends_at: None,
            unplugged_at: None,
            was_unplugged: false,
            outbox: BTreeMap::new(),
            sent: 0,
            last_piece: 0,
            pacing: Pacing::default(),
        }
    }

    /// When samples are due.
    #[must_use]
    pub fn pacing(&self) -> Pacing {
        self.pacing.clone()
    }

    /// What the armband was told so far, in order.
    #[must_use]
    pub fn told(&self) -> &[Control] {
        &self.armband.told
    }

    /// Takes bytes from the host.
    pub fn take(&mut self, bytes: &[u8], now: u64) {
        self.decoder.push(bytes);
        while let Some(packet) = self.decoder.next_packet() {
            if let Some(command) = Command::from_packet(&packet) {
                self.obey(&command, now);
            }
        }
    }

    /// When it has something to say next, or will be pulled out.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        let series = [self.discovering, self.emg, self.filtered, self.imu];
        let series = series.into_iter().flatten().map(|series| series.next);
        let outbox = self.outbox.keys().next().map(|(time, _)| *time);
        series.chain(outbox).chain(self.ends_at).chain(self.unplugged_at).min()
    }

    /// The bytes that are due by now, one write each.
    pub fn say(&mut self, now: u64) -> Vec<Vec<u8>> {
        self.run_series(now);
        if self.ends_at.is_some_and(|end| end <= now) {
            self.end_connection(now, ResultCode::SUPERVISION_TIMEOUT);
        }
        let later = self.outbox.split_off(&(now + 1, 0));
        std::mem::replace(&mut self.outbox, later).into_values().collect()
    }

    /// Whether it is pulled out by now; then it has forgotten everything but the armband.
    pub fn is_unplugged(&mut self, now: u64) -> bool {
        let unplugged = self.unplugged_at.is_some_and(|time| time <= now);
        if unplugged {
            self.was_unplugged = true;
            self.outbox.clear();
            self.discovering = None;
            self.decoder = Decoder::new(Source::Host);
            self.forget_connection();
        }
        unplugged
    }

    fn time_of(&self, fault: impl Fn(&Fault) -> Option<Duration>) -> Option<u64> {
        self.faults.iter().find_map(fault).map(|time| time.as_nanos() as u64)
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    fn obey(&mut self, command: &Command, now: u64) {
        self.commands += 1;
        let delay = self.time_of(|fault| if let Fault::Delay(time) = fault { Some(*time) } else { None });
        let at = now + delay.unwrap_or(0);
        if self.has(Fault::EventsFirst) {
            self.advertise(now, false);
        }
        if self.has(Fault::Mute(self.commands)) {
            return;
        }
        if self.has(Fault::Refuse(self.commands)) {
            return self
                .send(&Response::to(command, SLOT, ResultCode::WRONG_STATE).to_packet().to_bytes(), at);
        }
        let result = self.result_of(command);
        let slot = match command {
            Command::GetConnections => SLOTS,
            Command::Disconnect { connection } => *connection,
            _ => SLOT,
        };
        let response = Response::to(command, slot, result).to_packet().to_bytes();
        let ahead = self.has(Fault::EventsFirst) && !matches!(command, Command::ConnectDirect { .. });
        if ahead && result.is_success() {
            self.act(command, now);
            return self.send(&response, at + ATTRIBUTE_TIME);
        }
        self.send(&response, at);
        if result.is_success() {
            self.act(command, at);
        }
    }

    fn result_of(&self, command: &Command) -> ResultCode {
        let needs_connection = matches!(
            command,
            Command::ReadByHandle { .. } | Command::AttributeWrite { .. } | Command::WriteCommand { .. }
        );
        match command {
            Command::Disconnect { connection } if !self.connected || *connection != SLOT => {
                ResultCode::NOT_CONNECTED
            }
            Command::EndProcedure if self.discovering.is_none() => ResultCode::WRONG_STATE,
            Command::Discover { .. } if self.discovering.is_some() => ResultCode::WRONG_STATE,
            Command::ConnectDirect { .. } if self.connected => ResultCode::WRONG_STATE,
            _ if needs_connection && !self.connected => ResultCode::NOT_CONNECTED,
            _ => ResultCode::SUCCESS,
        }
    }

    fn act(&mut self, command: &Command, now: u64) {
        match command {
            Command::GetConnections => (0..SLOTS).for_each(|slot| self.tell_connection(slot, now)),
            Command::Disconnect { .. } => self.end_connection(now, ResultCode::LOCAL_ENDED),
            Command::ReadByHandle { handle, .. } => match self.armband.read(*handle) {
                Ok(value) => self.send_value(ValueType::Read, (*handle, false, value), now + ATTRIBUTE_TIME),
                Err(result) => self.complete(*handle, result, now),
            },
            Command::AttributeWrite { handle, value, .. } => {
                let result = self.write(*handle, value, now).err().unwrap_or_default();
                self.complete(*handle, result, now);
            }
            // Nobody is told what became of it.
            Command::WriteCommand { handle, value, .. } => drop(self.write(*handle, value, now)),
            Command::Discover { .. } => self.discovering = Some(Series::from(now, ADVERTISING_PERIOD)),
            Command::ConnectDirect { address, .. } if *address == ADDRESS => {
                self.connected = true;
                self.tell_connection(SLOT, now + CONNECT_TIME);
            }
            Command::ConnectDirect { .. } => {}
            Command::EndProcedure => self.discovering = None,
        }
    }

    fn write(&mut self, handle: u16, value: &[u8], now: u64) -> Result<(), ResultCode> {
        let before = self.armband.mode;
        self.armband.write(handle, value)?;
        let mode = self.armband.mode;
        if mode.emg != before.emg {
            let fast = matches!(mode.emg, EmgMode::Raw | EmgMode::Filtered200);
            self.emg = fast.then(|| Series::from(now, EMG_PERIOD));
            self.filtered = (mode.emg == EmgMode::Filtered).then(|| Series::from(now, SLOW_PERIOD));
            if let Some(series) = self.emg {
                self.pacing.begin(Epoch { start: series.next, first_sample: self.armband.samples });
            }
        }
        if mode.imu != before.imu {
            let sends = matches!(mode.imu, ImuMode::Data | ImuMode::All | ImuMode::Raw);
            self.imu = sends.then(|| Series::from(now, SLOW_PERIOD));
        }
        if mode != before {
            self.schedule_ends(now);
        }
        Ok(())
    }

    fn schedule_ends(&mut self, now: u64) {
        let disconnect =
            self.time_of(|fault| if let Fault::Disconnect(time) = fault { Some(*time) } else { None });
        let unplug = self.time_of(|fault| if let Fault::Unplug(time) = fault { Some(*time) } else { None });
        self.ends_at = self.ends_at.or(disconnect.map(|time| now + time));
        self.unplugged_at =
            self.unplugged_at.or(unplug.filter(|_| !self.was_unplugged).map(|time| now + time));
    }

    fn end_connection(&mut self, now: u64, reason: ResultCode) {
        self.forget_connection();
        self.send_event(&Event::Disconnected { connection: SLOT, reason }, now);
    }

    fn forget_connection(&mut self) {
        self.connected = false;
        self.armband.disconnected();
        (self.emg, self.filtered, self.imu) = (None, None, None);
        (self.ends_at, self.unplugged_at) = (None, None);
    }

    fn run_series(&mut self, now: u64) {
        while let Some((due, number)) = self.discovering.as_mut().and_then(|series| series.take(now)) {
            self.advertise(due, number % 5 == 4);
        }
        while let Some((due, number)) = self.emg.as_mut().and_then(|series| series.take(now)) {
            let packet = self.armband.emg_packet(number);
            let lost = self
                .faults
                .iter()
                .any(|fault| matches!(fault, Fault::Lose(every) if number % every == every - 1));
            if let Some(value) = packet.filter(|_| !lost) {
                self.notify(value, due);
            }
            self.classify(due);
        }
        while let Some((due, _)) = self.filtered.as_mut().and_then(|series| series.take(now)) {
            if let Some(value) = self.armband.filtered_packet() {
                self.notify(value, due);
            }
            self.classify(due);
        }
        while let Some((due, _)) = self.imu.as_mut().and_then(|series| series.take(now)) {
            if let Some(value) = self.armband.imu_packet() {
                self.notify(value, due);
            }
        }
    }

    fn classify(&mut self, due: u64) {
        for value in self.armband.classify() {
            self.notify(value, due);
        }
    }

    /// Sends a value that nobody asked for, at its time or, with a backlog, when that comes.
    fn notify(&mut self, value: Value, due: u64) {
        let value_type = if value.1 { ValueType::Indicate } else { ValueType::Notify };
        let held = self.time_of(|fault| if let Fault::Backlog(time) = fault { Some(*time) } else { None });
        self.send_value(value_type, value, held.map_or(due, |held| due.next_multiple_of(held)));
    }

    fn send_value(&mut self, value_type: ValueType, (handle, _, value): Value, at: u64) {
        self.send_event(&Event::AttributeValue { connection: SLOT, handle, value_type, value }, at);
    }

    fn complete(&mut self, handle: u16, result: ResultCode, now: u64) {
        let event = Event::ProcedureCompleted { connection: SLOT, result, handle };
        self.send_event(&event, now + ATTRIBUTE_TIME);
    }

    fn tell_connection(&mut self, slot: u8, at: u64) {
        let connected = self.connected && slot == SLOT;
        let event = Event::ConnectionStatus {
            connection: slot,
            flags: if connected { CONNECTED_AND_NEW } else { 0 },
            address: if connected { ADDRESS } else { Address::default() },
            address_type: 0,
            interval: if connected { 6 } else { 0 },
            timeout: if connected { 64 } else { 0 },
            latency: 0,
            bonding: NO_BOND,
        };
        self.send_event(&event, at);
    }

    /// One advertisement is heard: the armband's, or with strangers about, mostly one of theirs.
    fn advertise(&mut self, at: u64, ours: bool) {
        let stranger = self.has(Fault::Strangers) || self.has(Fault::EventsFirst);
        let (sender, data) = if ours || !stranger {
            (ADDRESS, [&[2, 1, 6, 17][..], &ADVERTISED_SERVICE].concat())
        } else {
            let mut address = [0; 6];
            address.fill_with(|| self.random.next_u64() as u8);
            let length = self.random.below(28);
            (Address(address), (0..length).map(|_| self.random.next_u64() as u8).collect())
        };
        let event =
            Event::ScanResponse { rssi: -50, packet_type: 0, sender, address_type: 0, bond: NO_BOND, data };
        self.send_event(&event, at);
    }

    fn send_event(&mut self, event: &Event, at: u64) {
        self.send(&event.to_packet().to_bytes(), at);
    }

    /// Puts bytes into the outbox, whole or in pieces, with noise in front or without.
    fn send(&mut self, bytes: &[u8], at: u64) {
        if self.has(Fault::Noise) {
            let noise: Vec<_> =
                (0..self.random.below(LONGEST_NOISE)).map(|_| self.random.next_u64() as u8).collect();
            self.post(noise, at);
        }
        if !self.has(Fault::Pieces) {
            return self.post(bytes.to_vec(), at);
        }
        let mut rest = bytes;
        let mut at = at.max(self.last_piece);
        while !rest.is_empty() {
            let size = (1 + self.random.below(LONGEST_PIECE)).min(rest.len() as u64) as usize;
            let (piece, after) = rest.split_at(size);
            self.post(piece.to_vec(), at);
            at += PIECE_TIME;
            rest = after;
        }
        self.last_piece = at;
    }

    fn post(&mut self, bytes: Vec<u8>, at: u64) {
        self.sent += 1;
        self.outbox.insert((at, self.sent), bytes);
    }
}
