//! D. Vyukov's bounded queue for many producers and many consumers, in shared memory: the best that is known, where
//! nobody dies.
#![deny(unsafe_code)]

mod queue;

use std::process::ExitCode;

use harness::Peer;

fn main() -> ExitCode {
    Peer::new("vyukov", "1024cores.net").passes::<queue::Bounded>().run()
}
