//! The body of a readers-writer lock; the writer's claim is the region's own lock.
//!
//! ```text
//! gate line    where readers wait                         128
//! drain line   where a writer waits                       128
//! shares       one line a participant, of its read locks  128 × slots
//! ```
#![allow(unsafe_code)] // Declares which types may be laid over shared bytes, beside the proofs that they may.

use super::{LINE, Row, Table, field_size, row, shared_bytes};
use crate::atomic::{AtomicU32, AtomicU64};
use crate::os::mapping::SharedBytes;
use std::mem::offset_of;

/// Where readers and a writer wait for each other.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RwLockLines {
    pub(crate) gate: AtomicU64,
    pub(crate) reach: AtomicU32,
    spare: AtomicU32,
    unused: [AtomicU64; 14],
    pub(crate) drain: AtomicU64,
    rest: [AtomicU64; 15],
}

shared_bytes!(RwLockLines);

const _: () = assert!(size_of::<RwLockLines>() == 2 * LINE && offset_of!(RwLockLines, drain) == LINE);

/// Where the shares begin, from the start of the body.
pub(crate) const SHARES_OFFSET: usize = size_of::<RwLockLines>();

/// Words from one share to the next: readers of different processes must not take a line from each other.
pub(crate) const SHARE_STRIDE: usize = LINE / size_of::<AtomicU64>();

/// Bytes of the body for so many participants.
pub(crate) const fn body_size(slots: u16) -> usize {
    SHARES_OFFSET + slots as usize * LINE
}

const ROWS: &[Row] = &[
    row!(RwLockLines.gate, "writers", "an eventcount: a writer has left"),
    row!(RwLockLines.reach, "readers", "one above the highest slot that ever had a read lock"),
    row!(RwLockLines.spare, "nobody", "zero"),
    row!(RwLockLines.unused, "nobody", "zero"),
    row!(RwLockLines.drain, "readers", "an eventcount: a reader has left while a writer waits"),
    row!(RwLockLines.rest, "nobody", "zero"),
];

pub(super) const TABLES: &[Table] = &[("Rwlock: first lines of the body (relative to it)", 0, ROWS)];
