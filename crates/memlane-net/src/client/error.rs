//! What can go wrong between a client and its host, said so that a person knows what to do next.

use std::path::PathBuf;

use crate::protocol::fault::{self, Fault};

/// The result of most calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure names the host.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// That is no address.
    #[error(
        "`{address}` is not where a host can be: {reason}; it is like `192.168.1.5`, `lab:7440` or `[::1]:7440`"
    )]
    BadAddress {
        /// As given.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// That is no fingerprint.
    #[error(
        "`{fingerprint}` is no fingerprint of a certificate: expected the 64 hexadecimal digits of its SHA-256, as `memlane host` prints them"
    )]
    BadFingerprint {
        /// As given.
        fingerprint: String,
    },

    /// The file that is to hold the token cannot be read.
    #[error("could not read the token from {}: {reason}", file.display())]
    Token {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },

    /// There is no connection, or none any more, and patience or the call's time is over. What was asked was not done.
    #[error(
        "no host answers at {host}: {reason}; is `memlane host` running there, and does a firewall let its port through?"
    )]
    Unreachable {
        /// The address.
        host: String,
        /// What happened when it was tried last.
        reason: String,
    },

    /// The host lets nobody in who says what this client says.
    #[error("the host at {host} refused: {}{}", fault.message, advice(fault))]
    Refused {
        /// The address.
        host: String,
        /// Its code and the host's words.
        fault: Fault,
    },

    /// The host did not do it; [`Fault::code`] says for programs why not.
    #[error("{} (host {host})", fault.message)]
    Fault {
        /// The address.
        host: String,
        /// Its code and the host's words.
        fault: Fault,
    },

    /// It was sent, the connection was lost, and the host that could say whether it was done remembers nothing, or
    /// could not be asked in time. It is never sent again: look, and decide.
    #[error("whether the host at {host} did `{operation}`{} is unknown: {reason}; look at what is there before doing it again", of(id.as_ref()))]
    OutcomeUnknown {
        /// The address.
        host: String,
        /// What was asked, in the protocol's word.
        operation: String,
        /// The region.
        id: Option<String>,
        /// Why nobody knows.
        reason: String,
    },

    /// A wait was ended from within: see [`memlane::interruption`].
    #[error("interrupted while waiting for the host at {host}")]
    Interrupted {
        /// The address.
        host: String,
    },

    /// A message would be larger than the host takes.
    #[error(
        "a {what} of {found} bytes is larger than the {most} bytes that the host at {host} takes; send it in parts"
    )]
    TooLarge {
        /// The address.
        host: String,
        /// `header` or `message`.
        what: &'static str,
        /// Its size.
        found: usize,
        /// The most.
        most: usize,
    },

    /// The host does not speak the protocol as it is written.
    #[error("the host at {host} sent what this client does not understand: {reason}; both are to be memlane {}", env!("CARGO_PKG_VERSION"))]
    Misunderstood {
        /// The address.
        host: String,
        /// What was expected, and what was found.
        reason: String,
    },

    /// This client was closed.
    #[error("this client of the host at {host} was closed")]
    Closed {
        /// The address.
        host: String,
    },
}

impl Error {
    /// The code of the fault, as `docs/protocol.md` lists them; `outcome_unknown` where that is it.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { fault, .. } | Self::Fault { fault, .. } => Some(&fault.code),
            Self::OutcomeUnknown { .. } => Some(fault::OUTCOME_UNKNOWN),
            _ => None,
        }
    }

    /// Whether a deadline passed.
    pub fn is_timeout(&self) -> bool {
        self.code() == Some(fault::TIMEOUT)
    }
}

fn of(id: Option<&String>) -> String {
    id.map(|id| format!(" of `{id}`")).unwrap_or_default()
}

fn advice(fault: &Fault) -> &'static str {
    match fault.code.as_str() {
        fault::UNAUTHORISED => {
            "; give the token that `memlane host` printed, in MEMLANE_TOKEN or in a file named by MEMLANE_TOKEN_FILE"
        }
        fault::UNSUPPORTED_VERSION => "; use the same version of memlane on both machines",
        _ => "",
    }
}
