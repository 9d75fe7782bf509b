//! Killed at every instruction: `cargo test -p memlane --release --test crash [-- [--long] [SCENARIO…]]`.
//!
//! Each scenario is a story about a victim, a process that is killed in the midst of one operation, and a
//! survivor, this process, that goes on with the same region and finds every invariant standing. It is told
//! again and again, and each time the victim dies at another machine instruction or system call. The parts,
//! from the inside out:
//!
//! - [`tracer`] makes a child step and die;
//! - [`film`] finds the moments at which it can die, and photographs the region at each;
//! - [`stage`] is one telling: the space, the victim and its death;
//! - [`scenarios`] are the stories, with [`sleeper`] for those in which somebody waits;
//! - [`suite`] tells each of them for every moment, and [`watchdog`] ends a telling that hangs.
#![deny(unsafe_code)]

mod caught;
mod film;
mod report;
mod scenarios;
mod sleeper;
mod stage;
mod suite;
mod tracer;
mod watchdog;

use std::env;
use std::process::ExitCode;

use suite::Suite;

fn main() -> ExitCode {
    caught::install();
    let (options, filters): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if let Some(unknown) = options.iter().find(|option| *option != "--long") {
        eprintln!("{unknown} is no option of this suite, which takes --long and parts of scenarios' names");
        return ExitCode::FAILURE;
    }
    if let Err(reason) = tracer::check() {
        return report::left_out(&reason);
    }
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let scenarios: Vec<_> = scenarios::all().filter(|scenario| wanted(scenario.name)).collect();
    if scenarios.is_empty() {
        eprintln!("no scenario's name contains any of {filters:?}");
        return ExitCode::FAILURE;
    }
    Suite::new(!options.is_empty()).run(&scenarios)
}
