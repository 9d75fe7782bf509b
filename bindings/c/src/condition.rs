//! Conditions: waiting under a lock.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{Opening, give_optional, memlane_opening, pointer_out, text};
use crate::handle::{self, Object, get, object};
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status, memlane_status::MEMLANE_WRONG_HANDLE};
use crate::wait::{timed_out, wait};
use memlane::{Condition, Error};
use std::ffi::{c_char, c_void};
use std::mem::{ManuallyDrop, MaybeUninit};

/// Something to wait for under a lock.
pub struct memlane_condition {
    _opaque: [u8; 0],
}

/// Opens the condition `id`, or makes it, for so many threads at once (1 to 65536). One that exists is opened
/// whatever it was made for.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_condition_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    threads: u32,
    condition: *mut *mut memlane_condition,
) -> memlane_status {
    call(|| {
        let to = pointer_out(condition, "condition")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => match Condition::create(&space, id, threads) {
                Err(Error::AlreadyExists { .. }) => Condition::open(&space, id)?,
                made => made?,
            },
            Opening::Create => Condition::create(&space, id, threads)?,
            Opening::Open => Condition::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Gives `lock` back, waits until notified, and takes it again, however long that takes. `lock` is a memlane_lock or
/// a memlane_rlock that this thread holds. MEMLANE_TIMEOUT and MEMLANE_INTERRUPTED: the lock is held again too.
/// MEMLANE_OWNER_DIED: notified, and somebody died holding the lock meanwhile.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_condition_wait(
    condition: *const memlane_condition,
    lock: *const c_void,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let condition = get(condition)?;
        // The lock is C's: a guard of it is not to give it back.
        let (notified, owner_died) = match object(lock, "a lock")? {
            Object::Lock(lock) => {
                let mut guard = ManuallyDrop::new(lock.adopt()?);
                let notified = wait(timeout, |timeout| condition.wait(&mut *guard, timeout))?;
                (notified, guard.owner_died())
            }
            Object::RLock(lock) => {
                let mut guard = ManuallyDrop::new(lock.adopt()?);
                let notified = wait(timeout, |timeout| condition.wait(&mut *guard, timeout))?;
                (notified, guard.owner_died())
            }
            _ => {
                let message = "a condition waits with a handle of a lock or of an rlock";
                return Err(Failure::new(MEMLANE_WRONG_HANDLE, message));
            }
        };
        if !notified {
            return Err(timed_out(format!(
                "no notification of region `{}` came in time",
                condition.region().id()
            )));
        }
        crate::lock::taken(condition.region().id(), memlane::lock::OwnerDied(owner_died))
    })
}

/// Lets those `count` go who wait longest; SIZE_MAX lets all go. `notified` (NULL: not wanted) is how many there
/// were.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_condition_notify(
    condition: *const memlane_condition,
    count: usize,
    notified: *mut usize,
) -> memlane_status {
    call(|| {
        let let_go = get(condition)?.notify(count);
        give_optional(notified, let_go);
        Ok(())
    })
}
