//! Many readers or one writer.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{Opening, memlane_opening, pointer_out, text};
use crate::handle::{self, get};
use crate::lock::taken;
use crate::space::{self, memlane_space};
use crate::status::{call, memlane_status};
use crate::wait::wait;
use memlane::RwLock;
use std::ffi::c_char;
use std::mem::MaybeUninit;

/// Many readers or one writer. A dead reader is not waited for.
pub struct memlane_rwlock {
    _opaque: [u8; 0],
}

/// Opens the rwlock `id`, or makes it.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rwlock_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    rwlock: *mut *mut memlane_rwlock,
) -> memlane_status {
    call(|| {
        let to = pointer_out(rwlock, "rwlock")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => RwLock::open_or_create(&space, id)?,
            Opening::Create => RwLock::create(&space, id)?,
            Opening::Open => RwLock::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Takes it for reading. MEMLANE_OWNER_DIED: it was taken, and a writer died before the data was put right.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rwlock_acquire_read(rwlock: *const memlane_rwlock, timeout: i64) -> memlane_status {
    call(|| {
        let lock = get(rwlock)?;
        taken(lock.region().id(), wait(timeout, |timeout| lock.acquire_read(timeout))?)
    })
}

/// Gives back what was taken for reading.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rwlock_release_read(rwlock: *const memlane_rwlock) -> memlane_status {
    call(|| Ok(get(rwlock)?.release_read()?))
}

/// Takes it for writing; otherwise as `memlane_lock_acquire`.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rwlock_acquire_write(
    rwlock: *const memlane_rwlock,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let lock = get(rwlock)?;
        taken(lock.region().id(), wait(timeout, |timeout| lock.acquire_write(timeout))?)
    })
}

/// Gives back what was taken for writing.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rwlock_release_write(rwlock: *const memlane_rwlock) -> memlane_status {
    call(|| Ok(get(rwlock)?.release_write()?))
}

/// Says that the data is whole again; to be called by the writer.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_rwlock_make_consistent(rwlock: *const memlane_rwlock) -> memlane_status {
    // The mark is the region's.
    call(|| Ok(get(rwlock)?.region().lock().make_consistent()?))
}
