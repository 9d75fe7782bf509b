//! The Python environment of the tests: `.venv` in the repository, with what `xtask/requirements.txt` lists, and what
//! `xtask/requirements-alone.txt` does.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::Missing;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// The lists of packages, and how each is installed.
const LISTS: &[(&str, &[&str])] = &[("requirements.txt", &[]), ("requirements-alone.txt", &["--no-deps"])];

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
    for (list, options) in LISTS {
        let mut pip = Command::new(workspace.python());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(*options);
        process::run(pip.arg("--requirement").arg(workspace.root.join("xtask").join(list)))?;
    }
    // Written last, so that an installation that was cut short is not taken for a complete one.
    let wanted = wanted(workspace).unwrap_or_default();
    fs::write(installed(workspace), wanted).map_err(Failure::at(&installed(workspace)))?;
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
    let wanted = wanted(workspace);
    wanted.is_some() && wanted == fs::read(installed(workspace)).ok() && workspace.python().is_file()
}

/// What is to be installed: the lists, one behind the other.
fn wanted(workspace: &Workspace) -> Option<Vec<u8>> {
    let read = |(list, _): &(&str, _)| fs::read(workspace.root.join("xtask").join(list)).ok();
    Some(LISTS.iter().map(read).collect::<Option<Vec<_>>>()?.concat())
}

/// A copy of the requirements that the environment was made from.
fn installed(workspace: &Workspace) -> PathBuf {
    workspace.python_environment().join("requirements.txt")
}
