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

const KILLED: &str = "chaos/killed";

/// What the processes that do not work with [`crate::works`] leave in the space.
pub(crate) const IDS: [&str; 9] = [CHANNEL, PROGRESS, STOP, TOTALS, KILLED, TEXT, PAIR, RECORD, SUM];

/// Processes of a run.
pub(crate) const MEMBERS: usize = 12;
/// The processes and their parent, and hardly more: a slot that is not given back is missed at once.
pub(crate) const PARTICIPANTS: u16 = MEMBERS as u16 + 4;

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
    Puts,
    Gets,
    PutsCutShort,
    GetsCutShort,
    Leases,
    LeasesRedelivered,
    LeasesCutShort,
    Permits,
    WriteLocks,
    ReadLocks,
    WriterDeaths,
    Waits,
    Meetings,
    MeetingsBroken,
    Records,
    RecordsLost,
    Words,
    EndsSeen,
    EndsSeenLate,
}

impl Count {
    pub(crate) const ALL: [(Self, &'static str); 29] = [
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
        (Self::Puts, "messages put into a queue"),
        (Self::Gets, "of them taken, each whole and once"),
        (Self::PutsCutShort, "messages that a death left in doubt"),
        (Self::GetsCutShort, "messages that may have gone with a dead consumer"),
        (Self::Leases, "messages acknowledged"),
        (Self::LeasesRedelivered, "of them handed out before"),
        (Self::LeasesCutShort, "messages to be acknowledged that a death left in doubt"),
        (Self::Permits, "permits held, one at a time"),
        (Self::WriteLocks, "changes under a write lock"),
        (Self::ReadLocks, "looks under a read lock"),
        (Self::WriterDeaths, "of either after a writer's death"),
        (Self::Waits, "waits for events, conditions, tokens and re-entrant locks"),
        (Self::Meetings, "meetings at a barrier"),
        (Self::MeetingsBroken, "of them broken"),
        (Self::Records, "records of a stream read, each whole"),
        (Self::RecordsLost, "records lost by readers"),
        (Self::Words, "messages through a pipe"),
        (Self::EndsSeen, "deaths noticed at the other end of a pipe"),
        (Self::EndsSeenLate, "of them after more than 100 ms"),
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
    killed: Array<u64>,
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
            killed: Array::open_or_create(space, KILLED, &[MEMBERS])?,
        })
    }

    /// Everything but the channel.
    pub(crate) fn regions(&self) -> [&Region; 8] {
        [
            self.pair.region(),
            self.sum.region(),
            self.record.region(),
            self.text.region(),
            self.progress.region(),
            self.totals.region(),
            self.stop.region(),
            self.killed.region(),
        ]
    }

    pub(crate) fn add(&self, count: Count) {
        self.add_many(count, 1);
    }

    pub(crate) fn add_many(&self, count: Count, more: u64) {
        self.totals.update(count as usize, |total| total + more).expect("every count has its element");
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

    /// Says that this member is about to be killed.
    pub(crate) fn doom(&self, member: usize) {
        self.killed.store(member, now()).expect("every member has its element");
    }

    /// Milliseconds since this member was killed the last time.
    pub(crate) fn since_death(&self, member: u64) -> u64 {
        let killed = self.killed.load(member as usize).expect("every member has its element");
        now().saturating_sub(killed) / 1_000_000
    }

    pub(crate) fn stop(&self) {
        self.stop.store(1);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.stop.load() != 0
    }
}

fn now() -> u64 {
    memlane::Timestamp::now().monotonic
}

/// Becomes the publisher, if nobody is.
pub(crate) fn publisher(space: &Space, patience: std::time::Duration) -> Result<FramePublisher> {
    let spec = FrameSpec::bytes(FRAME).history(3).borrows(SUBSCRIBERS * BORROWS);
    FramePublisher::open_or_create_within(&space.clone().participants(PARTICIPANTS), CHANNEL, &spec, patience)
}
