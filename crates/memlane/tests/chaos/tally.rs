//! What a person reads of a run: checks that passed or failed, and figures.

use std::fmt::{Debug, Display};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often a person wants to know that it goes on.
const PERIOD: Duration = Duration::from_secs(2);
/// Failures that are printed; the others are as like as not the same.
const SHOWN_FAILURES: usize = 20;

/// The checks of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    passed: usize,
    failed: usize,
    shown: Option<Instant>,
}

impl Tally {
    /// Notes whether something is as it should be.
    pub(crate) fn check(&mut self, what: &str, outcome: Result<(), impl Display>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) => {
                self.failed += 1;
                if self.failed <= SHOWN_FAILURES {
                    println!("FAILED {what}: {error}");
                }
            }
        }
    }

    /// [`Self::check`] of something that is looked at again and again and only counts when it fails.
    pub(crate) fn expect(&mut self, what: &str, outcome: Result<(), impl Display>) {
        if outcome.is_err() {
            self.check(what, outcome);
        }
    }

    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    /// Shows where the run is, every few seconds, to a person.
    pub(crate) fn progress(&mut self, line: impl FnOnce() -> String) {
        let due = self.shown.is_none_or(|shown| shown.elapsed() >= PERIOD);
        if due && std::io::stdout().is_terminal() {
            self.shown = Some(Instant::now());
            print!("\r\x1b[K{}", line());
            let _ = std::io::stdout().flush();
        }
    }

    /// Takes the progress line away.
    pub(crate) fn end_progress(&mut self) {
        if self.shown.take().is_some() {
            print!("\r\x1b[K");
        }
    }

    /// The last line, for programs to read.
    pub(crate) fn conclude(self) -> ExitCode {
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// A figure and what it is of.
pub(crate) fn figure(what: &str, value: impl Display) {
    println!("  {what:<58} {value:>12}");
}

/// Whether nothing is left of what should be gone.
pub(crate) fn nothing_left<T: Debug>(left: &[T]) -> Result<(), String> {
    if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
}
