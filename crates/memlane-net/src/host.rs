//! The host: serves a space's regions to clients on other machines.
//!
//! | module | what |
//! |---|---|
//! | `service` | what a session can ask, done on the space |
//! | `lease` | what a session holds |

mod lease;
mod service;
