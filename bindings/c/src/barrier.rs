//! Barriers: a meeting of so many parties.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{Opening, give_optional, memlane_opening, pointer_out, text};
use crate::handle::{self, get};
use crate::space::{self, memlane_space};
use crate::status::{call, memlane_status};
use crate::wait::wait;
use memlane::Barrier;
use std::ffi::c_char;
use std::mem::MaybeUninit;

/// A meeting of so many parties. It breaks when one of them dies.
pub struct memlane_barrier {
    _opaque: [u8; 0],
}

/// Opens the barrier `id`, or makes it for so many parties.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_barrier_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    parties: u32,
    barrier: *mut *mut memlane_barrier,
) -> memlane_status {
    call(|| {
        let to = pointer_out(barrier, "barrier")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => Barrier::open_or_create(&space, id, parties)?,
            Opening::Create => Barrier::create(&space, id, parties)?,
            Opening::Open => Barrier::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Waits for all parties. `index` (NULL: not wanted) is a number of its own for each of them, from 0.
/// MEMLANE_BROKEN_BARRIER when one died, gave up or called `memlane_barrier_abort`; MEMLANE_TIMEOUT breaks it.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_barrier_wait(
    barrier: *const memlane_barrier,
    timeout: i64,
    index: *mut u32,
) -> memlane_status {
    call(|| {
        let barrier = get(barrier)?;
        let at = wait(timeout, |timeout| barrier.wait(timeout))?;
        give_optional(index, at);
        Ok(())
    })
}

/// Breaks it, for all.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_barrier_abort(barrier: *const memlane_barrier) -> memlane_status {
    call(|| {
        get(barrier)?.abort();
        Ok(())
    })
}

/// Makes it whole again; whoever waits finds it broken.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_barrier_reset(barrier: *const memlane_barrier) -> memlane_status {
    call(|| Ok(get(barrier)?.reset()?))
}

/// How many wait, and whether it is broken. Either may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_barrier_state(
    barrier: *const memlane_barrier,
    waiting: *mut u32,
    broken: *mut bool,
) -> memlane_status {
    call(|| {
        let barrier = get(barrier)?;
        give_optional(waiting, barrier.waiting());
        give_optional(broken, barrier.is_broken());
        Ok(())
    })
}
