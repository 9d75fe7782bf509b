//! Pipes: messages between two ends, each of which notices when the other is gone.
//!
//! Two processes talk to each other and to nobody else: requests and answers, a program and its helper. Each takes an
//! end ([`PipeEnd::open_or_create`]), sends and receives messages whole, and learns promptly when the other end was
//! closed or its process died: [`Error::EndOfPipe`](crate::Error::EndOfPipe) after the last message, and
//! [`Error::BrokenPipe`](crate::Error::BrokenPipe) for what it wants to send. When to use something else: many who
//! put or take are a queue.
//!
//! The conversation is over when both ends are gone; whoever opens an end then begins a new one. Until then an end
//! that is gone cannot be had again, so that nobody takes another's words for those of who was there before.
//!
//! How it works, and what a death leaves behind, is in [`direction`].
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! use memlane::{Error, PipeEnd, PipeSpec, Side};
//! let spec = PipeSpec::duplex(64 * 1024);
//! let asking = PipeEnd::open_or_create(&space, "arm/commands", &spec, Side::Left)?;
//! let answering = PipeEnd::open_or_create(&space, "arm/commands", &spec, Side::Right)?; // in another process
//! asking.send(b"where?", None)?;
//! assert_eq!(answering.recv(None)?.bytes, b"where?");
//! answering.send(b"here", None)?;
//! drop(answering); // or its process is killed
//! assert_eq!(asking.recv(None)?.bytes, b"here");
//! assert!(matches!(asking.recv(None), Err(Error::EndOfPipe { .. })));
//! assert!(matches!(asking.send(b"?", None), Err(Error::BrokenPipe { .. })));
//! # Ok(()) }
//! ```

pub mod direction;

#[cfg(not(loom))]
mod end;
#[cfg(not(loom))]
mod halves;
#[cfg(not(loom))]
mod spec;
#[cfg(not(loom))]
mod words;

#[cfg(not(loom))]
pub use super::queue::Message;
#[cfg(not(loom))]
pub use end::PipeEnd;
#[cfg(not(loom))]
pub use halves::{Arrival, PipeReceiver, PipeSender, Room};
#[cfg(not(loom))]
pub use spec::{PipeSpec, Side};
#[cfg(not(loom))]
pub(crate) use words::Words;
#[cfg(not(loom))]
pub use words::{EndState, PipeState};
