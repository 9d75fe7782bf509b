//! Raw bytes, for types of one's own.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{Opening, bytes, bytes_mut, lent, memlane_opening, out, pointer_out, text};
use crate::handle::{self, get};
use crate::space::{self, memlane_space};
use crate::status::{call, memlane_status};
use crate::wait::wait;
use memlane::Raw;
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

/// Bytes in place, for types of one's own.
pub struct memlane_raw {
    _opaque: [u8; 0],
}

/// Opens the bytes `id`, which must be `size`, or makes them, all zero. With MEMLANE_OPEN, `size` is not looked at.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_raw_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    size: usize,
    raw: *mut *mut memlane_raw,
) -> memlane_status {
    call(|| {
        let to = pointer_out(raw, "raw")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => Raw::open_or_create(&space, id, size)?,
            Opening::Create => Raw::create(&space, id, size)?,
            Opening::Open => Raw::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Where the bytes lie, at the beginning of a page, and how many there are. Others may write at any instant: use
/// atomics, or hold the region's lock. Good until the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_raw_data(
    raw: *const memlane_raw,
    data: *mut *mut c_void,
    size: *mut usize,
) -> memlane_status {
    call(|| {
        let (data, size) = (pointer_out(data, "data")?, out(size, "size")?);
        let raw = get(raw)?;
        data.give(raw.as_mut_ptr().cast());
        size.give(raw.len());
        Ok(())
    })
}

/// Copies `size` bytes from `offset` on into a buffer. Somebody may write meanwhile, and then some are the old ones.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_raw_read(
    raw: *const memlane_raw,
    offset: usize,
    buffer: *mut c_void,
    size: usize,
) -> memlane_status {
    call(|| Ok(get(raw)?.read(offset, bytes_mut(buffer, size, "buffer")?)?))
}

/// Writes `size` bytes from `offset` on, and wakes who waits for newer ones.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_raw_write(
    raw: *const memlane_raw,
    offset: usize,
    from: *const c_void,
    size: usize,
) -> memlane_status {
    call(|| Ok(get(raw)?.write(offset, bytes(from, size, "from")?)?))
}

/// Wakes who waits for newer bytes: for who wrote through the pointer.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_raw_changed(raw: *const memlane_raw) -> memlane_status {
    call(|| {
        get(raw)?.changed();
        Ok(())
    })
}

/// Waits for a version (`memlane_version()`) other than `*version`, which becomes the new one.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_raw_wait_newer(
    raw: *const memlane_raw,
    version: *mut u64,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let raw = get(raw)?;
        let [version] = lent(version, 1, "version")? else { return Ok(()) };
        *version = wait(timeout, |timeout| raw.wait_newer(*version, timeout))?;
        Ok(())
    })
}
