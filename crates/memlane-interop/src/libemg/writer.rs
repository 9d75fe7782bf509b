//! Filling LibEMG's segments.
//!
//! A Python program that has opened a segment removes its name when it ends, before Python 3.13, although others use
//! it. So each segment has a hidden second name, by which it gets the first one back.

use super::Error;
use super::tags::{COUNT_BYTES, Kind, Tags};
use crate::draft::{self, Draft};
use crate::name::Name;
use crate::segment::{Access, Identity, Mapping, Segment};
use std::io;
use std::sync::atomic::{Ordering::Release, fence};

const MODE: u32 = 0o600;

/// A segment can be made or removed by somebody else between two looks, but hardly so often.
const OPEN_ATTEMPTS: usize = 16;

/// Puts rows on top of one of LibEMG's arrays. The segments stay when it is dropped; while it lives, their names come
/// back when a Python program that ends removes them.
#[derive(Debug)]
pub struct Writer<const COLUMNS: usize> {
    kind: Kind<COLUMNS>,
    rows: Part,
    count: Part,
}

/// A segment, mapped.
#[derive(Debug)]
struct Part {
    name: Name,
    size: usize,
    draft: Draft,
    mapping: Mapping,
}

impl<const COLUMNS: usize> Writer<COLUMNS> {
    /// Makes the segments, all zero, or goes on in those that exist, which may be LibEMG's.
    ///
    /// # Errors
    /// [`Error::Size`] when a segment of that name is something else; [`Error::Busy`] while another memlane writer has
    /// it. One of LibEMG's cannot be noticed.
    pub fn open(tags: &Tags, kind: Kind<COLUMNS>) -> Result<Self, Error> {
        let (rows, count) = tags.names(kind)?;
        draft::sweep(rows.directory()).map_err(Error::io(&rows, "list the directory of"))?;
        Ok(Self { kind, rows: Part::open(rows, kind.bytes())?, count: Part::open(count, COUNT_BYTES)? })
    }

    /// Puts rows on top, the last of them uppermost, and counts them. Of more rows than the array has, the last remain.
    ///
    /// What is there is taken from the segment each time, so that a reset by LibEMG holds.
    pub fn append(&mut self, rows: &[[f64; COLUMNS]]) -> Result<(), Error> {
        self.rows.keep_name()?;
        self.count.keep_name()?;
        let row_bytes = Kind::<COLUMNS>::ROW_BYTES;
        let fresh = rows.iter().rev().take(self.kind.rows).collect::<Vec<_>>();
        let kept = (self.kind.rows - fresh.len()) * row_bytes;
        let mut old = vec![0; kept];
        self.rows.read(&mut old)?;
        let mut count = [0; COUNT_BYTES];
        self.count.read(&mut count)?;
        // From the last on: a row is overwritten when it stands further down already.
        for (number, row) in old.chunks_exact(row_bytes).enumerate().rev() {
            self.rows.mapping.store_bytes((fresh.len() + number) * row_bytes, row);
            fence(Release);
        }
        for (number, row) in fresh.iter().enumerate().rev() {
            let bytes: Vec<u8> = row.iter().flat_map(|number| number.to_le_bytes()).collect();
            self.rows.mapping.store_bytes(number * row_bytes, &bytes);
        }
        // Who sees the count must see the rows.
        fence(Release);
        let count = i32::from_le_bytes(count).wrapping_add(rows.len() as i32);
        self.count.mapping.store_u32(0, count.cast_unsigned());
        Ok(())
    }
}

impl Part {
    fn open(name: Name, size: usize) -> Result<Self, Error> {
        for _ in 0..OPEN_ATTEMPTS {
            let opened = Segment::open(name.path(), Access::ReadWrite).map_err(Error::io(&name, "open"))?;
            let draft = match opened {
                Some(segment) => adopt(segment, &name),
                None => create(&name, size),
            };
            match draft {
                // Somebody else made it, or removed it, meanwhile.
                Err(Error::Io { source, .. })
                    if matches!(source.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {}
                draft => return Self::of(name, size, draft?),
            }
        }
        Err(Error::Busy { name })
    }

    fn of(name: Name, size: usize, draft: Draft) -> Result<Self, Error> {
        let found = draft.segment().metadata().map_err(Error::io(&name, "look at"))?.len();
        if found != size as u64 {
            return Err(Error::Size { name, expected: size as u64, found });
        }
        let mapping = draft.segment().map(size).map_err(Error::io(&name, "map"))?;
        Ok(Self { name, size, draft, mapping })
    }

    fn read(&self, bytes: &mut [u8]) -> Result<(), Error> {
        self.draft.segment().read_exact_at(bytes, 0).map_err(Error::io(&self.name, "read"))
    }

    /// Sees to it that the name leads here. A segment that somebody else put in its place is taken for this one's.
    fn keep_name(&mut self) -> Result<(), Error> {
        let path = self.name.path();
        let named = Identity::at(path).map_err(Error::io(&self.name, "look for"))?;
        let own = self.draft.segment().identity().map_err(Error::io(&self.name, "look at"))?;
        if named == Some(own) || (named.is_none() && self.draft.link(path).is_ok()) {
            return Ok(());
        }
        *self = Self::open(self.name.clone(), self.size)?;
        Ok(())
    }
}

fn adopt(segment: Segment, name: &Name) -> Result<Draft, Error> {
    if !segment.lock().map_err(Error::io(name, "lock"))? {
        return Err(Error::Busy { name: name.clone() });
    }
    Draft::of(segment, name.path()).map_err(Error::io(name, "link"))
}

/// Makes a segment of zeros.
fn create(name: &Name, size: usize) -> Result<Draft, Error> {
    let draft = Draft::create(name.directory(), MODE).map_err(Error::io(name, "make a file for"))?;
    draft.write_all_at(&vec![0; size], 0).map_err(Error::io(name, "write"))?;
    draft.link(name.path()).map_err(Error::io(name, "name"))?;
    Ok(draft)
}
