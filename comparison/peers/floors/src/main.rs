//! What the machine itself takes: what nobody can be faster than who does the same, and more.
#![deny(unsafe_code)]

mod cache_line;
mod futex;
mod memcpy;
mod tcp;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use harness::{Peer, Terms, Wait};

fn main() -> ExitCode {
    Peer::new("floors", std::env::consts::ARCH)
        .passes::<cache_line::CacheLine>()
        .passes::<futex::Futex>()
        .passes::<memcpy::Memcpy>()
        .passes::<tcp::Tcp>()
        .run()
}

fn ensure_wait(terms: &Terms, wait: Wait) -> Result<()> {
    ensure!(terms.wait == wait, "its receiver is {wait:?} always");
    Ok(())
}
