//! The same regions from another machine: a host that serves a space over TCP, and its client.
//!
//! | module | what |
//! |---|---|
//! | [`protocol`] | the messages between the two, without a socket and without a clock |
//! | [`legacy`] | the text protocol of the original shared-memory manager, in both roles |
#![forbid(unsafe_code)]

mod host;
pub mod legacy;
pub mod protocol;
