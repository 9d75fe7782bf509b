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
    println!("{:<44} {:>12} {:>7} {:>7} {:>8}", "scenario", "instructions", "images", "kills", "seconds");
}

pub(crate) fn scenario(name: &str, outcome: &Outcome, result: &Result<(), String>) {
    println!("{} {}", row(name, outcome), remarks(outcome).join("; "));
    if let Err(message) = result {
        failure(message);
    }
}

pub(crate) fn sums(outcomes: &[Outcome]) {
    let mut sums = Outcome::default();
    for Outcome { instructions, images, kills, seconds, .. } in outcomes {
        sums.instructions += instructions;
        sums.images.told += images.told;
        sums.kills.told += kills.told;
        sums.seconds += seconds;
    }
    println!("{}", row("all", &sums));
}

pub(crate) fn failure(message: &str) {
    println!("FAILED {message}");
}

/// The last line, for programs to read.
pub(crate) fn total(passed: usize, failed: usize) {
    println!("{passed} passed, {failed} failed");
}

fn row(name: &str, Outcome { instructions, images, kills, seconds, .. }: &Outcome) -> String {
    format!("{name:<44} {instructions:>12} {:>7} {:>7} {seconds:>8.1}", images.told, kills.told)
}

fn remarks(Outcome { images, kills, stride, latency, .. }: &Outcome) -> Vec<String> {
    let mut remarks = Vec::new();
    if *stride > 1 {
        remarks.push(format!("killed at each change and 1 in {stride} instructions, with --long at each"));
    }
    if let Some(latency) = latency {
        remarks.push(format!("slowest {:.1} ms after the death", latency.as_secs_f64() * 1e3));
    }
    if images.broken + kills.broken > 0 {
        remarks.push(format!("broken on purpose, noticed after {} of them", images.broken + kills.broken));
    }
    if kills.late > 0 {
        remarks.push(format!("{} moments came once only", kills.late));
    }
    remarks
}
