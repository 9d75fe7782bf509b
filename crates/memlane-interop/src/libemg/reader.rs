//! Reading LibEMG's segments, whoever fills them.

use super::Error;
use super::tags::{COUNT_BYTES, Kind, Tags};
use crate::name::Name;
use crate::segment::{Access, Segment};
use std::sync::atomic::{Ordering::Acquire, fence};

/// A writer moves rows for some microseconds each few milliseconds, so two copies in a row are mostly the same.
const ATTEMPTS: u32 = 1000;

/// Looks at one of LibEMG's arrays, and changes nothing.
#[derive(Debug)]
pub struct Reader<const COLUMNS: usize> {
    kind: Kind<COLUMNS>,
    rows: (Name, Segment),
    count: (Name, Segment),
}

/// The rows as they were at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Recent<const COLUMNS: usize> {
    /// How many samples there were until then.
    pub count: i32,
    rows: Vec<[f64; COLUMNS]>,
}

/// The samples since a count.
#[derive(Clone, Debug, PartialEq)]
pub struct Since<const COLUMNS: usize> {
    /// To ask with next time.
    pub count: i32,
    /// How many were pushed out before they were read.
    pub dropped: u32,
    /// The samples, oldest first.
    pub rows: Vec<[f64; COLUMNS]>,
}

impl<const COLUMNS: usize> Reader<COLUMNS> {
    /// Opens segments that exist.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they do not; [`Error::Size`] when they are something else.
    pub fn open(tags: &Tags, kind: Kind<COLUMNS>) -> Result<Self, Error> {
        let (rows, count) = tags.names(kind)?;
        Ok(Self { kind, rows: open(rows, kind.bytes())?, count: open(count, COUNT_BYTES)? })
    }

    /// All rows and their count.
    ///
    /// # Errors
    /// [`Error::Unsteady`] when a writer never let it see the same twice.
    pub fn read(&self) -> Result<Recent<COLUMNS>, Error> {
        let mut before = self.copy()?;
        for _ in 0..ATTEMPTS {
            let after = self.copy()?;
            if before == after {
                let (count, bytes) = after;
                return Ok(Recent { count, rows: rows_of(&bytes) });
            }
            before = after;
        }
        Err(Error::Unsteady { name: self.rows.0.clone(), attempts: ATTEMPTS })
    }

    /// The samples that came since `count`, which an earlier call gave. After a reset: all that came since that.
    pub fn since(&self, count: i32) -> Result<Since<COLUMNS>, Error> {
        let recent = self.read()?;
        let seen = if recent.count < count { 0 } else { count };
        let fresh = recent.count.wrapping_sub(seen).cast_unsigned();
        let kept = fresh.min(self.kind.rows as u32);
        let mut rows = recent.rows;
        rows.truncate(kept as usize);
        rows.reverse();
        Ok(Since { count: recent.count, dropped: fresh - kept, rows })
    }

    /// The count first: rows that are younger than it do no harm.
    fn copy(&self) -> Result<(i32, Vec<u8>), Error> {
        let mut count = [0; COUNT_BYTES];
        read(&self.count, &mut count)?;
        fence(Acquire);
        let mut rows = vec![0; self.kind.bytes()];
        read(&self.rows, &mut rows)?;
        Ok((i32::from_le_bytes(count), rows))
    }
}

impl<const COLUMNS: usize> Recent<COLUMNS> {
    /// All rows, newest first; those that no sample has filled yet are zero.
    pub fn rows(&self) -> &[[f64; COLUMNS]] {
        &self.rows
    }
}

fn open(name: Name, size: usize) -> Result<(Name, Segment), Error> {
    let opened = Segment::open(name.path(), Access::Read).map_err(Error::io(&name, "open"))?;
    let Some(segment) = opened else { return Err(Error::NotFound { name }) };
    let found = segment.metadata().map_err(Error::io(&name, "look at"))?.len();
    if found != size as u64 {
        return Err(Error::Size { name, expected: size as u64, found });
    }
    Ok((name, segment))
}

fn read((name, segment): &(Name, Segment), bytes: &mut [u8]) -> Result<(), Error> {
    segment.read_exact_at(bytes, 0).map_err(Error::io(name, "read"))
}

fn rows_of<const COLUMNS: usize>(bytes: &[u8]) -> Vec<[f64; COLUMNS]> {
    let (numbers, _) = bytes.as_chunks();
    let numbers: Vec<_> = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    numbers.as_chunks().0.to_vec()
}
