//! Commands that look: ls, show, get, watch, completions.

use crate::role::DEADLINE;
use crate::terminal::{Ran, Terminal};
use memlane::schema::{Datum, Primitive};
use memlane::{Array, FramePublisher, FrameSpec, Lock, Record, Text, Value};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

/// A region of each kind.
fn furnished() -> Terminal {
    let terminal = Terminal::new();
    let space = terminal.space.clone().note("forward");
    Value::create(&space, "robot/speed", 1.5_f64).unwrap();
    let pose = Record::create(&space, "robot/pose", "{x: f8 unit=m, on: bool, name: S8}").unwrap();
    pose.write_field("name", &Datum::Bytes(b"home".to_vec())).unwrap();
    let joints = Array::<f32>::create(&space, "robot/joints", &[2, 3]).unwrap();
    joints.store(4, 0.1).unwrap();
    Text::create(&space, "notes", 100).unwrap().write("first\nsecond\n").unwrap();
    Lock::create(&space, "robot/arm").unwrap();
    let spec = FrameSpec::image(2, 3, 1, Primitive::U8);
    let mut camera = FramePublisher::create(&space, "camera/front", &spec).unwrap();
    let mut loan = camera.loan().unwrap();
    loan.copy_from_slice(b"\x00frame");
    loan.publish();
    terminal
}

#[test]
fn ls_shows_a_row_for_each_region() {
    let terminal = furnished();
    let output = terminal.output(&["ls"]);
    let rows: Vec<Vec<&str>> = output.lines().map(|line| line.split_whitespace().collect()).collect();
    let ids: Vec<_> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(
        ids,
        ["ID", "camera/front", "notes", "robot/arm", "robot/joints", "robot/pose", "robot/speed"]
    );
    assert!(rows[0].ends_with(&["CONTENT"]) && rows[6].ends_with(&["1.5"]), "{output}");
    assert!(output.contains(r#""first\nsecond\n""#) && output.contains("name: b'home'}"), "{output}");
    assert!(!output.contains('\u{1b}'), "colour without a terminal: {output:?}");
    let long = terminal.output(&["ls", "--long", "robot/speed"]);
    assert!(long.contains("NOTE") && long.contains("forward") && long.contains("AGE"), "{long}");
}

#[test]
fn ls_selects_by_pattern_or_folder() {
    let terminal = furnished();
    let ids = |pattern: &str| {
        let rows = terminal.json(&["ls", pattern]);
        let ids = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids("camera"), "camera/front");
    assert_eq!(ids("robot/p*"), "robot/pose");
    assert_eq!(ids("*o*e*"), "notes robot/pose robot/speed");
    let ran = terminal.run(&["ls", "x*", "notes"]);
    ran.failed(3, &["no region is or matches `x*`"]);
    assert!(ran.output.contains("notes") && !ran.output.contains("robot"), "{ran:?}");
}

#[test]
fn ls_json_has_stable_names() {
    let terminal = furnished();
    let held = Lock::open(&terminal.space, "robot/arm").unwrap();
    let _guard = held.lock().unwrap();
    let rows = terminal.json(&["ls", "robot/arm"]);
    let row = &rows[0];
    assert_eq!(row["kind"], "lock");
    assert_eq!((&row["alive"], &row["dead"]), (&json!(1), &json!(0)));
    assert!(row["lock_holder"].as_str().unwrap().contains(&format!("(pid {})", std::process::id())));
    let speed = &terminal.json(&["ls", "robot/speed"])[0];
    for name in ["schema", "size", "version", "uuid", "created", "creator", "note", "preview", "inconsistent"]
    {
        assert!(!speed[name].is_null(), "no {name} in {speed}");
    }
    assert_eq!((&speed["schema"], &speed["preview"]), (&json!("<f8"), &json!("1.5")));
}

/// A file that is no region once ended the whole listing of a tool like this.
#[test]
fn a_damaged_file_is_a_row_of_its_own() {
    let terminal = furnished();
    std::fs::write(terminal.scratch.path().join("garbage"), b"not a region").unwrap();
    let whole = std::fs::read(terminal.scratch.path().join("robot/speed")).unwrap();
    std::fs::write(terminal.scratch.path().join("truncated"), &whole[..whole.len() / 2]).unwrap();
    let output = terminal.output(&["ls"]);
    assert_eq!(output.lines().count(), 9, "{output}");
    let row = |id: &str| output.lines().find(|line| line.starts_with(id)).unwrap().to_owned();
    assert!(row("garbage").contains("damaged or not a region"), "{output}");
    assert!(row("truncated").contains("it is truncated"), "{output}");
    let rows = terminal.json(&["ls"]);
    let damaged = rows.as_array().unwrap().iter().filter(|row| row["error"].is_string()).count();
    assert_eq!(damaged, 2);
}

/// Names and notes are other people's bytes, and a terminal obeys escape sequences.
#[test]
fn hostile_names_reach_no_terminal() {
    let terminal = Terminal::new();
    std::fs::write(terminal.scratch.path().join("\u{1b}[31mred"), b"not a region").unwrap();
    let space = terminal.space.clone().note("\u{1b}]0;title\u{7}");
    Value::create(&space, "calm", 1_u8).unwrap();
    for arguments in [&["ls"][..], &["ls", "-l"], &["show", "calm"], &["doctor"], &["ps"], &["locks"]] {
        let ran = terminal.run(arguments);
        let obeyed = |text: &str| text.contains(['\u{1b}', '\u{7}']);
        assert!(!obeyed(&ran.output) && !obeyed(&ran.messages), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn an_empty_space_is_no_failure() {
    let terminal = Terminal::new();
    let ran = terminal.run(&["ls"]);
    assert_eq!((ran.code, ran.output.as_str()), (Some(0), ""));
    assert!(ran.messages.contains("no regions in"), "{ran:?}");
    assert_eq!(terminal.json(&["ls"]), json!([]));
    assert_eq!(terminal.json(&["ps"]), json!([]));
    assert_eq!(terminal.json(&["locks"]), json!([]));
    assert_eq!(terminal.json(&["doctor"]), json!([]));
}

#[test]
fn show_tells_everything() {
    let terminal = furnished();
    let attached = Value::<f64>::open(&terminal.space, "robot/speed").unwrap();
    let output = terminal.output(&["show", "robot/speed"]);
    let owner = terminal.json(&["show", "robot/speed"])["file"]["owner"].as_str().unwrap().to_owned();
    for part in [
        "kind       value",
        "<f8 (8 B)",
        "mode 0600",
        &owner,
        "note       forward",
        "content    1.5",
        "lock       free",
    ] {
        assert!(output.contains(part), "no {part:?} in {output}");
    }
    assert!(output.contains(&std::process::id().to_string()) && output.contains("running"), "{output}");
    drop(attached);
    let shown = terminal.json(&["show", "camera/front"]);
    assert_eq!((&shown["frames"]["newest"], &shown["frames"]["length"]), (&json!(1), &json!(6)));
    assert_eq!(shown["content"], json!(null));
    let shown = terminal.json(&["show", "robot/pose"]);
    assert_eq!(shown["content"], json!({"x": 0.0, "on": false, "name": "home"}));
    assert_eq!((&shown["lock"]["holder"], &shown["participants"]), (&json!(null), &json!([])));
}

#[test]
fn get_prints_the_content_or_a_part() {
    let terminal = furnished();
    assert_eq!(terminal.output(&["get", "robot/speed"]), "1.5\n");
    assert_eq!(terminal.output(&["get", "notes"]), "first\nsecond\n");
    assert_eq!(terminal.output(&["get", "robot/pose"]), "{x: 0.0, on: false, name: b'home'}\n");
    assert_eq!(terminal.output(&["get", "robot/pose", "--field", "name"]), "home\n");
    assert_eq!(terminal.output(&["get", "robot/joints"]), "[[0.0, 0.0, 0.0], [0.0, 0.1, 0.0]]\n");
    assert_eq!(terminal.output(&["get", "robot/joints", "--index", "1,1"]), "0.1\n");
    let joints = json!({"id": "robot/joints", "version": 1, "content": [[0.0, 0.0, 0.0], [0.0, 0.1, 0.0]]});
    assert_eq!(terminal.json(&["get", "robot/joints"]), joints);
    assert_eq!(terminal.json(&["get", "robot/joints", "--index", "4"])["content"], json!(0.1));
    assert_eq!(terminal.json(&["get", "notes"])["content"], "first\nsecond\n");
    assert!(terminal.output(&["get", "camera/front"]).starts_with("frame 1, 6 B, "));
}

#[test]
fn get_raw_writes_the_bytes_in_memory() {
    let terminal = furnished();
    let raw = |id: &str| terminal.command(&["get", "--raw", id]).output().unwrap().stdout;
    assert_eq!(raw("robot/speed"), 1.5_f64.to_le_bytes());
    assert_eq!(raw("camera/front"), b"\x00frame");
    assert_eq!(raw("notes"), b"first\nsecond\n");
    assert_eq!(raw("robot/joints")[16..20], 0.1_f32.to_le_bytes());
    assert_eq!(raw("robot/pose"), b"\0\0\0\0\0\0\0\0\0home\0\0\0\0");
    terminal.run(&["get", "--raw", "robot/arm"]).failed(5, &["is a lock, which has no content"]);
}

#[test]
fn watch_prints_each_change() {
    let terminal = furnished();
    let speed = Value::<f64>::open(&terminal.space, "robot/speed").unwrap();
    let arguments = ["watch", "robot/speed", "--json", "--count", "3", "--interval", "1ms"];
    let mut watch = terminal.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["content"], 1.5);
    speed.store(2.5);
    let change = next();
    assert_eq!((&change["id"], &change["content"]), (&json!("robot/speed"), &json!(2.5)));
    assert!(change["time"].as_str().unwrap().ends_with('Z'));
    speed.store(3.5);
    assert_eq!(next()["content"], 3.5);
    assert!(watch.wait().unwrap().success());
}

/// A NaN differs from itself: once it was a change each time anybody looked.
#[test]
fn watch_sees_no_change_in_what_is_not_a_number() {
    let terminal = Terminal::new();
    let speed = Value::create(&terminal.space, "speed", f32::NAN).unwrap();
    let arguments = ["watch", "speed", "--json", "--count", "2", "--interval", "1ms"];
    let mut watch = terminal.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("NaN"));
    // While another command runs it looks many times.
    terminal.run(&["create", "value", "other", "f32"]).worked();
    speed.store(1.0);
    assert!(lines.next().unwrap().unwrap().contains(r#""content":1.0"#));
    assert!(watch.wait().unwrap().success());
}

#[test]
fn watch_ends_with_the_region() {
    let terminal = furnished();
    let mut watch = terminal.command(&["watch", "notes", "--interval", "1ms"]);
    let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(watch.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains(r#""first\nsecond\n""#), "{first}");
    terminal.space.remove("notes").unwrap();
    Ran::from(watch.wait_with_output().unwrap()).failed(3, &["`notes` was removed"]);
}

#[test]
fn an_interrupt_ends_at_once() {
    let terminal = furnished();
    let mut watch = terminal.command(&["watch", "notes"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(watch.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let start = Instant::now();
    rustix::process::kill_process(rustix::process::Pid::from_child(&watch), rustix::process::Signal::INT)
        .unwrap();
    assert!(!watch.wait().unwrap().success());
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
}

/// `memlane ls | head` must not end in a panic or a message.
#[test]
fn output_that_nobody_reads_ends_quietly() {
    let terminal = furnished();
    for arguments in [
        &["ls"][..],
        &["ls", "--json"],
        &["show", "notes"],
        &["watch", "notes"],
        &["--help"],
        &["completions", "zsh"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = terminal.command(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let ran = Ran::from(ran.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.messages.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn help_and_completions_name_the_commands() {
    let terminal = Terminal::new();
    let help = terminal.output(&["--help"]);
    assert!(help.contains("Exit codes:") && help.contains("MEMLANE_DIR"), "{help}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = terminal.output(&["completions", shell]);
        assert!(["doctor", "watch", "create"].iter().all(|verb| script.contains(verb)), "{shell}");
    }
}
