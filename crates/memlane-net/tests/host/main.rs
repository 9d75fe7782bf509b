//! A real host on a real port, and raw WebSocket clients that keep to its rules or break them.

mod client;
mod hello;
mod http;
mod life;
mod limits;
mod machine;
mod relay;
#[path = "../served/mod.rs"]
mod served;
mod sessions;

/// Not a test: the host that others kill.
#[test]
fn host_process() {
    served::serve_if_ordered();
}
