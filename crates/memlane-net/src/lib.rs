//! The same regions from another machine: a host that serves a space over TCP, and its client.
//!
//! | module | what |
//! |---|---|
//! | [`host`] | serves a space |
//! | [`discovery`] | hosts that say by mDNS where they are |
//! | [`protocol`] | the messages between the two, without a socket and without a clock |
//! | [`machine`] | what this machine is called, and how others reach it |
//! | [`view`] | how regions are shown: one view model for the command line, the host and its web page |
//! | [`client`] | the regions of a host, from another machine or from the same |
//! | [`force_release`] | locks that their holders do not give back |
//! | [`foreign`] | shared memory of other programs, to look at |
//! | [`legacy`] | the text protocol of the original shared-memory manager, in both roles |
#![forbid(unsafe_code)]

pub mod client;
pub mod discovery;
pub mod force_release;
pub mod foreign;
pub mod host;
pub mod legacy;
pub mod machine;
pub mod protocol;
pub mod view;
