//! `memlane legacy host|client`: in company of the original "Shared Memory Manager".
//!
//! | verb | takes the place of |
//! |---|---|
//! | [`host`] | the original's host, for its clients and memlane's |
//! | [`client`] | the original's client, for its hosts and memlane's |

mod client;
mod host;

use std::io;

use memlane_interop::text_block;
use memlane_net::legacy::Error;
use tokio::runtime::{Builder, Runtime};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};

/// Share a text with the original Shared Memory Manager, as its host or its client
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LegacyCommand {
    Host(host::Arguments),
    Client(client::Arguments),
}

impl LegacyCommand {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        match self {
            Self::Host(arguments) => arguments.run(context),
            Self::Client(arguments) => arguments.run(context),
        }
    }
}

/// How a host begins what it says when the lock was held all the time, and when a text has too many bytes.
const LOCK_TIMEOUT: &str = "获取锁超时";
const TOO_LONG: &str = "文本太长";

fn runtime() -> Outcome<Runtime> {
    let built = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|error| Failure::new(Exit::Failure, format!("no threads for the network: {error}")))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Region(error) => error.into(),
            error => Self::new(exit_of(&error), error),
        }
    }
}

fn exit_of(error: &Error) -> Exit {
    match error {
        Error::UnusableName { .. } => Exit::Usage,
        Error::Connect { .. } | Error::Closed { .. } => Exit::NotFound,
        Error::Metadata { .. } | Error::WrongId { .. } | Error::Unexpected { .. } => Exit::Mismatch,
        Error::Timeout { .. } => Exit::Timeout,
        Error::Refused { reason } if reason.starts_with(LOCK_TIMEOUT) => Exit::Timeout,
        Error::Refused { reason } if reason.starts_with(TOO_LONG) => Exit::Mismatch,
        Error::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => Exit::Busy,
        Error::Listen { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Exit::Permission,
        Error::Block(error) => exit_of_block(error),
        _ => Exit::Failure,
    }
}

fn exit_of_block(error: &text_block::Error) -> Exit {
    use text_block::Error::{
        Busy, Exists, Io, LockTimeout, NotFound, Nul, Overwritten, Replaced, TooLong, Truncated,
    };
    match error {
        NotFound { .. } => Exit::NotFound,
        Truncated { .. } | Exists { .. } | Replaced { .. } | TooLong { .. } | Nul { .. } => Exit::Mismatch,
        LockTimeout { .. } => Exit::Timeout,
        Busy { .. } | Overwritten { .. } => Exit::Busy,
        Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Exit::Permission,
        _ => Exit::Failure,
    }
}
