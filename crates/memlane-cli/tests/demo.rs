//! `memlane demo`: that it keeps its promises, and that nothing of it is left, however it ends.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A publisher, its stand-by and two viewers; an armband, a dispatcher and two workers.
const CHILDREN: usize = 8;
/// How long children may outlive a demo that was killed.
const GRACE: Duration = Duration::from_secs(1);

/// A directory in which demos make theirs, beside a space that nobody makes.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    fn demo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_memlane"));
        command
            .arg("--space")
            .arg(self.0.path().join("space"))
            .arg("demo")
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    fn files(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// The processes that were told of this place.
    fn processes(&self) -> Vec<u32> {
        let processes = std::fs::read_dir("/proc").expect("/proc is mounted");
        let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter(|pid| command_line(*pid).contains(self.0.path().to_str().unwrap())).collect()
    }
}

/// Empty for processes that have ended, reaped or not.
fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A demo under way, which does not outlive its test.
struct Running {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut process =
            place.demo(arguments).stdout(Stdio::piped()).spawn().expect("the demo can be started");
        let lines = BufReader::new(process.stdout.take().expect("piped above")).lines();
        Self { process, lines }
    }

    /// Reads on until a line has this in it.
    fn wait_for(&mut self, part: &str) -> String {
        let found = self.lines.by_ref().map(Result::unwrap).find(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("the demo ended without a line with {part:?}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn numbers(rows: &Value, name: &str) -> Vec<u64> {
    let rows = rows.as_array().expect("an array");
    rows.iter().map(|row| row[name].as_u64().expect("a number")).collect()
}

#[test]
fn it_keeps_its_promises_and_leaves_nothing() {
    let place = Place::new();
    let output = place.demo(&["--duration", "4", "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let facts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((facts["held"].as_bool(), facts["torn"].as_u64()), (Some(true), Some(0)), "{facts}");
    assert_eq!(facts["changed_while_held"].as_u64(), Some(0), "{facts}");
    let takeover = facts["takeovers"][0]["milliseconds"].as_f64().expect("a publisher was replaced");
    assert!(takeover > 0.0 && takeover < 1000.0, "{facts}");
    let frames = numbers(&facts["viewers"], "frames");
    // Four seconds at 60 Hz; half of it on a machine that is busy with other tests.
    assert!(frames.len() == 2 && frames.iter().all(|frames| *frames > 120), "{facts}");
    assert_eq!(facts["counted"].as_u64(), Some(frames.iter().sum()), "{facts}");
    assert_eq!((place.files(), place.processes()), (vec![], vec![]));
}

#[test]
fn it_tells_its_story_where_there_is_no_terminal() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "2"]);
    let first_figures = demo.wait_for("fps");
    let seconds: f64 = first_figures.trim().split(' ').next().unwrap().parse().unwrap();
    assert!(seconds < 2.0 && !first_figures.contains("viewer 1: 0.0 fps"), "{first_figures}");
    for part in ["has half of frame", "SIGKILL", "are untouched", "has taken over", "are still untouched"] {
        demo.wait_for(part);
    }
    demo.wait_for("Every promise was kept.");
    assert!(demo.process.wait().unwrap().success());
    assert_eq!((place.files(), place.processes()), (vec![], vec![]));
}

#[test]
fn an_interrupt_ends_it_in_good_order() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "2", "--forever"]);
    demo.wait_for("has taken over");
    demo.wait_for("has taken over");
    kill_process(Pid::from_child(&demo.process), Signal::INT).unwrap();
    demo.wait_for("Every promise was kept.");
    assert!(demo.process.wait().unwrap().success());
    assert_eq!((place.files(), place.processes()), (vec![], vec![]));
}

#[test]
fn an_interrupt_before_the_end_is_no_success() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "1h"]);
    demo.wait_for("two viewers look on");
    kill_process(Pid::from_child(&demo.process), Signal::INT).unwrap();
    assert_eq!(demo.process.wait().unwrap().code(), Some(1));
    assert_eq!((place.files(), place.processes()), (vec![], vec![]));
}

#[test]
fn its_children_end_when_it_is_killed_and_the_next_demo_tidies_up() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "1h"]);
    demo.wait_for("fps");
    assert_eq!(place.processes().len(), 1 + CHILDREN);
    demo.process.kill().unwrap();
    demo.process.wait().unwrap();
    let killed = Instant::now();
    while !place.processes().is_empty() {
        assert!(killed.elapsed() < GRACE, "{:?} are still there", place.processes());
        std::thread::yield_now();
    }
    assert_eq!(place.files().len(), 1, "nobody was left to remove the directory");
    let next = place.demo(&["--duration", "2"]).output().unwrap();
    assert!(next.status.success(), "{next:?}");
    assert_eq!((place.files(), place.processes()), (vec![], vec![]));
}

#[test]
fn a_child_that_dies_by_itself_fails_it() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "1h"]);
    demo.wait_for("fps");
    let children = place.processes().into_iter().filter(|pid| *pid != demo.process.id());
    let viewer = children.into_iter().find(|pid| command_line(*pid).contains("viewer")).expect("a viewer");
    kill_process(Pid::from_raw(viewer as i32).unwrap(), Signal::KILL).unwrap();
    assert_eq!(demo.process.wait().unwrap().code(), Some(1));
    assert_eq!((place.files(), place.processes()), (vec![], vec![]));
}

#[test]
fn too_short_a_time_is_refused() {
    let place = Place::new();
    let output = place.demo(&["--duration", "1s"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected 2 s or more"), "{output:?}");
}
