//! What the streamer tells of itself, in the record `myo/status`.

use crate::error::Result;
use crate::myo::{Firmware, Myo};
use memlane::schema::Datum;
use memlane::{Record, Space};
use std::time::{Duration, Instant};

/// What the record is: `state` is a name of [`State`], `arm` is `right`, `left` or empty, `samples` and `lost` count
/// EMG samples since the streamer was started, `connections` how often it connected, `skipped` bytes that belonged to
/// no packet; `message` is the last error. Texts end at the first zero byte.
pub const STATUS_SCHEMA: &str = "{state:|S12,address:|S17,name:|S32,firmware:[4]<u2,arm:|S8,samples:<u8,lost:<u8,\
                                 connections:<u4,skipped:<u8,message:|S200}";

/// How often counters are written when nothing else changes.
const PERIOD: Duration = Duration::from_millis(500);

/// What the streamer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Looks for the armband.
    #[default]
    Connecting,
    /// Shares what it sends.
    Streaming,
    /// Waits before it tries again.
    Waiting,
    /// Has ended.
    Stopped,
}

impl State {
    /// `connecting`, `streaming`, `waiting` or `stopped`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Streaming => "streaming",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
        }
    }
}

/// The record, and what it says.
#[derive(Debug)]
pub(super) struct Status {
    record: Record,
    written: Instant,
    state: State,
    address: String,
    name: String,
    firmware: Firmware,
    pub(super) arm: &'static str,
    pub(super) samples: u64,
    pub(super) lost: u64,
    connections: u32,
    pub(super) skipped: u64,
    pub(super) message: String,
}

impl Status {
    pub(super) fn open(space: &Space, id: &str) -> Result<Self> {
        let status = Self {
            record: Record::open_or_create(space, id, STATUS_SCHEMA)?,
            written: Instant::now(),
            state: State::default(),
            address: String::new(),
            name: String::new(),
            firmware: Firmware::default(),
            arm: "",
            samples: 0,
            lost: 0,
            connections: 0,
            skipped: 0,
            message: String::new(),
        };
        status.write()?;
        Ok(status)
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn enter(&mut self, state: State) -> Result<()> {
        self.state = state;
        self.write()
    }

    pub(super) fn connected<T: crate::Transport>(&mut self, myo: &Myo<T>) -> Result<()> {
        self.address = myo.address().to_string();
        myo.name().clone_into(&mut self.name);
        self.firmware = myo.firmware();
        self.connections += 1;
        self.message.clear();
        self.enter(State::Streaming)
    }

    /// Writes the counters, if that was long ago.
    pub(super) fn refresh(&mut self) -> Result<()> {
        if self.written.elapsed() < PERIOD {
            return Ok(());
        }
        self.written = Instant::now();
        self.write()
    }

    pub(super) fn write(&self) -> Result<()> {
        let Firmware { major, minor, patch, hardware } = self.firmware;
        let firmware = [major, minor, patch, hardware].map(|number| Datum::Uint(number.into()));
        let fields = [
            ("state", self.text("state", self.state.name())),
            ("address", self.text("address", &self.address)),
            ("name", self.text("name", &self.name)),
            ("firmware", Datum::Array(firmware.into())),
            ("arm", self.text("arm", self.arm)),
            ("samples", Datum::Uint(self.samples)),
            ("lost", Datum::Uint(self.lost)),
            ("connections", Datum::Uint(self.connections.into())),
            ("skipped", Datum::Uint(self.skipped)),
            ("message", self.text("message", &self.message)),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        self.record.write(&Datum::Struct(fields.into()))?;
        Ok(())
    }

    /// A text, filled up with zeros or cut between two characters to the size of its field.
    fn text(&self, field: &str, text: &str) -> Datum {
        let size = self.record.schema().field(field).map_or(0, memlane::schema::Field::size);
        let mut bytes = text.as_bytes()[..text.floor_char_boundary(size)].to_vec();
        bytes.resize(size, 0);
        Datum::Bytes(bytes)
    }
}
