//! The Python environment of the tests: `.venv` in the repository, with what `xtask/requirements.txt` lists.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::Missing;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// Debian ships Python without the modules for this.
pub(super) fn can_make_environments() -> bool {
    process::answer(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_some()
}

/// Debian ships Python without its own tests, too.
pub(super) fn has_tests() -> bool {
    process::answer(Command::new("python3").args(["-c", "import test._test_multiprocessing"])).is_some()
}

/// Makes the environment, or renews it after a change of the requirements.
pub(super) fn make_environment(workspace: &Workspace) -> Outcome {
    if is_ready(workspace) {
        return Ok(());
    }
    let environment = workspace.python_environment();
    if !can_make_environments() {
        return Err(Failure::new(
            "python3 cannot make environments here, on Debian run: sudo apt-get install python3 python3-venv",
        ));
    }
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    process::run(
        Command::new(workspace.python())
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(requirements(workspace)),
    )?;
    // Written last, so that an installation that was cut short is not taken for a complete one.
    fs::copy(requirements(workspace), installed(workspace)).map_err(Failure::at(&installed(workspace)))?;
    Ok(())
}

pub(super) fn missing(workspace: &Workspace) -> Option<Missing> {
    (!is_ready(workspace)).then(|| Missing {
        name: "the Python environment",
        needed_for: "the Python package's tests, and those against programs written in Python",
        how_to_get: "cargo xtask setup".to_owned(),
    })
}

/// Complete, of these requirements, and not left behind by a Python that has been removed since.
fn is_ready(workspace: &Workspace) -> bool {
    let wanted = fs::read(requirements(workspace)).ok();
    wanted.is_some() && wanted == fs::read(installed(workspace)).ok() && workspace.python().is_file()
}

fn requirements(workspace: &Workspace) -> PathBuf {
    workspace.root.join("xtask").join("requirements.txt")
}

/// A copy of the requirements that the environment was made from.
fn installed(workspace: &Workspace) -> PathBuf {
    workspace.python_environment().join("requirements.txt")
}
