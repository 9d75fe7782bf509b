//! Presence: kernel truth about who lives.
//!
//! A participant holds a one-byte write lock (open-file-description lock) on the region's own inode, far
//! behind its last byte: byte `FIRST_BYTE + slot`. The lock belongs to an open file of its own whose
//! descriptor is closed at once; a page mapped through it keeps it open, and that page is not inherited by
//! children. So the lock ends exactly when the last thread of the process has stopped (death or exec), not
//! with a closed descriptor and not with a surviving child. It means the same in every PID namespace, and a
//! zombie does not hold it.
#![allow(unsafe_code)] // fcntl(F_OFD_*) is not in rustix.

use super::mapping::{Access, Mapping};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// Behind any byte a file can have, so presence never meets somebody's record lock on data.
const FIRST_BYTE: i64 = 1 << 62;

const PAGE: usize = 4096;

/// A held presence lock. Dropping it in the process that took it gives it back.
#[derive(Debug)]
pub(crate) struct Presence {
    pin: Option<Arc<Mapping>>,
    forks: u32,
}

/// What somebody else's lock attempt found.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Probe {
    Free,
    /// A participant holds exactly this byte.
    Held,
    /// A sweeper holds the whole range for a moment.
    Swept,
}

impl Presence {
    /// Pins the open file `file`, which holds a lock and is used for nothing else. To be called while forks
    /// are excluded.
    #[allow(clippy::needless_pass_by_value)] // Closed here: the mapping alone keeps the open file from now on.
    pub(crate) fn pin(file: OwnedFd) -> Result<Self, Errno> {
        let page = Mapping::new(&file, 0, PAGE, Access::Read)?;
        page.exclude_from_fork()?;
        Ok(Self { pin: Some(page), forks: super::fork::count() })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // In a forked child there is nothing mapped at that address, or something else by now: leave it
        // alone.
        if let Some(pin) = self.pin.take()
            && self.forks != super::fork::count()
        {
            std::mem::forget(pin);
        }
    }
}

/// Takes the presence byte of `slot` for the open file `file`; `false` when somebody lives there.
pub(crate) fn try_claim(file: BorrowedFd<'_>, slot: u16) -> Result<bool, Errno> {
    set_lock(file, libc::F_WRLCK, FIRST_BYTE + i64::from(slot), 1)
}

/// Takes all presence bytes for the open file `file`; `false` when anybody else lives.
pub(crate) fn try_claim_all(file: BorrowedFd<'_>, slots: u16) -> Result<bool, Errno> {
    set_lock(file, libc::F_WRLCK, FIRST_BYTE, i64::from(slots))
}

/// Looks at the byte of `slot`, without any effect. `file` must not be the open file that holds it.
pub(crate) fn probe(file: BorrowedFd<'_>, slot: u16) -> Result<Probe, Errno> {
    // A read probe: a reader could otherwise feign life with a read lock of his own.
    let mut lock = record(libc::F_RDLCK, FIRST_BYTE + i64::from(slot), 1);
    // SAFETY: `lock` is a valid, exclusive `struct flock` for the duration of the call.
    let outcome = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) };
    match outcome {
        0 if lock.l_type == libc::F_UNLCK as i16 => Ok(Probe::Free),
        0 if lock.l_len > 1 => Ok(Probe::Swept),
        0 => Ok(Probe::Held),
        _ => Err(last_error()),
    }
}

/// Whether somebody holds all slots at once, which only a sweeper does.
pub(crate) fn is_swept(file: BorrowedFd<'_>) -> bool {
    matches!(probe(file, 0), Ok(Probe::Swept))
}

/// Whether this file system keeps open-file-description locks apart, tried on one file opened twice.
pub(crate) fn works_on(first: impl AsFd, second: impl AsFd) -> bool {
    let claimed = try_claim(first.as_fd(), 0);
    let seen = probe(second.as_fd(), 0);
    let refused = try_claim(second.as_fd(), 0);
    matches!((claimed, seen, refused), (Ok(true), Ok(Probe::Held), Ok(false)))
}

fn set_lock(file: BorrowedFd<'_>, kind: i32, start: i64, len: i64) -> Result<bool, Errno> {
    let mut lock = record(kind, start, len);
    // SAFETY: `lock` is a valid `struct flock` for the duration of the call.
    let outcome = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw mut lock) };
    match outcome {
        0 => Ok(true),
        _ => match last_error() {
            Errno::AGAIN | Errno::ACCESS => Ok(false),
            other => Err(other),
        },
    }
}

fn record(kind: i32, start: i64, len: i64) -> libc::flock {
    libc::flock { l_type: kind as i16, l_whence: libc::SEEK_SET as i16, l_start: start, l_len: len, l_pid: 0 }
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
