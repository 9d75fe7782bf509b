//! Boost.Interprocess, as its documentation has it.
#![deny(unsafe_code)]

mod message_queue;
mod mutex;
mod segment;
mod shim;

use std::process::ExitCode;

use harness::Peer;

fn main() -> ExitCode {
    Peer::new("boost", shim::version())
        .passes::<message_queue::MessageQueue>()
        .locks::<mutex::InterprocessMutex>()
        .attaches::<segment::ManagedSharedMemory>()
        .run()
}
