//! The program `memlane`; all of it is in the library beside it.
#![deny(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    // Its name on the command line will do where the system does not say where it is.
    let program = std::env::current_exe().ok().map(Into::into).or_else(|| arguments.first().cloned());
    ExitCode::from(memlane_cli::run(arguments, program.into_iter().collect()))
}
