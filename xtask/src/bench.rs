//! `cargo xtask bench`: ratios to the machine's own floor, measured in one run. What the bench prints on its
//! standard output is its report, and can be kept beside the documentation.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// Keep the report as ratios.md, or network.md, in this directory
    #[arg(long, value_name = "DIRECTORY")]
    save: Option<PathBuf>,

    /// Measure host and client beside bare sockets and Redis, instead of the memory itself
    #[arg(long)]
    network: bool,

    /// Only the rows with this word
    word: Option<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let (mut command, report) = if options.network {
        (workspace.cargo(["bench", "--package", "memlane-net", "--bench", "network", "--"]), "network.md")
    } else {
        let arguments = ["run", "--release", "--package", "memlane-cli", "--", "bench", "--goals"];
        (workspace.cargo(arguments), "ratios.md")
    };
    command.args(&options.word);
    let Some(directory) = &options.save else { return process::run(&mut command) };
    if !directory.is_dir() {
        return Err(Failure::new(format!("{}: no such directory, make it first", directory.display())));
    }
    let text = process::run_and_keep(&mut command)?;
    let path = directory.join(report);
    fs::write(&path, text).map_err(Failure::at(&path))
}
