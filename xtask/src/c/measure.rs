//! `cargo xtask c --measure`: what the C++ interface costs beside Rust, in one run, and pictures from C++ to Python.

use std::path::PathBuf;
use std::process::Command;

use super::Place;
use crate::failure::{Failure, Outcome};
use crate::install;
use crate::process;
use crate::workspace::Workspace;

pub(super) fn run(workspace: &Workspace, place: &Place) -> Outcome {
    install::run(workspace, &install::Options::for_users(place.prefix.clone()))?;
    calls(workspace, place)?;
    headline(workspace, place)
}

/// Nanoseconds a call in both languages, and what C++ adds.
fn calls(workspace: &Workspace, place: &Place) -> Outcome {
    process::run(&mut workspace.cargo(["build", "--release", "--package", "memlane", "--example", "calls"]))?;
    let rust = workspace.target.join("release").join("examples").join("calls");
    let cpp = optimised(workspace, place, "calls.cpp")?;
    let space = place.new_space()?;
    let figures = |program: PathBuf| {
        let answer = process::answer(Command::new(&program).env("MEMLANE_DIR", &space));
        answer.ok_or_else(|| Failure::new(format!("{} failed", program.display())))
    };
    let (rust, cpp) = (figures(rust)?, figures(cpp)?);
    for (rust, cpp) in rust.lines().zip(cpp.lines()) {
        let (name, rust, cpp) = (rust.split(' ').next().unwrap_or_default(), figure(rust), figure(cpp));
        println!(
            "{name}: {rust:.1} ns in Rust, {cpp:.1} in C++: {:+.1} ns, {:.3} times",
            cpp - rust,
            cpp / rust
        );
    }
    Ok(())
}

fn figure(line: &str) -> f64 {
    line.split(' ').nth(1).and_then(|figure| figure.parse().ok()).unwrap_or(f64::NAN)
}

/// A C++ writer and a Python reader that sleeps in between.
fn headline(workspace: &Workspace, place: &Place) -> Outcome {
    let writer = optimised(workspace, place, "writer.cpp")?;
    let python = workspace.python_environment().join("bin").join("python");
    let space = place.new_space()?;
    let mut writing = Command::new(writer);
    let mut writing = writing.env("MEMLANE_DIR", &space).spawn().map_err(Failure::at(&python))?;
    let reader = workspace.root.join("bindings").join("c").join("benches").join("reader.py");
    let read = process::run(Command::new(&python).arg(reader).env("MEMLANE_DIR", &space));
    if read.is_err() {
        writing.kill().map_err(Failure::at(&python))?;
    }
    writing.wait().map_err(Failure::at(&python))?;
    read
}

fn optimised(workspace: &Workspace, place: &Place, name: &str) -> Outcome<PathBuf> {
    let source = workspace.root.join("bindings").join("c").join("benches").join(name);
    let program = place.programs.join(format!("{name}-measured"));
    process::run(&mut place.compile("g++", &["-std=c++17", "-O2"], &[&source], &program))?;
    Ok(program)
}
