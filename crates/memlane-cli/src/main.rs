//! The program `memlane`; all of it is in the library beside it.
#![deny(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    memlane_cli::run(std::env::args_os())
}
