//! Shared-memory layouts of other programs, read and written byte for byte.
//!
//! Whoever already has a camera in C++ or a viewer in Python keeps it: this crate speaks that program's
//! layout, so that either side can be replaced alone. The foreign program needs no change, no library and
//! no knowledge of memlane.
//!
//! | module | foreign layout |
//! |---|---|
//! | [`mmap_frame`] | the newest picture behind a packed 24-byte header, in POSIX shared memory |
//! | [`text_block`] | one text in 4096 bytes behind a lock byte, in POSIX shared memory |
//!
//! Foreign memory is foreign: its bytes are checked before they are used, no reference to them is ever
//! handed out, and neither a peer that dies nor one that writes nonsense can make a call hang past its
//! timeout or panic.
//!
//! # Example
//!
//! A writer that any reader of the layout understands, and a reader for what any of its writers leaves:
//!
//! ```
//! use memlane_interop::Name;
//! use memlane_interop::mmap_frame::{MmapFrameReader, MmapFrameWriter, Publish};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let name = Name::new(&format!("/camera-{}", std::process::id()))?; // the file /dev/shm/camera-<pid>
//! let mut camera = MmapFrameWriter::create(&name, Publish::InPlace)?;
//! let timestamp = camera.write(4, 2, 3, &[127; 4 * 2 * 3])?;
//!
//! let mut viewer = MmapFrameReader::open(&name);
//! let picture = viewer.read(Some(Duration::from_secs(1)))?;
//! assert_eq!((picture.width, picture.height, picture.channels), (4, 2, 3));
//! assert_eq!(picture.timestamp, timestamp);
//! assert_eq!(picture.pixels, [127; 4 * 2 * 3]);
//!
//! // Nothing newer has been written: the reader says so instead of hanging or showing the old picture again.
//! assert!(viewer.next(Some(Duration::from_millis(5))).is_err_and(|error| error.is_timeout()));
//! camera.unlink()?;
//! # Ok(())
//! # }
//! ```
#![deny(unsafe_code)]

pub mod mmap_frame;
pub mod text_block;

mod draft;
mod name;
mod segment;

pub use name::{InvalidName, Name};
