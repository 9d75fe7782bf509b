//! The body of a semaphore.
//!
//! ```text
//! semaphore line   128
//! held             one word a participant, of permits    8 × slots
//! ```
#![allow(unsafe_code)] // Declares which types may be laid over shared bytes, beside the proofs that they may.

use super::{LINE, Row, Table, field_size, row, shared_bytes};
use crate::atomic::{AtomicU32, AtomicU64};
use crate::os::mapping::SharedBytes;
use std::mem::offset_of;

/// What a semaphore of either sort needs.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct SemaphoreLine {
    pub(crate) gatekeeper: AtomicU32,
    pub(crate) reach: AtomicU32,
    pub(crate) changes: AtomicU64,
    pub(crate) tokens: AtomicU64,
    unused: [AtomicU64; 13],
}

shared_bytes!(SemaphoreLine);

const _: () = assert!(size_of::<SemaphoreLine>() == LINE);

/// Where the permits that participants hold begin, from the start of the body.
pub(crate) const HELD_OFFSET: usize = size_of::<SemaphoreLine>();

/// Where the tokens stand, from the start of the body.
pub(crate) const TOKENS_OFFSET: usize = offset_of!(SemaphoreLine, tokens);

/// Bytes of the body for so many participants.
pub(crate) const fn body_size(slots: u16) -> usize {
    HELD_OFFSET + slots as usize * size_of::<AtomicU64>()
}

const ROWS: &[Row] = &[
    row!(SemaphoreLine.gatekeeper, "who takes permits", "private lock, a claim word"),
    row!(SemaphoreLine.reach, "who takes permits", "one above the highest slot that ever held a permit"),
    row!(SemaphoreLine.changes, "who gives permits back", "an eventcount"),
    row!(SemaphoreLine.tokens, "anybody", "of a signal semaphore: its value << 1, bit 0: somebody sleeps"),
    row!(SemaphoreLine.unused, "nobody", "zero"),
];

pub(super) const TABLES: &[Table] = &[("Semaphore: first line of the body (relative to it)", 0, ROWS)];
