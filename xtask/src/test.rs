//! `cargo xtask test`: every check that a change must pass, stopping at the first that fails. A tool that is
//! missing leaves something out, which is said loudly at the end; under `CI=true` it is a failure.

use std::process::Command;
use std::time::Instant;

use crate::failure::{Failure, Outcome};
use crate::process::run as run_program;
use crate::report::{self, Mark};
use crate::workspace::{Workspace, under_ci};
use crate::{c, chaos, compare, kill_steps, loom, page, python, scenarios, setup, tidy, wakeups};

struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Outcome,
    /// A tool that may be missing; without it the step is left out.
    needs: Option<fn(&Workspace) -> bool>,
}

const fn step(name: &'static str, run: fn(&Workspace) -> Outcome) -> Step {
    Step { name, run, needs: None }
}

/// Enough for every kind of death to happen some hundred times.
const CHAOS_MINUTES: f64 = 0.5;

/// Enough for each pair to wait for each other some ten thousand times.
const WAKEUP_SECONDS: f64 = 30.0;

/// Cheap ones first.
const STEPS: &[Step] = &[
    step("format", |workspace| run_program(&mut workspace.cargo(["fmt", "--all", "--check"]))),
    step("tidy", tidy::run),
    step("clippy", |workspace| lint(workspace, &["--workspace", "--all-targets"])),
    // Cargo's `--all-targets` is without the tests that do not run by default, which are all the core's.
    step("clippy, long tests", |workspace| {
        lint(workspace, &["--package", "memlane", "--features", "delays", "--test", "*"])
    }),
    step("tests", |workspace| run_program(&mut workspace.cargo(["test", "--workspace"]))),
    Step {
        name: "python",
        run: |workspace| python::run(workspace, &python::Options::default()),
        needs: Some(python::is_possible),
    },
    Step {
        name: "page",
        run: |workspace| page::run(workspace, &page::Options::default()),
        needs: Some(setup::has_page_tools),
    },
    Step {
        name: "c",
        run: |workspace| c::run(workspace, &c::Options::default()),
        needs: Some(c::is_possible),
    },
    Step {
        name: "scenarios",
        run: |workspace| scenarios::run(workspace, &scenarios::Options::default()),
        needs: Some(c::is_possible),
    },
    step("documentation", |workspace| {
        let mut document = workspace.cargo(["doc", "--workspace", "--no-deps"]);
        run_program(document.env("RUSTDOCFLAGS", "--deny warnings"))
    }),
    step("comparison", compare::check),
    step("loom", |workspace| loom::run(workspace, &loom::Options::default())),
    step("kill steps", |workspace| kill_steps::run(workspace, &kill_steps::Options::default())),
    step("wake-ups", |workspace| wakeups::run(workspace, &wakeups::Options::seconds(WAKEUP_SECONDS))),
    step("chaos", |workspace| chaos::run(workspace, &chaos::Options::minutes(CHAOS_MINUTES))),
    Step {
        name: "licences",
        run: licences,
        needs: Some(|workspace| setup::find_cargo_deny(workspace).is_some()),
    },
];

fn lint(workspace: &Workspace, targets: &[&str]) -> Outcome {
    let mut clippy = workspace.cargo(["clippy"]);
    run_program(clippy.args(targets).args(["--", "--deny", "warnings"]))
}

/// Advisories are no part of it: they need a database from the network and depend on the day, so that a
/// commit which passed would fail later. `cargo deny check advisories` reads them.
fn licences(workspace: &Workspace) -> Outcome {
    let program = setup::find_cargo_deny(workspace).unwrap_or("cargo-deny".into());
    let checks = ["check", "bans", "licenses", "sources"];
    run_program(Command::new(program).args(checks).current_dir(&workspace.root))
}

enum Verdict {
    Passed,
    Failed(Failure),
    LeftOut,
    NotReached,
}

struct Finished {
    name: &'static str,
    verdict: Verdict,
    seconds: Option<f64>,
}

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let finished = if under_ci() {
        run_all(workspace, std::iter::once(&step("setup", setup::run)).chain(STEPS))
    } else {
        if let Err(failure) = setup::here(workspace) {
            report::warning(&failure.to_string());
        }
        run_all(workspace, STEPS)
    };
    summarise(&finished);
    say_what_was_left_out(workspace);
    conclude(&finished)
}

fn run_all<'steps>(workspace: &Workspace, steps: impl IntoIterator<Item = &'steps Step>) -> Vec<Finished> {
    let mut finished: Vec<Finished> = Vec::new();
    for step in steps {
        let stopped = finished.iter().any(|earlier| matches!(earlier.verdict, Verdict::Failed(_)));
        finished.push(if stopped {
            Finished { name: step.name, verdict: Verdict::NotReached, seconds: None }
        } else {
            run_step(workspace, step)
        });
    }
    finished
}

fn run_step(workspace: &Workspace, step: &Step) -> Finished {
    report::headline(step.name);
    if step.needs.is_some_and(|present| !present(workspace)) {
        report::warning("left out: its tool is missing");
        return Finished { name: step.name, verdict: Verdict::LeftOut, seconds: None };
    }
    let start = Instant::now();
    let outcome = (step.run)(workspace);
    let seconds = Some(start.elapsed().as_secs_f64());
    Finished { name: step.name, verdict: outcome.map_or_else(Verdict::Failed, |()| Verdict::Passed), seconds }
}

fn summarise(finished: &[Finished]) {
    report::headline("summary");
    for Finished { name, verdict, seconds } in finished {
        match verdict {
            Verdict::Passed => report::row(Mark::Good, "passed", *seconds, name, ""),
            Verdict::Failed(failure) => {
                report::row(Mark::Bad, "FAILED", *seconds, name, &failure.to_string());
            }
            Verdict::LeftOut => report::row(Mark::Neutral, "left out", *seconds, name, ""),
            Verdict::NotReached => report::row(Mark::Neutral, "not run", *seconds, name, ""),
        }
    }
}

fn say_what_was_left_out(workspace: &Workspace) {
    let missing = setup::missing(workspace);
    if missing.is_empty() {
        println!("LEFT OUT: nothing");
    }
    for absent in missing {
        report::warning(&format!(
            "LEFT OUT: {}, for want of {}; get it: {}",
            absent.needed_for, absent.name, absent.how_to_get
        ));
    }
}

fn conclude(finished: &[Finished]) -> Outcome {
    let count = |wanted: fn(&Verdict) -> bool| finished.iter().filter(|step| wanted(&step.verdict)).count();
    let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
    report::total(count(|verdict| matches!(verdict, Verdict::Passed)), failed);
    if failed == 0 { Ok(()) } else { Err(Failure::shown()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_and_verdicts(finished: &[Finished]) -> Vec<(&str, &str)> {
        let word = |verdict: &Verdict| match verdict {
            Verdict::Passed => "passed",
            Verdict::Failed(_) => "failed",
            Verdict::LeftOut => "left out",
            Verdict::NotReached => "not reached",
        };
        finished.iter().map(|step| (step.name, word(&step.verdict))).collect()
    }

    #[test]
    fn the_first_failure_stops_and_a_missing_tool_does_not() {
        let steps = [
            Step { name: "without its tool", run: |_| Err(Failure::new("was run")), needs: Some(|_| false) },
            step("good", |_| Ok(())),
            step("bad", |_| Err(Failure::new("broken"))),
            step("later", |_| Ok(())),
        ];
        let finished = run_all(&Workspace::locate(), &steps);
        assert_eq!(
            names_and_verdicts(&finished),
            [
                ("without its tool", "left out"),
                ("good", "passed"),
                ("bad", "failed"),
                ("later", "not reached")
            ]
        );
        assert!(conclude(&finished).is_err());
        assert!(conclude(&finished[..2]).is_ok());
    }
}
