//! Pictures in a mapped file, and nothing that synchronises, as many a program passes them on: a header of 24 bytes,
//! packed, and then the pixels. A flag says whether they are valid, and is looked at before they are copied only.
#![deny(unsafe_code)]

mod frame;

use std::process::ExitCode;

use harness::Peer;

fn main() -> ExitCode {
    Peer::new("mmap", "24-byte header").passes::<frame::Frame>().run()
}
