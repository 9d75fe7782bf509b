//! Commands that change something: create, set, rm.

use crate::terminal::Terminal;
use memlane::{Array, Observer, Record, Space, Text, Value};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn every_kind_can_be_created() {
    let terminal = Terminal::new();
    let created = |arguments: &[&str]| {
        let document = terminal.json(&[&["create"], arguments].concat());
        let shown = terminal.json(&["show", arguments[1]]);
        document
            .as_object()
            .unwrap()
            .iter()
            .for_each(|(name, value)| assert_eq!(*value, shown[name], "{name}"));
        document["schema"].clone()
    };
    assert_eq!(created(&["value", "v", "f64", "-1.5"]), "<f8");
    assert_eq!(created(&["record", "r", "{x: f8, name: S4}"]), "{x:<f8,name:|S4}");
    assert_eq!(created(&["record", "s", "struct:<BHB"]), "{f0:|u1,f1:<u2,f2:|u1}");
    assert_eq!(created(&["array", "a", "[6]f32"]), "[6]<f4");
    assert_eq!(created(&["raw", "w", "--size", "1000"]), "[1000]|u1");
    assert_eq!(created(&["text", "t", "4K"]), r#"|S4096 encoding="utf-8""#);
    assert_eq!(created(&["lock", "l"]), json!(null));
    assert_eq!(created(&["frames", "f", "64x48x3"]), r#"[48,64,3]|u1 encoding="bgr8""#);
    assert_eq!(
        created(&["frames", "g", "[48,64]u16", "--encoding", "mono16"]),
        r#"[48,64]<u2 encoding="mono16""#
    );
    assert_eq!(created(&["frames", "h", "bytes:1K", "--history", "3", "--borrows", "5"]), "[1024]|u1");
    assert_eq!(terminal.output(&["get", "v"]), "-1.5\n");
    let frames = &terminal.json(&["show", "h"])["frames"];
    assert_eq!(
        (&frames["history"], &frames["borrows"], &frames["publisher"]),
        (&json!(3), &json!(5), &json!(null))
    );
}

#[test]
fn regions_are_made_as_asked_for() {
    let terminal = Terminal::new();
    terminal.output(&[
        "create",
        "--participants",
        "3",
        "value",
        "v",
        "bool",
        "--mode",
        "640",
        "--note",
        "on?",
    ]);
    let observer = Observer::open(&terminal.space, "v").unwrap();
    assert_eq!((observer.description().participants, observer.description().note.as_str()), (3, "on?"));
    let mode = std::fs::metadata(terminal.scratch.path().join("v")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(terminal.output(&["get", "v"]), "false\n");
}

#[test]
fn what_cannot_be_created_says_why() {
    let terminal = Terminal::new();
    terminal.output(&["create", "value", "robot/speed", "f64"]);
    let refused = |arguments: &[&str], code, part| {
        terminal.run(&[&["create"], arguments].concat()).failed(code, &[part]);
    };
    refused(&["value", "robot/speed", "f64"], 5, "exists already");
    refused(&["value", "robot", "f64"], 5, "`robot/…` exists");
    refused(&["value", "robot/speed/x", "f64"], 5, "`robot/speed` is a region");
    refused(&["value", "v", "u8", "300"], 2, "from 0 to 255, found 300");
    refused(&["value", "v", "u8", "fast"], 2, "expected a number");
    for arguments in [
        &["value", "v", "[3]f4"][..],
        &["value", "v", "furlong"],
        &["text", "t", "-1"],
        &["lock", "l", "--mode", "77"],
    ] {
        let ran = terminal.run(&[&["create"], arguments].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    assert_eq!(terminal.space.list().unwrap(), ["robot/speed"]);
}

#[test]
fn values_are_set_on_condition() {
    let terminal = Terminal::new();
    let speed = Value::create(&terminal.space, "speed", 1.5_f32).unwrap();
    assert_eq!(terminal.output(&["set", "speed", "-2.5"]), "");
    assert_eq!(speed.load(), -2.5);
    let ran = terminal.run(&["set", "speed", "7", "--if-value", "1.5"]);
    ran.failed(5, &["was not changed: expected 1.5, found -2.5"]);
    assert_eq!((ran.output.as_str(), speed.load()), ("-2.5\n", -2.5));
    assert_eq!(
        terminal.json(&["set", "speed", "0.1", "--if-value", "-2.5"]),
        json!({"id": "speed", "version": 2})
    );
    assert_eq!(speed.load(), 0.1);
    terminal.run(&["set", "speed", "7", "--if-version", "2"]).failed(2, &["use --if-value"]);
    terminal.run(&["set", "speed", "fast"]).failed(5, &["expected a number, true or false, found \"fast\""]);
    terminal.run(&["set", "speed", "7", "--index", "0"]).failed(5, &["no fields and no elements"]);
    assert_eq!(terminal.run_with_input(&["set", "speed", "-"], b" 0x10\n").worked(), "");
    assert_eq!(speed.load(), 16.0);
}

#[test]
fn texts_are_set_on_condition() {
    let terminal = Terminal::new();
    let notes = Text::create(&terminal.space, "notes", 20).unwrap();
    assert_eq!(terminal.run_with_input(&["set", "notes", "-"], "zwölf\n".as_bytes()).worked(), "");
    assert_eq!(notes.read().unwrap(), ("zwölf\n".to_owned(), 1));
    let ran = terminal.run(&["set", "notes", "mine", "--if-version", "0"]);
    ran.failed(5, &["expected version 0, found 1"]);
    assert_eq!(ran.output, "zwölf\n");
    terminal.output(&["set", "notes", "mine", "--if-version", "1"]);
    terminal
        .run(&["set", "notes", "yours", "--if-value", "theirs"])
        .failed(5, &["expected that text, found another"]);
    terminal.output(&["set", "notes", "-x", "--if-value", "mine"]);
    assert_eq!(notes.read().unwrap().0, "-x");
    terminal
        .run(&["set", "notes", "much longer than twenty bytes"])
        .failed(5, &["29 bytes do not fit", "20"]);
    let ran = terminal.run_with_input(&["set", "notes", "-"], b"\xff");
    ran.failed(2, &["not UTF-8"]);
    assert_eq!(notes.read().unwrap().0, "-x");
}

#[test]
fn records_are_set_whole_or_in_part() {
    let terminal = Terminal::new();
    let pose = Record::create(&terminal.space, "pose", "{x: f8, y: f8, ids: [3]u1, name: S4}").unwrap();
    let content = || terminal.json(&["get", "pose"])["content"].clone();
    terminal.output(&["set", "pose", r#"{"x": 1, "y": "Infinity", "ids": [1, 2, 3], "name": "home"}"#]);
    terminal.output(&["set", "pose", r#"{"x": 2}"#]);
    terminal.output(&["set", "pose", "--field", "name", "abc"]);
    terminal.output(&["set", "pose", "--field", "ids", "--index", "1", "9"]);
    assert_eq!(content(), json!({"x": 2.0, "y": "Infinity", "ids": [1, 9, 3], "name": "abc"}));
    assert_eq!(pose.version(), 4);
    let ran = terminal.run(&["set", "pose", r#"{"x": 5}"#, "--if-version", "3"]);
    ran.failed(5, &["expected version 3, found 4"]);
    assert!(ran.output.contains("x: 2.0"), "{ran:?}");
    terminal.run(&["set", "pose", "--field", "x", "5", "--if-value", "1"]).failed(5, &["expected 1"]);
    assert_eq!(terminal.json(&["set", "pose", "--field", "x", "5", "--if-value", "2"])["version"], 5);
    for (arguments, code, part) in [
        (&["--field", "z", "1"][..], 3, "no field `z`"),
        (&[r#"{"z": 1}"#], 3, "no field `z`"),
        (&["--field", "ids", "--index", "3", "1"], 3, "no element 3: there are 3"),
        (&["--field", "ids", "[1, 300, 3]"], 5, "in ids[1]"),
        (&["x = 1"], 5, "expected JSON"),
        (&["--field", "name", "homely"], 5, "up to 4 bytes"),
    ] {
        terminal.run(&[&["set", "pose"], arguments].concat()).failed(code, &[part]);
    }
    assert_eq!(pose.version(), 5);
}

#[test]
fn arrays_are_set_whole_or_by_element() {
    let terminal = Terminal::new();
    let joints = Array::<i16>::create(&terminal.space, "joints", &[2, 2]).unwrap();
    terminal.output(&["set", "joints", "[[1, 2], [3, 4]]"]);
    terminal.output(&["set", "joints", "--index", "1,0", "-7"]);
    assert_eq!(joints.snapshot().unwrap(), [1, 2, -7, 4]);
    terminal
        .run(&["set", "joints", "[[1, 2], [3, 40000]]"])
        .failed(5, &["in [1][1]", "from -32768 to 32767"]);
    terminal.run(&["set", "joints", "--index", "4", "1"]).failed(3, &["no element 4: there are 4"]);
    terminal
        .run(&["set", "joints", "--index", "0", "1", "--if-value", "1"])
        .failed(2, &["without conditions"]);
    assert_eq!(joints.snapshot().unwrap(), [1, 2, -7, 4]);
    terminal.output(&["create", "array", "points", "[2]{x: f4, y: f4, n: u1}"]);
    terminal.output(&["set", "points", "--index", "1", r#"{"x": 1, "y": 2, "n": 3}"#]);
    assert_eq!(terminal.output(&["get", "points", "--index", "1", "--field", "y"]), "2.0\n");
    terminal.run(&["set", "points", "--index", "1", "--field", "y", "3"]).failed(2, &["written as a whole"]);
}

#[test]
fn rm_takes_the_name_and_leaves_the_memory() {
    let terminal = Terminal::new();
    let speed = Value::create(&terminal.space, "robot/speed", 1_u8).unwrap();
    let output = terminal.output(&["rm", "robot/speed"]);
    assert_eq!(output, "removed robot/speed, to which 1 process is attached: it keeps the memory\n");
    assert!(speed.region().unlinked());
    speed.store(7);
    assert_eq!(terminal.scratch.files(), [] as [std::path::PathBuf; 0]);
    terminal.run(&["rm", "robot/speed"]).failed(3, &["no region `robot/speed`"]);
}

#[test]
fn rm_by_pattern_spares_what_is_no_region() {
    let terminal = Terminal::new();
    for id in ["a/1", "a/2", "b"] {
        Value::create(&terminal.space, id, 1_u8).unwrap();
    }
    std::fs::write(terminal.scratch.path().join("a/diary"), b"not a region").unwrap();
    let dry = terminal.run(&["rm", "--dry-run", "a/*"]);
    assert_eq!(dry.output, "would remove a/1\nwould remove a/2\n");
    assert_eq!(terminal.space.list().unwrap(), ["a/1", "a/2", "a/diary", "b"]);
    let ran = terminal.run(&["rm", "a/*"]);
    assert_eq!((ran.code, ran.output.as_str()), (Some(0), "removed a/1\nremoved a/2\n"));
    assert!(ran.messages.contains("left alone: region `a/diary` is damaged or not a region"), "{ran:?}");
    assert_eq!(terminal.json(&["rm", "a/diary"]), json!([{"id": "a/diary", "attached": null}]));
    let ran = terminal.run(&["rm", "x", "y*", "b", "b*"]);
    assert_eq!((ran.code, ran.output.as_str(), ran.messages.lines().count()), (Some(3), "removed b\n", 2));
    assert_eq!(terminal.space.list().unwrap(), [""; 0]);
}

/// Looking into a mistyped directory once made one there.
#[test]
fn only_create_makes_a_space() {
    let terminal = Terminal::new();
    let directory = terminal.scratch.path().join("new");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_memlane"));
        crate::terminal::Ran::from(command.args(arguments).env("MEMLANE_DIR", &directory).output().unwrap())
    };
    for arguments in [&["ls"][..], &["get", "v"], &["set", "v", "1"], &["rm", "v"], &["doctor"]] {
        run(arguments).failed(3, &["there is no directory", "new"]);
    }
    assert!(!directory.exists());
    run(&["create", "value", "v", "u8", "7"]).worked();
    assert_eq!(run(&["get", "v"]).worked(), "7\n");
    assert_eq!(Space::at(&directory).unwrap().list().unwrap(), ["v"]);
}

#[test]
fn raw_bytes_are_shown_in_hexadecimal_and_set_as_numbers() {
    let terminal = Terminal::new();
    let line = |size: &str| {
        terminal.output(&["create", "raw", "scratch", "--size", size]);
        let sheet = terminal.output(&["show", "scratch"]);
        let line = sheet.lines().find_map(|line| line.trim().strip_prefix("content")).map(str::trim);
        terminal.output(&["rm", "scratch"]);
        line.expect("it has a content").to_owned()
    };
    assert_eq!(line("2"), "00 00");
    assert_eq!(line("16"), ["00"; 16].join(" "));
    assert_eq!(line("1K"), format!("{} … 1008 more", ["00"; 16].join(" ")));

    terminal.output(&["create", "raw", "scratch", "--size", "3"]);
    terminal.output(&["set", "scratch", "[1, 254, 3]"]);
    terminal.output(&["set", "scratch", "--index", "2", "0x1f"]);
    assert_eq!(terminal.output(&["get", "scratch"]), "[1, 254, 31]\n");
    assert_eq!(terminal.output(&["get", "scratch", "--index", "1"]), "254\n");
    assert_eq!(terminal.command(&["get", "--raw", "scratch"]).output().unwrap().stdout, [1, 254, 31]);
    let document = terminal.json(&["get", "scratch"]);
    assert_eq!(document, json!({"id": "scratch", "version": 2, "content": [1, 254, 31]}));
    let list = terminal.output(&["ls", "scratch"]);
    assert!(list.contains("[3]|u1") && list.contains("01 fe 1f"), "{list}");

    terminal.run(&["set", "scratch", "[1, 2]"]).failed(5, &["region `scratch`: ", "3"]);
    terminal.run(&["set", "scratch", "--index", "3", "1"]).failed(3, &["no element 3: there are 3"]);
    terminal.run(&["set", "scratch", "--if-version", "2", "1"]).failed(2, &["without conditions"]);
    terminal.run(&["create", "raw", "none", "--size", "0"]).failed(2, &["must be at least 1 byte, not 0"]);
    assert_eq!(terminal.output(&["get", "scratch"]), "[1, 254, 31]\n");
}
