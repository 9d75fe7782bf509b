//! The regions that the processes of a steady run share.

use memlane::{Array, FramePublisher, FrameSpec, Record, Region, Result, Space, Text, Value};

pub(crate) const CHANNEL: &str = "camera/front";
const PAIR: &str = "robot/pair";
const SUM: &str = "robot/sum";
const RECORD: &str = "robot/pose";
const TEXT: &str = "notes";
const PROGRESS: &str = "chaos/progress";
const TOTALS: &str = "chaos/totals";
const STOP: &str = "chaos/stop";

/// All there is in the space.
pub(crate) const IDS: [&str; 8] = [CHANNEL, PROGRESS, STOP, TOTALS, TEXT, PAIR, RECORD, SUM];

/// Processes of a run.
pub(crate) const MEMBERS: usize = 8;
/// The processes and their parent, and hardly more: a slot that is not given back is missed at once.
const PARTICIPANTS: u16 = MEMBERS as u16 + 4;

/// Bytes of the longest frame.
pub(crate) const FRAME: usize = 64 * 1024;
/// Subscribers of a run, and the frames each may hold: the pool has not one entry more.
pub(crate) const SUBSCRIBERS: u32 = 2;
pub(crate) const BORROWS: u32 = 4;
/// Bytes of a record.
pub(crate) const RECORD_SIZE: usize = 1024;
/// Bytes that are sealed in a text, in two letters each.
pub(crate) const TEXT_SIZE: usize = 500;

/// Something counted by all processes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    FramesPublished,
    FramesRead,
    FramesHeldOverDeath,
    FramesVerifiedAgain,
    PublishersReplaced,
    Locks,
    Recoveries,
    Writes,
    Reads,
    Adds,
}

impl Count {
    pub(crate) const ALL: [(Self, &'static str); 10] = [
        (Self::FramesPublished, "frames published"),
        (Self::FramesRead, "frames read, each whole and newer than the one before"),
        (Self::FramesVerifiedAgain, "frames found unchanged after being held for a while"),
        (Self::FramesHeldOverDeath, "of them over their publisher's death"),
        (Self::PublishersReplaced, "publishers that took over"),
        (Self::Locks, "changes of two elements under their lock"),
        (Self::Recoveries, "of them after an owner's death"),
        (Self::Writes, "records and texts written"),
        (Self::Reads, "records and texts read, each whole"),
        (Self::Adds, "additions to a value"),
    ];
}

/// The regions, opened.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) pair: Array<u64>,
    pub(crate) sum: Value<u64>,
    pub(crate) record: Record,
    pub(crate) text: Text,
    progress: Array<u64>,
    totals: Array<u64>,
    stop: Value<u64>,
}

impl Ground {
    /// Opens them, or makes them: the processes start in any order.
    pub(crate) fn open(space: &Space) -> Result<Self> {
        let space = &space.clone().participants(PARTICIPANTS);
        Ok(Self {
            pair: Array::open_or_create(space, PAIR, &[3])?,
            sum: Value::open_or_create(space, SUM, 0)?,
            record: Record::open_or_create(space, RECORD, format!("[{RECORD_SIZE}]|u1").as_str())?,
            text: Text::open_or_create(space, TEXT, TEXT_SIZE * 2)?,
            progress: Array::open_or_create(space, PROGRESS, &[MEMBERS])?,
            totals: Array::open_or_create(space, TOTALS, &[Count::ALL.len()])?,
            stop: Value::open_or_create(space, STOP, 0)?,
        })
    }

    /// Everything but the channel.
    pub(crate) fn regions(&self) -> [&Region; 7] {
        [
            self.pair.region(),
            self.sum.region(),
            self.record.region(),
            self.text.region(),
            self.progress.region(),
            self.totals.region(),
            self.stop.region(),
        ]
    }

    pub(crate) fn add(&self, count: Count) {
        self.totals.update(count as usize, |total| total + 1).expect("every count has its element");
    }

    pub(crate) fn total(&self, count: Count) -> u64 {
        self.totals.load(count as usize).expect("every count has its element")
    }

    /// Says that this member has got something done.
    pub(crate) fn go_on(&self, member: u64) {
        self.progress.update(member as usize, |done| done + 1).expect("every member has its element");
    }

    pub(crate) fn done(&self, member: usize) -> u64 {
        self.progress.load(member).expect("every member has its element")
    }

    pub(crate) fn stop(&self) {
        self.stop.store(1);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.stop.load() != 0
    }
}

/// Becomes the publisher, if nobody is.
pub(crate) fn publisher(space: &Space, patience: std::time::Duration) -> Result<FramePublisher> {
    let spec = FrameSpec::bytes(FRAME).history(3).borrows(SUBSCRIBERS * BORROWS);
    FramePublisher::open_or_create_within(&space.clone().participants(PARTICIPANTS), CHANNEL, &spec, patience)
}
