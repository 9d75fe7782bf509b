//! What a person reads between the programs' own output. Colour only on a terminal.

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;

use crate::failure::Outcome;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// How a line of a table came out; decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Good,
    Bad,
    Neutral,
}

pub(crate) fn headline(title: &str) {
    println!("\n{}", coloured(BOLD, &format!("=== {title} ===")));
}

pub(crate) fn command(line: &str) {
    println!("{}", coloured(DIM, &format!("$ {line}")));
}

/// One line of a table: a mark, a name, seconds if it ran, and a remark.
pub(crate) fn row(mark: Mark, verdict: &str, seconds: Option<f64>, name: &str, remark: &str) {
    let verdict = coloured(colour(mark), &format!("{verdict:<10}"));
    let seconds = seconds.map_or_else(|| " ".repeat(8), |seconds| format!("{seconds:6.1} s"));
    println!("{}", format!("{verdict} {seconds}  {name:<28} {remark}").trim_end());
}

/// Something that must not be overlooked.
pub(crate) fn warning(message: &str) {
    println!("{}", coloured(YELLOW, message));
}

/// The last line of a run, always plain and alone on its line, for programs to read.
pub(crate) fn total(passed: usize, failed: usize) {
    println!("{passed} passed, {failed} failed");
}

pub(crate) fn exit_code(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_shown() {
                eprintln!("error: {failure}");
            }
            ExitCode::FAILURE
        }
    }
}

fn colour(mark: Mark) -> &'static str {
    match mark {
        Mark::Good => GREEN,
        Mark::Bad => RED,
        Mark::Neutral => YELLOW,
    }
}

fn coloured(colour: &str, text: &str) -> String {
    if stdout().is_terminal() { format!("{colour}{text}{PLAIN}") } else { text.to_owned() }
}
