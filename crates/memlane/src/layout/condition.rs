//! The body of a condition.
//!
//! ```text
//! condition line   128
//! entries          one word for each thread that waits    8 × entries
//! ```
#![allow(unsafe_code)] // Declares which types may be laid over shared bytes, beside the proofs that they may.

use super::{LINE, Row, Table, field_size, row, shared_bytes};
use crate::atomic::AtomicU64;
use crate::os::mapping::SharedBytes;
use std::mem::offset_of;

/// What numbers those who wait.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct ConditionLine {
    pub(crate) tickets: AtomicU64,
    unused: [AtomicU64; 15],
}

shared_bytes!(ConditionLine);

const _: () = assert!(size_of::<ConditionLine>() == LINE);

/// Where the entries begin, from the start of the body.
pub(crate) const ENTRIES_OFFSET: usize = size_of::<ConditionLine>();

/// Bytes of the body for so many entries.
pub(crate) const fn body_size(entries: usize) -> usize {
    ENTRIES_OFFSET + entries * size_of::<AtomicU64>()
}

const ROWS: &[Row] = &[
    row!(ConditionLine.tickets, "who waits", "tickets drawn so far"),
    row!(ConditionLine.unused, "nobody", "zero"),
];

pub(super) const TABLES: &[Table] = &[("Condition: first line of the body (relative to it)", 0, ROWS)];
