//! Reading LibEMG's segments, whoever fills them.

use super::Error;
use super::tags::{COUNT_BYTES, Kind, Tags};
use crate::name::Name;
use crate::segment::{Access, Segment};
use std::sync::atomic::{Ordering::Acquire, fence};

/// A writer moves rows for some microseconds each few milliseconds, so two copies in a row are mostly the same.
const ATTEMPTS: u32 = 1000;

/// Rows by which a place is known again, and how far a count may be from its rows.
const PLACE_ROWS: usize = 8;
const LEAD: usize = 16;

/// Looks at one of LibEMG's arrays, and changes nothing.
#[derive(Debug)]
pub struct Reader<const COLUMNS: usize> {
    place: Option<Place<COLUMNS>>,
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

/// The samples since the last look.
#[derive(Clone, Debug, PartialEq)]
pub struct Fresh<const COLUMNS: usize> {
    /// How many samples there were, by LibEMG's count, which may be behind the rows for a moment.
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
    fn of(recent: &Recent<COLUMNS>) -> Self {
        Self { count: recent.count, top: recent.rows[..PLACE_ROWS].to_vec() }
    }

    /// How many rows are on top of this place; `None` when it is not there, as it is while rows move.
    fn rows_above(&self, recent: &Recent<COLUMNS>) -> Option<usize> {
        if recent.count < self.count {
            // A reset: all are new.
            return Some(recent.count.max(0) as usize);
        }
        let counted = recent.count.wrapping_sub(self.count).cast_unsigned() as usize;
        let most = recent.rows.len() - self.top.len();
        if counted > most {
            return Some(counted);
        }
        // By the count, or close to it: a writer stores rows first and counts them then, and so this place or what is
        // there now may have been a packet or two ahead of its count.
        let near = (0..=LEAD).flat_map(|lead| [counted + lead, counted.wrapping_sub(lead)]);
        near.into_iter().find(|above| *above <= most && recent.rows[*above..].starts_with(&self.top))
    }
}

impl<const COLUMNS: usize> Reader<COLUMNS> {
    /// Opens segments that exist.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they do not; [`Error::Size`] when they are something else.
    pub fn open(tags: &Tags, kind: Kind<COLUMNS>) -> Result<Self, Error> {
        let (rows, count) = tags.names(kind)?;
        Ok(Self { place: None, kind, rows: open(rows, kind.bytes())?, count: open(count, COUNT_BYTES)? })
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

    /// The samples that came since the last call, or all that are there. After a reset by LibEMG: those since that.
    ///
    /// # Errors
    /// [`Error::Unsteady`] when the rows of the last call are not found, as after a reset that nobody saw; what came
    /// meanwhile is passed over, and the next call goes on.
    pub fn fresh(&mut self) -> Result<Fresh<COLUMNS>, Error> {
        for _ in 0..ATTEMPTS {
            let recent = self.read()?;
            let counted = recent.count.max(0) as usize;
            let above = self.place.as_ref().map_or(Some(counted), |place| place.rows_above(&recent));
            if let Some(above) = above {
                self.place = Some(Place::of(&recent));
                let Recent { count, mut rows } = recent;
                rows.truncate(above);
                rows.reverse();
                return Ok(Fresh { count, dropped: above - rows.len(), rows });
            }
        }
        self.place = Some(Place::of(&self.read()?));
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
