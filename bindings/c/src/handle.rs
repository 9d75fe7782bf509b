//! Handles: what C holds of a region.
//!
//! A handle is the address of a shell with the object in it. Shells are never freed: a closed one is empty, and is
//! used again only after many others were closed. So a handle that is used after it was closed is recognised for
//! long, and touches no memory that is not there. What it holds is an enum, so that the wrong handle is recognised
//! too.
#![allow(unsafe_code)] // Pointers of C.

use crate::frames::{Publisher, Subscriber};
use crate::pipe::End;
use crate::queue::{LeaseCell, ReservationCell};
use crate::status::{Failure, call, memlane_status, memlane_status::*};
use crate::stream;
use crate::value::AnyScalar;
use memlane::{
    AnyArray, Barrier, Condition, Event, Lock, Queue, RLock, Raw, Record, Region, RwLock, Semaphore,
    SignalSemaphore, Space, Text,
};
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident = $variant:ident($object:ty) $article:literal),* $(,)?) => {
        /// Everything that a handle can be of.
        pub(crate) enum Object { $($variant($object)),* }

        impl Object {
            fn what(&self) -> &'static str {
                match self { $(Self::$variant(_) => $article),* }
            }
        }

        $(
            impl Opaque for $name {
                type Object = $object;
                const WHAT: &'static str = $article;

                #[inline]
                fn of(object: &Object) -> Option<&$object> {
                    if let Object::$variant(object) = object { Some(object) } else { None }
                }

                fn into_object(object: $object) -> Object {
                    Object::$variant(object)
                }
            }
        )*
    };
}

/// A type of handle, as C sees it.
pub(crate) trait Opaque {
    type Object;
    const WHAT: &'static str;

    fn of(object: &Object) -> Option<&Self::Object>;
    fn into_object(object: Self::Object) -> Object;
}

use crate::array::memlane_array;
use crate::barrier::memlane_barrier;
use crate::condition::memlane_condition;
use crate::event::memlane_event;
use crate::frames::{memlane_frame_publisher, memlane_frame_subscriber};
use crate::lock::{memlane_lock, memlane_rlock};
use crate::pipe::memlane_pipe_end;
use crate::queue::{memlane_lease, memlane_queue, memlane_reservation};
use crate::raw::memlane_raw;
use crate::record::memlane_record;
use crate::rwlock::memlane_rwlock;
use crate::semaphore::{memlane_semaphore, memlane_signal_semaphore};
use crate::space::memlane_space;
use crate::stream::{memlane_stream_publisher, memlane_stream_subscriber};
use crate::text::memlane_text;
use crate::value::memlane_value;

handles! {
    memlane_space = Space(Space) "a space",
    memlane_value = Value(AnyScalar) "a value",
    memlane_record = Record(Record) "a record",
    memlane_array = Array(AnyArray) "an array",
    memlane_raw = Raw(Raw) "raw bytes",
    memlane_text = Text(Text) "a text",
    memlane_lock = Lock(Lock) "a lock",
    memlane_rlock = RLock(RLock) "an rlock",
    memlane_rwlock = RwLock(RwLock) "a rwlock",
    memlane_semaphore = Semaphore(Semaphore) "a semaphore",
    memlane_signal_semaphore = SignalSemaphore(SignalSemaphore) "a signal semaphore",
    memlane_event = Event(Event) "an event",
    memlane_condition = Condition(Condition) "a condition",
    memlane_barrier = Barrier(Barrier) "a barrier",
    memlane_queue = Queue(Arc<Queue>) "a queue",
    memlane_lease = Lease(LeaseCell) "a lease",
    memlane_reservation = Reservation(ReservationCell) "a reservation",
    memlane_pipe_end = PipeEnd(End) "the end of a pipe",
    memlane_frame_publisher = FramePublisher(Publisher) "a frame publisher",
    memlane_frame_subscriber = FrameSubscriber(Subscriber) "a frame subscriber",
    memlane_stream_publisher = StreamPublisher(stream::Publisher) "a stream publisher",
    memlane_stream_subscriber = StreamSubscriber(stream::Subscriber) "a stream subscriber",
}

impl Object {
    /// The region behind it.
    pub(crate) fn region(&self) -> Result<&Region, Failure> {
        Ok(match self {
            Self::Space(_) | Self::Lease(_) | Self::Reservation(_) => {
                let message = format!("{} is not a region", self.what());
                return Err(Failure::new(MEMLANE_WRONG_HANDLE, message));
            }
            Self::Value(object) => object.region(),
            Self::Record(object) => object.region(),
            Self::Array(object) => object.region(),
            Self::Raw(object) => object.region(),
            Self::Text(object) => object.region(),
            Self::Lock(object) => object.region(),
            Self::RLock(object) => object.region(),
            Self::RwLock(object) => object.region(),
            Self::Semaphore(object) => object.region(),
            Self::SignalSemaphore(object) => object.region(),
            Self::Event(object) => object.region(),
            Self::Condition(object) => object.region(),
            Self::Barrier(object) => object.region(),
            Self::Queue(object) => object.region(),
            Self::PipeEnd(object) => &object.region,
            Self::FramePublisher(object) => &object.region,
            Self::FrameSubscriber(object) => &object.region,
            Self::StreamPublisher(object) => &object.region,
            Self::StreamSubscriber(object) => &object.region,
        })
    }

    /// Whether the memory of a closed handle is still looked at.
    fn is_looked_at(&self) -> bool {
        matches!(self, Self::FrameSubscriber(subscriber) if subscriber.seat.holds_frames())
    }
}

/// What stands at the beginning of a shell, so that other memory is not taken for one.
const MAGIC: u64 = u64::from_le_bytes(*b"memlaneC");

#[repr(C)]
pub(crate) struct Shell {
    magic: u64,
    /// Whether it is full and was not closed.
    open: AtomicBool,
    object: UnsafeCell<Option<Object>>,
}

// SAFETY: what is in a shell is put there before its address is known, and taken away when no call uses it (the
// caller of `memlane_close` promises that, and `is_looked_at` says it of frames); those objects that are for one
// thread at a time are in an `Alone`.
unsafe impl Sync for Shell {}

/// Shells that can be used again, and those whose frames are still held.
struct Pool {
    empty: VecDeque<&'static Shell>,
    departed: Vec<&'static Shell>,
}

// SAFETY: it holds addresses of shells, which are `Sync`.
unsafe impl Send for Pool {}

static POOL: Mutex<Pool> = Mutex::new(Pool { empty: VecDeque::new(), departed: Vec::new() });

/// So many handles are closed before a shell is used again.
const CLOSED_BEFORE_REUSE: usize = 1024;

impl Pool {
    /// Empties the shells of those that nobody looks at any more. What was in them is to be dropped without the
    /// pool's mutex: giving a lease back may wait.
    #[must_use]
    fn sweep(&mut self) -> Vec<Object> {
        let Self { empty, departed } = self;
        let mut left = Vec::new();
        departed.retain(|shell| {
            // SAFETY: it was closed, so only its frames are used, and only as long as it is looked at; the pool's
            // mutex is held, so nobody else empties it.
            let object = unsafe { &mut *shell.object.get() };
            let stays = object.as_ref().is_some_and(Object::is_looked_at);
            if !stays {
                left.extend(object.take());
                empty.push_back(shell);
            }
            stays
        });
        left
    }
}

fn pool() -> std::sync::MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new handle.
pub(crate) fn open<H: Opaque>(object: H::Object) -> *mut H {
    let object = H::into_object(object);
    let shell = {
        let mut pool = pool();
        if pool.empty.len() > CLOSED_BEFORE_REUSE { pool.empty.pop_front() } else { None }
    };
    let shell = shell.unwrap_or_else(|| {
        let shell = Shell { magic: MAGIC, open: AtomicBool::new(false), object: UnsafeCell::new(None) };
        Box::leak(Box::new(shell))
    });
    // SAFETY: it came out of the pool or is new, so nobody else has it yet.
    unsafe { *shell.object.get() = Some(object) };
    shell.open.store(true, Release);
    std::ptr::from_ref(shell).cast_mut().cast()
}

/// The shell at an address that C says is a handle.
#[inline]
fn shell_at(handle: *const c_void, what: &str) -> Result<&'static Shell, Failure> {
    if handle.is_null() {
        return Err(no_handle(what));
    }
    let shell = handle.cast::<Shell>();
    // SAFETY: the caller promises a handle, whose shell is never freed; of another address that can be read, the
    // first word says that it is none.
    if !shell.is_aligned() || unsafe { (*shell).magic } != MAGIC {
        return Err(not_a_handle(what));
    }
    // SAFETY: as above; it is a shell.
    Ok(unsafe { &*shell })
}

#[cold]
fn not_a_handle(what: &str) -> Failure {
    Failure::new(MEMLANE_WRONG_HANDLE, format!("this is not a handle of memlane, and should be {what}"))
}

#[cold]
fn no_handle(what: &str) -> Failure {
    let message = format!("NULL instead of {what}: it was never opened, or was ended or moved away");
    Failure::new(MEMLANE_NULL_ARGUMENT, message)
}

#[cold]
fn closed(what: &str) -> Failure {
    Failure::new(MEMLANE_CLOSED_HANDLE, format!("this handle of {what} was closed; open another one"))
}

/// Whatever a handle is of.
#[inline]
pub(crate) fn object<'a>(handle: *const c_void, what: &str) -> Result<&'a Object, Failure> {
    let shell = shell_at(handle, what)?;
    if !shell.open.load(Acquire) {
        return Err(closed(what));
    }
    // SAFETY: it is open, and the caller promises not to close it during a call that uses it.
    unsafe { &*shell.object.get() }.as_ref().ok_or_else(|| closed(what))
}

/// What a handle is of.
#[inline]
pub(crate) fn get<'a, H: Opaque>(handle: *const H) -> Result<&'a H::Object, Failure>
where
    H::Object: 'a,
{
    let object = object(handle.cast(), H::WHAT)?;
    H::of(object).ok_or_else(|| wrong(object.what(), H::WHAT))
}

/// What a handle is of, which may be closed while its frames are held.
#[inline]
pub(crate) fn get_departed<'a, H: Opaque>(handle: *const H) -> Result<&'a H::Object, Failure>
where
    H::Object: 'a,
{
    let shell = shell_at(handle.cast(), H::WHAT)?;
    // SAFETY: the caller promises that it holds a frame of it, so that nobody empties the shell.
    let object = unsafe { &*shell.object.get() }.as_ref().ok_or_else(|| closed(H::WHAT))?;
    H::of(object).ok_or_else(|| wrong(object.what(), H::WHAT))
}

/// After a frame was given back: if its subscriber was closed meanwhile, it was perhaps the last.
#[inline]
pub(crate) fn given_back<H: Opaque>(handle: *const H) {
    if shell_at(handle.cast(), H::WHAT).is_ok_and(|shell| !shell.open.load(SeqCst)) {
        let left = pool().sweep();
        drop(left);
    }
}

#[cold]
fn wrong(found: &str, expected: &str) -> Failure {
    Failure::new(MEMLANE_WRONG_HANDLE, format!("this is a handle of {found}, and should be of {expected}"))
}

/// Takes the object out of a handle and closes it.
pub(crate) fn take<H: Opaque>(handle: *const H) -> Result<Object, Failure> {
    get(handle)?;
    let shell = shell_at(handle.cast(), H::WHAT)?;
    if !shell.open.swap(false, SeqCst) {
        return Err(closed(H::WHAT));
    }
    // SAFETY: it was open and this closed it; the caller promises that no other call uses it.
    let object = unsafe { &mut *shell.object.get() }.take();
    pool().empty.push_back(shell);
    object.ok_or_else(|| closed(H::WHAT))
}

/// Closes a handle of any type: what this process holds with it, locks and permits, it holds as long as it has
/// another handle of the region. NULL is nothing. Memory that was got from it is not good any more, except frames
/// that are still held. No other thread may be in a call with it.
///
/// What was lent is given up: a loan is discarded, a lease is handed out again, a reservation sends nothing.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_close(handle: *mut c_void) -> memlane_status {
    call(|| {
        if handle.is_null() {
            return Ok(());
        }
        let shell = shell_at(handle, "any handle")?;
        if !shell.open.swap(false, SeqCst) {
            return Err(Failure::new(MEMLANE_CLOSED_HANDLE, "this handle was closed already"));
        }
        // SAFETY: it was open and this closed it; the caller promises that no other call uses it, and frames that are
        // held use only what `depart` leaves.
        let object = unsafe { &*shell.object.get() };
        if let Some(Object::FrameSubscriber(subscriber)) = object {
            subscriber.depart();
        }
        let left = {
            let mut pool = pool();
            pool.departed.push(shell);
            pool.sweep()
        };
        drop(left);
        Ok(())
    })
}

/// What only one thread may use at a time: a subscriber has a place in its channel, a publisher a next slot.
pub(crate) struct Alone<T> {
    busy: AtomicBool,
    inner: UnsafeCell<T>,
}

impl<T> Alone<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { busy: AtomicBool::new(false), inner: UnsafeCell::new(inner) }
    }

    /// Runs `body`, unless another thread is in here.
    #[inline]
    pub(crate) fn with<R>(&self, body: impl FnOnce(&mut T) -> Result<R, Failure>) -> Result<R, Failure> {
        struct Leave<'a>(&'a AtomicBool);
        impl Drop for Leave<'_> {
            #[inline]
            fn drop(&mut self) {
                self.0.store(false, Release);
            }
        }
        if self.busy.swap(true, Acquire) {
            return Err(in_use());
        }
        let _leave = Leave(&self.busy);
        // SAFETY: `busy` was false and is true now, so nobody else is in here until it is false again.
        body(unsafe { &mut *self.inner.get() })
    }
}

#[cold]
fn in_use() -> Failure {
    Failure::new(MEMLANE_IN_USE, "another thread is using this handle: give each thread its own")
}
