//! `memlane demo`: that it keeps its promises, that it recovers from whoever of it is killed, and that nothing of it is
//! left, however it ends.

use memlane::{Queue, Space};
use memlane_net::client::{Client, Options};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
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

    /// The space of the only demo here.
    fn space(&self) -> Space {
        Space::at(self.files().pop().expect("a demo is under way")).expect("its directory is a space")
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

    /// Reads on until each of these was in a line, whichever came first.
    fn wait_for_all(&mut self, parts: &[&str]) {
        let mut left = parts.to_vec();
        while !left.is_empty() {
            let line = self.wait_for("");
            left.retain(|part| !line.contains(part));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What stands behind that word in `/proc/PID/status`.
fn status(pid: u32, word: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

/// Kills a process that has taken a job and not acknowledged it; says which.
fn kill_one_with_a_job(jobs: &Queue) -> u32 {
    loop {
        let pids = || jobs.state().leases.into_iter().map(|worker| worker.pid).collect::<Vec<_>>();
        let Some(pid) = pids().first().copied() else { continue };
        let signal = |signal| kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
        // Stopped, it acknowledges nothing between the look and the kill.
        signal(Signal::STOP);
        while !status(pid, "State").starts_with('T') {
            std::thread::yield_now();
        }
        if pids().contains(&pid) {
            signal(Signal::KILL);
            return pid;
        }
        signal(Signal::CONT);
    }
}

/// What the host at `address` answers to a plain request.
fn answer(address: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(address).expect("somebody listens");
    write!(socket, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer in text");
    answer
}

/// What a command says to somebody who uses it on the demo's space.
fn visit(space: &Space, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memlane"));
    let output = command.arg("--space").arg(space.directory()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
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
    assert_eq!(facts["counter_written"].as_u64(), Some(0), "{facts}");
    // The same of 200 Hz.
    assert!(facts["samples"].as_u64().is_some_and(|samples| samples > 400), "{facts}");
    assert_eq!(
        [&facts["holders_killed"], &facts["recoveries"], &facts["jobs"]["again"]].map(Value::as_u64),
        [Some(1); 3],
        "{facts}"
    );
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
fn whoever_sets_the_event_has_the_holder_killed_and_the_next_one_puts_it_right() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "1h"]);
    demo.wait_for("jobs: 1 done");
    let space = place.space();
    let memlane = |arguments: &[&str]| visit(&space, arguments);
    for recovery in ["1", "2"] {
        memlane(&["event", "set", "demo/kill-holder"]);
        // An idle worker has the job before it has the arm.
        demo.wait_for_all(&[
            "is killed by SIGKILL while it has the arm",
            "was told, and",
            "went to another worker",
        ]);
        assert_eq!(memlane(&["get", "demo/recoveries"]), recovery);
    }
    let state: Value = serde_json::from_str(&memlane(&["show", "--json", "demo/arm"])).unwrap();
    assert_eq!(state["lock"]["inconsistent"].as_bool(), Some(false), "{state}");
    assert_eq!(place.processes().len(), 1 + CHILDREN, "the dead were replaced");
}

/// Somebody who tried the page's fields made the demo fail: its promises were read from counters that anybody may
/// write.
#[test]
fn whoever_writes_into_its_regions_does_it_no_harm() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "2", "--forever"]);
    demo.wait_for("jobs: 1 done");
    let space = place.space();
    let most = u64::MAX.to_string();
    let parts = r#"{"left": 4294967295, "hand": 7, "right": 4294967295}"#;
    for written in [
        ["set", "camera/received", "1000000"],
        ["set", "camera/caption", "mine"],
        ["set", "demo/arm-state", parts],
        ["set", "demo/jobs-again", &most],
        ["set", "demo/recoveries", &most],
        ["set", "demo/jobs-done", "0"],
        ["set", "demo/last-recovery", "\u{1b}[31mnothing"],
        ["put", "demo/jobs", "what is this"],
        ["put", "demo/jobs", "--close"],
    ] {
        visit(&space, &written);
    }
    demo.wait_for("somebody has closed demo/jobs; it is made anew");
    visit(&space, &["event", "set", "demo/kill-holder"]);
    demo.wait_for_all(&[
        "is killed by SIGKILL while it has the arm",
        "was told, and",
        "went to another worker",
    ]);
    demo.wait_for("has taken over");
    for (counter, least) in [("camera/received", 1_000_000), ("demo/recoveries", 0), ("demo/jobs-again", 0)] {
        let counted: u64 = visit(&space, &["get", counter]).parse().unwrap();
        // What had the most went round.
        assert!((least..least + 1_000_000).contains(&counted), "{counter}: {counted}");
    }
    kill_process(Pid::from_child(&demo.process), Signal::INT).unwrap();
    let counter = demo.wait_for("counter ");
    assert!(
        counter.starts_with("counter   100") && counter.ends_with("written 1 time by somebody else"),
        "{counter}"
    );
    demo.wait_for("Every promise was kept.");
    assert!(demo.process.wait().unwrap().success());
}

#[test]
fn each_process_is_listed_by_what_it_does() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "1h"]);
    demo.wait_for("fps");
    let processes: Value = serde_json::from_str(&visit(&place.space(), &["--json", "ps"])).unwrap();
    let mut names: Vec<_> =
        processes.as_array().unwrap().iter().map(|process| process["program"].as_str().unwrap()).collect();
    names.sort_unstable();
    let expected =
        ["armband", "camera", "camera", "dispatcher", "memlane-demo", "viewer", "viewer", "worker", "worker"];
    assert_eq!(names, expected);
    let processes = place.processes().into_iter().map(|pid| status(pid, "Name"));
    let mut processes: Vec<_> = processes.collect();
    processes.sort_unstable();
    assert_eq!(processes, expected, "as `ps` tells them");
}

#[test]
fn the_job_of_a_killed_worker_is_done_by_another() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "1h"]);
    demo.wait_for("fps");
    let jobs = Queue::open(&place.space(), "demo/jobs").unwrap();
    let killed = kill_one_with_a_job(&jobs);
    demo.wait_for_all(&[&format!("takes the place of process {killed}"), "went to another worker"]);
}

#[test]
fn the_page_is_where_it_says_and_its_token_lets_one_in() {
    let place = Place::new();
    let mut demo = Running::start(&place, &["--duration", "1h"]);
    let line = demo.wait_for("in a browser");
    let (_, address) = line.split_once("http://").expect("an address");
    let (address, token) = address.trim().split_once("/#token=").expect("a token");
    assert!(answer(address, "/").starts_with("HTTP/1.1 200 "));
    assert!(answer(address, "/api/v1/regions").starts_with("HTTP/1.1 401 "));
    // As a browser, which cannot read the memory itself.
    let client = Client::connect(address, Options::new().token(token).remote()).expect("the token is right");
    let value = client.value("demo/jobs-done").read::<u64>();
    assert!(value.is_ok(), "{value:?}");
    client.event("demo/kill-holder").set().expect("the token is for changing too");
    demo.wait_for("is killed by SIGKILL while it has the arm");
    kill_process(Pid::from_child(&demo.process), Signal::INT).unwrap();
    demo.process.wait().unwrap();
    assert!(TcpStream::connect(address).is_err(), "the host ended with its demo");
}

#[test]
fn too_short_a_time_is_refused() {
    let place = Place::new();
    let output = place.demo(&["--duration", "1s"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected 2 s or more"), "{output:?}");
}
