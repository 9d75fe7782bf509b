//! `cargo xtask ci`: the tests as continuous integration runs them. A process of its own, so that every test
//! below it sees `CI=true`.

use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let program = std::env::current_exe().map_err(Failure::at(&workspace.root))?;
    process::run(Command::new(program).arg("test").env("CI", "true").current_dir(&workspace.root))
}
