//! The original's host and client, replaced by the commands.

use crate::peers;
use crate::role::DEADLINE;
use crate::terminal::{Ran, Terminal};
use memlane::Text;
use rustix::process::{Pid, Signal};
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Instant;

/// A running `memlane legacy host`, and what it has announced.
struct Hosting {
    child: Child,
    port: String,
    id: String,
}

impl Hosting {
    fn start(terminal: &Terminal, arguments: &[&str]) -> Self {
        let arguments = [&["--json", "legacy", "host", "--listen", "127.0.0.1"], arguments].concat();
        let mut command = terminal.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let announced: Json = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(announced["ip"], "127.0.0.1");
        let id = announced["shm_id"].as_str().unwrap().to_owned();
        Self { child, port: announced["port"].to_string(), id }
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = ["", ".memlane-keep-", ".memlane-owner-"];
        let files = files.map(|prefix| Path::new("/dev/shm").join(format!("{prefix}{}", self.id)));
        files.into_iter().filter(|file| file.exists()).collect()
    }

    /// Ends it as a person does.
    fn interrupt(self, signal: Signal) -> Ran {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
        let files = self.files();
        let ran = Ran::from(self.child.wait_with_output().unwrap());
        assert!(files.iter().all(|file| !file.exists()), "the block is removed");
        ran
    }
}

fn client<'a>(host: &'a Hosting, rest: &[&'a str]) -> Vec<&'a str> {
    [&["legacy", "client", &host.port, &host.id], rest].concat()
}

#[test]
fn a_host_serves_clients_until_it_is_interrupted() {
    for signal in [Signal::INT, Signal::TERM] {
        let terminal = Terminal::new();
        let host = Hosting::start(&terminal, &[]);
        assert_eq!(host.files().len(), 3);
        assert_eq!(terminal.output(&client(&host, &["write", "你好\n"])), "6 / 4091 bytes\n");
        assert_eq!(terminal.output(&client(&host, &["read"])), "你好\n");
        let read = terminal.json(&client(&host, &["--remote", "read"]));
        assert_eq!(
            (&read["mode"], &read["content"], &read["bytes"]),
            (&json!("remote"), &json!("你好"), &json!(6))
        );
        assert_eq!(terminal.json(&client(&host, &["read"]))["mode"], "local");
        host.interrupt(signal).worked();
    }
}

#[test]
fn writes_are_conditional_on_request_and_come_from_the_input() {
    let terminal = Terminal::new();
    let host = Hosting::start(&terminal, &[]);
    let written = terminal.run_with_input(&client(&host, &["write", "-"]), "从输入\n".as_bytes()).worked();
    assert_eq!(written, "9 / 4091 bytes\n");
    for way in [&["--remote"][..], &[]] {
        let arguments = [&client(&host, way)[..], &["write", "x", "--if-text", "other"]].concat();
        let ran = terminal.run(&arguments);
        ran.failed(5, &["not changed"]);
        assert_eq!(ran.output, "从输入\n");
    }
    terminal.output(&client(&host, &["write", "x", "--if-text", "从输入"]));
    assert_eq!(terminal.output(&client(&host, &["read"])), "x\n");
    host.interrupt(Signal::INT).worked();
}

#[test]
fn a_killed_host_s_text_is_taken_over() {
    let terminal = Terminal::new();
    let name = format!("memlane-test-cli-{}", std::process::id());
    let mut host = Hosting::start(&terminal, &["--name", &name]);
    terminal.output(&client(&host, &["write", "stays"]));
    terminal.run(&["legacy", "host", "--name", &name]).failed(7, &["another host serves", &name]);
    host.child.kill().unwrap();
    host.child.wait().unwrap();
    let host = Hosting::start(&terminal, &["--name", &name]);
    assert_eq!(terminal.output(&client(&host, &["read"])), "stays\n");
    host.interrupt(Signal::INT).worked();
}

#[test]
fn changes_are_watched_until_the_host_stops() {
    let terminal = Terminal::new();
    let host = Hosting::start(&terminal, &[]);
    terminal.output(&client(&host, &["write", "one"]));
    let watch = client(&host, &["--remote", "watch", "--interval", "1ms", "--json"]);
    let mut watching =
        terminal.command(&watch).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut seen =
        || serde_json::from_str::<Json>(&lines.next().unwrap().unwrap()).unwrap()["content"].clone();
    assert_eq!(seen(), "one");
    terminal.output(&client(&host, &["write", "二\n三"]));
    assert_eq!(seen(), "二\n三");
    host.interrupt(Signal::INT).worked();
    Ran::from(watching.wait_with_output().unwrap()).failed(3, &["has ended"]);
}

#[test]
fn a_watch_finds_a_host_that_comes_back() {
    let terminal = Terminal::new();
    let name = format!("memlane-test-back-{}", std::process::id());
    let mut host = Hosting::start(&terminal, &["--name", &name]);
    let watch = client(&host, &["--json", "watch", "--interval", "1ms", "--reconnect", "--count", "2"]);
    let mut watching =
        terminal.command(&watch).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains(r#""content":"""#));
    host.child.kill().unwrap();
    host.child.wait().unwrap();
    let address = format!("127.0.0.1:{}", host.port);
    let host = Hosting::start(&terminal, &["--name", &name, "--listen", &address]);
    terminal.output(&client(&host, &["write", "回来了"]));
    assert!(lines.next().unwrap().unwrap().contains("回来了"));
    let ran = Ran::from(watching.wait_with_output().unwrap());
    assert!(ran.code == Some(0) && ran.messages.contains("has ended"), "{ran:?}");
    host.interrupt(Signal::INT).worked();
}

#[test]
fn a_region_and_the_clients_of_a_host_see_each_other() {
    let terminal = Terminal::new();
    let host = Hosting::start(&terminal, &["--region", "notes"]);
    let notes = Text::open(&terminal.space, "notes").unwrap();
    terminal.output(&client(&host, &["write", "来自客户端"]));
    let version = notes.wait_newer(0, Some(DEADLINE)).unwrap();
    assert_eq!(notes.read().unwrap(), ("来自客户端".to_owned(), version));
    terminal.output(&["set", "notes", "from the region"]);
    let started = Instant::now();
    while terminal.output(&client(&host, &["read"])) != "from the region\n" {
        assert!(started.elapsed() < DEADLINE);
    }
    notes.write(&"长".repeat(1300)).unwrap();
    assert_eq!(notes.capacity(), 4091);
    host.interrupt(Signal::INT).worked();
    assert_eq!(notes.read().unwrap().0.len(), 3900, "the region outlives the host");
}

#[test]
fn what_goes_wrong_has_its_exit_code() {
    let terminal = Terminal::new();
    let host = Hosting::start(&terminal, &[]);
    let address = format!("127.0.0.1:{}", host.port);
    terminal.run(&client(&host, &["write", &"a".repeat(5000)])).failed(5, &["文本太长: 5000 > 4091 bytes"]);
    terminal.run(&["legacy", "client", &host.port, "other", "read"]).failed(5, &["共享内存 ID 不匹配！"]);
    terminal.run(&["legacy", "host", "--listen", &address]).failed(7, &["cannot listen"]);
    terminal.run(&["legacy", "host", "--name", "a b"]).failed(2, &["white space"]);
    terminal.output(&["create", "event", "go"]);
    terminal.run(&["legacy", "host", "--region", "go"]).failed(5, &["`go` is of kind event"]);
    let ran = terminal.run(&["legacy", "client", "localhost", "x", "read"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let (id, port) = (host.id.clone(), host.port.clone());
    host.interrupt(Signal::INT).worked();
    terminal.run(&["legacy", "client", &port, &id, "read"]).failed(3, &["no connection", &port]);
}

/// As a program leaves it that died with the lock; nobody can know that it is dead.
#[test]
fn a_lock_that_is_never_given_back_is_a_timeout_in_both_ways() {
    let terminal = Terminal::new();
    let host = Hosting::start(&terminal, &[]);
    let block = std::fs::File::options().write(true).open(&host.files()[0]).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&block, &[1], 0).unwrap();
    for way in [&["--remote", "read"][..], &["read"]] {
        terminal.run(&client(&host, way)).failed(6, &["获取锁超时（5.0秒）"]);
    }
    host.interrupt(Signal::INT).worked();
}

#[test]
fn both_sides_of_the_original_are_replaced() {
    let terminal = Terminal::new();
    let hosting = Hosting::start(&terminal, &[]);
    let script = "../memlane-net/tests/peers/original_client.py";
    let Some(mut original) = peers::python(script, &[&hosting.port, &hosting.id]) else { return };
    assert_eq!(original.hear(), "ready");
    writeln!(original.input, "\"原来的\"").unwrap();
    assert_eq!(original.hear(), r#""OK\n""#);
    assert_eq!(terminal.output(&client(&hosting, &["read"])), "原来的\n");
    original.finish();
    hosting.interrupt(Signal::TERM).worked();

    let id = format!("memlane-test-original-{}", std::process::id());
    let script = "../memlane-net/tests/peers/original_host.py";
    let Some(mut original) = peers::python(script, &[&id]) else { return };
    let ready = original.hear();
    let port = ready.strip_prefix("ready ").unwrap();
    for way in [&["--remote"][..], &[]] {
        let command = [&["legacy", "client", port, &id], way].concat();
        terminal.output(&[&command[..], &["write", "替换了"]].concat());
        assert_eq!(terminal.output(&[&command[..], &["read"]].concat()), "替换了\n");
    }
    original.finish();
    let _ = std::fs::remove_file(format!("/dev/shm/.memlane-owner-{id}"));
}
