//! Mapped picture files of other programs, as the command line names them and fails with them.

use crate::failure::{Exit, Failure, Outcome};
use crate::source::Source;
use memlane::Space;
use memlane_interop::mmap_frame::{Error, Publish};
use memlane_interop::{InvalidName, Name};

/// How `send` replaces one picture by the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Replacement {
    /// Over the last picture, as the original writer does: any reader follows, some may tear.
    InPlace,
    /// By a new file under the same name: never torn, for readers that open the file for each picture.
    Rename,
}

impl From<Replacement> for Publish {
    fn from(replacement: Replacement) -> Self {
        match replacement {
            Replacement::InPlace => Self::InPlace,
            Replacement::Rename => Self::Rename,
        }
    }
}

/// The space of a channel, which has to be on the machine of the mapped file.
pub(super) fn space(source: &Source) -> Outcome<&Space> {
    match source {
        Source::Here(space) => Ok(space),
        Source::There(_) => Err(Failure::new(
            Exit::Usage,
            format!(
                "a mapped picture file and the channel have to be on one machine, and {source} is out of reach; run this \
                 there, or use `memlane frame view` and `memlane frame publish`, which work from here"
            ),
        )),
    }
}

/// The name of a segment, from the command line.
pub(super) fn parse_name(text: &str) -> Result<Name, InvalidName> {
    Name::new(text)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match &error {
            Error::NotFound { .. }
            | Error::Unfinished { .. }
            | Error::Timeout { .. }
            | Error::Overrun { .. } => Exit::Timeout,
            Error::Busy { .. } | Error::Replaced { .. } => Exit::Busy,
            Error::Truncated { .. } | Error::Malformed { .. } => Exit::Mismatch,
            Error::PictureSize { .. } | Error::PixelCount { .. } => Exit::Usage,
            _ => Exit::Failure,
        };
        Self::new(exit, error)
    }
}
