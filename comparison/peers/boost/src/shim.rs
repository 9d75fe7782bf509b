//! Boost's objects as Rust's: what `shim.cpp` has, made and closed.
#![allow(unsafe_code)] // Functions of C++, and the objects that they take.

use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;

use anyhow::{Result, bail};

/// The text of what was thrown, or nothing.
#[repr(C)]
struct Error {
    text: [u8; 256],
}

/// A type that only Boost knows.
macro_rules! opaque {
    ($($name:ident),*) => { $(#[repr(C)] struct $name([u8; 0]);)* };
}

opaque!(RawQueue, RawMutex, RawSegment);

unsafe extern "C" {
    safe fn boost_version() -> *const c_char;
    fn boost_remove(name: *const c_char);
    fn boost_queue_open(
        name: *const c_char,
        capacity: usize,
        size: usize,
        error: *mut Error,
    ) -> *mut RawQueue;
    fn boost_queue_close(queue: *mut RawQueue);
    fn boost_queue_send(queue: *mut RawQueue, message: *const u8, size: usize, error: *mut Error);
    fn boost_queue_try_send(queue: *mut RawQueue, message: *const u8, size: usize, error: *mut Error)
    -> bool;
    fn boost_queue_receive(queue: *mut RawQueue, message: *mut u8, size: usize, error: *mut Error) -> usize;
    fn boost_queue_try_receive(
        queue: *mut RawQueue,
        message: *mut u8,
        size: usize,
        error: *mut Error,
    ) -> usize;
    fn boost_mutex_open(name: *const c_char, error: *mut Error) -> *mut RawMutex;
    fn boost_mutex_close(mutex: *mut RawMutex);
    fn boost_mutex_lock(mutex: *mut RawMutex, error: *mut Error);
    fn boost_mutex_unlock(mutex: *mut RawMutex, error: *mut Error);
    fn boost_segment_make(name: *const c_char, size: usize, error: *mut Error) -> *mut RawSegment;
    fn boost_segment_open(name: *const c_char, error: *mut Error) -> *mut RawSegment;
    fn boost_segment_close(segment: *mut RawSegment);
}

/// What a call answers, or what it threw.
fn caught<R>(call: impl FnOnce(*mut Error) -> R) -> Result<R> {
    let mut error = Error { text: [0; 256] };
    let answer = call(&raw mut error);
    if error.text[0] == 0 {
        return Ok(answer);
    }
    let text = CStr::from_bytes_until_nul(&error.text)?;
    bail!("Boost.Interprocess: {}", text.to_string_lossy())
}

/// What was opened: an open that throws answers null.
fn opened<T>(open: impl FnOnce(*mut Error) -> *mut T) -> Result<NonNull<T>> {
    Ok(NonNull::new(caught(open)?).expect("what does not throw opens"))
}

/// Of the headers that this was compiled with.
pub(crate) fn version() -> String {
    // SAFETY: it is a string literal.
    unsafe { CStr::from_ptr(boost_version()) }.to_string_lossy().replace('_', ".")
}

/// The name of an object, which is there no longer when this is dropped. Who has it open keeps it.
struct Name(CString);

impl Drop for Name {
    fn drop(&mut self) {
        // SAFETY: the string lives until it returns.
        unsafe { boost_remove(self.0.as_ptr()) }
    }
}

/// A `message_queue`.
pub(crate) struct Queue {
    queue: NonNull<RawQueue>,
    _name: Name,
}

impl Queue {
    pub(crate) fn open(name: &str, capacity: usize, size: usize) -> Result<Self> {
        let name = Name(CString::new(name)?);
        // SAFETY: name and error live until it returns.
        let queue = opened(|error| unsafe { boost_queue_open(name.0.as_ptr(), capacity, size, error) })?;
        Ok(Self { queue, _name: name })
    }

    pub(crate) fn send(&mut self, message: &[u8]) -> Result<()> {
        // SAFETY: the queue is open, message and error live until it returns, and it copies so many bytes at most.
        caught(|error| unsafe {
            boost_queue_send(self.queue.as_ptr(), message.as_ptr(), message.len(), error);
        })
    }

    pub(crate) fn try_send(&mut self, message: &[u8]) -> Result<bool> {
        // SAFETY: as above.
        caught(|error| unsafe {
            boost_queue_try_send(self.queue.as_ptr(), message.as_ptr(), message.len(), error)
        })
    }

    /// Waits, and says how many bytes of the place are the message.
    pub(crate) fn receive(&mut self, place: &mut [u8]) -> Result<usize> {
        // SAFETY: the queue is open, place and error live until it returns, and it writes so many bytes at most.
        caught(|error| unsafe {
            boost_queue_receive(self.queue.as_ptr(), place.as_mut_ptr(), place.len(), error)
        })
    }

    /// Does not wait: 0 if there is no message.
    pub(crate) fn try_receive(&mut self, place: &mut [u8]) -> Result<usize> {
        // SAFETY: as above.
        caught(|error| unsafe {
            boost_queue_try_receive(self.queue.as_ptr(), place.as_mut_ptr(), place.len(), error)
        })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: it is open, and never used again.
        unsafe { boost_queue_close(self.queue.as_ptr()) }
    }
}

/// An `interprocess_mutex` in a segment of its own.
pub(crate) struct Mutex {
    mutex: NonNull<RawMutex>,
    _name: Name,
}

impl Mutex {
    pub(crate) fn open(name: &str) -> Result<Self> {
        let name = Name(CString::new(name)?);
        // SAFETY: name and error live until it returns.
        let mutex = opened(|error| unsafe { boost_mutex_open(name.0.as_ptr(), error) })?;
        Ok(Self { mutex, _name: name })
    }

    pub(crate) fn with(&mut self, work: impl FnOnce()) -> Result<()> {
        // SAFETY: the mutex is open, and the error lives until it returns.
        caught(|error| unsafe { boost_mutex_lock(self.mutex.as_ptr(), error) })?;
        work();
        // SAFETY: as above, and this thread holds it.
        caught(|error| unsafe { boost_mutex_unlock(self.mutex.as_ptr(), error) })
    }
}

impl Drop for Mutex {
    fn drop(&mut self) {
        // SAFETY: it is open, and never used again.
        unsafe { boost_mutex_close(self.mutex.as_ptr()) }
    }
}

/// A `managed_shared_memory` with bytes in it.
pub(crate) struct Segment {
    segment: NonNull<RawSegment>,
    _name: Option<Name>,
}

impl Segment {
    /// It is removed when this is dropped.
    pub(crate) fn make(name: &str, size: usize) -> Result<Self> {
        let name = Name(CString::new(name)?);
        // SAFETY: name and error live until it returns.
        let segment = opened(|error| unsafe { boost_segment_make(name.0.as_ptr(), size, error) })?;
        Ok(Self { segment, _name: Some(name) })
    }

    pub(crate) fn open(name: &str) -> Result<Self> {
        let name = CString::new(name)?;
        // SAFETY: name and error live until it returns.
        let segment = opened(|error| unsafe { boost_segment_open(name.as_ptr(), error) })?;
        Ok(Self { segment, _name: None })
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: it is open, and never used again.
        unsafe { boost_segment_close(self.segment.as_ptr()) }
    }
}
