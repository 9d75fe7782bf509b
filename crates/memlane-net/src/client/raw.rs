//! Bytes of the host, for programs that lay their own types over them.

use std::ops::Range;

use bytes::Bytes;

use super::array::run;
use super::error::Result;
use super::place::Place;
use crate::protocol::operation::Part;

/// Bytes, in place.
#[derive(Debug, Clone)]
pub struct Raw(pub(super) Place);

impl Raw {
    /// Those in the range.
    pub fn read(&self, range: Range<u64>) -> Result<Bytes> {
        Ok(self.0.read_bytes(run(&range))?.0)
    }

    /// All.
    pub fn read_all(&self) -> Result<Bytes> {
        Ok(self.0.read_bytes(Part::default())?.0)
    }

    /// Those from `start` on become `bytes`.
    pub fn write(&self, start: u64, bytes: impl Into<Bytes>) -> Result<()> {
        let bytes = bytes.into();
        self.0.write_bytes(run(&(start..start + bytes.len() as u64)), bytes).map(drop)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}
