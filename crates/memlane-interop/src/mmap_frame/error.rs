//! What reading and writing foreign pictures can fail with.

use super::{Misfit, PICTURE_BYTES_MAX};
use crate::name::Name;
use std::io;
use std::time::Duration;

/// Why a picture was not read or not written. Every message names the segment and the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No segment of that name appeared before the deadline.
    #[error(
        "no segment {name} after {waited:?}; start its writer, or compare the name with `ls {}`",
        .name.directory().display()
    )]
    NotFound {
        /// The segment.
        name: Name,
        /// How long the reader waited.
        waited: Duration,
    },
    /// The last look before the deadline found a frame still being written: its writer has died, hangs, or
    /// was given no time.
    #[error(
        "the writer of {name} left its frame unfinished since {begun} ms after the Unix epoch, also after \
         {waited:?} of waiting; start it again if it has died"
    )]
    Unfinished {
        /// The segment.
        name: Name,
        /// The header's timestamp: of the unfinished frame, or of the one before if the writer got no
        /// further. 0 if there never was a frame.
        begun: i64,
        /// How long the reader waited.
        waited: Duration,
    },
    /// The picture was whole, but no newer one came before the deadline.
    #[error(
        "no picture in {name} newer than {newest} ms after the Unix epoch within {waited:?}; see whether \
         its writer runs"
    )]
    Timeout {
        /// The segment.
        name: Name,
        /// Timestamp of the picture that is there, in milliseconds since the Unix epoch.
        newest: i64,
        /// How long the reader waited.
        waited: Duration,
    },
    /// Pictures were overwritten faster than they could be copied.
    #[error(
        "all {copies} copies of {name} were overwritten while they were made; slow its writer down or let \
         it publish by rename"
    )]
    Overrun {
        /// The segment.
        name: Name,
        /// How many copies were torn and thrown away.
        copies: u32,
    },
    /// The segment is shorter than its header, or shorter than its header says.
    #[error(
        "{name} has {found} bytes, expected at least {expected}; see whether it is a picture segment, and \
         restart its writer"
    )]
    Truncated {
        /// The segment.
        name: Name,
        /// Bytes needed.
        expected: u64,
        /// Bytes there.
        found: u64,
    },
    /// The header holds a number that no picture can have.
    #[error(
        "the header of {name} says {field} = {found}, expected valid of 0 or 1, sizes from 1 and at most \
         {PICTURE_BYTES_MAX} bytes; see whether it is a picture segment"
    )]
    Malformed {
        /// The segment.
        name: Name,
        /// The header's field, or the product of the sizes.
        field: &'static str,
        /// Its value; a product too large for 64 bits is `i64::MAX`.
        found: i64,
    },
    /// The picture to be written has an impossible size. Nothing was written.
    #[error(
        "cannot write a picture with {field} = {found} to {name}, expected sizes from 1 and at most \
         {PICTURE_BYTES_MAX} bytes"
    )]
    PictureSize {
        /// The segment.
        name: Name,
        /// The argument, or the product of the sizes.
        field: &'static str,
        /// Its value; a product too large for 64 bits is `i64::MAX`.
        found: i64,
    },
    /// The pixels are not as many as width, height and channels ask for. Nothing was written.
    #[error(
        "got {found} bytes of pixels for {name}, expected width * height * channels = {expected}; leave \
         out any row padding"
    )]
    PixelCount {
        /// The segment.
        name: Name,
        /// `width * height * channels`.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// Another living memlane writer has the segment.
    #[error("another writer holds {name}, expected to be the only one; stop it or choose another name")]
    Busy {
        /// The segment.
        name: Name,
    },
    /// Another program has put a segment of its own under the name since this writer was made. Nothing was
    /// written.
    #[error(
        "another program re-created {name}, expected to be its only writer; stop it, then create this \
         writer again"
    )]
    Replaced {
        /// The segment.
        name: Name,
    },
    /// The operating system refused.
    #[error(
        "cannot {action} {name}: {source}; see to its permissions and to the free space of its directory"
    )]
    Io {
        /// The segment.
        name: Name,
        /// What was being done.
        action: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
}

impl Error {
    /// Whether no picture came in time and nothing else is known to be wrong, so that trying again may
    /// help.
    pub fn is_timeout(&self) -> bool {
        use Error::{NotFound, Overrun, Timeout, Unfinished};
        matches!(self, NotFound { .. } | Unfinished { .. } | Timeout { .. } | Overrun { .. })
    }

    pub(super) fn io(name: &Name, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { name: name.clone(), action, source }
    }

    pub(super) fn malformed(name: &Name, misfit: Misfit) -> Self {
        Self::Malformed { name: name.clone(), field: misfit.field, found: misfit.found }
    }

    pub(super) fn picture_size(name: &Name, misfit: Misfit) -> Self {
        Self::PictureSize { name: name.clone(), field: misfit.field, found: misfit.found }
    }
}
