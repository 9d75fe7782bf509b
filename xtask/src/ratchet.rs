//! `cargo xtask ratchet`: how many machine instructions each hot operation takes, counted by callgrind, against the
//! counts that are kept beside the program that does the operations. A count may fall, and is then kept; it rises only
//! with a reason.
//!
//! Instructions are no time, but they do not depend on what else the machine does: one more is seen.

mod counts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::report::{self, Mark};
use crate::workspace::{Workspace, on_path};
use counts::{Counts, Kept};

/// The example that does one operation so many times.
const EXAMPLE: &str = "instructions";

/// Done so often, and twice as often; the difference is free of the start-up.
const REPETITIONS: u64 = 10_000;

/// Start-up differs by some hundred instructions from run to run (random ids, addresses), which is so much of one.
const TOLERANCE: f64 = 0.5;

#[derive(Args)]
pub(crate) struct Options {
    /// Keep the counts that have fallen, and those of new operations
    #[arg(long)]
    update: bool,

    /// With --update: keep those that have risen, too, and this reason behind them
    #[arg(long, requires = "update", value_name = "REASON")]
    because: Option<String>,

    /// Show the functions in which each operation spends its instructions
    #[arg(long)]
    annotate: bool,

    /// Parts of the names of the operations to count; all, if none is given
    operations: Vec<String>,
}

/// What an operation came to, beside what is kept of it.
enum Verdict {
    New,
    Same,
    Fewer(f64),
    More(f64),
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    if on_path("valgrind").is_none() {
        return Err(Failure::new("valgrind counts the instructions: run cargo xtask setup, or install it"));
    }
    let path = workspace.root.join("crates/memlane/examples/instructions.toml");
    let mut counts = Counts::read(&path)?;
    let toolchain = toolchain()?;
    let comparable = counts.toolchain == toolchain;
    if !comparable {
        report::warning(&format!(
            "the counts that are kept belong to {}, and this is {toolchain}: nothing is compared",
            counts.toolchain
        ));
        if options.update && options.operations.is_empty() {
            counts = Counts { toolchain, kept: Vec::new() };
        } else if options.update {
            return Err(Failure::new("another toolchain needs all counts anew: name no operations"));
        }
    }
    let program = build(workspace)?;
    let mut risen = Vec::new();
    for name in names(&program, &options.operations)? {
        let count = measure(workspace, &program, &name, options.annotate)?;
        let verdict = if comparable { verdict(counts.of(&name), count) } else { Verdict::New };
        show(&name, count, &verdict);
        match verdict {
            Verdict::Same => {}
            Verdict::New | Verdict::Fewer(_) => counts.keep(&name, count, None),
            Verdict::More(_) if options.because.is_some() => {
                counts.keep(&name, count, options.because.as_deref());
            }
            Verdict::More(_) => risen.push(name),
        }
    }
    if options.update {
        fs::write(&path, counts.to_string()).map_err(Failure::at(&path))?;
    }
    if risen.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "more instructions than are kept in {}: {}; if it must be so: --update --because REASON",
        path.display(),
        risen.join(", ")
    )))
}

fn verdict(kept: Option<&Kept>, count: f64) -> Verdict {
    match kept.map(|kept| kept.count) {
        None => Verdict::New,
        Some(kept) if count > kept + TOLERANCE => Verdict::More(kept),
        Some(kept) if count < kept - TOLERANCE => Verdict::Fewer(kept),
        Some(_) => Verdict::Same,
    }
}

fn show(name: &str, count: f64, verdict: &Verdict) {
    let (mark, word, remark) = match verdict {
        Verdict::New => (Mark::Neutral, "new", String::new()),
        Verdict::Same => (Mark::Good, "same", String::new()),
        Verdict::Fewer(kept) => (Mark::Good, "fewer", format!("than {kept:.1}")),
        Verdict::More(kept) => (Mark::Bad, "more", format!("than {kept:.1}")),
    };
    report::row(mark, word, None, &format!("{name:<36}"), &format!("{count:7.1}  {remark}"));
}

/// What decides how many instructions it takes: the compiler, and the C library that copies.
fn toolchain() -> Outcome<String> {
    let answer = |program: &str, arguments: &[&str]| {
        let answer = process::answer(Command::new(program).args(arguments));
        let answer = answer.map(|answer| answer.trim().to_owned());
        answer.ok_or_else(|| Failure::new(format!("{program} {} failed", arguments.join(" "))))
    };
    let library = answer("getconf", &["GNU_LIBC_VERSION"])?;
    Ok(format!("{}, {}, {library}", answer("rustc", &["--version"])?, std::env::consts::ARCH))
}

fn build(workspace: &Workspace) -> Outcome<PathBuf> {
    let arguments = ["build", "--release", "--package", "memlane", "--example", EXAMPLE];
    process::run(&mut workspace.cargo(arguments))?;
    Ok(workspace.target.join("release").join("examples").join(EXAMPLE))
}

fn names(program: &Path, parts: &[String]) -> Outcome<Vec<String>> {
    let list = process::answer(Command::new(program).arg("--list"));
    let list = list.ok_or_else(|| Failure::new(format!("{} --list failed", program.display())))?;
    let wanted = |name: &&str| parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()));
    let names: Vec<_> = list.lines().filter(wanted).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Failure::new(format!("no such operation; there are:\n{list}")));
    }
    Ok(names)
}

/// Instructions of one operation.
fn measure(workspace: &Workspace, program: &Path, name: &str, annotate: bool) -> Outcome<f64> {
    let directory = workspace.target.join("ratchet");
    fs::create_dir_all(&directory).map_err(Failure::at(&directory))?;
    let profile = directory.join("callgrind.out");
    let once = instructions(program, &profile, name, REPETITIONS)?;
    let twice = instructions(program, &profile, name, 2 * REPETITIONS)?;
    if annotate {
        process::run(Command::new("callgrind_annotate").arg("--threshold=90").arg(&profile))?;
    }
    Ok(twice.saturating_sub(once) as f64 / REPETITIONS as f64)
}

/// Instructions of a whole run, as callgrind counts them.
fn instructions(program: &Path, profile: &Path, name: &str, repetitions: u64) -> Outcome<u64> {
    let mut callgrind = Command::new("valgrind");
    callgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", profile.display()));
    let output = process::output(callgrind.arg(program).args([name, &repetitions.to_string()]))?;
    if !output.status.success() {
        return Err(Failure::new(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let text = fs::read_to_string(profile).map_err(Failure::at(profile))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals:")?.trim().parse().ok());
    total
        .ok_or_else(|| Failure::new(format!("{}: no totals, expected callgrind's format", profile.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instruction_more_is_noticed() {
        let kept = Kept { name: "lock".to_owned(), count: 40.0, because: String::new() };
        assert!(matches!(verdict(Some(&kept), 41.0), Verdict::More(40.0)));
        assert!(matches!(verdict(Some(&kept), 39.0), Verdict::Fewer(40.0)));
        assert!(matches!(verdict(Some(&kept), 40.1), Verdict::Same));
        assert!(matches!(verdict(None, 40.0), Verdict::New));
    }
}
