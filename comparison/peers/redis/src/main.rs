//! Redis, with a server of its own on a Unix socket.
#![deny(unsafe_code)]

mod key;
mod list;
mod server;

use std::process::ExitCode;

use harness::Peer;

fn main() -> ExitCode {
    Peer::new("redis", server::version()).passes::<list::List>().passes::<key::Key>().run()
}
