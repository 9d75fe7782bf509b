//! Permits that are held, and tokens that are passed.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{Opening, memlane_opening, out, pointer_out, text};
use crate::handle::{self, get};
use crate::space::{self, memlane_space};
use crate::status::{call, memlane_status};
use crate::wait::wait;
use memlane::{Semaphore, SignalSemaphore};
use std::ffi::c_char;
use std::mem::MaybeUninit;

/// A number of permits, each held by a process: they return when it dies.
pub struct memlane_semaphore {
    _opaque: [u8; 0],
}

/// A counter that anybody may raise, and that is waited for to be above zero.
pub struct memlane_signal_semaphore {
    _opaque: [u8; 0],
}

/// Opens the semaphore `id`, or makes it with so many permits.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_semaphore_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    permits: u32,
    semaphore: *mut *mut memlane_semaphore,
) -> memlane_status {
    call(|| {
        let to = pointer_out(semaphore, "semaphore")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => Semaphore::open_or_create(&space, id, permits)?,
            Opening::Create => Semaphore::create(&space, id, permits)?,
            Opening::Open => Semaphore::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Takes `count` permits at once; waits for them. MEMLANE_TIMEOUT, with the holders in the message.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_semaphore_acquire(
    semaphore: *const memlane_semaphore,
    count: u32,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let semaphore = get(semaphore)?;
        wait(timeout, |timeout| semaphore.take(count, timeout))
    })
}

/// Gives `count` permits back; MEMLANE_NOT_OWNER when this process does not hold so many.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_semaphore_release(
    semaphore: *const memlane_semaphore,
    count: u32,
) -> memlane_status {
    call(|| Ok(get(semaphore)?.release(count)?))
}

/// How many permits nobody living holds, and (NULL: not wanted) how many there are in all.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_semaphore_free(
    semaphore: *const memlane_semaphore,
    free: *mut u32,
    total: *mut u32,
) -> memlane_status {
    call(|| {
        let to = out(free, "free")?;
        let semaphore = get(semaphore)?;
        to.give(semaphore.free());
        crate::argument::give_optional(total, semaphore.total());
        Ok(())
    })
}

/// Opens the signal semaphore `id`, or makes it, standing at `initial`, never above `maximum` (UINT32_MAX: no bound).
#[unsafe(no_mangle)]
pub extern "C" fn memlane_signal_semaphore_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    initial: u32,
    maximum: u32,
    semaphore: *mut *mut memlane_signal_semaphore,
) -> memlane_status {
    call(|| {
        let to = pointer_out(semaphore, "semaphore")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        let bounded = maximum != u32::MAX;
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate if bounded => {
                SignalSemaphore::open_or_create_bounded(&space, id, initial, maximum)?
            }
            Opening::OpenOrCreate => SignalSemaphore::open_or_create(&space, id, initial)?,
            Opening::Create if bounded => SignalSemaphore::create_bounded(&space, id, initial, maximum)?,
            Opening::Create => SignalSemaphore::create(&space, id, initial)?,
            Opening::Open => SignalSemaphore::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Takes one token; waits for it.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_signal_semaphore_acquire(
    semaphore: *const memlane_signal_semaphore,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let semaphore = get(semaphore)?;
        wait(timeout, |timeout| semaphore.acquire(timeout))
    })
}

/// Adds `count` tokens; MEMLANE_OVERFLOW when that is more than the bound.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_signal_semaphore_release(
    semaphore: *const memlane_signal_semaphore,
    count: u32,
) -> memlane_status {
    call(|| Ok(get(semaphore)?.release(count)?))
}

/// How many tokens there are.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_signal_semaphore_value(
    semaphore: *const memlane_signal_semaphore,
    value: *mut u32,
) -> memlane_status {
    call(|| {
        out(value, "value")?.give(get(semaphore)?.value());
        Ok(())
    })
}
