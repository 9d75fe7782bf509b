//! The shared memory of LibEMG, a Python library for myoelectric control: the newest samples, and how many there were.
//!
//! | segment | content | bytes |
//! |---|---|---|
//! | `emg` | 1000 rows of 8 `f64`, the newest sample first | 64000 |
//! | `emg_count` | an `i32`: samples since the beginning, or since a reset | 4 |
//! | `imu` | 250 rows of 10 `f64`: quaternion w x y z, acceleration and rotation x y z, as sent | 20000 |
//! | `imu_count` | an `i32` | 4 |
//!
//! Names are bare tags, rows lie one behind the other, numbers are little-endian, the mode is 0600. LibEMG guards
//! both segments by a lock of Python's that has no name, so an outsider cannot take it. A [`Writer`] therefore stores
//! in an order that is right without it: rows move down from the last on, the new ones are put on top, and only then
//! the count grows. So a count is never ahead of its rows. A [`Reader`] believes what it has copied twice with the
//! same outcome, and finds its place again by the rows themselves, since a count may be behind them.
//!
//! | writer killed | what remains | who repairs |
//! |---|---|---|
//! | while rows move | some rows twice; the count from before | nobody: they move out, the next writer goes on |
//! | before the count grows | new rows on top, not counted | the same |
//! | at any time | the hidden second name of each segment | the next writer |
//!
//! A reader cannot tell rows that are half moved by a writer that was killed, or that sleeps for longer than the reader
//! tries. LibEMG's own readers see the same.
//!
//! ```
//! use memlane_interop::libemg::{EMG, Reader, Tags, Writer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! // Tags::default() is what LibEMG uses unless told otherwise.
//! let tags = Tags::in_directory(directory.path(), "left_");
//! let mut writer = Writer::open(&tags, EMG)?;
//! writer.append(&[[1.0; 8], [2.0; 8]])?; // older first
//! let recent = Reader::open(&tags, EMG)?.read()?;
//! assert_eq!(recent.count, 2);
//! assert_eq!(recent.rows()[..2], [[2.0; 8], [1.0; 8]]); // newest first
//! # Ok(()) }
//! ```

mod error;
mod reader;
mod tags;
mod writer;

pub use error::Error;
pub use reader::{Fresh, Reader, Recent};
pub use tags::{EMG, IMU, Kind, Tags};
pub use writer::Writer;
