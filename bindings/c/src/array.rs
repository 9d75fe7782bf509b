//! Arrays: elements in place.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{
    Opening, bad, bytes, bytes_mut, lent, memlane_opening, out, pointer_out, short_buffer, text,
};
use crate::handle::{self, get};
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status};
use crate::wait::wait;
use memlane::AnyArray;
use memlane::schema::Schema;
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

/// Elements in place, each changed by one instruction; several at once under the region's lock.
pub struct memlane_array {
    _opaque: [u8; 0],
}

/// Opens the array `id`, or makes it, all zero. `schema` says what it is: `[6]<f4`, `[480,640]|u1`. It may be NULL
/// with MEMLANE_OPEN.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_array_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    schema: *const c_char,
    array: *mut *mut memlane_array,
) -> memlane_status {
    call(|| {
        let to = pointer_out(array, "array")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => AnyArray::open_or_create(&space, id, self::schema(schema)?)?,
            Opening::Create => AnyArray::create(&space, id, self::schema(schema)?)?,
            Opening::Open => AnyArray::open(&space, id)?,
        }));
        Ok(())
    })
}

/// A schema as text.
pub(crate) fn schema(schema: *const c_char) -> Result<Schema, Failure> {
    let text = text(schema, "schema")?;
    text.parse().map_err(|error| bad(format!("`{text}` is not a schema: {error}")))
}

/// How many elements there are, and the bytes of each.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_array_shape(
    array: *const memlane_array,
    count: *mut usize,
    item_size: *mut usize,
) -> memlane_status {
    call(|| {
        let (count, item_size) = (out(count, "count")?, out(item_size, "item_size")?);
        let array = get(array)?;
        count.give(array.len());
        item_size.give(self::item_size(array));
        Ok(())
    })
}

fn item_size(array: &AnyArray) -> usize {
    array.region().description().schema.as_ref().map_or(0, Schema::item_size)
}

/// Copies elements from `start` on into a buffer of `size` bytes, as many as that is; MEMLANE_SHORT_BUFFER when the
/// last one of them does not fit. Each part of up to 8 bytes is whole; several belong together while you hold
/// `memlane_lock_of()` the array.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_array_read(
    array: *const memlane_array,
    start: usize,
    buffer: *mut c_void,
    size: usize,
) -> memlane_status {
    call(|| {
        let (array, buffer) = (get(array)?, bytes_mut(buffer, size, "buffer")?);
        let whole = size.next_multiple_of(item_size(array).max(1));
        if whole > size {
            return Err(short_buffer(whole, size));
        }
        Ok(array.read(start, buffer)?)
    })
}

/// Sets elements from `start` on to `size` bytes, and wakes who waits for newer ones.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_array_write(
    array: *const memlane_array,
    start: usize,
    from: *const c_void,
    size: usize,
) -> memlane_status {
    call(|| Ok(get(array)?.write(start, bytes(from, size, "from")?)?))
}

/// Where the first element lies; the others follow in C order. Others may write at any instant: use atomics, or hold
/// the region's lock. Good until the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_array_data(array: *const memlane_array, data: *mut *mut c_void) -> memlane_status {
    call(|| {
        pointer_out(data, "data")?.give(get(array)?.as_mut_ptr().cast());
        Ok(())
    })
}

/// Wakes who waits for newer elements: for who wrote through the pointer.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_array_changed(array: *const memlane_array) -> memlane_status {
    call(|| {
        get(array)?.changed();
        Ok(())
    })
}

/// Waits for a version (`memlane_version()`) other than `*version`, which becomes the new one.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_array_wait_newer(
    array: *const memlane_array,
    version: *mut u64,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let array = get(array)?;
        let [version] = lent(version, 1, "version")? else { return Ok(()) };
        *version = wait(timeout, |timeout| array.newer(*version).wait(timeout))?;
        Ok(())
    })
}
