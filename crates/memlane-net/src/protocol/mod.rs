//! The wire protocol, version 1, without a socket and without a clock: what `docs/protocol.md` says, as types.
//!
//! | module | what |
//! |---|---|
//! | [`message`] | a message's bytes: a JSON header and a payload |
//! | [`hello`] | how a conversation begins: versions, tokens, the proof of being local, sessions |
//! | [`operation`] | what can be asked, and what is remembered of it |
//! | [`event`] | what a subscription delivers, and how it is paced |
//! | [`fault`] | what can go wrong, by code |
//! | [`ledger`] | the host's half of exactly once: what a session was answered |
//! | [`outstanding`] | the client's half: what it has not been answered yet |

pub mod event;
pub mod fault;
pub mod hello;
pub mod ledger;
pub mod message;
pub mod operation;
pub mod outstanding;

/// The version of the protocol, as both hellos say it.
pub const VERSION: u32 = 1;

/// Where the host speaks it.
pub const PATH: &str = "/api/v1";

/// The port unless said otherwise.
pub const DEFAULT_PORT: u16 = 7440;
