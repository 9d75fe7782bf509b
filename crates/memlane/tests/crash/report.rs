//! What a person reads of the suite.

use crate::suite::Outcome;
use crate::tracer::NotTraced;
use std::env;
use std::process::ExitCode;

pub(crate) fn left_out(reason: &NotTraced) -> ExitCode {
    println!("LEFT OUT: deaths at every instruction: {reason}");
    if env::var("CI").as_deref() == Ok("true") { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

pub(crate) fn headline() {
    println!("{:<44} instructions  images   kills  seconds", "scenario");
}

pub(crate) fn scenario(name: &str, outcome: &Outcome, seconds: f64) {
    let Outcome { instructions, images, kills, .. } = outcome;
    println!("{name:<44} {instructions:>12} {:>7} {:>7} {seconds:>8.1}  {}", images.told, kills.told, remark(outcome));
}

pub(crate) fn failure(message: &str) {
    println!("FAILED {message}");
}

/// The last line, for programs to read.
pub(crate) fn total(passed: usize, failed: usize) {
    println!("{passed} passed, {failed} failed");
}
