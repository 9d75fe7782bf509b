//! Queues: messages of any size, each taken once.
//!
//! Any number of processes put ([`Queue::put`]), any number take ([`Queue::get`]); each message goes to one of
//! them. When to use something else: what everybody is to see is a stream or frames; two who talk to each other alone
//! are a pipe, which tells them of each other's end.
//!
//! A message taken by a process that is then killed is gone with it: at most once. Made with
//! [`QueueSpec::acknowledged`], a queue keeps what it hands out ([`Queue::lease`]) until it is acknowledged, and
//! hands it out again when who had it died: at least once, with [`Message::redelivered`] saying so. A message that is
//! never acknowledged holds the room of all that came after it; [`QueueState::leases`] shows whose it is.
//!
//! How it works, and what a death leaves behind, is in [`ends`] and [`lease`].
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! use memlane::{Error, Queue, QueueSpec};
//! let jobs = Queue::open_or_create(&space, "jobs", &QueueSpec::bytes(64 * 1024))?;
//! jobs.put(b"first", None)?;
//! let mut second = jobs.reserve(6, None)?; // written where it will lie
//! second.copy_from_slice(b"second");
//! second.commit()?;
//! assert_eq!(jobs.len(), 2);
//! assert_eq!(jobs.get(None)?.bytes, b"first");
//! jobs.close();
//! assert_eq!(jobs.get(None)?.bytes, b"second");
//! assert!(matches!(jobs.get(None), Err(Error::Closed { .. })));
//! # Ok(()) }
//! ```
//!
//! The crash case: a consumer dies with a lease in hand.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! # use memlane::{Queue, QueueSpec};
//! let spec = QueueSpec::bytes(64 * 1024).acknowledged();
//! let jobs = Queue::open_or_create(&space, "jobs", &spec)?;
//! jobs.put(b"job", None)?;
//! drop(jobs.lease(None)?); // … given back, as by a death …
//! let lease = jobs.lease(None)?;
//! assert_eq!((lease.bytes(), lease.redelivered()), (&b"job"[..], 1));
//! lease.acknowledge()?;
//! # Ok(()) }
//! ```

pub mod ends;
pub mod lease;

#[cfg(not(loom))]
mod consume;
#[cfg(not(loom))]
mod handle;
#[cfg(not(loom))]
mod produce;
#[cfg(not(loom))]
mod spec;
#[cfg(not(loom))]
mod state;

#[cfg(not(loom))]
pub use consume::{Lease, Message, Reading};
#[cfg(not(loom))]
pub use handle::Queue;
#[cfg(not(loom))]
pub use produce::{Reservation, Room};
#[cfg(not(loom))]
pub use spec::QueueSpec;
#[cfg(not(loom))]
pub use state::QueueState;
#[cfg(not(loom))]
pub(crate) use state::Words;
