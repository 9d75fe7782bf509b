//! The writer: one per segment, which every reader of the layout understands.
//!
//! In place, a picture is `valid = 0`, fence, header, pixels, full fence, `valid = 1`. Everything else goes
//! through a draft that is renamed over the name: the first picture, a change of size, and each picture
//! under [`Publish::Rename`].
//!
//! A writer that comes after another one takes over its segment, and continues its timestamps. It writes on
//! in the same inode if the size fits, because a viewer that keeps its map then goes on seeing pictures
//! instead of a frozen one; what the old inode holds does not matter, for every byte is written before
//! `valid = 1`. It does not, if the inode belongs to another user or grants more permissions than this
//! writer was asked for: its owner could shrink it under the map, and strangers could read it.
//!
//! Crash case: see the tables of the module above. The lock on the segment ends with its writer, so a
//! restart never finds it busy.

use super::{
    BEING_WRITTEN, COMPLETE, Error, HEADER_BYTES, Header, VALID_OFFSET, milliseconds_since_epoch, pixel_bytes,
};
use crate::draft::{self, Draft, Replace};
use crate::name::Name;
use crate::segment::{self, Access, Identity, Mapping, PERMISSIONS, Segment};
use std::io;
use std::sync::atomic::{Ordering::Release, Ordering::SeqCst, fence};

/// Only the user who writes may read, unless [`MmapFrameWriter::mode`] widens it.
const DEFAULT_MODE: u32 = 0o600;

/// A segment can change hands between opening and locking it only while another writer replaces it.
const CLAIM_ATTEMPTS: usize = 16;

/// An older timestamp further ahead of the clock is taken for garbage and not continued: one day.
const CLOCK_LEAD_MILLISECONDS_MAX: i64 = 24 * 60 * 60 * 1000;

/// How a picture takes the place of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// Over it, in the same memory, as the original writer does: cheapest, and right for viewers that keep
    /// their map. A reader that does not check twice, as the original does not, may once in a while show a
    /// torn picture.
    InPlace,
    /// In a fresh inode that is renamed over the name: a reader that opens the name for each picture can
    /// never see a torn one, nor wait for one that is being written. It costs new memory for each picture;
    /// a viewer that keeps its map sees its first picture for ever.
    Rename,
}

/// Writes pictures into one segment, for any program that reads this layout.
///
/// The segment stays when the writer is dropped or dies, with the last picture in it;
/// [`unlink`](Self::unlink) removes it.
///
/// Whoever may write the segment can shrink it under this writer's map, which ends the process by SIGBUS;
/// by default that is only the same user.
#[derive(Debug)]
pub struct MmapFrameWriter {
    name: Name,
    publish: Publish,
    mode: u32,
    current: Option<Current>,
    timestamp: i64,
}

/// The segment that the name led to when this writer last looked, locked, and the map of it if it is
/// written in place.
#[derive(Debug)]
struct Current {
    segment: Segment,
    mapping: Option<Mapping>,
}

impl MmapFrameWriter {
    /// Becomes the writer of that name. Nothing is visible before the first [`write`](Self::write).
    ///
    /// A segment that exists is taken over: its picture stays until the first write, and its timestamps are
    /// continued. Leftovers of writers that were killed are removed.
    ///
    /// # Errors
    /// [`Error::Busy`], after a fifth of a second, while another memlane writer of that name lives;
    /// [`Error::Io`] if the directory or the segment is not this user's to write. A foreign writer cannot
    /// be noticed here; two writers overwrite each other.
    pub fn create(name: &Name, publish: Publish) -> Result<Self, Error> {
        draft::sweep(name.directory()).map_err(Error::io(name, "list the directory of"))?;
        let current = claim(name)?;
        let timestamp = match &current {
            Some(current) => timestamp_of(&current.segment).map_err(Error::io(name, "read"))?,
            None => 0,
        };
        Ok(Self { name: name.clone(), publish, mode: DEFAULT_MODE, current, timestamp })
    }

    /// The permission bits of segments made from now on, less the umask; 0600 unless said otherwise. The
    /// original writer's `shm_open` has 0666, which with the usual umask lets every user of the machine
    /// look.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode & PERMISSIONS;
        self
    }

    /// Makes these pixels, `width * height * channels` bytes in rows without padding, the newest picture,
    /// and returns its timestamp: the clock in milliseconds since the Unix epoch, or one more than the last
    /// if that is later.
    ///
    /// # Errors
    /// [`Error::PictureSize`] and [`Error::PixelCount`] for impossible arguments; [`Error::Replaced`] if
    /// another program has re-created the segment; [`Error::Io`], for a full file system too. The previous
    /// picture stands after each of them.
    pub fn write(&mut self, width: u32, height: u32, channels: u32, pixels: &[u8]) -> Result<i64, Error> {
        let header = self.header(width, height, channels, pixels)?;
        self.forget_if_unlinked()?;
        match self.map_in_place(HEADER_BYTES + pixels.len())? {
            Some(mapping) => write_in_place(mapping, header, pixels),
            None => self.write_renamed(header, pixels)?,
        }
        self.timestamp = header.timestamp;
        Ok(header.timestamp)
    }

    /// Removes the name, if it still leads to this writer's segment. Readers that have it open keep their
    /// picture.
    pub fn unlink(mut self) -> Result<(), Error> {
        self.forget_if_unlinked()?;
        if self.current.is_none() {
            return Ok(());
        }
        segment::unlink(self.name.path()).map_err(Error::io(&self.name, "remove"))
    }

    fn header(&self, width: u32, height: u32, channels: u32, pixels: &[u8]) -> Result<Header, Error> {
        let expected = pixel_bytes(width.into(), height.into(), channels.into())
            .map_err(|misfit| Error::picture_size(&self.name, misfit))?;
        if pixels.len() != expected {
            return Err(Error::PixelCount { name: self.name.clone(), expected, found: pixels.len() });
        }
        Ok(Header {
            width: width as i32,
            height: height as i32,
            channels: channels as i32,
            timestamp: milliseconds_since_epoch().max(self.timestamp.saturating_add(1)),
            valid: COMPLETE,
        })
    }

    /// Writing on into a segment without a name would show nobody anything.
    fn forget_if_unlinked(&mut self) -> Result<(), Error> {
        let Some(current) = &self.current else { return Ok(()) };
        let named = Identity::at(self.name.path()).map_err(Error::io(&self.name, "look for"))?;
        let own = current.segment.identity().map_err(Error::io(&self.name, "look at"))?;
        match named {
            Some(named) if named == own => Ok(()),
            Some(_) => Err(Error::Replaced { name: self.name.clone() }),
            None => {
                self.current = None;
                Ok(())
            }
        }
    }

    /// The map to write through, if the picture can go where the last one is.
    fn map_in_place(&mut self, length: usize) -> Result<Option<&Mapping>, Error> {
        let Some(current) = &mut self.current else { return Ok(None) };
        let fits = fits(&current.segment, length, self.mode).map_err(Error::io(&self.name, "look at"))?;
        if self.publish == Publish::Rename || !fits {
            return Ok(None);
        }
        if current.mapping.as_ref().is_none_or(|mapping| mapping.length() != length) {
            current.mapping = Some(current.segment.map(length).map_err(Error::io(&self.name, "map"))?);
        }
        Ok(current.mapping.as_ref())
    }

    fn write_renamed(&mut self, header: Header, pixels: &[u8]) -> Result<(), Error> {
        let failed = |action| Error::io(&self.name, action);
        let draft = Draft::create(self.name.directory(), self.mode).map_err(failed("make a file for"))?;
        draft.write_all_at(&header.to_bytes(), 0).map_err(failed("write"))?;
        draft.write_all_at(pixels, HEADER_BYTES).map_err(failed("write"))?;
        let replace = if self.current.is_some() { Replace::Existing } else { Replace::Nothing };
        match draft.publish(self.name.path(), replace) {
            Ok(segment) => self.current = Some(Current { segment, mapping: None }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::Replaced { name: self.name.clone() });
            }
            Err(error) => return Err(failed("rename a file to")(error)),
        }
        Ok(())
    }
}

fn write_in_place(mapping: &Mapping, header: Header, pixels: &[u8]) {
    mapping.store_u32(VALID_OFFSET, BEING_WRITTEN as u32);
    // Who sees anything of the new frame must see that it is being written.
    fence(Release);
    mapping.store_bytes(0, &header.to_bytes()[..VALID_OFFSET]);
    mapping.store_bytes(HEADER_BYTES, pixels);
    // Who sees the frame complete must see all of it. The original has a full fence here.
    fence(SeqCst);
    mapping.store_u32(VALID_OFFSET, COMPLETE as u32);
}

/// Opens and locks what the name leads to, if anything.
fn claim(name: &Name) -> Result<Option<Current>, Error> {
    for _ in 0..CLAIM_ATTEMPTS {
        let opened = Segment::open(name.path(), Access::ReadWrite).map_err(Error::io(name, "open"))?;
        let Some(segment) = opened else { return Ok(None) };
        if !segment.lock().map_err(Error::io(name, "lock"))? {
            break;
        }
        let own = segment.identity().map_err(Error::io(name, "look at"))?;
        // A writer that publishes by rename may have left this inode behind between the open and the lock.
        if Identity::at(name.path()).map_err(Error::io(name, "look for"))? == Some(own) {
            return Ok(Some(Current { segment, mapping: None }));
        }
    }
    Err(Error::Busy { name: name.clone() })
}

/// The timestamp to continue: that of an unfinished frame too, lest its number be given twice.
fn timestamp_of(segment: &Segment) -> io::Result<i64> {
    let mut bytes = [0; HEADER_BYTES];
    match segment.read_exact_at(&mut bytes, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
        read => read?,
    }
    let timestamp = Header::from_bytes(&bytes).timestamp;
    let believable = 0..=milliseconds_since_epoch() + CLOCK_LEAD_MILLISECONDS_MAX;
    Ok(if believable.contains(&timestamp) { timestamp } else { 0 })
}

/// Whether the segment is exactly so long, this user's, and no more open than asked for.
fn fits(segment: &Segment, length: usize, mode: u32) -> io::Result<bool> {
    Ok(segment.metadata()?.len() == length as u64 && segment.grants_at_most(mode)?)
}
