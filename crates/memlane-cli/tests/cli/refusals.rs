//! What goes wrong has a message and an exit code of its own, and changes nothing.

use crate::scratch::Scratch;
use crate::terminal::{Ran, Terminal};
use memlane::{FramePublisher, FrameSpec, Lock, Text, Value};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

const NOBODY: u32 = 65534;

/// Runs the program as another user; `None` when this user may not become one.
struct Stranger {
    /// A copy of the program where everybody may run it.
    place: Scratch,
}

impl Stranger {
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            left_out("what another user is refused, for want of root's rights");
            return None;
        }
        let place = Scratch::new();
        set_mode(place.path(), 0o755);
        std::fs::copy(env!("CARGO_BIN_EXE_memlane"), place.path().join("memlane")).unwrap();
        Some(Self { place })
    }

    fn run(&self, terminal: &Terminal, arguments: &[&str]) -> Ran {
        let mut command = std::process::Command::new(self.place.path().join("memlane"));
        command.arg("--space").arg(terminal.scratch.path()).args(arguments).uid(NOBODY).gid(NOBODY);
        Ran::from(command.output().unwrap())
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Says so past the capture of the test harness, which hides what a passing test prints.
fn left_out(what: &str) {
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "LEFT OUT: {what}");
    let _ = writeln!(std::io::stderr(), "LEFT OUT: {what}");
}

#[test]
fn a_missing_region_is_told_by_every_command() {
    let terminal = Terminal::new();
    for arguments in [
        &["show", "x"][..],
        &["get", "x"],
        &["set", "x", "1"],
        &["rm", "x"],
        &["watch", "x"],
        &["hz", "x"],
        &["bw", "x"],
    ] {
        terminal.run(arguments).failed(3, &["no region `x` in", "memlane ls"]);
    }
    assert_eq!(terminal.scratch.files(), [] as [std::path::PathBuf; 0]);
}

#[test]
fn an_id_cannot_lead_out_of_the_space() {
    let terminal = Terminal::new();
    let outside = terminal.scratch.path().join("outside");
    std::fs::write(&outside, b"precious").unwrap();
    std::fs::create_dir(terminal.scratch.path().join("space")).unwrap();
    let space = terminal.scratch.path().join("space");
    let space = space.to_str().unwrap();
    for arguments in [
        &["show", "../outside"][..],
        &["get", "../outside"],
        &["set", "../outside", "1"],
        &["rm", "../outside"],
        &["create", "value", "../outside", "u8"],
        &["create", "lock", "../../tmp/x"],
        &["watch", "a/../../outside"],
    ] {
        terminal
            .run(&[&["--space", space], arguments].concat())
            .failed(2, &["cannot be the id of a region", "lead out of the space"]);
    }
    assert_eq!(terminal.scratch.files(), [outside.as_path()]);
    assert_eq!(std::fs::read(outside).unwrap(), b"precious");
}

#[test]
fn another_user_is_refused_what_he_may_not() {
    let Some(stranger) = Stranger::new() else { return };
    let terminal = Terminal::new();
    let space = terminal.space.clone();
    let secret = Value::create(&space, "secret", 1_u8).unwrap();
    let public = Value::create(&space.clone().mode(0o644), "public", 2_u8).unwrap();
    let (denied, all) = ("no permission to", ["ls", "ps", "locks", "doctor"]);
    set_mode(terminal.scratch.path(), 0o700);
    for verb in all {
        stranger.run(&terminal, &[verb]).failed(4, &["this user has no permission"]);
    }
    set_mode(terminal.scratch.path(), 0o755);
    assert_eq!(stranger.run(&terminal, &["get", "public"]).worked(), "2\n");
    for arguments in
        [&["get", "secret"][..], &["show", "secret"], &["watch", "secret"], &["set", "secret", "7"]]
    {
        stranger.run(&terminal, arguments).failed(4, &[denied, "observe region `secret`"]);
    }
    stranger.run(&terminal, &["set", "public", "7"]).failed(4, &[denied, "open region `public`"]);
    stranger.run(&terminal, &["rm", "public"]).failed(4, &[denied, "remove region `public`"]);
    stranger.run(&terminal, &["create", "value", "new", "u8"]).failed(4, &[denied, "create region `new`"]);
    let listed = stranger.run(&terminal, &["ls"]).worked();
    assert!(
        listed.contains("no permission to observe region `secret`") && listed.contains("public"),
        "{listed}"
    );
    assert_eq!((secret.load(), public.load(), space.list().unwrap().len()), (1, 2, 2));
    assert_eq!(public.region().participants().len(), 1);
}

#[test]
fn a_region_of_another_kind_is_left_alone() {
    let terminal = Terminal::new();
    Lock::create(&terminal.space, "arm").unwrap();
    let notes = Text::create(&terminal.space, "notes", 10).unwrap();
    terminal.run(&["set", "arm", "1"]).failed(5, &["`arm` is a lock, which has no content"]);
    terminal.run(&["get", "arm", "--field", "x"]).failed(5, &["`arm` is a lock"]);
    terminal.run(&["set", "notes", "--field", "x", "1"]).failed(5, &["`notes` is a text"]);
    terminal.run(&["create", "record", "notes", "{x: f8}"]).failed(5, &["exists already"]);
    terminal.run(&["create", "text", "notes", "10"]).failed(5, &["exists already"]);
    assert_eq!(notes.read().unwrap(), (String::new(), 0));
}

#[test]
fn a_full_file_system_is_told() {
    let terminal = Terminal::new();
    let status = rustix::fs::statvfs(terminal.scratch.path()).unwrap();
    // As large as the whole file system, so there is no room for the header beside it.
    let size = (status.f_blocks * status.f_frsize).to_string();
    let ran = terminal.run(&["create", "array", "camera/large", &format!("[{size}]u8")]);
    ran.failed(7, &["no room for the", "of region `camera/large`", "memlane rm"]);
    assert_eq!(terminal.scratch.files(), [] as [std::path::PathBuf; 0]);
    assert_eq!(terminal.output(&["doctor"]), "no problems\n");
}

#[test]
fn a_damaged_region_is_told_and_kept() {
    let terminal = Terminal::new();
    Value::create(&terminal.space, "speed", 1_u8).unwrap();
    let file = terminal.scratch.path().join("speed");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    for arguments in [&["get", "speed"][..], &["show", "speed"], &["set", "speed", "1"], &["watch", "speed"]]
    {
        terminal.run(arguments).failed(1, &["region `speed` is damaged", "nothing was changed"]);
    }
    let ran = terminal.run(&["doctor", "--fix"]);
    assert!(ran.code == Some(1) && ran.output.contains("speed: "), "{ran:?}");
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_taken_place_is_told() {
    let terminal = Terminal::new();
    let speed = Value::create(&terminal.space.clone().participants(1), "speed", 1_u8).unwrap();
    terminal.run(&["set", "speed", "2"]).failed(7, &["has 1 participants already"]);
    assert_eq!(speed.load(), 1);
    let camera = FramePublisher::create(&terminal.space, "camera", &FrameSpec::bytes(10)).unwrap();
    assert_eq!(terminal.json(&["show", "camera"])["frames"]["publisher"]["pid"], std::process::id());
    drop(camera);
}

#[test]
fn a_wrong_command_line_has_usage() {
    let terminal = Terminal::new();
    for arguments in
        [&["fly"][..], &["set", "x"], &["create", "kite", "x"], &["get"], &["rm"], &["ls", "--tall"], &[]]
    {
        let ran = terminal.run(arguments);
        assert_eq!((ran.code, ran.output.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.messages.contains("Usage: memlane"), "{arguments:?}: {ran:?}");
    }
}
