//! The body of a queue.
//!
//! ```text
//! producers' line   what was put             128
//! consumers' line   what was taken           128
//! …                 messages, from the next page
//! ```
#![allow(unsafe_code)] // Declares which types may be laid over shared bytes, beside the proofs that they may.

use super::{LINE, PAGE, Row, Table, field_size, round_up, row, shared_bytes};
use crate::atomic::{AtomicU32, AtomicU64};
use crate::os::mapping::SharedBytes;
use std::mem::offset_of;

/// What producers write: what consumers look at, too, and on the other half line, which nobody takes from them, the
/// rest.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct ProducerLine {
    pub(crate) tail: AtomicU64,
    pub(crate) arrivals: AtomicU64,
    unused: [AtomicU64; 6],
    pub(crate) claim: AtomicU32,
    spare: AtomicU32,
    pub(crate) owner: AtomicU64,
    pub(crate) head_seen: AtomicU64,
    unused_too: [AtomicU64; 5],
}

/// What consumers write, in halves as producers'.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct ConsumerLine {
    pub(crate) head: AtomicU64,
    pub(crate) cursor: AtomicU64,
    unused: [AtomicU64; 6],
    pub(crate) claim: AtomicU32,
    spare: AtomicU32,
    pub(crate) owner: AtomicU64,
    pub(crate) tail_seen: AtomicU64,
    unused_too: [AtomicU64; 5],
}

shared_bytes!(ProducerLine, ConsumerLine);

const _: () = {
    assert!(size_of::<ProducerLine>() == LINE);
    assert!(size_of::<ConsumerLine>() == LINE);
};

/// Body of a queue. All offsets count from the start of the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueLayout {
    pub(crate) producer_offset: usize,
    pub(crate) consumer_offset: usize,
    pub(crate) ring_offset: usize,
    /// Bytes of the ring, whole pages.
    pub(crate) ring_size: usize,
    pub(crate) total_size: u64,
}

impl QueueLayout {
    /// The layout for a ring of at least `ring` bytes.
    pub(crate) const fn new(body: usize, ring: usize) -> Self {
        let producer_offset = round_up(body, LINE);
        let consumer_offset = producer_offset + size_of::<ProducerLine>();
        let ring_offset = round_up(consumer_offset + size_of::<ConsumerLine>(), PAGE);
        let ring_size = round_up(ring, PAGE);
        let total_size = (ring_offset + ring_size) as u64;
        Self { producer_offset, consumer_offset, ring_offset, ring_size, total_size }
    }
}

const PRODUCER_ROWS: &[Row] = &[
    row!(ProducerLine.tail, "producer", "where the next message goes, see Words"),
    row!(
        ProducerLine.arrivals,
        "producers, consumers",
        "an eventcount, where messages are acknowledged: one was put or came back"
    ),
    row!(ProducerLine.unused, "nobody", "zero"),
    row!(ProducerLine.claim, "producer", "private lock of the producers, a claim word"),
    row!(ProducerLine.spare, "nobody", "zero"),
    row!(ProducerLine.owner, "producer", "owner key while a message is written in place"),
    row!(
        ProducerLine.head_seen,
        "producer",
        "what producers last saw of the head: there is as much room, or more"
    ),
    row!(ProducerLine.unused_too, "nobody", "zero"),
];

const CONSUMER_ROWS: &[Row] = &[
    row!(ConsumerLine.head, "consumer", "where the oldest message is, see Words"),
    row!(
        ConsumerLine.cursor,
        "consumer",
        "where messages are acknowledged, a hint, as the head without its flag: everything before it was handed out"
    ),
    row!(ConsumerLine.unused, "nobody", "zero"),
    row!(ConsumerLine.claim, "consumer", "private lock of the consumers, a claim word"),
    row!(ConsumerLine.spare, "nobody", "zero"),
    row!(ConsumerLine.owner, "consumer", "owner key while a message is read in place"),
    row!(
        ConsumerLine.tail_seen,
        "consumer",
        "what consumers last saw of the tail, where messages are not acknowledged: there are as many, or more"
    ),
    row!(ConsumerLine.unused_too, "nobody", "zero"),
];

pub(super) const TABLES: &[Table] = &[
    ("Queue: producers' line (relative to it)", 0, PRODUCER_ROWS),
    ("Queue: consumers' line (relative to it)", 0, CONSUMER_ROWS),
];
