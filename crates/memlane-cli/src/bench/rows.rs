//! What is measured, beside what, and how good we want it to be.

use super::figures::Figures;
use super::ground::Ground;
use super::passing::{self, ByPipe, ByQueue, InBatches, KernelPipe, Socket};
use super::solo;
use super::trips::{self, Way};
use super::ways::{ByCacheLine, ByEvent, ByFrames, ByFutex, ByStream, ByTcp, ByValue};
use super::yardsticks::Vyukov;
use crate::failure::Outcome;

/// A figure, and what stands beside it.
pub(super) struct Row {
    pub(super) what: &'static str,
    /// Nothing for a figure that has no yardstick.
    pub(super) beside: &'static str,
    pub(super) unit: Unit,
    pub(super) goal: Goal,
    pub(super) measure: fn(&Ground) -> Outcome<Figures>,
    pub(super) others: Option<Others>,
}

/// The processes on the other core that it takes.
#[derive(Clone, Copy)]
pub(super) struct Others {
    pub(super) count: u32,
    pub(super) work: fn(&Ground) -> Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Nanoseconds,
    Bytes,
}

/// For memlane's developers: a machine that misses it is no reason to worry.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    /// At most so many times the yardstick.
    Ratio(f64),
    /// At most so much.
    Figure(f64),
}

impl Row {
    /// Of one process alone.
    const fn solo(
        what: &'static str,
        beside: &'static str,
        goal: Goal,
        measure: fn(&Ground) -> Outcome<Figures>,
    ) -> Self {
        Self { what, beside, unit: Unit::Nanoseconds, goal, measure, others: None }
    }

    /// With so many processes on the other core.
    const fn with(self, count: u32, work: fn(&Ground) -> Outcome) -> Self {
        Self { others: Some(Others { count, work }), ..self }
    }

    const fn in_bytes(self) -> Self {
        Self { unit: Unit::Bytes, ..self }
    }

    const fn polled<Ours: Way, Theirs: Way>(what: &'static str, beside: &'static str, ratio: f64) -> Self {
        Self::solo(what, beside, Goal::Ratio(ratio), trips::polled::<Ours, Theirs>)
            .with(1, trips::polled_answer::<Ours, Theirs>)
    }

    const fn asleep<Ours: Way>(what: &'static str) -> Self {
        Self::solo(what, "bare futex", Goal::Ratio(1.1), trips::asleep::<Ours, ByFutex>)
            .with(1, trips::asleep_answer::<Ours, ByFutex>)
    }

    const fn passed<Ours: passing::End, Theirs: passing::End>(
        what: &'static str,
        beside: &'static str,
        ratio: f64,
    ) -> Self {
        Self::solo(what, beside, Goal::Ratio(ratio), passing::pass::<Ours, Theirs>)
            .with(1, passing::take::<Ours, Theirs>)
    }

    /// Whether a person who gives this word means it.
    pub(super) fn is_meant_by(&self, word: &str) -> bool {
        self.what.contains(word) || self.beside.contains(word)
    }

    /// Processes on the other core.
    pub(super) fn company(&self) -> u32 {
        self.others.map_or(0, |others| others.count)
    }
}

pub(super) const ROWS: &[Row] = &[
    Row::polled::<ByValue, ByCacheLine>("value: 8 B one way, polled", "bare cache line", 1.2),
    Row::polled::<ByStream, ByCacheLine>("stream: 8 B one way, polled", "bare cache line", 1.5),
    Row::polled::<ByFrames, ByCacheLine>("frames: 8 B one way, polled", "bare cache line", 2.0),
    Row::asleep::<ByValue>("value: round trip, both asleep"),
    Row::asleep::<ByStream>("stream: round trip, both asleep"),
    Row::asleep::<ByFrames>("frames: round trip, both asleep"),
    Row::asleep::<ByEvent>("event: round trip, both asleep"),
    Row::solo(
        "frames: one round trip after the other",
        "TCP, loopback",
        Goal::Ratio(1.0),
        trips::prompt::<ByFrames, ByTcp>,
    )
    .with(1, trips::prompt_answer::<ByFrames, ByTcp>),
    Row::solo("frames: loan and publish", "", Goal::Figure(30.0), solo::publish_small),
    Row::solo("frames: latest and release", "", Goal::Figure(15.0), solo::borrow),
    Row::solo(
        "frames: publish 775,680 B in place",
        "publish 8 B in place",
        Goal::Ratio(1.1),
        solo::publish_in_place,
    ),
    Row::solo("frames: copy and publish 775,680 B", "memcpy", Goal::Ratio(1.02), solo::copy_and_publish),
    Row::solo("lock: lock and unlock", "pthread_mutex, shared", Goal::Ratio(1.2), solo::lock),
    Row::solo(
        "lock: lock and unlock",
        "pthread_mutex, shared and robust",
        Goal::Ratio(1.0),
        solo::lock_beside_robust,
    ),
    Row::solo("rwlock: read lock and unlock", "pthread_rwlock, shared", Goal::Ratio(2.0), solo::read_lock),
    Row::solo(
        "rwlock: the same, another process reads, too",
        "pthread_rwlock, shared",
        Goal::Ratio(0.5),
        solo::read_lock_in_company,
    )
    .with(1, solo::read_lock_as_company),
    Row::solo("semaphore: acquire and release", "sem_t, shared", Goal::Ratio(2.5), solo::permit),
    Row::solo("signal semaphore: release and acquire", "sem_t, shared", Goal::Ratio(1.2), solo::token),
    Row::solo("queue: put and get 64 B", "", Goal::Figure(40.0), solo::put_and_get),
    Row::passed::<ByQueue, Vyukov>("queue: 64 B to another process", "Vyukov queue", 6.0),
    Row::passed::<ByQueue, Socket>("queue: 64 B to another process", "Unix socket", 0.5),
    Row::passed::<ByQueue, KernelPipe>("queue: 64 B to another process", "pipe(2)", 0.5),
    Row::passed::<InBatches, KernelPipe>("queue: 64 B to another process, in batches", "pipe(2)", 0.2),
    Row::passed::<ByPipe, KernelPipe>("pipe: 64 B to another process", "pipe(2)", 0.5),
    Row::solo("stream: append 16 B", "", Goal::Figure(15.0), solo::append),
    Row::solo(
        "stream: append 16 B, eight readers at work",
        "nobody reads",
        Goal::Ratio(2.0),
        solo::append_with_readers,
    )
    .with(8, solo::read_stream),
    Row::solo("region: attach", "open and map a file", Goal::Figure(30_000.0), solo::attach),
    Row::solo("region: memory of a value", "", Goal::Figure(16.0 * 1024.0), solo::memory).in_bytes(),
];
