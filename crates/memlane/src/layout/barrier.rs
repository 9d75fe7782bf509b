//! The body of a barrier.
//!
//! ```text
//! barrier line   128
//! members        one word a participant    8 × slots
//! arrivals       one word a participant    8 × slots
//! ```
#![allow(unsafe_code)] // Declares which types may be laid over shared bytes, beside the proofs that they may.

use super::{LINE, Row, Table, field_size, row, shared_bytes};
use crate::atomic::{AtomicU32, AtomicU64};
use crate::os::mapping::SharedBytes;
use std::mem::offset_of;

/// Where a barrier stands.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct BarrierLine {
    pub(crate) state: AtomicU64,
    pub(crate) gatekeeper: AtomicU32,
    spare: AtomicU32,
    unused: [AtomicU64; 14],
}

shared_bytes!(BarrierLine);

const _: () = assert!(size_of::<BarrierLine>() == LINE);

/// Where the words of the members begin, from the start of the body.
pub(crate) const MEMBERS_OFFSET: usize = size_of::<BarrierLine>();

/// Where the arrivals begin, from the start of the body.
pub(crate) const fn arrivals_offset(slots: u16) -> usize {
    MEMBERS_OFFSET + slots as usize * size_of::<AtomicU64>()
}

/// Bytes of the body for so many participants.
pub(crate) const fn body_size(slots: u16) -> usize {
    arrivals_offset(slots) + slots as usize * size_of::<AtomicU64>()
}

const ROWS: &[Row] = &[
    row!(BarrierLine.state, "the last to arrive, who breaks or resets", "phase and how it stands, see Words"),
    row!(BarrierLine.gatekeeper, "who arrives", "private lock, a claim word"),
    row!(BarrierLine.spare, "nobody", "zero"),
    row!(BarrierLine.unused, "nobody", "zero"),
];

pub(super) const TABLES: &[Table] = &[("Barrier: first line of the body (relative to it)", 0, ROWS)];
