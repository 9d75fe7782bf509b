//! Commands that pass something on: put, take, event, sem, stream.

use crate::role::DEADLINE;
use crate::terminal::{Ran, Terminal};
use memlane::{Event, Observer, Queue, SignalSemaphore};
use rustix::process::{Pid, Signal};
use serde_json::{Value as Json, json};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::Instant;

/// A command in the background.
fn started(terminal: &Terminal, arguments: &[&str]) -> Child {
    let mut command = terminal.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program can be started")
}

fn ended(child: Child) -> Ran {
    Ran::from(child.wait_with_output().expect("it is a child"))
}

/// Looks until somebody waits for something in a region.
fn await_waiter(terminal: &Terminal, id: &str) {
    let start = Instant::now();
    let waits = || {
        let participants = Observer::open(&terminal.space, id).expect("it exists").participants();
        participants.iter().any(|participant| participant.alive && !participant.waits.is_empty())
    };
    while !waits() {
        assert!(start.elapsed() < DEADLINE, "nobody waits for {id}");
        std::thread::yield_now();
    }
}

#[test]
fn what_is_put_is_taken_in_order() {
    let terminal = Terminal::new();
    terminal.output(&["create", "queue", "jobs", "4K", "--messages", "3"]);
    terminal.output(&["put", "jobs", "one"]);
    let ran = terminal.run_with_input(&["--json", "put", "jobs", "--lines", "--tag", "json"], b"[2]\n[3]\n");
    assert_eq!(serde_json::from_str::<Json>(&ran.worked()).unwrap(), json!({"id": "jobs", "put": 2}));
    terminal.run(&["put", "jobs", "four", "--timeout", "10ms"]).failed(6, &["room", "jobs"]);
    assert_eq!(terminal.output(&["take", "jobs", "--peek", "-n", "2"]), "one\n[2]\n");
    let shown = terminal.json(&["show", "jobs"]);
    assert_eq!((&shown["state"]["length"], &shown["state"]["oldest"]["text"]), (&json!(3), &json!("one")));
    assert!(terminal.output(&["ls"]).contains("3 messages"));
    assert_eq!(terminal.output(&["take", "jobs"]), "one\n");
    let message = terminal.json(&["take", "jobs"]);
    assert_eq!((&message["tag"], &message["text"]), (&json!("json"), &json!("[2]")));
    assert_eq!(terminal.output(&["take", "jobs", "--raw"]), "[3]");
    terminal.run(&["take", "jobs", "--timeout", "10ms"]).failed(6, &["message", "jobs"]);
    let large = "x".repeat(9000);
    terminal.run(&["put", "jobs", &large]).failed(5, &["9000", "8184", "jobs"]);
}

#[test]
fn a_follower_ends_when_the_queue_is_closed() {
    let terminal = Terminal::new();
    terminal.output(&["create", "queue", "jobs", "4K"]);
    let follower = started(&terminal, &["take", "jobs", "--follow"]);
    await_waiter(&terminal, "jobs");
    terminal.output(&["put", "jobs", "one"]);
    terminal.output(&["put", "jobs", "two", "--close"]);
    assert_eq!(ended(follower).worked(), "one\ntwo\n");
    terminal.run(&["put", "jobs", "three"]).failed(3, &["closed"]);
    terminal.run(&["take", "jobs"]).failed(3, &["closed"]);
}

#[test]
fn a_message_is_acknowledged_when_it_was_written() {
    let terminal = Terminal::new();
    terminal.output(&["create", "queue", "jobs", "4K", "--acknowledged"]);
    terminal.output(&["put", "jobs", "one"]);
    let queue = Queue::open(&terminal.space, "jobs").unwrap();
    drop(queue.lease(None).unwrap());
    let message = terminal.json(&["take", "jobs"]);
    assert_eq!((&message["text"], &message["redelivered"]), (&json!("one"), &json!(1)));
    assert!(queue.is_empty());
}

#[test]
fn a_pickle_is_not_looked_into() {
    let terminal = Terminal::new();
    terminal.output(&["create", "queue", "jobs", "4K"]);
    terminal.output(&["put", "jobs", "cos", "--tag", "pickle"]);
    assert!(terminal.output(&["take", "jobs", "--peek"]).contains("of pickle"));
    assert_eq!(terminal.json(&["take", "jobs"])["text"], json!(null));
}

#[test]
fn an_event_is_waited_for() {
    let terminal = Terminal::new();
    terminal.output(&["create", "event", "go"]);
    terminal.run(&["event", "wait", "go", "--timeout", "10ms"]).failed(6, &["the event", "go"]);
    let waiter = started(&terminal, &["--json", "event", "wait", "go"]);
    await_waiter(&terminal, "go");
    terminal.output(&["event", "set", "go"]);
    let told: Json = serde_json::from_str(&ended(waiter).worked()).unwrap();
    assert_eq!(told, json!({"id": "go", "set": true}));
    assert_eq!(terminal.output(&["get", "go"]), "set\n");
    terminal.output(&["event", "clear", "go"]);
    assert!(!Event::open(&terminal.space, "go").unwrap().is_set());
}

#[test]
fn a_waiting_command_ends_at_once_when_it_is_interrupted() {
    let terminal = Terminal::new();
    terminal.output(&["create", "event", "go"]);
    terminal.output(&["create", "queue", "jobs", "4K"]);
    terminal.output(&["create", "semaphore", "tokens", "0", "--signal"]);
    for (id, arguments) in [
        ("go", ["event", "wait", "go"].as_slice()),
        ("jobs", &["take", "jobs"]),
        ("tokens", &["sem", "acquire", "tokens"]),
    ] {
        let child = started(&terminal, arguments);
        await_waiter(&terminal, id);
        rustix::process::kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), Some(libc_sigint()), "{arguments:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
}

fn libc_sigint() -> i32 {
    Signal::INT.as_raw()
}

#[test]
fn a_command_runs_with_permits_and_gives_them_back() {
    let terminal = Terminal::new();
    terminal.output(&["create", "semaphore", "cameras", "2"]);
    let held = terminal.output(&[
        "sem",
        "acquire",
        "cameras",
        "-n",
        "2",
        "--",
        env!("CARGO_BIN_EXE_memlane"),
        "--space",
        terminal.scratch.path().to_str().unwrap(),
        "sem",
        "value",
        "cameras",
    ]);
    assert_eq!((held.as_str(), terminal.output(&["sem", "value", "cameras"]).as_str()), ("0\n", "2\n"));
    let ran = terminal.run(&["sem", "acquire", "cameras", "--", "sh", "-c", "exit 9"]);
    assert_eq!((ran.code, ran.messages.as_str()), (Some(9), ""));
    terminal.run(&["sem", "acquire", "cameras"]).failed(2, &["command", "--"]);
    terminal
        .run(&["sem", "acquire", "cameras", "-n", "3", "--", "true"])
        .failed(5, &["3 permits", "2 at most"]);
    terminal.run(&["sem", "release", "cameras"]).failed(5, &["by who holds them"]);
}

#[test]
fn tokens_are_passed() {
    let terminal = Terminal::new();
    terminal.output(&["create", "semaphore", "ready", "1", "--signal", "--max", "2"]);
    assert_eq!(terminal.json(&["sem", "release", "ready"]), json!({"id": "ready", "value": 2}));
    terminal.run(&["sem", "release", "ready"]).failed(5, &["2 of 2", "twice"]);
    terminal.output(&["sem", "acquire", "ready"]);
    terminal.output(&["sem", "acquire", "ready"]);
    terminal.run(&["sem", "acquire", "ready", "--timeout", "10ms"]).failed(6, &["a token"]);
    assert_eq!(SignalSemaphore::open(&terminal.space, "ready").unwrap().value(), 0);
}

#[test]
fn records_are_appended_and_seen() {
    let terminal = Terminal::new();
    terminal.output(&["create", "stream", "emg", "{x:f8,n:u1}", "--capacity", "512"]);
    terminal.output(&["stream", "append", "emg", r#"{"x": 1.5, "n": 1}"#, r#"{"x": -2, "n": 2}"#]);
    let ran = terminal.run_with_input(&["--json", "stream", "append", "emg"], b"{\"x\":3,\"n\":3}\n");
    assert_eq!(serde_json::from_str::<Json>(&ran.worked()).unwrap()["sequence"], 2);
    let output = terminal.output(&["stream", "tail", "emg", "-n", "2"]);
    assert_eq!(output.lines().count(), 2, "{output}");
    assert!(output.contains("-2") && output.contains('3'), "{output}");
    let first = terminal.output(&["--json", "stream", "tail", "emg", "--since", "0"]);
    let first: Json = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(first, json!({"sequence": 0, "record": {"x": 1.5, "n": 1}}));
    assert!(terminal.output(&["get", "emg"]).starts_with("3 records, newest"));
    assert_eq!(terminal.json(&["hz", "emg", "--count", "1", "--window", "10ms"])["changes"], 0);
    terminal.run(&["stream", "append", "emg", "seven"]).failed(5, &["JSON", "emg"]);
    terminal.run(&["stream", "tail", "nothing"]).failed(3, &["nothing"]);
}

#[test]
fn how_every_kind_stands_is_shown() {
    let terminal = Terminal::new();
    for (kind, rest, line) in [
        ("rlock", [].as_slice(), "free"),
        ("rwlock", &[], "free"),
        ("semaphore", &["3"], "3 of 3 free"),
        ("event", &["--auto-reset"], "clear, auto-reset"),
        ("condition", &[], "0 waiting"),
        ("barrier", &["4"], "0 of 4 arrived, meeting 0"),
        ("queue", &["1K"], "0 messages, 0 B of 4.0 KiB"),
        ("pipe", &["1K"], "left nobody yet ⇄ right nobody yet, 0 B and 0 B on the way"),
        ("stream", &["f8"], "0 records, nobody publishes"),
    ] {
        terminal.output(&[&["create", kind, kind], rest].concat());
        let shown = terminal.output(&["get", kind]);
        assert_eq!(shown.trim_end(), line, "{kind}");
        assert_eq!(terminal.json(&["show", kind])["kind"], kind);
        assert!(terminal.json(&["get", kind])["content"].is_object(), "{kind}");
    }
    assert_eq!(terminal.json(&["ls"]).as_array().unwrap().len(), 9);
    terminal.output(&["doctor"]);
}
