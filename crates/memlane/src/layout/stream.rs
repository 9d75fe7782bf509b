//! The body of a stream.
//!
//! ```text
//! publisher line   who publishes                    128
//! tail line        what is published                128
//! drain line       where a publisher waits          128
//! reader lines     one for each reader it waits for 128 × readers
//! …                records, from the next page      capacity × stride
//! ```
#![allow(unsafe_code)] // Declares which types may be laid over shared bytes, beside the proofs that they may.

use super::{LINE, PAGE, RoleLine, Row, Table, field_size, round_up, row, shared_bytes};
use crate::atomic::{AtomicU32, AtomicU64};
use crate::os::mapping::SharedBytes;
use std::mem::offset_of;

/// How far the publisher is, and its newest record if that is a small one: what a reader that polls needs comes with
/// one cache line of 64 bytes.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct TailLine {
    pub(crate) tail: AtomicU64,
    pub(crate) intent: AtomicU64,
    pub(crate) number: AtomicU64,
    pub(crate) copy: [AtomicU64; 5],
    unused: [AtomicU64; 8],
}

/// What a publisher waits on that may not overtake its readers.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct DrainLine {
    pub(crate) drain: AtomicU64,
    unused: [AtomicU64; 15],
}

/// A reader that the publisher waits for.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct ReaderLine {
    pub(crate) claim: AtomicU32,
    spare: AtomicU32,
    pub(crate) cursor: AtomicU64,
    unused: [AtomicU64; 14],
}

shared_bytes!(TailLine, DrainLine, ReaderLine);

const _: () = {
    assert!(size_of::<TailLine>() == LINE);
    assert!(size_of::<DrainLine>() == LINE);
    assert!(size_of::<ReaderLine>() == LINE);
};

/// Body of a stream. All offsets count from the start of the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamLayout {
    pub(crate) role_offset: usize,
    pub(crate) tail_offset: usize,
    pub(crate) drain_offset: usize,
    pub(crate) readers_offset: usize,
    pub(crate) payload_offset: usize,
    /// Records that fit, at least as many as asked for: a power of two that fills whole pages.
    pub(crate) capacity: usize,
    /// Distance of two records.
    pub(crate) stride: usize,
    pub(crate) total_size: u64,
}

impl StreamLayout {
    /// The layout for records of `size` bytes; the parameters are within their limits.
    pub(crate) const fn new(body: usize, readers: usize, capacity: usize, size: usize) -> Self {
        let role_offset = round_up(body, LINE);
        let tail_offset = role_offset + size_of::<RoleLine>();
        let drain_offset = tail_offset + size_of::<TailLine>();
        let readers_offset = drain_offset + size_of::<DrainLine>();
        let payload_offset = round_up(readers_offset + readers * size_of::<ReaderLine>(), PAGE);
        let stride = round_up(size, size_of::<u64>());
        // A power of two, so that a slot is found without dividing; the least one that fills whole pages is one, too.
        let step = PAGE
            >> if stride.trailing_zeros() < PAGE.trailing_zeros() {
                stride.trailing_zeros()
            } else {
                PAGE.trailing_zeros()
            };
        let capacity = if capacity < step { step } else { capacity.next_power_of_two() };
        let total_size = (payload_offset + capacity * stride) as u64;
        Self {
            role_offset,
            tail_offset,
            drain_offset,
            readers_offset,
            payload_offset,
            capacity,
            stride,
            total_size,
        }
    }
}

const TAIL_ROWS: &[Row] = &[
    row!(TailLine.tail, "publisher", "records published so far << 1, bit 0: somebody sleeps on the low half"),
    row!(TailLine.intent, "publisher", "records published or being written; never goes back"),
    row!(TailLine.number, "publisher", "of which record the copy is: records published with it; 0: of none"),
    row!(
        TailLine.copy,
        "publisher",
        "the newest record, if it has 40 bytes at most and was appended alone; whole while number = tail = intent"
    ),
    row!(TailLine.unused, "nobody", "zero"),
];

const DRAIN_ROWS: &[Row] = &[
    row!(DrainLine.drain, "readers", "an eventcount: a reader that the publisher waits for went on"),
    row!(DrainLine.unused, "nobody", "zero"),
];

const READER_ROWS: &[Row] = &[
    row!(ReaderLine.claim, "reader", "claim word, held for the reader's life"),
    row!(ReaderLine.spare, "nobody", "zero"),
    row!(ReaderLine.cursor, "reader", "number of the next record it wants"),
    row!(ReaderLine.unused, "nobody", "zero"),
];

pub(super) const TABLES: &[Table] = &[
    ("Stream: tail line (relative to it)", 0, TAIL_ROWS),
    ("Stream: drain line (relative to it)", 0, DRAIN_ROWS),
    ("Stream: reader line (repeated, relative to its start)", 0, READER_ROWS),
];
