//! Texts: UTF-8 that changes as a whole.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{Opening, bad, bytes, give_optional, lent, memlane_opening, out, pointer_out, text};
use crate::handle::{self, get};
use crate::record::settle;
use crate::region::copy_text;
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status};
use crate::wait::wait;
use memlane::Text;
use std::ffi::c_char;
use std::mem::MaybeUninit;

/// UTF-8 of bounded length, which changes as a whole.
pub struct memlane_text {
    _opaque: [u8; 0],
}

/// Opens the text `id`, or makes it, empty, with room for `capacity` bytes of UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_text_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    capacity: usize,
    text: *mut *mut memlane_text,
) -> memlane_status {
    call(|| {
        let to = pointer_out(text, "text")?;
        let (space, id) = (space::of(space)?, self::text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => Text::open_or_create(&space, id, capacity)?,
            Opening::Create => Text::create(&space, id, capacity)?,
            Opening::Open => Text::open(&space, id)?,
        }));
        Ok(())
    })
}

/// The most bytes that it holds: a buffer of one more always is enough.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_text_capacity(text: *const memlane_text, capacity: *mut usize) -> memlane_status {
    call(|| {
        out(capacity, "capacity")?.give(get(text)?.capacity());
        Ok(())
    })
}

/// Copies the text, with a NUL at its end, into a buffer. `length` (NULL: not wanted) is without the NUL, also after
/// MEMLANE_SHORT_BUFFER: a buffer of one byte more is long enough. `version` (NULL: not wanted) is what
/// `memlane_text_write_if` compares.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_text_read(
    text: *const memlane_text,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    version: *mut u64,
) -> memlane_status {
    call(|| {
        let (found, at) = get(text)?.read()?;
        copy_text(&found, buffer, capacity, length)?;
        give_optional(version, at);
        Ok(())
    })
}

/// Replaces the text by `length` bytes of UTF-8. `version` (NULL: not wanted) is the new one.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_text_write(
    text: *const memlane_text,
    from: *const c_char,
    length: usize,
    version: *mut u64,
) -> memlane_status {
    call(|| {
        let written = get(text)?.write(utf8(from, length)?)?;
        give_optional(version, written);
        Ok(())
    })
}

/// Replaces the text if its version is still `*version`, which becomes the new one; else MEMLANE_CONFLICT, and
/// `*version` is what stands: read again.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_text_write_if(
    text: *const memlane_text,
    from: *const c_char,
    length: usize,
    version: *mut u64,
) -> memlane_status {
    call(|| {
        let text = get(text)?;
        let [version] = lent(version, 1, "version")? else { return Ok(()) };
        let written = text.write_if(*version, utf8(from, length)?)?;
        settle(text.region().id(), version, written.map_err(|conflict| conflict.version))
    })
}

/// Waits for a version other than `*version`, which becomes the new one.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_text_wait_newer(
    text: *const memlane_text,
    version: *mut u64,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let text = get(text)?;
        let [version] = lent(version, 1, "version")? else { return Ok(()) };
        *version = wait(timeout, |timeout| text.wait_newer(*version, timeout))?;
        Ok(())
    })
}

fn utf8<'a>(from: *const c_char, length: usize) -> Result<&'a str, Failure> {
    std::str::from_utf8(bytes(from.cast(), length, "from")?).map_err(|_| bad("the text is not UTF-8"))
}
