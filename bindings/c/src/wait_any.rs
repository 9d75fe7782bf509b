//! Waiting for several things at once.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{bad, lent};
use crate::handle::{Object, object};
use crate::status::{Failure, call, memlane_status, memlane_status::*};
use crate::value::with_scalar;
use crate::wait::{timed_out, wait};
use memlane::wait_set::MAX_WAITABLES;
use memlane::{Newer, WaitSet, Waitable, frames, pipe, stream};
use std::ffi::c_void;

/// One of the things to wait for.
#[repr(C)]
pub struct memlane_wait_item {
    /// A handle: of a value, record, array, raw bytes or text, for a version other than `seen`; of a subscriber,
    /// queue or end of a pipe, for something to take; of an event, semaphore or lock, for it to be had.
    pub handle: *const c_void,
    /// The version that was seen, of what has versions.
    pub seen: u64,
    /// Whether it is ready: set by `memlane_wait_any()`.
    pub ready: bool,
}

/// Waits until at least one of `count` things is ready, as poll() does for files, and says which. Nothing is taken:
/// somebody else may be faster, so take it with a timeout of 0. Up to 127 things.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_wait_any(
    items: *mut memlane_wait_item,
    count: usize,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let items = lent(items, count, "items")?;
        if count > MAX_WAITABLES {
            return Err(bad(format!("{count} things to wait for, and {MAX_WAITABLES} at most can be")));
        }
        let mut views = Vec::with_capacity(items.len());
        for item in items.iter_mut() {
            item.ready = false;
            views.push(view(object(item.handle, "something to wait for")?, item.seen)?);
        }
        let mut set = WaitSet::new();
        for view in &views {
            set.add(view.waitable())?;
        }
        let ready = wait(timeout, |timeout| Ok(set.wait(timeout)))?;
        if ready.is_empty() {
            return Err(timed_out(format!("none of the {} things was ready in time", items.len())));
        }
        for (number, item) in items.iter_mut().enumerate() {
            item.ready = ready.contains(number);
        }
        Ok(())
    })
}

/// What is waited for: the object itself, or a view of it.
enum View<'a> {
    Object(&'a dyn Waitable),
    Newer(Newer),
    Frame(frames::Arrival),
    Record(stream::Arrival),
    Message(&'a pipe::Arrival),
}

impl View<'_> {
    fn waitable(&self) -> &dyn Waitable {
        match self {
            Self::Object(object) => *object,
            Self::Newer(newer) => newer,
            Self::Frame(arrival) => arrival,
            Self::Record(arrival) => arrival,
            Self::Message(arrival) => *arrival,
        }
    }
}

fn view(object: &Object, seen: u64) -> Result<View<'_>, Failure> {
    Ok(match object {
        Object::Value(value) => with_scalar!(value, value => {
            let mut reading = value.read();
            reading.version = seen;
            View::Newer(value.newer(reading))
        }),
        Object::Record(record) => View::Newer(record.newer(seen)),
        Object::Array(array) => View::Newer(array.newer(seen)),
        Object::Raw(raw) => View::Newer(raw.newer(seen)),
        Object::Text(text) => View::Newer(text.newer(seen)),
        Object::FrameSubscriber(subscriber) => View::Frame(subscriber.arrival()?),
        Object::StreamSubscriber(subscriber) => View::Record(subscriber.arrival()?),
        Object::PipeEnd(end) => View::Message(end.arrival()?),
        Object::Queue(queue) => View::Object(queue.as_ref()),
        Object::Event(event) => View::Object(event),
        Object::Semaphore(semaphore) => View::Object(semaphore),
        Object::SignalSemaphore(semaphore) => View::Object(semaphore),
        Object::Lock(lock) => View::Object(lock),
        Object::RLock(lock) => View::Object(lock),
        Object::RwLock(lock) => View::Object(lock),
        _ => return Err(Failure::new(MEMLANE_WRONG_HANDLE, "this cannot be waited for among other things")),
    })
}
