//! What a shared text can fail with.

use super::image::{BLOCK_BYTES, TEXT_BYTES_MAX};
use super::lock::LOCK_TIMEOUT;
use crate::name::Name;
use std::io;

/// Why a text was not read or not written. Where the original has words for it, the message begins with them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no block of that name.
    #[error("no block {name}; start its host, or compare the name with `ls {}`", .name.directory().display())]
    NotFound {
        /// The block.
        name: Name,
    },
    /// What is there is too short for a block.
    #[error("{name} has {found} bytes, expected at least {BLOCK_BYTES}; see whether it is a block of text")]
    Truncated {
        /// The block.
        name: Name,
        /// Its bytes.
        found: u64,
    },
    /// The name belongs to something that no memlane host has made.
    #[error("{name} exists and is not a memlane host's; choose another name, or remove it if nobody uses it")]
    Exists {
        /// The block.
        name: Name,
    },
    /// Another living memlane host has the block.
    #[error("another host serves {name}, expected to be the only one; stop it or choose another name")]
    Busy {
        /// The block.
        name: Name,
    },
    /// Another program has put something of its own under the name.
    #[error("another program re-created {name}; whoever attaches now sees that one: stop it, or this host")]
    Replaced {
        /// The block.
        name: Name,
    },
    /// The text has more bytes than fit. Nothing was written.
    #[error("文本太长: {found} > {TEXT_BYTES_MAX} bytes")]
    TooLong {
        /// Bytes of the text without white space at its end.
        found: usize,
    },
    /// The text has a NUL in it, where the original would end it. Nothing was written.
    #[error("the text has a NUL at byte {offset}, where the other program would end it; leave it out")]
    Nul {
        /// Where, in bytes.
        offset: usize,
    },
    /// Somebody held the lock all the time: a program that hangs, or a foreign one that has died.
    #[error("获取锁超时（{:.1}秒）", LOCK_TIMEOUT.as_secs_f64())]
    LockTimeout {
        /// The block.
        name: Name,
    },
    /// Other programs wrote at the same time, without regard to the lock, as often as this was tried.
    #[error("all {attempts} writes to {name} were spoilt by a program that disregards the lock; try again")]
    Overwritten {
        /// The block.
        name: Name,
        /// How often it was written.
        attempts: u32,
    },
    /// The operating system refused.
    #[error(
        "cannot {action} {name}: {source}; see to its permissions and to the free space of its directory"
    )]
    Io {
        /// The block.
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
