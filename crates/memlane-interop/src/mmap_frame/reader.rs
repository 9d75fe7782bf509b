//! The reader: copies the newest picture out, and proves the copy whole before giving it away.
//!
//! One look opens the segment by its name, so a writer that re-created it is found at once and no removed
//! segment is kept alive. Then, with the writer's steps on the left:
//!
//! ```text
//! valid = 0                     1. sizes and timestamp   = before
//! fence                         2. fence, valid          = 1
//! sizes, timestamp, pixels      3. fence, pixels
//! fence                         4. fence, valid          = 1
//! valid = 1                     5. fence, sizes and timestamp = before
//! ```
//!
//! If any pixel of step 3 is of a later frame, that frame's `valid = 0` comes before the pixel and so is
//! seen by step 4, unless the frame is complete by then; and in that case its timestamp is seen by step 5.
//! It cannot have been what step 1 saw: step 2 would have found `valid = 0`.
//!
//! That holds if later frames have other timestamps. A foreign writer may begin two frames in one
//! millisecond; unless the picture is older than that, a second pass over the pixels must agree. If the
//! first pass met a pixel of the later frame, step 4 found that frame whole, so the second pass meets it
//! also where the first met the earlier one.
//!
//! Crash case: a writer that dies leaves `valid = 0` or 1 for good, and both answers of the reader have an
//! end.

use super::{
    BEING_WRITTEN, COMPLETE, Error, HEADER_BYTES, Header, Misfit, Picture, VALID_OFFSET,
    milliseconds_since_epoch, pixel_bytes,
};
use crate::name::Name;
use crate::segment::{Access, Identity, Segment};
use std::io;
use std::sync::atomic::{Ordering::Acquire, fence};
use std::thread;
use std::time::{Duration, Instant};

/// The foreign protocol has nothing to sleep on, so waiting is polling, as in every reader of it: at first
/// often, to catch a picture that is just being written, then as rarely as the original reader.
const FIRST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

/// After so many torn copies in one call the writer leaves no time for a whole one.
const TORN_COPIES_MAX: u32 = 1000;

/// A frame that began after a look at the clock has at least that timestamp. One millisecond more covers a
/// store of `valid = 0` that is still on its way to this processor.
const CLOCK_MARGIN_MILLISECONDS: i64 = 2;

/// The second pass compares in pieces that stay in the cache.
const COMPARED_BYTES: usize = 64 << 10;

/// Reads pictures that some program writes in this layout. It never writes, and any number of readers may
/// look at once.
#[derive(Debug)]
pub struct MmapFrameReader {
    name: Name,
    returned: Option<Frame>,
    pixels: Vec<u8>,
}

/// What tells one picture from another: a new timestamp, or a new segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    segment: Identity,
    timestamp: i64,
}

/// Which picture a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Newest,
    Newer,
}

/// Why one look gave no picture.
#[derive(Debug)]
enum Obstacle {
    Missing,
    /// Shorter than its header: made, but not yet sized.
    Unsized {
        found: u64,
    },
    Unfinished {
        begun: i64,
    },
    Unchanged {
        newest: i64,
    },
    Torn,
    /// No later look would be different.
    Failed(Error),
}

impl From<Error> for Obstacle {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl MmapFrameReader {
    /// A reader of that segment, which need not exist yet: reading waits for it.
    pub fn open(name: &Name) -> Self {
        Self { name: name.clone(), returned: None, pixels: Vec::new() }
    }

    /// The newest picture, returned before or not. Waits while there is none, at most `timeout`; `None`
    /// waits for ever, zero looks once.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the segment is still missing at the deadline, [`Error::Unfinished`] if its
    /// writer died in the middle of a frame, [`Error::Overrun`] if pictures come too fast to be copied,
    /// [`Error::Truncated`] and [`Error::Malformed`] if the bytes are no picture.
    pub fn read(&mut self, timeout: Option<Duration>) -> Result<Picture, Error> {
        self.wait(Wanted::Newest, timeout)
    }

    /// The newest picture, if it is another one than this reader returned last; else waits for one, as
    /// [`read`](Self::read) does.
    ///
    /// Pictures that were overwritten in between are gone; the layout does not count them. Nor can it tell
    /// a picture from one that a foreign writer began in the same millisecond, so that the later of the two
    /// may be passed over.
    ///
    /// # Errors
    /// Those of `read`, and [`Error::Timeout`] if no other picture came before the deadline.
    pub fn next(&mut self, timeout: Option<Duration>) -> Result<Picture, Error> {
        self.wait(Wanted::Newer, timeout)
    }

    fn wait(&mut self, wanted: Wanted, timeout: Option<Duration>) -> Result<Picture, Error> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut torn_copies = 0;
        loop {
            let obstacle = match self.look(wanted) {
                Ok(picture) => return Ok(picture),
                Err(Obstacle::Failed(error)) => return Err(error),
                Err(obstacle) => obstacle,
            };
            let torn = matches!(obstacle, Obstacle::Torn);
            torn_copies += u32::from(torn);
            let left = timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
            if left == Some(Duration::ZERO) || torn_copies == TORN_COPIES_MAX {
                return Err(self.give_up(obstacle, started.elapsed(), torn_copies));
            }
            // Behind a torn copy there is a newer picture, and copying it is better begun early than late.
            if !torn {
                thread::sleep(left.map_or(pause, |left| left.min(pause)));
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }

    fn look(&mut self, wanted: Wanted) -> Result<Picture, Obstacle> {
        // Before the header is read, so that `is_alone_in_its_millisecond` errs on the safe side.
        let clock = milliseconds_since_epoch();
        let segment = self.open_segment()?;
        let header = self.header_before(&segment)?;
        let frame = Frame { segment: self.done("look at", segment.identity())?, timestamp: header.timestamp };
        if wanted == Wanted::Newer && self.returned == Some(frame) {
            return Err(Obstacle::Unchanged { newest: header.timestamp });
        }
        self.copy_pixels(&segment, &header)?;
        if !is_alone_in_its_millisecond(&header, clock) {
            self.compare_pixels(&segment, &header)?;
        }
        self.returned = Some(frame);
        Ok(self.take_picture(&header))
    }

    fn open_segment(&self) -> Result<Segment, Obstacle> {
        let segment = self.done("open", Segment::open(self.name.path(), Access::Read))?;
        segment.ok_or(Obstacle::Missing)
    }

    fn header_before(&self, segment: &Segment) -> Result<Header, Obstacle> {
        let found = self.done("look at", segment.metadata())?.len();
        if found < HEADER_BYTES as u64 {
            return Err(Obstacle::Unsized { found });
        }
        let mut bytes = [0; HEADER_BYTES];
        let (fields, valid) = bytes.split_at_mut(VALID_OFFSET);
        self.copy(segment, fields, 0)?;
        fence(Acquire);
        self.copy(segment, valid, VALID_OFFSET)?;
        fence(Acquire);
        let header = Header::from_bytes(&bytes);
        match header.valid {
            COMPLETE => Ok(header),
            BEING_WRITTEN => Err(Obstacle::Unfinished { begun: header.timestamp }),
            other => Err(Error::malformed(&self.name, Misfit { field: "valid", found: other.into() }).into()),
        }
    }

    /// Whether the header is still what it was before the copy.
    fn confirm(&self, segment: &Segment, before: &Header) -> Result<(), Obstacle> {
        let mut bytes = [0; HEADER_BYTES];
        let (fields, valid) = bytes.split_at_mut(VALID_OFFSET);
        fence(Acquire);
        self.copy(segment, valid, VALID_OFFSET)?;
        fence(Acquire);
        self.copy(segment, fields, 0)?;
        if Header::from_bytes(&bytes) == *before { Ok(()) } else { Err(Obstacle::Torn) }
    }

    fn copy_pixels(&mut self, segment: &Segment, header: &Header) -> Result<(), Obstacle> {
        let length = self.pixel_bytes(segment, header)?;
        let mut pixels = std::mem::take(&mut self.pixels);
        pixels.resize(length, 0);
        let copied = self.copy(segment, &mut pixels, HEADER_BYTES);
        self.pixels = pixels;
        copied.and_then(|()| self.confirm(segment, header))
    }

    /// The size that the header claims, once it is possible, covered by the file and no passing mixture of
    /// two headers.
    fn pixel_bytes(&self, segment: &Segment, header: &Header) -> Result<usize, Obstacle> {
        let size = pixel_bytes(header.width.into(), header.height.into(), header.channels.into());
        let found = self.done("look at", segment.metadata())?.len();
        let problem = match size {
            Err(misfit) => Error::malformed(&self.name, misfit),
            Ok(size) if found < (HEADER_BYTES + size) as u64 => {
                Error::Truncated { name: self.name.clone(), expected: (HEADER_BYTES + size) as u64, found }
            }
            Ok(size) => return Ok(size),
        };
        self.confirm(segment, header)?;
        Err(problem.into())
    }

    fn compare_pixels(&self, segment: &Segment, header: &Header) -> Result<(), Obstacle> {
        let mut again = vec![0; COMPARED_BYTES.min(self.pixels.len())];
        let mut offset = HEADER_BYTES;
        for piece in self.pixels.chunks(COMPARED_BYTES) {
            let again = &mut again[..piece.len()];
            self.copy(segment, again, offset)?;
            if again != piece {
                return Err(Obstacle::Torn);
            }
            offset += piece.len();
        }
        self.confirm(segment, header)
    }

    fn take_picture(&mut self, header: &Header) -> Picture {
        Picture {
            width: header.width as u32,
            height: header.height as u32,
            channels: header.channels as u32,
            timestamp: header.timestamp,
            pixels: std::mem::take(&mut self.pixels),
        }
    }

    /// Copies out of the segment; one that shrinks meanwhile is looked at afresh.
    fn copy(&self, segment: &Segment, buffer: &mut [u8], offset: usize) -> Result<(), Obstacle> {
        match segment.read_exact_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Obstacle::Torn),
            copied => self.done("read", copied),
        }
    }

    fn done<T>(&self, action: &'static str, result: io::Result<T>) -> Result<T, Obstacle> {
        result.map_err(Error::io(&self.name, action)).map_err(Obstacle::Failed)
    }

    fn give_up(&self, obstacle: Obstacle, waited: Duration, copies: u32) -> Error {
        let name = self.name.clone();
        match obstacle {
            Obstacle::Missing => Error::NotFound { name, waited },
            Obstacle::Unsized { found } => Error::Truncated { name, expected: HEADER_BYTES as u64, found },
            Obstacle::Unchanged { newest } => Error::Timeout { name, newest, waited },
            // A writer that tore a copy was alive, though it may be in the middle of a frame just now.
            Obstacle::Unfinished { begun } if copies == 0 => Error::Unfinished { name, begun, waited },
            Obstacle::Unfinished { .. } | Obstacle::Torn => Error::Overrun { name, copies },
            Obstacle::Failed(error) => error,
        }
    }
}

/// Whether no frame that could still overwrite this one bears the same timestamp, judged by a clock that
/// was read before the header. A clock ahead of time says no, which costs a second pass and nothing else.
fn is_alone_in_its_millisecond(header: &Header, clock: i64) -> bool {
    header.timestamp.saturating_add(CLOCK_MARGIN_MILLISECONDS) <= clock
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_timestamp_well_past_is_unmistakable() {
        let header = |timestamp| Header { width: 1, height: 1, channels: 1, timestamp, valid: COMPLETE };
        assert!(is_alone_in_its_millisecond(&header(998), 1000));
        assert!(!is_alone_in_its_millisecond(&header(999), 1000));
        assert!(!is_alone_in_its_millisecond(&header(1001), 1000));
        assert!(!is_alone_in_its_millisecond(&header(i64::MAX), 1000));
    }
}
