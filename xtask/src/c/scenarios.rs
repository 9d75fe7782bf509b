//! Scenarios between languages: `bindings/c/tests/scenarios/scenarios.txt` in every pair of languages.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Place;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// No scenario takes a second.
const PATIENCE: Duration = Duration::from_secs(30);

struct Scenario {
    name: String,
    /// The steps of each role.
    roles: [String; 2],
}

/// A language, and the program that plays a role in it.
type Language = (&'static str, Command);

pub(super) fn run(workspace: &Workspace, place: &Place) -> Outcome {
    let directory = workspace.root.join("bindings").join("c").join("tests").join("scenarios");
    let scenarios = read(&directory.join("scenarios.txt"))?;
    let languages = languages(workspace, place, &directory)?;
    for (first, first_program) in &languages {
        for (second, second_program) in &languages {
            for scenario in &scenarios {
                let space = place.new_space()?;
                play(scenario, [first_program, second_program], &space).map_err(|failure| {
                    Failure::new(format!("{}, {first} and {second}: {failure}", scenario.name))
                })?;
            }
            println!("{first} and {second}: {} scenarios", scenarios.len());
        }
    }
    Ok(())
}

fn languages(workspace: &Workspace, place: &Place, directory: &Path) -> Outcome<Vec<Language>> {
    process::run(&mut workspace.cargo(["build", "--package", "memlane", "--example", "role"]))?;
    let rust = workspace.target.join("debug").join("examples").join("role");
    let mut languages = vec![("Rust", Command::new(rust))];
    for (name, compiler, standard, source) in
        [("C", "gcc", "-std=c11", "role.c"), ("C++", "g++", "-std=c++17", "role.cpp")]
    {
        let program = place.programs.join(format!("{source}-role"));
        process::run(&mut place.compile(compiler, &[standard], &[&directory.join(source)], &program))?;
        languages.push((name, Command::new(program)));
    }
    let python = workspace.python_environment().join("bin").join("python");
    if process::answer(Command::new(&python).args(["-c", "import memlane, numpy"])).is_none() {
        return Err(Failure::new("the Python package is not built; run cargo xtask python first"));
    }
    let mut command = Command::new(python);
    command.arg(directory.join("role.py"));
    languages.push(("Python", command));
    Ok(languages)
}

fn read(path: &Path) -> Outcome<Vec<Scenario>> {
    let text = fs::read_to_string(path).map_err(Failure::at(path))?;
    let mut scenarios: Vec<Scenario> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let role = match (word, scenarios.last_mut()) {
            ("scenario", _) => {
                scenarios.push(Scenario { name: rest.to_owned(), roles: Default::default() });
                continue;
            }
            ("first", Some(scenario)) => &mut scenario.roles[0],
            ("second", Some(scenario)) => &mut scenario.roles[1],
            _ => return Err(Failure::new(format!("{}: what is `{line}`?", path.display()))),
        };
        role.push_str(rest);
        role.push('\n');
    }
    Ok(scenarios)
}

/// Both roles at once, in a space of their own.
fn play(scenario: &Scenario, programs: [&Command; 2], space: &Path) -> Outcome {
    let mut children = Vec::new();
    for (program, steps) in programs.into_iter().zip(&scenario.roles) {
        children.push((begin(program, steps, space)?, steps));
    }
    let end = Instant::now() + PATIENCE;
    let mut outcome = Ok(());
    for (child, steps) in &mut children {
        let finished = finish(child, end);
        let dies = steps.lines().any(|step| step == "die");
        if let Err(failure) = finished.and_then(|status| judge(status, dies)) {
            outcome = outcome.and(Err(failure));
        }
    }
    outcome
}

fn begin(program: &Command, steps: &str, space: &Path) -> Outcome<Child> {
    let name = program.get_program().to_string_lossy().into_owned();
    let not_started = |error| Failure::new(format!("cannot start {name}: {error}"));
    let mut command = Command::new(program.get_program());
    command.args(program.get_args()).env("MEMLANE_DIR", space).stdin(Stdio::piped());
    let mut child = command.spawn().map_err(not_started)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(steps.as_bytes()).map_err(not_started)?;
    }
    Ok(child)
}

/// Waits for a child; one that does not end is killed.
fn finish(child: &mut Child, end: Instant) -> Outcome<ExitStatus> {
    let failed = |error| Failure::new(format!("cannot wait for a role: {error}"));
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(status);
        }
        if Instant::now() > end {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            return Err(Failure::new(format!("a role did not end within {PATIENCE:?}")));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn judge(status: ExitStatus, dies: bool) -> Outcome {
    const KILLED: i32 = 9;
    let as_expected = if dies { status.signal() == Some(KILLED) } else { status.success() };
    if as_expected { Ok(()) } else { Err(Failure::new(format!("a role ended with {status}"))) }
}
