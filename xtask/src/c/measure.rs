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
    // The one of the tests is not optimised.
    crate::python::build(workspace, true)?;
    calls(workspace, place)?;
    pictures(workspace, place, &HEADLINE)?;
    pictures_by_mmap(workspace, place, &HEADLINE)?;
    pictures(workspace, place, &LARGE)
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

/// A rate at which pictures go from C++ to Python.
struct Rate {
    height: u32,
    width: u32,
    pictures: u32,
    per_second: u32,
}

const HEADLINE: Rate = Rate { height: 404, width: 640, pictures: 600, per_second: 60 };
const LARGE: Rate = Rate { height: 1080, width: 1920, pictures: 12_000, per_second: 200 };

/// A C++ writer and a Python reader that sleeps in between.
fn pictures(workspace: &Workspace, place: &Place, rate: &Rate) -> Outcome {
    let Rate { height, width, pictures, per_second } = rate;
    println!("{width} x {height} x 3 at {per_second} a second, from C++ to Python");
    let space = place.new_space()?;
    let mut writer = Command::new(optimised(workspace, place, "writer.cpp")?);
    writer.args([height, width, pictures, per_second].map(u32::to_string));
    let mut reader = python(workspace, "reader.py");
    reader.arg(pictures.to_string());
    together(writer.env("MEMLANE_DIR", &space), reader.env("MEMLANE_DIR", &space))
}

/// The same with a header, a flag and polling, as before memlane.
fn pictures_by_mmap(workspace: &Workspace, place: &Place, rate: &Rate) -> Outcome {
    let name = format!("memlane-bench-{}", std::process::id());
    let peers = workspace.root.join("crates").join("memlane-interop").join("tests").join("peers");
    let program = place.programs.join("mmap_writer-measured");
    // As its original was written: without our warnings.
    let mut compile = Command::new("g++");
    process::run(compile.args(["-std=c++17", "-O2", "-o"]).arg(&program).arg(peers.join("mmap_writer.cpp")))?;
    let Rate { height, width, pictures, per_second } = rate;
    let mut writer = Command::new(program);
    writer
        .arg(&name)
        .args([*width, *height, *pictures, 1_000_000 / per_second].map(|number| number.to_string()));
    let mut reader = python(workspace, "mmap_reader.py");
    reader.arg(&name).arg((height * width * 3).to_string()).arg(pictures.to_string());
    let outcome = together(&mut writer, &mut reader);
    let left = PathBuf::from("/dev/shm").join(name);
    outcome.and(std::fs::remove_file(&left).map_err(Failure::at(&left)))
}

fn python(workspace: &Workspace, program: &str) -> Command {
    let mut python = Command::new(workspace.python());
    python.arg(workspace.root.join("bindings").join("c").join("benches").join(program));
    python
}

/// Runs both, the second one until its end.
fn together(writer: &mut Command, reader: &mut Command) -> Outcome {
    let not_started = |error| Failure::new(format!("cannot start the writer: {error}"));
    let mut writing = writer.spawn().map_err(not_started)?;
    let read = process::run(reader);
    if read.is_err() {
        writing.kill().map_err(not_started)?;
    }
    writing.wait().map_err(not_started)?;
    read
}

fn optimised(workspace: &Workspace, place: &Place, name: &str) -> Outcome<PathBuf> {
    let source = workspace.root.join("bindings").join("c").join("benches").join(name);
    let program = place.programs.join(format!("{name}-measured"));
    process::run(&mut place.compile("g++", &["-std=c++17", "-O2"], &[&source], &program))?;
    Ok(program)
}
