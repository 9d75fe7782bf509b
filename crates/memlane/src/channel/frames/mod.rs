//! Frames: pictures and other large things, written and read in place.
//!
//! One publisher at a time writes into shared memory ([`FramePublisher::loan`]) and makes the frame visible
//! by one store ([`Loan::publish`]); any number of subscribers read it where it lies
//! ([`FrameSubscriber::next`]). Nothing is copied, nobody waits for anybody, and a frame that somebody holds
//! never changes, not even when its publisher is killed and replaced. When to use something else: small
//! things of which every one counts are a stream; work to be done once is a queue.
//!
//! A subscriber claims borrow entries (two, unless asked otherwise), each good for one frame held; the
//! channel is made with a pool of them. How it works, and what a death leaves behind, is in [`pool`].
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! use memlane::{FramePublisher, FrameSpec, FrameSubscriber, schema::Primitive};
//! let spec = FrameSpec::image(404, 640, 3, Primitive::U8).history(4);
//! let mut camera = FramePublisher::open_or_create(&space, "camera/front", &spec)?;
//! let reader = FrameSubscriber::open(&space, "camera/front")?;
//! let mut loan = camera.loan()?;
//! loan.fill(7);
//! loan.publish();
//! let frame = reader.next(None)?;
//! assert_eq!((frame.sequence(), frame[0], frame.len()), (1, 7, 775_680));
//! # Ok(()) }
//! ```
//!
//! The crash case: the publisher dies with a loan in hand. The frame was never visible; the next publisher
//! goes on.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! # use memlane::{FramePublisher, FrameSpec, FrameSubscriber};
//! let spec = FrameSpec::bytes(1024);
//! let mut first = FramePublisher::open_or_create(&space, "camera/rear", &spec)?;
//! std::mem::forget(first.loan()?);                     // … never published …
//! drop(first);
//! let mut second = FramePublisher::open_or_create(&space, "camera/rear", &spec)?;
//! let reader = FrameSubscriber::open(&space, "camera/rear")?;
//! second.loan()?.publish();
//! assert_eq!(reader.next(None)?.sequence(), 1);
//! # Ok(()) }
//! ```

pub mod pool;

#[cfg(not(loom))]
mod onlooker;
#[cfg(not(loom))]
mod publisher;
#[cfg(not(loom))]
mod spec;
#[cfg(not(loom))]
mod subscriber;
#[cfg(not(loom))]
mod timestamp;
#[cfg(not(loom))]
mod words;

#[cfg(not(loom))]
pub use super::role::PublisherState;
#[cfg(not(loom))]
pub use onlooker::Onlooker;
#[cfg(not(loom))]
pub use publisher::{FramePublisher, Loan};
#[cfg(not(loom))]
pub use spec::FrameSpec;
#[cfg(not(loom))]
pub use subscriber::{Arrival, Frame, FrameSubscriber, OnPublisherDeath, OwnedFrame, Seat};
#[cfg(not(loom))]
pub use timestamp::Timestamp;
#[cfg(not(loom))]
pub(crate) use words::Words;
