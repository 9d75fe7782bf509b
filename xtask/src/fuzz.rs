//! `cargo xtask fuzz`: hostile bytes for every parser. Coverage-guided fuzzing needs compiler flags that only
//! nightly has, so it is no part of `test`.

use std::fs;
use std::path::Path;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::report;
use crate::workspace::Workspace;

const HOW_TO_GET: &str = "rustup toolchain install nightly && cargo +nightly install --locked cargo-fuzz";

#[derive(Args)]
pub(crate) struct Options {
    /// How long to run each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Run only the targets whose name contains this
    filter: Option<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    if process::answer(&mut workspace.cargo(["+nightly", "fuzz", "--version"])).is_none() {
        return Err(Failure::new(format!(
            "cargo-fuzz under nightly rust not found, install both: {HOW_TO_GET}"
        )));
    }
    let filter = options.filter.as_deref().unwrap_or_default();
    let targets = targets(&workspace.root.join("fuzz").join("fuzz_targets"))?;
    let chosen: Vec<_> = targets.iter().filter(|name| name.contains(filter)).collect();
    if chosen.is_empty() {
        return Err(Failure::new(format!(
            "no fuzz target contains {filter:?}, there are: {}",
            targets.join(", ")
        )));
    }
    let limit = format!("-max_total_time={}", options.seconds);
    for name in chosen {
        report::headline(&format!("fuzz {name}"));
        process::run(&mut workspace.cargo(["+nightly", "fuzz", "run", name, "--", &limit]))?;
    }
    Ok(())
}

fn targets(directory: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(Failure::at(directory))? {
        let path = entry.map_err(Failure::at(directory))?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}
