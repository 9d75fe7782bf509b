//! The host: serves a space's regions to clients on other machines.
//!
//! | module | what |
//! |---|---|
//! | `service` | what a session can ask, done on the space |
//! | `lease` | what a session holds |
//! | `watcher`, `threads`, `hold` | waiting for many things on few threads, and what needs a thread of its own |
//! | `subscription`, `feed`, `rows`, `picture` | what is new, for all who subscribed to it |

mod feed;
mod hold;
mod lease;
mod picture;
mod rows;
mod service;
mod subscription;
mod threads;
mod watcher;
