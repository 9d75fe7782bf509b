//! Locks, and those that their holder may take again.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{Opening, memlane_opening, out, pointer_out, text};
use crate::handle::{self, get};
use crate::region::{MEMLANE_PROGRAM_SIZE, program};
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status, memlane_status::*};
use crate::wait::wait;
use memlane::lock::{LockState, OwnerDied};
use memlane::{Lock, RLock};
use std::ffi::c_char;
use std::mem::MaybeUninit;

/// Mutual exclusion between processes, which says when its owner died.
pub struct memlane_lock {
    _opaque: [u8; 0],
}

/// A lock that the thread which holds it may take again.
pub struct memlane_rlock {
    _opaque: [u8; 0],
}

/// Who holds a lock.
#[repr(C)]
pub struct memlane_holder {
    /// Process id in its own PID namespace.
    pub pid: u32,
    /// Its thread's id; 0 when it is held without a thread.
    pub thread: u32,
    /// Whether it lives: the lock of a dead one is had at once.
    pub alive: bool,
    /// How often it holds the lock.
    pub depth: u32,
    /// For how many nanoseconds.
    pub held_for: u64,
    /// Its program's name, cut if need be, with a NUL at its end.
    pub program: [c_char; MEMLANE_PROGRAM_SIZE],
}

/// A lock that was taken, but from a dead owner, is a status of its own.
pub(crate) fn taken(id: &str, OwnerDied(died): OwnerDied) -> Result<(), Failure> {
    if !died {
        return Ok(());
    }
    let message = format!(
        "the lock of region `{id}` was taken, and its last owner died: put right what it protects, then call \
         make_consistent; it is to be released as always"
    );
    Err(Failure::new(MEMLANE_OWNER_DIED, message))
}

fn holder(state: LockState, to: *mut memlane_holder) -> Result<(), Failure> {
    let to = out(to, "holder")?;
    let Some(holder) = state.holder else {
        return Err(Failure::new(MEMLANE_EMPTY, "nobody holds the lock"));
    };
    to.give(memlane_holder {
        pid: holder.participant.pid,
        thread: holder.thread,
        alive: holder.participant.alive,
        depth: holder.depth,
        held_for: u64::try_from(holder.held_for.as_nanos()).unwrap_or(u64::MAX),
        program: program(&holder.participant.program),
    });
    Ok(())
}

/// Opens the lock `id`, or makes it.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lock_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    lock: *mut *mut memlane_lock,
) -> memlane_status {
    call(|| {
        let to = pointer_out(lock, "lock")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => Lock::open_or_create(&space, id)?,
            Opening::Create => Lock::create(&space, id)?,
            Opening::Open => Lock::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Takes the lock for this thread. MEMLANE_OWNER_DIED, as EOWNERDEAD of pthread_mutex_lock(): it was taken, and the
/// last owner died or abandoned it. MEMLANE_TIMEOUT, with the owner in the message: it was not.
/// MEMLANE_WOULD_DEADLOCK when this thread has it.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lock_acquire(lock: *const memlane_lock, timeout: i64) -> memlane_status {
    call(|| {
        let lock = get(lock)?;
        taken(lock.region().id(), wait(timeout, |timeout| lock.acquire(timeout))?)
    })
}

/// Gives the lock back; MEMLANE_NOT_OWNER when this thread does not hold it.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lock_release(lock: *const memlane_lock) -> memlane_status {
    call(|| Ok(get(lock)?.release()?))
}

/// Says that what the lock protects is whole again; to be called by its holder.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lock_make_consistent(lock: *const memlane_lock) -> memlane_status {
    call(|| Ok(get(lock)?.make_consistent()?))
}

/// Gives the lock back and says that what it protects is half-changed: the next owner is told as if this one had
/// died.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lock_abandon(lock: *const memlane_lock) -> memlane_status {
    call(|| Ok(get(lock)?.abandon()?))
}

/// Whether an owner died or abandoned it and nobody has put the data right since.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lock_is_inconsistent(
    lock: *const memlane_lock,
    inconsistent: *mut bool,
) -> memlane_status {
    call(|| {
        out(inconsistent, "inconsistent")?.give(get(lock)?.is_inconsistent());
        Ok(())
    })
}

/// Who holds the lock; MEMLANE_EMPTY when nobody does.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lock_holder(
    lock: *const memlane_lock,
    holder: *mut memlane_holder,
) -> memlane_status {
    call(|| self::holder(get(lock)?.state(), holder))
}

/// Opens the rlock `id`, or makes it.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rlock_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    rlock: *mut *mut memlane_rlock,
) -> memlane_status {
    call(|| {
        let to = pointer_out(rlock, "rlock")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => RLock::open_or_create(&space, id)?,
            Opening::Create => RLock::create(&space, id)?,
            Opening::Open => RLock::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Takes the lock for this thread, once more when it has it; otherwise as `memlane_lock_acquire`.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rlock_acquire(rlock: *const memlane_rlock, timeout: i64) -> memlane_status {
    call(|| {
        let lock = get(rlock)?;
        taken(lock.region().id(), wait(timeout, |timeout| lock.acquire(timeout))?)
    })
}

/// Gives the lock back once; MEMLANE_NOT_OWNER when this thread does not hold it.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rlock_release(rlock: *const memlane_rlock) -> memlane_status {
    call(|| Ok(get(rlock)?.release()?))
}

/// Says that what the lock protects is whole again; to be called by its holder.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rlock_make_consistent(rlock: *const memlane_rlock) -> memlane_status {
    call(|| Ok(get(rlock)?.make_consistent()?))
}

/// Gives the lock back, however often it is held, and says that what it protects is half-changed.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rlock_abandon(rlock: *const memlane_rlock) -> memlane_status {
    call(|| Ok(get(rlock)?.abandon()?))
}

/// Who holds the lock; MEMLANE_EMPTY when nobody does.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rlock_holder(
    rlock: *const memlane_rlock,
    holder: *mut memlane_holder,
) -> memlane_status {
    call(|| self::holder(get(rlock)?.state(), holder))
}
