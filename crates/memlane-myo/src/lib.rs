//! The Myo armband, read over a BLED112 dongle and shared: protocol, driver, streamer and a simulated dongle.
//!
//! | layer | what it knows |
//! |---|---|
//! | [`bgapi`] | the dongle's packets, as bytes and as types; reads and writes nothing |
//! | [`Transport`], [`Serial`], [`Port`] | bytes to and from a dongle, and which dongle |
//! | [`Client`] | a command and its response, events each once, attributes; time is limited everywhere |
//! | [`myo`] | the armband: how to start it, what its bytes mean, what it can be told |
//! | [`streamer`] | how a device's samples get into a space, and that of the Myo: [`MyoStreamer`] |
//! | [`simulator`] | a dongle with an armband that are not there, on a pseudo-terminal, with faults |
//!
//! `memlane myo` and `memlane myo-dongle` are the commands over it; `docs/devices.md` walks through writing a streamer
//! for another device.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! use memlane::{Space, StreamSubscriber};
//! use memlane_myo::simulator::{Dongle, Options, Terminal};
//! use memlane_myo::{MyoStreamer, Port, Stop, StreamerOptions, streamer};
//! use std::thread;
//!
//! let stop = Stop::default();
//! let link = directory.path().join("dongle");
//! let mut terminal = Terminal::open(&link)?; // a real dongle needs neither this nor the first thread
//! let space = Space::at(directory.path().join("space"))?;
//! let mut myo = MyoStreamer::open(&space, Port::Path(link), StreamerOptions::default())?;
//! let emg = StreamSubscriber::open(&space, "myo/emg")?;
//! thread::scope(|scope| -> Result<(), Box<dyn std::error::Error>> {
//!     scope.spawn(|| terminal.serve(&mut Dongle::new(Options::default()), &stop));
//!     scope.spawn(|| streamer::run(&mut myo, &stop));
//!     let sample = emg.next(None);
//!     stop.request();
//!     println!("{:?}", emg.schema().decode(&sample?.bytes)?);
//!     Ok(())
//! })
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod bgapi;

mod error;
mod stop;

mod port;
mod transport;

mod client;
pub mod myo;

pub mod streamer;

pub mod simulator;

pub use client::{Client, Received};
pub use error::{Error, Result};
pub use port::Port;
pub use stop::Stop;
pub use streamer::{MyoStreamer, Streamer, StreamerOptions};
pub use transport::{Serial, Transport};

/// The examples of the guide compile.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/devices.md")]
pub struct Devices;
