//! `cargo xtask wakeups`: pairs of processes wait for each other again and again, with delays at their shared accesses
//! and slices of seconds, so that a lost wake-up is noticed.

use clap::Args;

use crate::failure::Outcome;
use crate::process;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// How long all pairs together
    #[arg(long, default_value_t = 600.0, conflicts_with = "rounds")]
    seconds: f64,
    /// How many rounds each pair
    #[arg(long)]
    rounds: Option<u64>,
    /// Parts of the names of the pairs to play; all, if none is given
    pairs: Vec<String>,
}

impl Options {
    pub(crate) const fn seconds(seconds: f64) -> Self {
        Self { seconds, rounds: None, pairs: Vec::new() }
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let mut command = workspace.cargo(["test", "--package", "memlane", "--release", "--features", "delays"]);
    command.args(["--test", "wakeups", "--"]);
    match options.rounds {
        Some(rounds) => command.arg("--rounds").arg(rounds.to_string()),
        None => command.arg("--seconds").arg(options.seconds.to_string()),
    };
    process::run(command.args(&options.pairs))
}
