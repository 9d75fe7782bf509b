//! `cargo xtask loom`: model checking. Loom replaces the atomics by `--cfg loom`, which rebuilds everything,
//! so the suite has a build directory of its own.

use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::failure::Outcome;
use crate::process;
use crate::workspace::Workspace;

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Run only the tests whose name contains this
    filter: Option<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let mut command = suite(workspace, &workspace.root, &workspace.target.join("loom"));
    process::run(command.args(&options.filter))
}

/// The suite of the sources at `root`, built below `target`.
pub(crate) fn suite(workspace: &Workspace, root: &Path, target: &Path) -> Command {
    let mut command = workspace.cargo(["test", "--package", "memlane", "--release", "--test", "loom"]);
    command.current_dir(root).env("CARGO_TARGET_DIR", target).env("RUSTFLAGS", "--cfg loom");
    command
}
