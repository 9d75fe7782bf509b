//! Why a host does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::protocol::fault::Fault;

/// What can go wrong before a host serves.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The address or the port is not to be had.
    #[error("cannot listen at {0}: {1}; another host may be there, or the address is not this machine's")]
    Listen(SocketAddr, #[source] io::Error),
    /// A private file could not be written.
    #[error("cannot write the private file or folder {0:?}: {1}")]
    File(PathBuf, #[source] io::Error),
    /// The file of tokens cannot be used.
    #[error("no tokens can be taken from {0:?}: {1}")]
    TokenFile(PathBuf, #[source] io::Error),
    /// Tokens that are too short, or none.
    #[error(
        "expected lines `read-write TOKEN` or `read-only TOKEN`, each token of at least 8 characters without spaces"
    )]
    Tokens,
    /// The certificate or its key is not what it should be.
    #[error("no TLS with this certificate: {0}; expected PEM files, or let the host make its own")]
    Certificate(String),
    /// The system has no random numbers.
    #[error("no secret can be made: {0}")]
    Random(#[source] io::Error),
    /// No threads can be started, or one failed.
    #[error("the host's threads failed: {0}")]
    Threads(#[source] io::Error),
}

impl From<HostError> for Fault {
    fn from(error: HostError) -> Self {
        let code = match &error {
            HostError::Listen(_, cause) if cause.kind() == io::ErrorKind::AddrInUse => "busy",
            HostError::Listen(_, cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                "permission_denied"
            }
            HostError::Listen(..) => "bad_parameter",
            _ => "system",
        };
        Self::new(code, error.to_string())
    }
}
