//! The same regions from another machine: a host that serves a space over TCP, and its client.
//!
//! | module | what |
//! |---|---|
//! | [`legacy`] | the text protocol of the original shared-memory manager, in both roles |
#![forbid(unsafe_code)]

pub mod legacy;
