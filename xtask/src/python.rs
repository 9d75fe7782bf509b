//! `cargo xtask python`: builds the Python package into `.venv` and runs its tests there.

use std::process::Command;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::{Workspace, build_once};

const COMPARISON: &str = "../../comparison/python/compare";
/// The role of the scenarios in Python, seen from the package.
const SCENARIOS: &str = "../../scenarios/roles/role.py";
const COMPARISON_TYPES: &str = "../../comparison/python/pyproject.toml";

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Build as for users: takes minutes, and is as fast as the package is
    #[arg(long)]
    release: bool,
    /// What pytest is given: parts of the tests to run, options; all tests, if nothing is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pytest: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    build(workspace, options.release)?;
    process::run(python(workspace, "mypy").args(["--strict", "--package", "memlane"]))?;
    process::run(python(workspace, "mypy").args(["--strict", "examples", SCENARIOS]))?;
    process::run(python(workspace, "mypy").args(["--config-file", COMPARISON_TYPES, COMPARISON]))?;
    process::run(python(workspace, "mypy.stubtest").args(["memlane._memlane", "--ignore-missing-stub"]))?;
    process::run(python(workspace, "pytest").arg("-q").args(&options.pytest))
}

/// Puts the package into `.venv`; as for users, or quicker.
pub(crate) fn build(workspace: &Workspace, release: bool) -> Outcome {
    if !is_possible(workspace) {
        return Err(Failure::new("there is no .venv; run cargo xtask setup"));
    }
    let mut build = python(workspace, "maturin");
    build.args(["develop", "--quiet"]).args(release.then_some("--release"));
    build_once(&mut build);
    process::run(build.env("VIRTUAL_ENV", workspace.python_environment()))
}

/// Whether there is an environment to run it in.
pub(crate) fn is_possible(workspace: &Workspace) -> bool {
    workspace.python().is_file()
}

/// A module of the environment, as a program that runs in the package's directory.
fn python(workspace: &Workspace, module: &str) -> Command {
    let mut command = Command::new(workspace.python());
    command.current_dir(workspace.root.join("bindings").join("python")).args(["-m", module]);
    command.env("CARGO_TARGET_DIR", &workspace.target);
    command
}
