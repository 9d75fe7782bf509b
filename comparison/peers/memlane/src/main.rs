//! memlane, as its users use it.
#![deny(unsafe_code)]

mod frames;
mod lock;
mod pipe;
mod queue;
mod rwlock;
mod semaphore;
mod stream;
mod value;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Result;
use harness::{Peer, Terms, Wait};
use memlane::Space;

fn main() -> ExitCode {
    Peer::new("memlane", "of this tree")
        .passes::<frames::Frames>()
        .attaches::<frames::Frames>()
        .passes::<value::Number>()
        .attaches::<value::Number>()
        .passes::<stream::Lossy>()
        .passes::<stream::Lossless>()
        .passes::<queue::Messages>()
        .passes::<pipe::Pipe>()
        .locks::<lock::Exclusive>()
        .attaches::<lock::Exclusive>()
        .locks::<rwlock::Writing>()
        .locks::<semaphore::Permits>()
        .run()
}

/// A program opens its space once.
fn space() -> Result<&'static Space> {
    static SPACE: OnceLock<Space> = OnceLock::new();
    if let Some(space) = SPACE.get() {
        return Ok(space);
    }
    let space = Space::default()?;
    Ok(SPACE.get_or_init(|| space))
}

/// How long a reader looks before it sleeps.
fn spin(terms: &Terms) -> Duration {
    match terms.wait {
        Wait::Busy => Duration::from_hours(1),
        Wait::Asleep => Duration::ZERO,
    }
}

/// Room for what queues and pipes hold: so many bytes, or four messages that are longer than that together.
fn room(terms: &Terms) -> usize {
    (4 * (terms.size + 16)).max(64 * 1024)
}
