//! `cargo xtask scenarios`: plays `scenarios/scenarios.txt` with every pair of languages.

mod language;
mod role;
mod script;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::report::{self, Mark};
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
        let start = Instant::now();
        let failures = play_in_pairs(scenario, &languages);
        let seconds = Some(start.elapsed().as_secs_f64());
        if failures.is_empty() {
            report::row(Mark::Good, "passed", seconds, &scenario.title, "");
        } else {
            report::row(Mark::Bad, "FAILED", seconds, &scenario.title, &failures.join("\n"));
        }
        passed += languages.len() * languages.len() - failures.len();
        failed += failures.len();
    }
    report::total(passed, failed);
    if failed == 0 { Ok(()) } else { Err(Failure::shown()) }
}

/// What went wrong with which pair. All pairs play at once: they wait for most of the time.
fn play_in_pairs(scenario: &Scenario, languages: &[Language]) -> Vec<String> {
    let pairs = languages.iter().flat_map(|a| languages.iter().map(move |b| [a, b]));
    thread::scope(|scope| {
        let plays: Vec<_> = pairs.map(|pair| (pair, scope.spawn(move || play(scenario, pair)))).collect();
        let outcome = |([a, b], play): ([&Language; 2], ScopedJoinHandle<Outcome>)| {
            let outcome = play.join().unwrap_or_else(|_| Err(Failure::new("the play came to no end")));
            let failure = outcome.err()?;
            Some(format!("{} and {}: {failure}", a.name, b.name))
        };
        plays.into_iter().filter_map(outcome).collect()
    })
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
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("memlane-scenario-{}-{}", std::process::id(), MADE.fetch_add(1, Relaxed));
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
