//! Events: a flag to wait for.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{Opening, give_optional, memlane_opening, out, pointer_out, text};
use crate::handle::{self, get};
use crate::space::{self, memlane_space};
use crate::status::{call, memlane_status};
use crate::wait::wait;
use memlane::Event;
use std::ffi::c_char;
use std::mem::MaybeUninit;

/// A flag to wait for. One with automatic reset lets one waiter go for each time it is set.
pub struct memlane_event {
    _opaque: [u8; 0],
}

/// Opens the event `id`, or makes it, clear. With MEMLANE_OPEN, `auto_reset` is not looked at.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_event_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    auto_reset: bool,
    event: *mut *mut memlane_event,
) -> memlane_status {
    call(|| {
        let to = pointer_out(event, "event")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate if auto_reset => Event::open_or_create_auto_reset(&space, id)?,
            Opening::OpenOrCreate => Event::open_or_create(&space, id)?,
            Opening::Create if auto_reset => Event::create_auto_reset(&space, id)?,
            Opening::Create => Event::create(&space, id)?,
            Opening::Open => Event::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Sets it: all who wait go, or one of an event with automatic reset.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_event_set(event: *const memlane_event) -> memlane_status {
    call(|| {
        get(event)?.set();
        Ok(())
    })
}

/// Clears it; `was_set` (NULL: not wanted) says whether it was set.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_event_clear(event: *const memlane_event, was_set: *mut bool) -> memlane_status {
    call(|| {
        let cleared = get(event)?.clear();
        give_optional(was_set, cleared);
        Ok(())
    })
}

/// Whether it is set.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_event_is_set(event: *const memlane_event, is_set: *mut bool) -> memlane_status {
    call(|| {
        out(is_set, "is_set")?.give(get(event)?.is_set());
        Ok(())
    })
}

/// Waits until it is set; one with automatic reset is cleared by that.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_event_wait(event: *const memlane_event, timeout: i64) -> memlane_status {
    call(|| {
        let event = get(event)?;
        wait(timeout, |timeout| event.wait(timeout))
    })
}
