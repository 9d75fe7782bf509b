//! memlane, as its users use it.

mod frames;

use std::process::ExitCode;
use std::time::Duration;

use harness::{Peer, Terms, Wait};

fn main() -> ExitCode {
    Peer::new("memlane", "of this tree").passes::<frames::Frames>().run()
}

/// How long a reader looks before it sleeps.
fn spin(terms: &Terms) -> Duration {
    match terms.wait {
        Wait::Busy => Duration::from_hours(1),
        Wait::Asleep => Duration::ZERO,
    }
}
