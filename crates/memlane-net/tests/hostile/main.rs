//! Whatever bytes come over the network: no panic, and whoever behaves is served.

mod bytes;
#[path = "../chance/mod.rs"]
mod chance;
mod headers;
mod host;
mod mutant;
#[path = "../served/mod.rs"]
mod served;

/// Not a test: the host of the others.
#[test]
fn host_process() {
    served::serve_if_ordered();
}
