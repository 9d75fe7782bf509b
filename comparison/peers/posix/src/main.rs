//! The primitives of POSIX, between processes.
#![deny(unsafe_code)]

mod condition;
mod message_queue;
mod mutex;
mod semaphore;

use std::process::ExitCode;

use anyhow::Result;
use harness::Peer;

fn main() -> ExitCode {
    Peer::new("posix", "glibc")
        .locks::<mutex::Plain>()
        .locks::<mutex::Robust>()
        .locks::<semaphore::Semaphore>()
        .passes::<condition::Mailbox>()
        .passes::<message_queue::MessageQueue>()
        .run()
}

/// What a function of `pthread.h` says.
fn check(error: i32) -> Result<()> {
    if error == 0 { Ok(()) } else { Err(std::io::Error::from_raw_os_error(error).into()) }
}
