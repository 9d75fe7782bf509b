//! What can go wrong with LibEMG's segments.

use crate::name::{InvalidName, Name};
use std::io;
use thiserror::Error;

/// Why rows were not written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The prefix makes no segment's name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// There is no segment of that name.
    #[error("there is no segment {name}; start the streamer that fills it")]
    NotFound {
        /// The segment.
        name: Name,
    },
    /// The segment has another size.
    #[error(
        "{name} has {found} bytes, expected {expected}; another program uses the name, choose another prefix"
    )]
    Size {
        /// The segment.
        name: Name,
        /// Bytes of the layout.
        expected: u64,
        /// Bytes there.
        found: u64,
    },
    /// Another living memlane writer has the segment.
    #[error("another writer holds {name}, expected to be the only one; stop it or choose another prefix")]
    Busy {
        /// The segment.
        name: Name,
    },
    /// The rows changed during every attempt to read them.
    #[error("{name} changed while it was read, {attempts} times in a row; try again")]
    Unsteady {
        /// The segment.
        name: Name,
        /// How often it was tried.
        attempts: u32,
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
    pub(super) fn io(name: &Name, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { name: name.clone(), action, source }
    }
}
