//! The text protocol of the original "Shared Memory Manager", in both roles, and a bridge to a region.
//!
//! | module | what |
//! |---|---|
//! | [`request`] | what clients send, taken apart byte by byte, without a socket or a clock |
//! | [`reply`] | what hosts answer |
//! | [`metadata`] | the line that a host begins with |
//! | [`Host`] | serves a block of text to any number of clients |
//! | [`Client`] | reads and writes a host's text, through memory where it can |
//! | [`Bridge`] | keeps a block and a text region in step |
//!
//! The original shares one text of up to 4091 bytes, in a
//! [block](memlane_interop::text_block) of shared memory that its host serves over TCP:
//!
//! | who | sends | when |
//! |---|---|---|
//! | host | `<name> 4096 0 4095 0 5\n` | to every client, first |
//! | client | `READ\n` | to see the text |
//! | host | `OK <text>\n`, of an empty text `OK \n` | |
//! | client | `WRITE <n>\n`, n bytes of UTF-8, `\n` | to replace it |
//! | host | `OK\n` | |
//! | host | `ERROR <why>\n` | when either fails; whatever else is sent has no answer |
//!
//! # Traps of the original, and what is done here
//!
//! | the original | here |
//! |---|---|
//! | host hangs when a header and text beyond ASCII come in one packet | the client sends them apart |
//! | host ignores pipelined requests and headers in pieces | ours answers every split; the client sends one at a time |
//! | a reply has no length, and inner line ends look like its end | the client waits for a quiet moment, and drops what comes late |
//! | an attached Python before 3.13 unlinks the block when it ends | our host gives the name back |
//! | a holder of the lock that died is waited for in vain | memlane's own are recovered at once |
//! | whoever writes overwrites what he has not seen | [`Client::write_if`], and conditional writes in the [`Bridge`] |
//!
//! Crash case: a host that is killed leaves its block, which the next host of that name takes over with its
//! text. A client that is killed leaves nothing; when the connection breaks in the middle of a write, nothing
//! was written.

pub mod metadata;
pub mod reply;
pub mod request;

mod bridge;
mod client;
mod connection;
mod error;
mod host;
mod limits;

pub use bridge::{Bridge, POLL, Side, Step};
pub use client::{Client, Mode};
pub use error::Error;
pub use host::{Host, Options};
pub use limits::Limits;
