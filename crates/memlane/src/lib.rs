//! Shared memory for real-time tools.
//!
//! Unrelated processes share named regions of memory that describe themselves. Nothing is copied on one
//! machine, and whatever process is killed, at whatever instruction, the others go on with intact data.
//!
//! | kind | type | changes | its writer is killed |
//! |---|---|---|---|
//! | value | [`Value`] | one scalar, by one instruction | nothing happened |
//! | record | [`Record`] | a structure as a whole, or a field | the old content stands |
//! | array | [`Array`] | element by element, or several under the lock | the next locker is told |
//! | raw | [`Raw`] | bytes in place | of each byte the old or the new one stands |
//! | text | [`Text`] | UTF-8 as a whole | the old text stands |
//! | lock, rlock | [`Lock`], [`RLock`] | – | the next locker gets it and is told |
//! | rwlock | [`RwLock`] | – | the same; dead readers are not waited for |
//! | semaphore | [`Semaphore`], [`SignalSemaphore`] | permits held, or tokens passed | its permits return; tokens are gone |
//! | event | [`Event`] | a flag | nothing happened |
//! | condition | [`Condition`] | – | its turn goes to the next who waits |
//! | barrier | [`Barrier`] | – | it is broken, and all are told |
//! | queue | [`Queue`] | messages, each taken once | not sent, or not taken; handed out again where acknowledged |
//! | pipe | [`PipeEnd`] | messages between two ends | the other end reads what was sent, then the end |
//! | frames | [`FramePublisher`], [`FrameSubscriber`] | pictures, in place | the last frames stand, the next publisher goes on |
//! | stream | [`StreamPublisher`], [`StreamSubscriber`] | records of fixed size, kept for a while | the records stand, the next publisher goes on |
//!
//! A region is a file in a [`Space`], a directory. Programs attach as participants, and wait for several things at
//! once with a [`WaitSet`]; tools look in as an [`Observer`], which leaves no trace. A [`WaitGraph`] shows who waits
//! for whom, [`doctor`] what the dead left behind.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! use memlane::{FramePublisher, FrameSpec, FrameSubscriber, Space, schema::Primitive};
//! let space = Space::at(directory.path())?; // or Space::default()?
//! let spec = FrameSpec::image(404, 640, 3, Primitive::U8).history(4);
//! let mut camera = FramePublisher::open_or_create(&space, "camera/front", &spec)?;
//! let viewer = FrameSubscriber::open(&space, "camera/front")?; // in any process
//! let mut frame = camera.loan()?;
//! frame.fill(128); // straight into shared memory
//! frame.publish();
//! let frame = viewer.next(None)?; // and straight out of it
//! assert_eq!(frame[0], 128);
//! # Ok(()) }
//! ```
#![deny(unsafe_code)]

#[cfg(not(loom))]
mod atomic;
#[cfg(loom)]
pub mod atomic;
#[cfg(not(loom))]
mod os;

#[cfg(not(loom))]
pub mod error;
#[cfg(not(loom))]
pub mod kind;
#[cfg(not(loom))]
pub mod schema;

#[cfg(not(loom))]
pub mod header;
#[cfg(not(loom))]
pub mod layout;
#[cfg(not(loom))]
pub mod participant;
#[cfg(not(loom))]
pub mod region;
#[cfg(not(loom))]
pub mod space;

mod cell;
mod channel;
mod sync;

#[cfg(not(loom))]
pub mod interruption;
#[cfg(not(loom))]
pub mod wait_graph;
#[cfg(not(loom))]
pub mod wait_set;

#[cfg(not(loom))]
pub mod doctor;
#[cfg(not(loom))]
pub mod observer;

#[cfg(not(loom))]
pub use {
    cell::array::{self, AnyArray, Array},
    cell::newer::Newer,
    cell::raw::{self, Raw},
    cell::record::{self, Record},
    cell::text::{self, Conflict, Text},
    cell::value::{self, AnyValue, Value},
    channel::frames::{self, FramePublisher, FrameSpec, FrameSubscriber, Timestamp},
    channel::pipe::{self, PipeEnd, PipeSpec, Side},
    channel::queue::{self, Queue, QueueSpec},
    channel::stream::{self, StreamPublisher, StreamSpec, StreamSubscriber},
    channel::tag::Tag,
    error::{Error, Result},
    kind::Kind,
    observer::Observer,
    participant::Participant,
    region::Region,
    space::Space,
    sync::barrier::{self, Barrier},
    sync::condition::{self, Condition},
    sync::event::{self, Event},
    sync::lock::{self, Lock, LockGuard},
    sync::rlock::{self, RLock, RLockGuard},
    sync::rwlock::{self, ReadGuard, RwLock, WriteGuard},
    sync::semaphore::{self, Semaphore},
    sync::signal::{self, SignalSemaphore},
    wait_graph::WaitGraph,
    wait_set::{WaitSet, Waitable},
};

/// The example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

/// The algorithms over plain memory, for the models in `tests/loom`.
#[cfg(loom)]
pub mod algorithms {
    pub use crate::atomic;
    pub use crate::cell::snapshot;
    pub use crate::channel::frames::pool;
    pub use crate::channel::pipe::direction;
    pub use crate::channel::queue::{ends, lease};
    pub use crate::channel::stream::{log, readers};
    pub use crate::sync::{claim, flag, meeting, permits, share, sharing, tickets, tokens, version, waiter};
}
