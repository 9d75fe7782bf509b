//! The project's own commands; `cargo xtask --help` lists them. Dispatch only: each command is a file of its
//! name.

#![forbid(unsafe_code)]

mod bench;
mod c;
mod chaos;
mod ci;
mod compare;
mod failure;
mod fuzz;
mod install;
mod kill_steps;
mod loom;
mod mutants;
mod myo;
mod page;
mod process;
mod python;
mod report;
mod scenarios;
mod screenshots;
mod setup;
mod test;
mod tidy;
mod wakeups;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use workspace::Workspace;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check that a change must pass
    Test,
    /// Run `test` as continuous integration does: set up first, leave nothing out
    Ci,
    /// Make .venv and install the tools that the tests use
    Setup,
    /// Check the rules of the tree: docs, dead files, system calls, unsafe, lengths, links
    Tidy,
    /// Check every interleaving and crash point of the algorithms under loom
    Loom(loom::Options),
    /// Weaken the algorithms one patch at a time; the loom suite must notice each
    Mutants(mutants::Options),
    /// Kill an operation at every machine instruction; survivors must go on
    KillSteps(kill_steps::Options),
    /// Run many processes and kill them at random
    Chaos(chaos::Options),
    /// Hunt for lost wake-ups: pairs that wait for each other, with delays at their shared accesses
    Wakeups(wakeups::Options),
    /// Stream a simulated armband for minutes: every sample once, at its time
    Myo(myo::Options),
    /// Build the Python package into .venv, check its types and run its tests
    Python(python::Options),
    /// Check the web page's types and words, and drive it in a browser
    Page(page::Options),
    /// Take pictures of the web page's views, three of them for the README
    Screenshots,
    /// Play what processes do together, with every pair of languages
    Scenarios(scenarios::Options),
    /// Build the C and C++ tests and examples in every manner that is supported, and run them
    C(c::Options),
    /// Lay out a prefix with the library, the headers and what CMake and pkg-config look for
    Install(install::Options),
    /// Feed hostile bytes to every parser
    Fuzz(fuzz::Options),
    /// Measure against the machine's own floor
    Bench(bench::Options),
    /// Measure beside what one would take instead, in Rust and in Python; and kill their processes
    Compare(compare::Options),
}

fn main() -> ExitCode {
    let workspace = Workspace::locate();
    let outcome = match Arguments::parse().task {
        Task::Test => test::run(&workspace),
        Task::Ci => ci::run(&workspace),
        Task::Setup => setup::run(&workspace),
        Task::Tidy => tidy::run(&workspace),
        Task::Loom(options) => loom::run(&workspace, &options),
        Task::Mutants(options) => mutants::run(&workspace, &options),
        Task::KillSteps(options) => kill_steps::run(&workspace, &options),
        Task::Chaos(options) => chaos::run(&workspace, &options),
        Task::Wakeups(options) => wakeups::run(&workspace, &options),
        Task::Myo(options) => myo::run(&workspace, &options),
        Task::Python(options) => python::run(&workspace, &options),
        Task::Page(options) => page::run(&workspace, &options),
        Task::Screenshots => screenshots::run(&workspace),
        Task::Scenarios(options) => scenarios::run(&workspace, &options),
        Task::C(options) => c::run(&workspace, &options),
        Task::Install(options) => install::run(&workspace, &options),
        Task::Fuzz(options) => fuzz::run(&workspace, &options),
        Task::Bench(options) => bench::run(&workspace, &options),
        Task::Compare(options) => compare::run(&workspace, &options),
    };
    report::exit_code(outcome)
}
