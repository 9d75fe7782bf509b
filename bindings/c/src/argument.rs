//! What C hands in, as references: the one place where its pointers are believed.
//!
//! A pointer of C is NULL, or it is what the header asks for: that is the caller's promise, and NULL is a status.
#![allow(unsafe_code)] // Pointers of C.

use crate::status::{Failure, memlane_status::*};
use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;

/// How a region is opened.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum memlane_opening {
    /// Opened, or made when it is missing: programs start in any order.
    MEMLANE_OPEN_OR_CREATE = 0,
    /// Made; it must not exist.
    MEMLANE_CREATE = 1,
    /// Opened; it must exist. What it is made for is not looked at.
    MEMLANE_OPEN = 2,
}

/// [`memlane_opening`], checked.
pub(crate) enum Opening {
    OpenOrCreate,
    Create,
    Open,
}

impl Opening {
    pub(crate) fn of(opening: MaybeUninit<memlane_opening>) -> Result<Self, Failure> {
        const OPEN_OR_CREATE: u32 = memlane_opening::MEMLANE_OPEN_OR_CREATE as u32;
        const CREATE: u32 = memlane_opening::MEMLANE_CREATE as u32;
        const OPEN: u32 = memlane_opening::MEMLANE_OPEN as u32;
        match number(opening) {
            OPEN_OR_CREATE => Ok(Self::OpenOrCreate),
            CREATE => Ok(Self::Create),
            OPEN => Ok(Self::Open),
            other => Err(bad(format!("{other} is not a memlane_opening"))),
        }
    }
}

/// An enum of C, which may have any value.
pub(crate) fn number<T>(given: MaybeUninit<T>) -> u32 {
    const { assert!(size_of::<T>() == size_of::<u32>()) };
    // SAFETY: the enums of this interface are `repr(u32)`, and C passes an initialised number of that size.
    unsafe { given.as_ptr().cast::<u32>().read() }
}

#[cold]
pub(crate) fn bad(message: impl Into<String>) -> Failure {
    Failure::new(MEMLANE_BAD_ARGUMENT, message)
}

#[cold]
pub(crate) fn null(name: &str) -> Failure {
    Failure::new(MEMLANE_NULL_ARGUMENT, format!("`{name}` is NULL"))
}

/// A NUL-terminated text.
pub(crate) fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    optional_text(text, name)?.ok_or_else(|| null(name))
}

/// A NUL-terminated text, or NULL.
pub(crate) fn optional_text<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller promises a NUL-terminated text that does not change during the call.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|_| bad(format!("`{name}` is not UTF-8")))
}

/// `size` bytes to read; NULL when there are none.
#[inline]
pub(crate) fn bytes<'a>(bytes: *const c_void, size: usize, name: &str) -> Result<&'a [u8], Failure> {
    match (bytes.is_null(), size) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(name)),
        // SAFETY: the caller promises so many bytes that do not change during the call.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(bytes.cast(), size) }),
    }
}

/// `size` bytes to write; NULL when there are none.
#[inline]
pub(crate) fn bytes_mut<'a>(bytes: *mut c_void, size: usize, name: &str) -> Result<&'a mut [u8], Failure> {
    match (bytes.is_null(), size) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(null(name)),
        (false, _) => {
            // SAFETY: the caller promises room for so many bytes that nobody else uses during the call. They may be
            // uninitialised in C's eyes, which is why they are written first and not read.
            Ok(unsafe { std::slice::from_raw_parts_mut(bytes.cast(), size) })
        }
    }
}

/// Copies `found` into a buffer of `capacity` bytes, and says how long it is; MEMLANE_SHORT_BUFFER when it does not
/// fit.
pub(crate) fn copy_out(
    found: &[u8],
    buffer: *mut c_void,
    capacity: usize,
    size: *mut usize,
) -> Result<(), Failure> {
    give_optional(size, found.len());
    if found.len() > capacity {
        return Err(short_buffer(found.len(), capacity));
    }
    bytes_mut(buffer, found.len(), "buffer")?.copy_from_slice(found);
    Ok(())
}

#[cold]
pub(crate) fn short_buffer(size: usize, capacity: usize) -> Failure {
    let message =
        format!("{size} bytes do not fit the buffer of {capacity}; give a longer one and call again");
    Failure::new(MEMLANE_SHORT_BUFFER, message)
}

/// Options, or NULL for the defaults.
pub(crate) fn options<T: Copy>(options: *const T) -> Option<T> {
    // SAFETY: the caller promises NULL or a whole structure.
    unsafe { options.as_ref() }.copied()
}

/// Where a result goes: checked before anything is done.
#[inline]
pub(crate) fn out<T>(to: *mut T, name: &str) -> Result<Out<T>, Failure> {
    if to.is_null() { Err(null(name)) } else { Ok(Out(to)) }
}

/// Where a handle or an address goes: NULL until there is one, so that what failed leaves nothing to be taken for one.
#[inline]
pub(crate) fn pointer_out<T>(to: *mut *mut T, name: &str) -> Result<Out<*mut T>, Failure> {
    let to = out(to, name)?;
    to.write(std::ptr::null_mut());
    Ok(to)
}

/// Where a result goes; not NULL.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    #[inline]
    pub(crate) fn give(self, value: T) {
        self.write(value);
    }

    /// Puts there what stands until the result is given.
    #[inline]
    pub(crate) fn write(&self, value: T) {
        // SAFETY: the caller promises room for the result; it is not NULL.
        unsafe { self.0.write(value) }
    }
}

/// Gives a result that the caller may not want to know.
#[inline]
pub(crate) fn give_optional<T>(to: *mut T, value: T) {
    if !to.is_null() {
        // SAFETY: the caller promises NULL or room for the result.
        unsafe { to.write(value) }
    }
}

/// What the caller lends for the call: a structure that is read and changed, an array of them.
#[inline]
pub(crate) fn lent<'a, T>(items: *mut T, count: usize, name: &str) -> Result<&'a mut [T], Failure> {
    match (items.is_null(), count) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(null(name)),
        // SAFETY: the caller promises so many whole structures that nobody else uses during the call.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts_mut(items, count) }),
    }
}
