//! `cargo xtask chaos`: many processes, killed at random; no hang, no torn data, exact accounting. Random, so
//! minutes matter: `test` runs it shortly, a release deserves an hour.

use clap::Args;

use crate::failure::Outcome;
use crate::process;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// How long to run
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
}

impl Options {
    pub(crate) const fn minutes(minutes: f64) -> Self {
        Self { minutes }
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let mut command = workspace.cargo(["test", "--package", "memlane", "--release", "--test", "chaos", "--"]);
    process::run(command.arg("--minutes").arg(options.minutes.to_string()))
}
