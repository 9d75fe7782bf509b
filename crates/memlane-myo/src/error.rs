//! What can go wrong between a program and an armband.

use crate::bgapi::ResultCode;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// What an operation comes to.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why it failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No dongle is plugged in.
    #[error("found no dongle with the USB id 2458:0001 in {directory}; plug it in, or say its port")]
    NoDongle {
        /// Where serial ports are listed.
        directory: PathBuf,
    },
    /// The port cannot be opened.
    #[error("cannot open the port {path}: {source}; see whether it is there and whether you may use it")]
    Port {
        /// The port.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The dongle was pulled out, or its program ended.
    #[error("the dongle is gone: {source}; plug it in again")]
    Unplugged {
        /// The operating system's reason.
        source: io::Error,
    },
    /// Something did not come in time.
    #[error("waited {waited:.1?} for {what}, which did not come; see that the armband is near and awake")]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
    },
    /// The dongle or the armband said no.
    #[error("{what} was refused: {result}")]
    Refused {
        /// What was asked.
        what: String,
        /// The reason given.
        result: ResultCode,
    },
    /// The connection ended.
    #[error("the connection to the armband ended: {reason}")]
    Disconnected {
        /// The reason given.
        reason: ResultCode,
    },
    /// A value that is not as the armband's documents say.
    #[error("expected {expected}, found {found:02x?}; is it another device?")]
    Malformed {
        /// What it should have been.
        expected: &'static str,
        /// Its bytes.
        found: Vec<u8>,
    },
    /// It was told to stop.
    #[error("stopped, as was asked for")]
    Stopped,
    /// A region failed.
    #[error(transparent)]
    Region(#[from] memlane::Error),
    /// A foreign segment failed.
    #[error(transparent)]
    Segment(#[from] memlane_interop::libemg::Error),
}
