//! The body of a pipe.
//!
//! ```text
//! ends line    who has which end                   128
//! directions   a tail line and a head line each    256 × 2
//! …            two rings, each from the next page
//! ```
#![allow(unsafe_code)] // Declares which types may be laid over shared bytes, beside the proofs that they may.

use super::{LINE, PAGE, Row, Table, field_size, round_up, row, shared_bytes};
use crate::atomic::{AtomicU32, AtomicU64};
use crate::os::mapping::SharedBytes;
use std::mem::offset_of;

/// Who has which end.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct EndsLine {
    pub(crate) gatekeeper: AtomicU32,
    pub(crate) roles: [AtomicU32; 2],
    unused: [AtomicU32; 29],
}

/// One way through a pipe: what its sender writes, and what its receiver does.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct DirectionLines {
    pub(crate) tail: AtomicU64,
    spare: [AtomicU64; 15],
    pub(crate) head: AtomicU64,
    unused: [AtomicU64; 15],
}

shared_bytes!(EndsLine, DirectionLines);

const _: () = {
    assert!(size_of::<EndsLine>() == LINE);
    assert!(size_of::<DirectionLines>() == 2 * LINE && offset_of!(DirectionLines, head) == LINE);
};

/// Body of a pipe. All offsets count from the start of the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PipeLayout {
    pub(crate) ends_offset: usize,
    pub(crate) directions_offset: usize,
    pub(crate) rings_offset: usize,
    /// Bytes of a ring, whole pages.
    pub(crate) ring_size: usize,
    pub(crate) total_size: u64,
}

impl PipeLayout {
    /// The layout for `rings` rings (1 or 2) of at least `ring` bytes.
    pub(crate) const fn new(body: usize, rings: usize, ring: usize) -> Self {
        let ends_offset = round_up(body, LINE);
        let directions_offset = ends_offset + size_of::<EndsLine>();
        let rings_offset = round_up(directions_offset + 2 * size_of::<DirectionLines>(), PAGE);
        let ring_size = round_up(ring, PAGE);
        let total_size = (rings_offset + rings * ring_size) as u64;
        Self { ends_offset, directions_offset, rings_offset, ring_size, total_size }
    }
}

const ENDS_ROWS: &[Row] = &[
    row!(EndsLine.gatekeeper, "who opens an end", "private lock, a claim word"),
    row!(
        EndsLine.roles,
        "the ends",
        "of the left and the right end: 0 not had yet, a claim, or bit 31 alone: closed"
    ),
    row!(EndsLine.unused, "nobody", "zero"),
];

const DIRECTION_ROWS: &[Row] = &[
    row!(
        DirectionLines.tail,
        "sender",
        "units of 8 bytes sent so far << 2, bit 1: turned over when an end is closed, bit 0: the receiver sleeps"
    ),
    row!(DirectionLines.spare, "nobody", "zero"),
    row!(
        DirectionLines.head,
        "receiver",
        "units of 8 bytes received so far << 2, bit 1: turned over when an end is closed, bit 0: the sender sleeps"
    ),
    row!(DirectionLines.unused, "nobody", "zero"),
];

pub(super) const TABLES: &[Table] = &[
    ("Pipe: ends line (relative to it)", 0, ENDS_ROWS),
    ("Pipe: direction (left to right, then right to left; relative to its start)", 0, DIRECTION_ROWS),
];
