//! The streamer of the Myo: an armband into the regions of a space.
//!
//! | region | kind | content |
//! |---|---|---|
//! | `myo/emg` | stream | `t` in seconds of the monotonic clock; `lost`, the samples that are missing before this one; `emg`, 8 channels |
//! | `myo/filtered` | stream | the same of filtered EMG, with `moving`; made when the armband is to send it |
//! | `myo/imu` | stream | `t`, `quaternion` (w x y z), `acceleration` (g), `rotation` (°/s) |
//! | `myo/pose` | text | the newest pose |
//! | `myo/battery` | value | percent |
//! | `myo/status` | record | [`STATUS_SCHEMA`](super::STATUS_SCHEMA) |
//! | `myo/commands` | queue | texts such as `vibrate short`, one command each: [`Control`] |

use super::Streamer;
use super::libemg::LibEmg;
use super::record::{EMG_SCHEMA, FILTERED_SCHEMA, IMU_SCHEMA, emg_record, filtered_record, imu_record};
use super::status::{State, Status};
use crate::error::{Error, Result};
use crate::myo::{
    Classifier, Control, EMG_PACKET_PERIOD, EMG_PACKET_SAMPLES, Heard, Imu, Myo, Notification, SampleClock,
    Settings,
};
use crate::port::Port;
use crate::stop::{LOOK, Stop};
use crate::transport::Serial;
use memlane::{Queue, QueueSpec, Space, StreamPublisher, StreamSpec, Text, Value};
use memlane_interop::libemg::Tags;
use std::time::Duration;

/// Twenty seconds of EMG, and as much of the rest.
const EMG_CAPACITY: u64 = 4096;
const IMU_CAPACITY: u64 = 1024;
const POSE_CAPACITY: usize = 32;
const COMMANDS_CAPACITY: usize = 4096;

/// What is streamed, and where to.
#[derive(Debug, Clone)]
pub struct StreamerOptions {
    /// Which armband, and what it sends.
    pub settings: Settings,
    /// What the regions' names begin with, before a `/`.
    pub prefix: String,
    /// The tags of LibEMG's shared memory, if that is to be filled too.
    pub libemg: Option<Tags>,
}

impl Default for StreamerOptions {
    fn default() -> Self {
        Self { settings: Settings::default(), prefix: "myo".into(), libemg: None }
    }
}

/// Streams an armband.
#[derive(Debug)]
pub struct MyoStreamer {
    port: Port,
    settings: Settings,
    myo: Option<Myo<Serial>>,
    clock: SampleClock,
    space: Space,
    prefix: String,
    emg: StreamPublisher,
    filtered: Option<StreamPublisher>,
    imu: StreamPublisher,
    pose: Text,
    battery: Value<u8>,
    commands: Queue,
    status: Status,
    libemg: Option<LibEmg>,
    /// Samples that were lost and belong before the next one.
    lost: u32,
    /// The time of the last sample of EMG.
    last_time: u64,
}

impl MyoStreamer {
    /// Makes the regions, or takes them over from a streamer that is gone. The dongle is not opened yet. While another
    /// streamer lives: [`memlane::Error::PublisherExists`].
    pub fn open(space: &Space, port: Port, options: StreamerOptions) -> Result<Self> {
        let StreamerOptions { settings, prefix, libemg } = options;
        let id = |name: &str| format!("{prefix}/{name}");
        let emg = StreamSpec::of(EMG_SCHEMA).capacity(EMG_CAPACITY);
        let imu = StreamSpec::of(IMU_SCHEMA).capacity(IMU_CAPACITY);
        // Before anything is written: somebody else may be streaming.
        let emg = StreamPublisher::open_or_create(space, &id("emg"), &emg)?;
        Ok(Self {
            port,
            settings,
            myo: None,
            clock: new_clock(),
            emg,
            filtered: None,
            pose: Text::open_or_create(space, &id("pose"), POSE_CAPACITY)?,
            battery: Value::open_or_create(space, &id("battery"), 0)?,
            commands: Queue::open_or_create(space, &id("commands"), &QueueSpec::bytes(COMMANDS_CAPACITY))?,
            status: Status::open(space, &id("status"))?,
            libemg: libemg.as_ref().map(LibEmg::open).transpose()?,
            // The last: whoever finds it finds everything.
            imu: StreamPublisher::open_or_create(space, &id("imu"), &imu)?,
            lost: 0,
            last_time: 0,
            space: space.clone(),
            prefix,
        })
    }

    /// What it does.
    pub fn state(&self) -> State {
        self.status.state()
    }

    /// Samples of EMG that were published, by this streamer.
    pub fn samples(&self) -> u64 {
        self.status.samples
    }

    /// Samples of EMG that are known to be lost.
    pub fn lost(&self) -> u64 {
        self.status.lost
    }

    /// The armband that is connected, in words.
    pub fn description(&self) -> String {
        self.myo.as_ref().map_or_else(
            || "no armband".into(),
            |myo| {
                format!(
                    "{} at {}, firmware {}, battery {} %",
                    myo.name(),
                    myo.address(),
                    myo.firmware(),
                    myo.battery()
                )
            },
        )
    }

    fn publish(&mut self, heard: &Heard) -> Result<()> {
        let at = heard.at;
        match heard.notification {
            Notification::Emg { samples, .. } => {
                let lost = u64::from(heard.lost);
                let time = self.clock.arrived(at, lost);
                self.lost += u32::from(heard.lost) * EMG_PACKET_SAMPLES as u32;
                self.publish_emg(time, &samples)
            }
            Notification::FilteredEmg { channels, moving } => self.publish_filtered(at, channels, moving),
            Notification::Imu(imu) => self.publish_imu(at, imu),
            Notification::Battery(percent) => {
                self.battery.store(percent);
                Ok(())
            }
            Notification::Classifier(classifier) => self.classify(classifier),
            Notification::Motion(_) => Ok(()),
        }
    }

    /// Both samples of a packet as one change: the younger one measured at `time`, the other half a period before, or
    /// at least behind the sample before it when late packets come at once.
    fn publish_emg(&mut self, time: u64, samples: &[[i8; 8]; EMG_PACKET_SAMPLES]) -> Result<()> {
        let apart = EMG_PACKET_PERIOD.as_nanos() as u64 / EMG_PACKET_SAMPLES as u64;
        let older = time.saturating_sub(apart).max(self.last_time.midpoint(time));
        self.last_time = time;
        let mut records = Vec::new();
        for (time, sample) in [older, time].into_iter().zip(samples) {
            records.extend(emg_record(time, std::mem::take(&mut self.lost), *sample));
        }
        self.emg.append_many(&records)?;
        if let Some(libemg) = &mut self.libemg {
            libemg.write_emg(samples)?;
        }
        self.status.samples += EMG_PACKET_SAMPLES as u64;
        Ok(())
    }

    fn publish_filtered(&mut self, at: u64, channels: [u16; 8], moving: u8) -> Result<()> {
        let record = filtered_record(at, channels, moving);
        let publisher = match &mut self.filtered {
            Some(publisher) => publisher,
            none => {
                let spec = StreamSpec::of(FILTERED_SCHEMA).capacity(IMU_CAPACITY);
                let id = format!("{}/filtered", self.prefix);
                none.insert(StreamPublisher::open_or_create(&self.space, &id, &spec)?)
            }
        };
        publisher.append(&record)?;
        Ok(())
    }

    fn publish_imu(&mut self, at: u64, imu: Imu) -> Result<()> {
        self.imu.append(&imu_record(at, imu))?;
        if let Some(libemg) = &mut self.libemg {
            libemg.write_imu(&imu)?;
        }
        Ok(())
    }

    fn classify(&mut self, classifier: Classifier) -> Result<()> {
        match classifier {
            Classifier::Pose(pose) => {
                self.pose.write(pose.name())?;
            }
            Classifier::Synced(arm, _) => self.status.arm = arm.name(),
            Classifier::Unsynced | Classifier::SyncFailed => self.status.arm = "",
            Classifier::Unlocked | Classifier::Locked => return Ok(()),
        }
        self.status.write()
    }

    /// Does what has been asked for since the last look. What makes no sense, or is refused, is told in the status.
    fn obey(&mut self, myo: &mut Myo<Serial>) -> Result<()> {
        while let Some(message) = self.commands.try_get()? {
            let text = String::from_utf8_lossy(&message.bytes).into_owned();
            let outcome = match text.parse() {
                Ok(Control::Mode(mode)) => {
                    // Also after the next reconnection.
                    self.settings.mode = mode;
                    self.clock = new_clock();
                    myo.set_mode(mode)
                }
                Ok(control) => myo.tell(control),
                Err(wrong) => {
                    self.status.message = wrong;
                    self.status.write()?;
                    continue;
                }
            };
            match outcome {
                Err(error @ Error::Refused { .. }) => self.status.message = error.to_string(),
                outcome => outcome?,
            }
            self.status.write()?;
        }
        Ok(())
    }

    /// Publishes until the armband fails or a stop is requested.
    fn pump(&mut self, myo: &mut Myo<Serial>, stop: &Stop) -> Result<()> {
        let skipped_before = self.status.skipped;
        while !stop.is_requested() {
            if let Some(heard) = myo.next(LOOK)? {
                self.status.lost += u64::from(heard.lost) * EMG_PACKET_SAMPLES as u64;
                self.publish(&heard)?;
            }
            self.obey(myo)?;
            self.status.skipped = skipped_before + myo.skipped();
            self.status.refresh()?;
        }
        Ok(())
    }
}

impl Streamer for MyoStreamer {
    type Error = Error;

    fn connect(&mut self, stop: &Stop) -> Result<()> {
        self.status.enter(State::Connecting)?;
        let myo = Myo::connect(self.port.open()?, &self.settings, stop.clone())?;
        self.battery.store(myo.battery());
        self.clock = new_clock();
        self.status.connected(&myo)?;
        self.myo = Some(myo);
        Ok(())
    }

    fn stream(&mut self, stop: &Stop) -> Result<()> {
        let Some(mut myo) = self.myo.take() else { return Ok(()) };
        let outcome = self.pump(&mut myo, stop);
        self.myo = Some(myo);
        outcome
    }

    fn disconnect(&mut self) {
        if let Some(myo) = self.myo.take() {
            myo.disconnect();
        }
        self.status.arm = "";
    }

    fn failed(&mut self, error: Error, pause: Duration) -> Result<()> {
        if matches!(error, Error::Region(_) | Error::Segment(_)) {
            return Err(error);
        }
        self.status.message = format!("{error}; trying again in {pause:.1?}");
        self.status.enter(State::Waiting)
    }
}

impl Drop for MyoStreamer {
    fn drop(&mut self) {
        // A status that cannot be written is no reason to fail at the end.
        let _ = self.status.enter(State::Stopped);
    }
}

fn new_clock() -> SampleClock {
    SampleClock::new(EMG_PACKET_PERIOD.as_nanos() as u64)
}
