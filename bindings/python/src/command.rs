//! The command line, in the wheel.

use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs the command line `arguments`, the first of which is the program's name, and returns its exit code. `program`
/// is the interpreter, for commands that start themselves again.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>, program: OsString) -> u8 {
    let itself = vec![program, "-m".into(), "memlane".into()];
    py.detach(|| memlane_cli::run(arguments, itself))
}
