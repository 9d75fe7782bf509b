//! Commands at a host: `--at`, `connect`, and what `locks` says of sessions.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use image::{Rgb, RgbImage};
use memlane::{FramePublisher, FrameSpec, Observer, schema::Primitive};
use memlane_net::client::{Client, Options};
use memlane_net::host::{Host, Running};
use serde_json::{Value as Json, json};

use crate::terminal::{Ran, Terminal};

/// A terminal on the host's machine, and one without access to its memory.
struct Two {
    here: Terminal,
    host: Running,
    there: Terminal,
}

impl Two {
    fn new() -> Self {
        let here = Terminal::new();
        let host = Host::new(here.space.clone()).listen(([127, 0, 0, 1], 0).into()).start().unwrap();
        Self { here, host, there: Terminal::new() }
    }

    /// Nobody can prove any more that it is on the host's machine.
    fn apart() -> Self {
        let two = Self::new();
        let port = two.host.address().port();
        std::fs::remove_file(two.here.space.directory().join(format!(".memlane/host-{port}"))).unwrap();
        two
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.there.command(arguments);
        command.env("MEMLANE_AT", self.host.address().to_string());
        command.env("MEMLANE_TOKEN", self.host.tokens().read_write().unwrap());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().expect("the program can be started"))
    }

    fn output(&self, arguments: &[&str]) -> String {
        self.run(arguments).worked()
    }

    fn json(&self, arguments: &[&str]) -> Json {
        let arguments = [&["--json"], arguments].concat();
        let output = self.output(&arguments);
        serde_json::from_str(&output).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output}"))
    }
}

/// One of each kind whose content or standing the commands show.
const MADE: [&[&str]; 9] = [
    &["value", "speed", "f64", "1.5"],
    &["text", "notes", "64K"],
    &["record", "pose", "{x:f64,n:i32}"],
    &["array", "grid", "[2,3]i32"],
    &["raw", "bytes", "--size", "64"],
    &["semaphore", "permits", "2"],
    &["queue", "jobs", "4K", "--acknowledged"],
    &["stream", "log", "{n:u32}"],
    &["event", "go"],
];

#[test]
fn the_same_is_seen_and_changed_there_as_here() {
    let two = Two::apart();
    for made in MADE {
        two.output(&[&["create"], made].concat());
    }
    two.output(&["set", "speed", "2.5"]);
    two.output(&["set", "speed", "3", "--if-value", "2.5"]);
    two.run(&["set", "speed", "4", "--if-value", "2.5"]).failed(5, &["speed", "expected 2.5, found 3"]);
    two.output(&["set", "notes", "grüße"]);
    two.output(&["set", "pose", r#"{"x": 1.25}"#]);
    two.output(&["set", "pose", "7", "--field", "n"]);
    two.output(&["set", "grid", "[[1,2,3],[4,5,6]]"]);
    two.output(&["set", "grid", "60", "--index", "1,2"]);
    two.output(&["set", "bytes", "255", "--index", "3"]);
    two.output(&["put", "jobs", "one"]);
    two.output(&["put", "jobs", "two"]);
    two.output(&["stream", "append", "log", r#"{"n":1}"#, r#"{"n":2}"#]);
    two.output(&["event", "set", "go"]);
    for looked in [
        &["get", "speed"][..],
        &["get", "notes"],
        &["get", "pose"],
        &["get", "pose", "--field", "x"],
        &["get", "grid"],
        &["get", "grid", "--index", "1,2"],
        &["get", "bytes"],
        &["get", "notes", "--raw"],
        &["get", "grid", "--raw"],
        &["get", "permits"],
        &["get", "go"],
        &["get", "jobs"],
        &["take", "jobs", "--peek", "-n", "2"],
        &["sem", "value", "permits"],
        &["stream", "tail", "log"],
        &["watch", "speed", "--count", "1", "--json"],
    ] {
        let without_time = |text: String| text.split("\"time\"").next().unwrap_or_default().to_owned();
        assert_eq!(without_time(two.output(looked)), without_time(two.here.output(looked)), "{looked:?}");
    }
    assert_eq!(two.json(&["get", "pose"])["content"], json!({"x": 1.25, "n": 7}));
    let ids = |rows: Json| rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(two.json(&["ls"])), ids(two.here.json(&["ls"])));
    assert!(two.output(&["ls"]).contains("grüße"));
    assert_eq!(two.json(&["show", "pose"])["content"], two.here.json(&["show", "pose"])["content"]);
    assert!(two.output(&["show", "jobs"]).contains("2 messages"));
    assert_eq!(two.output(&["take", "jobs"]), "one\n");
    assert_eq!(two.here.output(&["take", "jobs"]), "two\n");
    two.run(&["take", "jobs", "--timeout", "10ms"]).failed(6, &["jobs"]);
    two.output(&["event", "wait", "go", "--timeout", "1s"]);
    two.output(&["event", "clear", "go"]);
    two.output(&["sem", "acquire", "permits", "-n", "2", "--", "true"]);
    let failed = two.run(&["sem", "acquire", "permits", "--", "false"]);
    assert_eq!(failed.code, Some(1));
    assert_eq!(two.here.output(&["sem", "value", "permits"]), "2\n");
    assert!(two.output(&["hz", "speed", "--count", "1", "--window", "10ms"]).contains("Hz"));
    assert!(two.output(&["bw", "notes", "--count", "1", "--window", "10ms"]).contains("/s"));
    assert!(two.json(&["ps"]).as_array().is_some_and(|processes| !processes.is_empty()));
    two.output(&["rm", "speed", "gr*"]);
    assert!(!two.here.output(&["ls"]).contains("speed"));
    two.run(&["get", "speed"]).failed(3, &["speed"]);
    assert_eq!(std::fs::read_dir(two.there.scratch.path()).unwrap().count(), 0, "nothing was made here");
}

#[test]
fn what_needs_the_memory_itself_says_so() {
    let two = Two::apart();
    let mut camera =
        FramePublisher::create(&two.here.space, "camera", &FrameSpec::image(4, 6, 3, Primitive::U8)).unwrap();
    camera.loan().unwrap().publish();
    let mapped = ["--mmap", "/memlane-never-made"];
    let refused = ["on one machine", "run this there", "`memlane frame view`", "`memlane frame publish`"];
    two.run(&[&["frame", "send"][..], &mapped, &["--from", "camera"]].concat()).failed(2, &refused);
    two.run(&[&["frame", "recv"][..], &mapped, &["--to", "camera"]].concat()).failed(2, &refused);
    assert!(!std::path::Path::new("/dev/shm/memlane-never-made").exists());
    two.run(&["frame", "view", "camera", "--spin", "5"]).failed(2, &["--spin"]);
    two.run(&["create", "event", "go", "--mode", "600"]).failed(2, &["mode", "create the region there"]);
    assert_eq!(two.output(&["get", "camera", "--raw"]).len(), 72);
    two.output(&["doctor"]);
}

#[test]
fn a_lock_that_a_session_holds_is_taken_from_it_and_its_host_lives() {
    let two = Two::new();
    two.here.output(&["create", "lock", "door"]);
    let token = two.host.tokens().read_write().unwrap();
    let client =
        Client::connect(&two.host.address().to_string(), Options::new().token(token).remote()).unwrap();
    let guard = client.lock("door").lock(None).unwrap();
    // The holder is the host's own process, which is this one.
    let freed = two.here.json(&["locks", "--release", "door", "--kill"]);
    assert_eq!(freed["killed"], false, "{freed}");
    drop(guard);
}

#[test]
fn what_is_wrong_at_a_host_is_put_right_from_there() {
    let two = Two::apart();
    std::fs::create_dir(two.here.space.directory().join("empty")).unwrap();
    let found = two.run(&["--json", "doctor"]);
    assert_eq!(found.code, Some(0), "it is in nobody's way");
    let found: Json = serde_json::from_str(&found.output).unwrap();
    assert_eq!((&found[0]["problem"], &found[0]["fixed"]), (&json!("empty_folder"), &json!(false)));
    assert_eq!(two.json(&["doctor", "--fix"])[0]["fixed"], true);
    assert!(!two.here.space.directory().join("empty").exists());

    two.output(&["create", "lock", "door"]);
    let token = two.host.tokens().read_write().unwrap();
    let client =
        Client::connect(&two.host.address().to_string(), Options::new().token(token).remote()).unwrap();
    let guard = client.lock("door").lock(None).unwrap();
    two.run(&["locks", "--release", "door"]).failed(7, &["session ", "confirm"]);
    let freed = two.json(&["locks", "--release", "door", "--kill"]);
    assert_eq!(freed["killed"], false, "{freed}");
    drop(guard);
    assert!(two.json(&["locks"])[0]["inconsistent"] == true);

    let segment = tempfile::Builder::new().prefix("memlane-test-").tempfile_in("/dev/shm").unwrap();
    let name = segment.path().file_name().unwrap().to_str().unwrap();
    for listed in [two.output(&["ls", "--foreign"]), two.here.output(&["ls", "--foreign"])] {
        assert!(listed.contains(name), "{listed}");
    }
}

/// A picture file in which no two rows, columns or channels are alike.
fn picture_in(terminal: &Terminal) -> PathBuf {
    let path = terminal.scratch.path().join("picture.png");
    RgbImage::from_fn(64, 48, |x, y| Rgb([x as u8, (3 * y) as u8, (x + y) as u8])).save(&path).unwrap();
    path
}

/// Starts a viewer that checks all frames of a channel that is still to be made, and waits until it waits.
fn started_viewer(mut command: Command) -> Child {
    let mut viewer = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::with_capacity(1, viewer.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("waiting for region `camera` in the host at"), "{said}");
    viewer
}

const VIEW: &[&str] = &["--json", "frame", "view", "camera", "--verify", "--history", "1", "--timeout", "5s"];
fn publish<'a>(picture: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let arguments = ["--json", "frame", "publish", "camera", picture, "--loop", "--stamp", "--count"];
    [&arguments[..], rest].concat()
}

/// Each of so many frames was published once, and seen whole or counted as missed.
fn check_frames(count: u64, published: Child, viewer: Child) {
    let json = |output: &str| serde_json::from_str::<Json>(output).unwrap();
    let published = Ran::from(published.wait_with_output().unwrap());
    assert_eq!(published.code, Some(0), "{published:?}");
    let told = json(&published.output);
    assert_eq!((told["frames"].as_u64(), told["last"].as_u64()), (Some(count), Some(count)), "{told}");

    // No other frame comes.
    let viewed = Ran::from(viewer.wait_with_output().unwrap());
    assert_eq!(viewed.code, Some(6), "{viewed:?}");
    let seen = json(&viewed.output);
    let [frames, missed, first, last] =
        ["frames", "missed", "first", "last"].map(|name| seen[name].as_u64().unwrap());
    assert_eq!((last, &seen["torn"]), (count, &json!(0)), "{seen}");
    assert_eq!(frames + missed, last - first + 1, "{seen}");
    assert!(frames >= 20, "{seen}");
    assert_eq!((&seen["latency_clock"], &seen["publishers_died"]), (&json!("wall"), &Json::Null), "{seen}");
}

#[test]
fn stamped_frames_go_there_and_back_whole() {
    let two = Two::apart();
    let picture = picture_in(&two.there);
    let viewer = started_viewer(two.command(VIEW));
    let published = two
        .command(&publish(picture.to_str().unwrap(), &["200", "--rate", "100"]))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    check_frames(200, published, viewer);

    two.output(&["frame", "publish", "camera", picture.to_str().unwrap()]);
    let saved = two.there.scratch.path().join("saved.png");
    let told = two.output(&["frame", "view", "camera", "--history", "1", "--save", saved.to_str().unwrap()]);
    assert!(told.starts_with("1 frames in"), "{told}");
    assert_eq!(image::open(saved).unwrap().to_rgb8(), image::open(&picture).unwrap().to_rgb8());
    let unstamped = ["frame", "view", "camera", "--history", "1", "--count", "1", "--verify"];
    assert_eq!(two.run(&unstamped).code, Some(5));

    two.output(&["create", "event", "go"]);
    two.run(&["frame", "view", "go"]).failed(5, &["`go`", "frames", "event"]);
    two.run(&["frame", "view", "none", "--timeout", "1ms"]).code.map(|code| assert_eq!(code, 6)).unwrap();
    let _camera = FramePublisher::open(&two.here.space, "camera").unwrap();
    let taken = two.run(&["frame", "publish", "camera", picture.to_str().unwrap()]);
    assert_eq!(taken.code, Some(7), "{taken:?}");
}

/// A host of its own process, to be killed; nobody can prove to be on its machine.
struct Killable {
    child: Child,
    address: String,
}

const TOKEN: &str = "a-token-of-this-test-and-of-nobody-else";

impl Killable {
    fn start(here: &Terminal, listen: &str) -> Self {
        let mut command = here.command(&["--json", "host", "--listen", listen]);
        let mut child = command.env("MEMLANE_TOKEN", TOKEN).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        let said: Json = serde_json::from_str(&said).unwrap();
        let secret = here.space.directory().join(format!(".memlane/host-{}", said["port"]));
        std::fs::remove_file(secret).unwrap();
        Self { child, address: said["reach"].as_str().unwrap().to_owned() }
    }

    fn command(&self, there: &Terminal, arguments: &[&str]) -> Command {
        let mut command = there.command(arguments);
        command.env("MEMLANE_AT", &self.address).env("MEMLANE_TOKEN", TOKEN);
        command
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_viewer_and_a_publisher_go_on_after_their_host_was_killed() {
    let (here, there) = (Terminal::new(), Terminal::new());
    let picture = picture_in(&there);
    let host = Killable::start(&here, "127.0.0.1:0");
    let viewer = started_viewer(host.command(&there, VIEW));
    // As fast as it goes, so that a frame is under way when the host dies.
    let mut publish = host.command(&there, &publish(picture.to_str().unwrap(), &["2000"]));
    let published = publish.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();

    here.space.wait_for("camera", Some(Duration::from_secs(20))).unwrap();
    let observer = Observer::open(&here.space, "camera").unwrap();
    while observer.version() < 500 {
        std::thread::yield_now();
    }
    let address = host.address.clone();
    drop(host);
    assert!(observer.version() < 2000, "it was killed too late");
    let _host = Killable::start(&here, &address);
    check_frames(2000, published, viewer);
}

#[test]
fn connect_says_what_it_found() {
    let two = Two::apart();
    two.output(&["create", "value", "speed", "f64"]);
    let address = two.host.address().to_string();
    let found = two.json(&["connect", &address]);
    assert_eq!((&found["mode"], &found["access"]), (&json!("remote"), &json!("read-write")));
    assert!(found["why"].as_str().unwrap().contains("is not on this machine"), "{found}");
    assert_eq!(found["regions"][0]["id"], "speed");
    let told = two.output(&["connect", &address]);
    assert!(told.contains("remote: everything goes through the host") && told.contains("speed"), "{told}");
    let mut wrong = two.command(&["connect", &address]);
    wrong.env("MEMLANE_TOKEN", "wrong");
    Ran::from(wrong.output().unwrap()).failed(4, &["MEMLANE_TOKEN"]);
    two.run(&["connect", "127.0.0.1:1"]).failed(3, &["memlane host"]);
    two.run(&["connect", "ftp://lab"]).failed(2, &["ftp"]);
}

#[test]
fn on_the_hosts_machine_the_memory_is_used_and_no_token_is_needed() {
    let two = Two::new();
    let mut command = two.command(&["create", "value", "speed", "f64", "--mode", "600"]);
    command.env_remove("MEMLANE_TOKEN");
    Ran::from(command.output().unwrap()).worked();
    let found = two.json(&["connect", &two.host.address().to_string()]);
    assert_eq!(found["mode"], "local");
    assert!(two.here.output(&["ls"]).contains("speed"));
}

#[test]
fn a_lock_that_a_session_holds_is_shown_as_the_sessions() {
    let two = Two::new();
    two.here.output(&["create", "lock", "door"]);
    let token = two.host.tokens().read_write().unwrap();
    let client =
        Client::connect(&two.host.address().to_string(), Options::new().token(token).remote()).unwrap();
    let _guard = client.lock("door").lock(None).unwrap();
    let held = two.here.json(&["locks"]);
    assert!(held[0]["holder"]["from"].as_str().unwrap().starts_with("127.0.0.1"), "{held}");
    let told = two.here.output(&["locks"]);
    assert!(told.contains("session ") && told.contains(" from 127.0.0.1"), "{told}");
}
