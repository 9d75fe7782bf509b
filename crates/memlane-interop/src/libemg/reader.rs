//! Reading LibEMG's segments, whoever fills them.

use super::Error;
use super::tags::{COUNT_BYTES, Kind, Tags};
use crate::name::Name;
use crate::segment::{Access, Segment};
use std::ops::Range;
use std::sync::atomic::{Ordering::Acquire, fence};

/// A writer moves rows for some microseconds each few milliseconds, so two copies in a row are mostly the same.
const ATTEMPTS: u32 = 1000;

/// Rows by which a place is known again, and how far a count may be from its rows.
const PLACE_ROWS: usize = 8;
const LEAD: usize = 16;

/// Looks at one of LibEMG's arrays, and changes nothing.
#[derive(Debug)]
pub struct Reader<const COLUMNS: usize> {
    place: Place<COLUMNS>,
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

/// The samples that were counted since the last look.
#[derive(Clone, Debug, PartialEq)]
pub struct Fresh<const COLUMNS: usize> {
    /// How many samples there were until then.
    pub count: i32,
    /// How many were pushed out before they were read.
    pub dropped: usize,
    /// The samples, oldest first.
    pub rows: Vec<[f64; COLUMNS]>,
}

/// Up to where samples were taken: the rows that were on top then, and their count.
#[derive(Debug)]
struct Place<const COLUMNS: usize> {
    count: i32,
    top: Vec<[f64; COLUMNS]>,
}

impl<const COLUMNS: usize> Place<COLUMNS> {
    /// Below so many rows from the top.
    fn below(lead: usize, recent: &Recent<COLUMNS>) -> Self {
        Self { count: recent.count, top: recent.rows[lead..lead + PLACE_ROWS].to_vec() }
    }

    /// How many samples were counted since.
    fn counted(&self, recent: &Recent<COLUMNS>) -> usize {
        // After a reset, all of them.
        let since = if recent.count < self.count { 0 } else { self.count };
        recent.count.wrapping_sub(since).cast_unsigned() as usize
    }

    /// The rows above this place that were counted; `None` when the place is not found, as it is while rows move. Rows
    /// on top that were not counted yet may be half written.
    fn counted_rows(&self, recent: &Recent<COLUMNS>) -> Option<Range<usize>> {
        let counted = self.counted(recent);
        let most = recent.rows.len() - PLACE_ROWS;
        if counted > most || recent.count < self.count {
            return Some(0..counted.min(recent.rows.len()));
        }
        let near = (0..=LEAD).flat_map(|lead| [counted + lead, counted.wrapping_sub(lead)]);
        let mut near = near.filter(|above| *above <= most);
        let above = near.find(|above| recent.rows[*above..].starts_with(&self.top))?;
        Some(above.saturating_sub(counted)..above)
    }
}

impl<const COLUMNS: usize> Reader<COLUMNS> {
    /// Opens segments that exist.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they do not; [`Error::Size`] when they are something else.
    pub fn open(tags: &Tags, kind: Kind<COLUMNS>) -> Result<Self, Error> {
        let (rows, count) = tags.names(kind)?;
        let nowhere = Place { count: 0, top: Vec::new() };
        let (rows, count) = (open(rows, kind.bytes())?, open(count, COUNT_BYTES)?);
        let mut reader = Self { place: nowhere, kind, rows, count };
        reader.place = Place::below(0, &reader.read()?);
        Ok(reader)
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

    /// The samples that came since the last call, or since it was opened. After a reset by LibEMG: those since that.
    ///
    /// # Errors
    /// [`Error::Unsteady`] when the rows of the last call are not found. Then a writer was put to sleep while it moved
    /// them, and the next call finds them; or they were replaced, and a new reader is to be opened.
    pub fn fresh(&mut self) -> Result<Fresh<COLUMNS>, Error> {
        for _ in 0..ATTEMPTS {
            let recent = self.read()?;
            let Some(range) = self.place.counted_rows(&recent) else { continue };
            let dropped = self.place.counted(&recent).saturating_sub(recent.rows.len());
            self.place = Place::below(range.start, &recent);
            let rows = recent.rows[range].iter().rev().copied().collect();
            return Ok(Fresh { count: recent.count, dropped, rows });
        }
        Err(Error::Unsteady { name: self.rows.0.clone(), attempts: ATTEMPTS })
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
