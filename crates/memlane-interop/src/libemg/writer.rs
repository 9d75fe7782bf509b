//! Filling LibEMG's segments.

use super::Error;
use super::tags::{COUNT_BYTES, Kind, Tags};
use crate::draft::{Draft, Replace};
use crate::name::Name;
use crate::segment::{Access, Mapping, Segment};
use std::io;
use std::sync::atomic::{Ordering::Release, fence};

const MODE: u32 = 0o600;

/// Puts rows on top of one of LibEMG's arrays. The segments stay when it is dropped.
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
    segment: Segment,
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
        Ok(Self { kind, rows: Part::open(rows, kind.bytes())?, count: Part::open(count, COUNT_BYTES)? })
    }

    /// Puts rows on top, the last of them uppermost, and counts them. Of more rows than the array has, the last remain.
    ///
    /// What is there is taken from the segment each time, so that a reset by LibEMG holds.
    pub fn append(&self, rows: &[[f64; COLUMNS]]) -> Result<(), Error> {
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
        let segment = match Segment::open(name.path(), Access::ReadWrite).map_err(Error::io(&name, "open"))? {
            Some(segment) => segment,
            None => create(&name, size)?,
        };
        if !segment.lock().map_err(Error::io(&name, "lock"))? {
            return Err(Error::Busy { name });
        }
        let found = segment.metadata().map_err(Error::io(&name, "look at"))?.len();
        if found != size as u64 {
            return Err(Error::Size { name, expected: size as u64, found });
        }
        let mapping = segment.map(size).map_err(Error::io(&name, "map"))?;
        Ok(Self { name, segment, mapping })
    }

    fn read(&self, bytes: &mut [u8]) -> Result<(), Error> {
        self.segment.read_exact_at(bytes, 0).map_err(Error::io(&self.name, "read"))
    }
}

/// Makes a segment of zeros, or opens the one that somebody else has just made.
fn create(name: &Name, size: usize) -> Result<Segment, Error> {
    let draft = Draft::create(name.directory(), MODE).map_err(Error::io(name, "make a file for"))?;
    draft.write_all_at(&vec![0; size], 0).map_err(Error::io(name, "write"))?;
    match draft.publish(name.path(), Replace::Nothing) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let opened = Segment::open(name.path(), Access::ReadWrite).map_err(Error::io(name, "open"))?;
            opened.ok_or_else(|| Error::NotFound { name: name.clone() })
        }
        published => published.map_err(Error::io(name, "rename a file to")),
    }
}
