//! `cargo xtask kill-steps`: each operation killed at each machine instruction. The suite runs its own
//! `main`: it forks and single-steps children, which a test harness with threads would disturb.

use clap::Args;

use crate::failure::Outcome;
use crate::process;
use crate::workspace::Workspace;

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Scenarios to run, and the suite's own options such as --long; all scenarios, short, unless given
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let mut command = workspace.cargo(["test", "--package", "memlane", "--release", "--test", "crash", "--"]);
    process::run(command.args(&options.arguments))
}
