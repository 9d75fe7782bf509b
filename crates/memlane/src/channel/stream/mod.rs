//! Streams: records of fixed size that follow each other, such as samples of a sensor.
//!
//! One publisher at a time appends ([`StreamPublisher::append`]), any number of readers copy out what they want: the
//! newest record, the last so many ([`StreamSubscriber::last`]), everything since a number
//! ([`StreamSubscriber::since`]), or one after the other ([`StreamSubscriber::next`]). A reader that is too slow
//! learns exactly how many records it lost; nobody else notices. When to use something else: what is large is
//! better read in place, as frames; what must be worked on once is a queue. Where no record may be lost, a *lossless*
//! stream lets its publisher wait for its readers, as long as they live.
//!
//! How it works, and what a death leaves behind, is in [`log`] and [`readers`].
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! use memlane::{StreamPublisher, StreamSpec, StreamSubscriber};
//! let spec = StreamSpec::of("{emg:[8]i1,t:<f8 unit=\"s\"}").capacity(1000);
//! let mut sensor = StreamPublisher::open_or_create(&space, "myo/emg", &spec)?;
//! let reader = StreamSubscriber::open(&space, "myo/emg")?; // in any process
//! sensor.append(&[1; 16])?;
//! sensor.append(&[2; 16])?;
//! assert_eq!(reader.next(None)?.bytes, [1; 16]);
//! let last = reader.last(200)?; // as many as there are
//! assert_eq!((last.first, last.len(), last.lost), (0, 2, 0));
//! # Ok(()) }
//! ```
//!
//! The crash case: a publisher dies in the midst of a record. It was never there, and the next publisher goes on.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! # use memlane::{StreamPublisher, StreamSpec, StreamSubscriber};
//! let spec = StreamSpec::of("<f8");
//! let mut first = StreamPublisher::open_or_create(&space, "level", &spec)?;
//! first.append(&1.0_f64.to_le_bytes())?;
//! first.batch(1)?.set(0, &2.0_f64.to_le_bytes())?; // … never published …
//! drop(first);
//! let mut second = StreamPublisher::open_or_create(&space, "level", &spec)?;
//! assert_eq!(second.append(&3.0_f64.to_le_bytes())?, 1);
//! # Ok(()) }
//! ```

pub mod log;
pub mod readers;

#[cfg(not(loom))]
mod publisher;
#[cfg(not(loom))]
mod spec;
#[cfg(not(loom))]
mod subscriber;
#[cfg(not(loom))]
mod words;

#[cfg(not(loom))]
pub use super::role::PublisherState;
#[cfg(not(loom))]
pub use publisher::{Batch, StreamPublisher};
#[cfg(not(loom))]
pub use spec::StreamSpec;
#[cfg(not(loom))]
pub use subscriber::{Arrival, Record, Records, StreamSubscriber};
#[cfg(not(loom))]
pub(crate) use words::Words;
#[cfg(not(loom))]
pub use words::{StreamReader, StreamState};
