//! What hosting, connecting and bridging can fail with.

use memlane_interop::text_block;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Why it did not work. Where the original has words for it, the message begins with them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The host cannot listen there.
    #[error("cannot listen on {address}: {source}; choose another address or port")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A block's name has white space in it, which the line of metadata cannot have.
    #[error("`{name}` has white space in it, which the other program cannot read; choose another name")]
    UnusableName {
        /// The name.
        name: String,
    },
    /// No connection.
    #[error("no connection to {address}: {source}; see whether the host runs and its port is right")]
    Connect {
        /// The host.
        address: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The host did not do that in time. After a write it is not known whether it was done.
    #[error("{address} did not {action} within {waited:?}; see whether the host hangs, and connect again")]
    Timeout {
        /// The host.
        address: String,
        /// What was awaited.
        action: &'static str,
        /// How long.
        waited: Duration,
    },
    /// The host closed the connection, or the network broke it. A write in flight may or may not be done, and
    /// is never sent again by itself.
    #[error("the connection to {address} has ended ({reason}); connect again and read before writing")]
    Closed {
        /// The host.
        address: String,
        /// How it ended.
        reason: String,
    },
    /// An earlier request was given up before its reply came, so replies can no longer be told apart.
    #[error("an earlier request to {address} was given up before its reply came; connect again")]
    Abandoned {
        /// The host.
        address: String,
    },
    /// The host's first line is not what it should be.
    #[error("无效的元数据格式 (expected `name size start end lock data`, found `{found}`)")]
    Metadata {
        /// The line.
        found: String,
    },
    /// The host serves another block.
    #[error("共享内存 ID 不匹配！(expected `{expected}`, found `{found}`)")]
    WrongId {
        /// The id asked for.
        expected: String,
        /// The id that the host has.
        found: String,
    },
    /// The host refused, in its own words.
    #[error("the host refused: {reason}")]
    Refused {
        /// Its words.
        reason: String,
    },
    /// The host answered with something that is no reply.
    #[error("expected a reply that begins with OK or ERROR, found `{found}`; see whether it is such a host")]
    Unexpected {
        /// The beginning of what it answered.
        found: String,
    },
    /// The block in this machine's memory.
    #[error(transparent)]
    Block(#[from] text_block::Error),
    /// The region that is bridged.
    #[error(transparent)]
    Region(#[from] memlane::Error),
    /// The program is about to end.
    #[error("the program is about to end; nothing was done")]
    Ending,
}
