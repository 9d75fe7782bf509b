//! `cargo xtask scenarios`: plays `scenarios/scenarios.txt` with every pair of languages.

mod language;
mod role;
mod script;

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::report;
use crate::workspace::Workspace;
use language::Language;
use role::Role;
use script::{Scenario, Step};

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Parts of the titles of the scenarios to play; all, if none is given
    titles: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let path = workspace.root.join("scenarios").join("scenarios.txt");
    let text = std::fs::read_to_string(&path).map_err(Failure::at(&path))?;
    let wanted =
        |title: &str| options.titles.is_empty() || options.titles.iter().any(|part| title.contains(part));
    let scenarios: Vec<Scenario> =
        script::parse(&text)?.into_iter().filter(|scenario| wanted(&scenario.title)).collect();
    let languages = Language::all(workspace)?;
    let (mut passed, mut failed) = (0, 0);
    for scenario in &scenarios {
        let mut failures = Vec::new();
        for a in &languages {
            for b in &languages {
                match play(scenario, [a, b]) {
                    Ok(()) => passed += 1,
                    Err(failure) => failures.push(format!("{} and {}: {failure}", a.name, b.name)),
                }
            }
        }
        let mark = if failures.is_empty() { report::Mark::Good } else { report::Mark::Bad };
        let verdict = if failures.is_empty() { "passed" } else { "FAILED" };
        report::row(mark, verdict, None, &scenario.title, &failures.join("\n"));
        failed += failures.len();
    }
    report::total(passed, failed);
    if failed == 0 { Ok(()) } else { Err(Failure::shown()) }
}

/// Plays a scenario with two languages, in a space that is gone afterwards.
fn play(scenario: &Scenario, languages: [&Language; 2]) -> Outcome {
    let space = Directory::new()?;
    let start = |part: usize| Role::start(languages[part], &space.0);
    let mut roles = [start(0)?, start(1)?];
    for (line, step) in &scenario.steps {
        let outcome = match step {
            Step::Tell { part, command } => roles[*part].tell(command),
            Step::Hear { part, answer } => roles[*part].hear(answer),
            Step::Kill { part } => roles[*part].kill(),
            Step::Start { part } => start(*part).map(|role| roles[*part] = role),
        };
        outcome.map_err(|failure| Failure::new(format!("line {line}: {failure}")))?;
    }
    Ok(())
}

/// A directory of its own for each play, in memory.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Outcome<Self> {
        let name = format!("memlane-scenario-{}", std::process::id());
        let path = PathBuf::from("/dev/shm").join(name);
        std::fs::create_dir(&path).map_err(Failure::at(&path))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A directory that stays behind is small and in memory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
