//! Zenoh between peers on one machine: payloads in shared memory, all else over Unix sockets.
#![deny(unsafe_code)]

mod publisher;

use std::process::ExitCode;

use harness::Peer;
use publisher::Put;

fn main() -> ExitCode {
    Peer::new("zenoh", "1.10.2").passes::<Put<true>>().passes::<Put<false>>().run()
}
