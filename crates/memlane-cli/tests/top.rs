//! `memlane top` as a user has it: in a real terminal, by tmux.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use memlane::{Lock, Value};
use role::{DEADLINE, Part, Role, listen, say};
use rustix::process::{Pid, Signal, kill_process};
use scratch::Scratch;
use serde_json::Value as Json;

#[path = "../../memlane/tests/left_out/mod.rs"]
mod left_out;
#[path = "../../memlane/tests/role/mod.rs"]
mod role;
#[path = "../../memlane/tests/scratch/mod.rs"]
mod scratch;

#[test]
fn role() {
    role::play(|part: &Part| {
        let lock = Lock::open_or_create(&memlane::Space::at(&part.directory).unwrap(), "arm").unwrap();
        let _guard = lock.lock().unwrap();
        say("held");
        listen();
    });
}

/// A terminal of its own, on a server of its own.
struct Tmux {
    socket: PathBuf,
    /// It has no sockets of others below it, and is removed at the end.
    _directory: tempfile::TempDir,
}

impl Tmux {
    fn run(&self, arguments: &[&str]) -> String {
        let ran = Command::new("tmux")
            .arg("-S")
            .arg(&self.socket)
            .args(["-f", "/dev/null"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
        String::from_utf8(ran.stdout).unwrap()
    }

    /// Starts the command line in a shell, which goes on after it.
    fn start(command: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tmux = Self { socket: directory.path().join("tmux"), _directory: directory };
        tmux.run(&["new-session", "-d", "-x", "120", "-y", "40", "sh"]);
        tmux.run(&["set-option", "-g", "remain-on-exit", "on"]);
        tmux.keys(&["-l", &format!("{command}; echo ended with $?")]);
        tmux.keys(&["Enter"]);
        tmux
    }

    fn keys(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat());
    }

    /// Looks until the screen is as wanted; with its colours as escapes, if so wished.
    fn see(&self, escapes: bool, wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let flags: &[&str] = if escapes { &["-e"] } else { &[] };
            let screen = self.run(&[&["capture-pane", "-p"], flags].concat());
            if wanted(&screen) {
                return screen;
            }
            assert!(start.elapsed() < DEADLINE, "{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}

fn memlane(scratch: &Scratch) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memlane"));
    command.arg("--space").arg(scratch.path()).env_remove("MEMLANE_AT").env_remove("NO_COLOR");
    command
}

/// Says so when the test is left out for want of it.
fn has_tmux() -> bool {
    let is_there = Command::new("tmux").arg("-V").output().is_ok();
    if !is_there {
        left_out::leave_out("memlane top in a terminal", "there is no tmux; `cargo xtask setup` installs it");
    }
    is_there
}

#[test]
fn a_user_opens_filters_edits_and_sees_a_killed_holder() {
    if !has_tmux() {
        return;
    }
    let scratch = Scratch::new();
    let space = scratch.space();
    let speed = Value::create(&space, "robot/speed", 1.5).unwrap();
    let _other = Value::create(&space, "camera/gain", 2_u8).unwrap();
    let mut holder = Role::start("holder", scratch.path(), &[]);
    holder.expect("held");
    let program = env!("CARGO_BIN_EXE_memlane");
    let tmux = Tmux::start(&format!(
        "env -u NO_COLOR -u MEMLANE_AT '{program}' --space '{}' top",
        scratch.path().display()
    ));
    tmux.see(false, |screen| ["arm", "camera/gain", "robot/speed"].iter().all(|id| screen.contains(id)));

    tmux.keys(&["/"]);
    tmux.keys(&["-l", "speed"]);
    tmux.see(false, |screen| !screen.contains("camera/gain") && screen.contains("robot/speed"));
    tmux.keys(&["Enter"]);
    tmux.keys(&["Enter"]);
    tmux.see(false, |screen| screen.contains("e edit"));
    // While it is locked, it asks; what was typed is not there before.
    tmux.keys(&["e"]);
    tmux.see(false, |screen| screen.contains("robot/speed := 1.5"));
    tmux.keys(&["C-u"]);
    tmux.keys(&["-l", "2.25"]);
    tmux.keys(&["Enter"]);
    tmux.see(false, |screen| screen.contains("write 2.25 to robot/speed?"));
    assert_eq!(speed.load(), 1.5);
    tmux.keys(&["y"]);
    tmux.see(false, |screen| screen.contains("changed") && screen.contains("2.25"));
    let got = memlane(&scratch).args(["get", "robot/speed"]).output().unwrap();
    assert_eq!(String::from_utf8(got.stdout).unwrap().trim(), "2.25");
    // Somebody is faster: nothing is overwritten.
    tmux.keys(&["e"]);
    tmux.see(false, |screen| screen.contains("robot/speed := 2.25"));
    speed.store(3.0);
    tmux.keys(&["-l", "1"]);
    tmux.keys(&["Enter"]);
    tmux.see(false, |screen| screen.contains("write 2.251 to"));
    tmux.keys(&["y"]);
    tmux.see(false, |screen| screen.contains("it is 3.0 now") && screen.contains("robot/speed := 2.251"));
    assert_eq!(speed.load(), 3.0);
    // Knowingly, it is written over what stands now.
    tmux.keys(&["Enter"]);
    tmux.see(false, |screen| screen.contains("changed") && !screen.contains(":="));
    assert_eq!(speed.load(), 2.251);

    tmux.keys(&["Escape"]);
    tmux.see(false, |screen| screen.contains("Enter open"));
    tmux.keys(&["Escape"]);
    tmux.see(false, |screen| screen.contains("camera/gain"));
    holder.kill_and_wait();
    // In red, as this terminal tells it.
    tmux.see(true, |screen| screen.contains("38;5;1marm"));
    tmux.run(&["resize-window", "-x", "80", "-y", "24"]);
    tmux.see(false, |screen| {
        let fits = screen.lines().count() <= 24 && screen.lines().all(|line| line.chars().count() <= 80);
        fits && screen.contains("dead owner") && screen.contains("q end")
    });
    tmux.keys(&["q"]);
    tmux.see(false, |screen| screen.contains("ended with 0") && !screen.contains("camera/gain"));
}

#[test]
fn a_terminal_is_given_back_when_it_is_stopped_and_ended_by_a_signal() {
    if !has_tmux() {
        return;
    }
    let scratch = Scratch::new();
    let _value = Value::create(&scratch.space(), "robot/speed", 1.5).unwrap();
    let (program, directory) = (env!("CARGO_BIN_EXE_memlane"), scratch.path().display());
    let noted = tempfile::NamedTempFile::new().unwrap();
    let note = noted.path().display();
    let tmux = Tmux::start(&format!("sh -c 'echo $$ > {note}; exec {program} --space {directory} top'"));
    tmux.see(false, |screen| screen.contains("robot/speed"));
    tmux.keys(&["C-z"]);
    tmux.see(false, |screen| screen.contains("ended with") && !screen.contains("robot/speed"));
    tmux.keys(&["-l", "fg"]);
    tmux.keys(&["Enter"]);
    tmux.see(false, |screen| screen.contains("robot/speed"));
    let pid: i32 = std::fs::read_to_string(noted.path()).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    tmux.see(false, |screen| !screen.contains("robot/speed"));
    tmux.keys(&["-l", "echo the shell is there"]);
    tmux.keys(&["Enter"]);
    tmux.see(false, |screen| screen.lines().any(|line| line == "the shell is there"));
}

/// For reading and writing at a host; long enough to be one.
const TOKEN: &str = "a-token-of-thirty-two-characters";

/// A host as a process of its own, and its port; 0 is any that is free.
fn host(scratch: &Scratch, port: u16) -> (Child, u16) {
    let listen = format!("127.0.0.1:{port}");
    let mut command = memlane(scratch);
    command.args(["--json", "host", "--listen", &listen]).env("MEMLANE_TOKEN", TOKEN).stdout(Stdio::piped());
    let mut host = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(host.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Json = serde_json::from_str(&line).unwrap();
    (host, told["port"].as_u64().unwrap() as u16)
}

#[test]
fn at_a_host_it_shows_and_changes_and_outlives_the_host() {
    if !has_tmux() {
        return;
    }
    let scratch = Scratch::new();
    let space = scratch.space();
    let speed = Value::create(&space, "robot/speed", 1.5).unwrap();
    let (mut first, port) = host(&scratch, 0);
    // Without it nobody proves to be on the host's machine, and all goes through the host.
    std::fs::remove_file(scratch.path().join(format!(".memlane/host-{port}"))).unwrap();
    let program = env!("CARGO_BIN_EXE_memlane");
    let tmux = Tmux::start(&format!("env MEMLANE_TOKEN={TOKEN} '{program}' --at 127.0.0.1:{port} top"));
    tmux.run(&["resize-window", "-x", "80", "-y", "24"]);
    tmux.see(false, |screen| screen.contains("robot/speed"));
    tmux.keys(&["e"]);
    tmux.see(false, |screen| screen.contains("robot/speed := 1.5"));
    tmux.keys(&["C-u"]);
    tmux.keys(&["-l", "2.25"]);
    tmux.keys(&["Enter"]);
    tmux.see(false, |screen| screen.contains("write 2.25 to"));
    tmux.keys(&["y"]);
    tmux.see(false, |screen| screen.contains("changed") && !screen.contains(":="));
    assert_eq!(speed.load(), 2.25);

    first.kill().unwrap();
    first.wait().unwrap();
    tmux.see(false, |screen| screen.contains("the host is gone") && screen.contains("robot/speed"));
    let (mut second, _) = host(&scratch, port);
    tmux.see(false, |screen| !screen.contains("the host is gone") && screen.contains("2.25"));
    speed.store(7.5);
    tmux.see(false, |screen| screen.contains("7.5"));
    // Gone again, it keeps nobody from ending.
    second.kill().unwrap();
    second.wait().unwrap();
    tmux.see(false, |screen| screen.contains("the host is gone"));
    tmux.keys(&["q"]);
    tmux.see(false, |screen| screen.contains("ended with 0"));
}

#[test]
fn once_prints_all_of_it_as_json_and_as_tables() {
    let scratch = Scratch::new();
    let speed = Value::create(&scratch.space(), "robot/speed", 1.5).unwrap();
    let lock = Lock::create(&scratch.space(), "arm").unwrap();
    let _guard = lock.lock().unwrap();
    let is_over = AtomicBool::new(false);
    let writes = || {
        while !is_over.load(Relaxed) {
            speed.add(1.0);
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let looked = || memlane(&scratch).args(["--json", "top", "--once"]).output().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(writes);
        let output = looked();
        is_over.store(true, Relaxed);
        output
    });
    let json: Json = serde_json::from_slice(&output.stdout).unwrap();
    let [arm, speed] = [0, 1].map(|index| &json["regions"][index]);
    assert_eq!((&arm["id"], &speed["id"]), (&"arm".into(), &"robot/speed".into()));
    assert_eq!((&arm["state"], &speed["state"]), (&"quiet".into(), &"live".into()), "{speed}");
    assert!(speed["rate"].as_f64().is_some_and(|rate| rate > 10.0), "{speed}");
    assert_eq!(json["participants"][0]["pid"], std::process::id());
    assert_eq!(json["locks"][0]["id"], "arm");
    let output = memlane(&scratch).args(["top", "--once"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(["STATE", "ATTACHED TO", "HELD FOR"].iter().all(|title| text.contains(title)), "{text}");
    // Without a terminal nothing is drawn.
    let refused = memlane(&scratch).arg("top").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("--once"));
}
