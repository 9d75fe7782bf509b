//! `cargo xtask myo`: a simulated armband for minutes: every sample once, at its time, and what the streamer uses. The
//! tests do it for half a minute.

use clap::Args;

use crate::failure::Outcome;
use crate::process;
use crate::workspace::Workspace;

/// The test and the variable that it takes its length from.
const TEST: &str = "every_sample_arrives_once_at_its_time_and_costs_little";
const SECONDS_VARIABLE: &str = "MEMLANE_MYO_SECONDS";

#[derive(Args)]
pub(crate) struct Options {
    /// How long to run
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let seconds = (options.minutes * 60.0).ceil() as u64;
    let mut test = workspace.cargo(["test", "--package", "memlane-cli", "--release", "--test", "myo", "--"]);
    process::run(test.args([TEST, "--nocapture"]).env(SECONDS_VARIABLE, seconds.to_string()))
}
