//! A real host on a real port, and raw WebSocket clients that keep to its rules or break them.

mod client;
mod hello;
mod http;
mod life;
mod limits;
mod sessions;
