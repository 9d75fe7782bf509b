//! The host: serves a space's regions to clients on other machines.
//!
//! | module | what |
//! |---|---|
//! | `server` | the port, and who comes to it |
//! | `access` | who may do what |
//! | `secret` | files that only their owner can read |
//! | `tls` | the certificate |
//! | `limits` | how much of everything |
//! | `shared` | what all connections share |
//! | `connections` | how many there are, and from where |
//! | `http` | plain HTTP, and how it becomes a WebSocket |
//! | `page` | the web page's files |
//! | `rest` | regions as resources of plain HTTP |
//! | `conversation` | what is said on one WebSocket |
//! | `relay` | a client that is passed on to another host |
//! | `incoming`, `outgoing`, `outbox`, `metered` | frames and bytes of a connection |
//! | `sessions`, `session` | what outlives a connection: requests in their order, each once |
//! | `link` | what ends with a connection |
//! | `errand` | one request on its way to being answered |
//! | `service` | what a session can ask, done on the space |
//! | `lease` | what a session holds |
//! | `metrics`, `log` | what happened so far |
//! | `sharing` | a second door, for other machines |
//! | `watcher`, `threads`, `hold` | waiting for many things on few threads, and what needs a thread of its own |
//! | `subscription`, `feed`, `rows`, `picture` | what is new, for all who subscribed to it |

mod access;
mod connections;
mod conversation;
mod errand;
mod error;
mod feed;
mod hold;
mod http;
mod incoming;
mod lease;
mod limits;
mod link;
mod log;
mod metered;
mod metrics;
mod outbox;
mod outgoing;
mod page;
mod picture;
mod relay;
mod rest;
mod rows;
mod secret;
mod server;
mod service;
mod session;
mod sessions;
mod shared;
mod sharing;
mod subscription;
mod threads;
mod tls;
mod watcher;

pub use access::Tokens;
pub use error::HostError;
pub use limits::Limits;
pub use server::{Bound, Host, Running};
pub use tls::Tls;
