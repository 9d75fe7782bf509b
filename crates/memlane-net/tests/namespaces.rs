//! Host and client in network namespaces of their own, which is as far apart as one machine allows: pictures at 60 a
//! second go over the wire, and the same client is given the memory itself where the space is to be seen.
//!
//! Making namespaces is for root; who is not says so, loudly, and skips this.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, Space};
use memlane_net::client::{Client, Mode, Options};
use memlane_net::protocol::event::Delivery;
use serde_json::{Value, json};
use served::HostProcess;

mod served;

const FRAMES: u64 = 300;
const PERIOD: Duration = Duration::from_nanos(1_000_000_000 / 60);
/// What a client of another process is to do.
const ORDERS: &str = "MEMLANE_TEST_CLIENT";

/// Not a test: the host.
#[test]
fn host_process() {
    served::serve_if_ordered();
}

/// Not a test: the client, which takes pictures until the last one, if it is remote.
#[test]
fn client_process() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Value = serde_json::from_str(&orders).unwrap();
    let options = Options::new().token(orders["token"].as_str().unwrap());
    let client = Client::connect(orders["address"].as_str().unwrap(), options).unwrap();
    let (mut taken, mut missed) = (0, 0);
    if client.mode() == Mode::Remote {
        let mut sequence = 0;
        let frames =
            client.frames("camera").subscribe(Delivery { after: Some(0), ..Delivery::default() }).unwrap();
        println!("\nREADY");
        while sequence < FRAMES {
            let frame = frames.next(Some(Duration::from_secs(30))).unwrap().expect("a picture in time");
            assert!(frame.bytes.iter().all(|byte| *byte == frame.sequence as u8), "a torn picture");
            (sequence, taken, missed) = (frame.sequence, taken + 1, missed + frame.missed);
        }
    }
    let mode = if client.mode() == Mode::Local { "local" } else { "remote" };
    println!("\nDONE {}", json!({"mode": mode, "why": client.why(), "taken": taken, "missed": missed}));
}

/// Two namespaces and a cable between them, gone when dropped.
struct Cable {
    names: [String; 2],
}

impl Cable {
    const ADDRESSES: [&'static str; 2] = ["10.213.77.1", "10.213.77.2"];

    fn new() -> Option<Self> {
        let names = ["a", "b"].map(|end| format!("memlane-{}-{end}", std::process::id()));
        if !ip(&["netns", "add", &names[0]]) {
            return None;
        }
        let cable = Self { names };
        let [a, b] = &cable.names;
        let ends = ["a", "b"].map(|end| format!("ml{}{end}", std::process::id()));
        let made = ip(&["netns", "add", b])
            && ip(&[
                "link", "add", &ends[0], "netns", a, "type", "veth", "peer", "name", &ends[1], "netns", b,
            ]);
        let plugged = (0..2).all(|end| {
            let (name, address) = (&cable.names[end], format!("{}/24", Self::ADDRESSES[end]));
            ip(&["-n", name, "address", "add", &address, "dev", &ends[end]])
                && ip(&["-n", name, "link", "set", &ends[end], "up"])
                && ip(&["-n", name, "link", "set", "lo", "up"])
        });
        (made && plugged).then_some(cable)
    }

    /// Starts this program at one end. With `hidden`, whatever is in that directory is not to be seen there.
    fn program(&self, end: usize, hidden: Option<&Path>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[end]]);
        if let Some(hidden) = hidden {
            command
                .args(["unshare", "--mount", "sh", "-c", "mount -t tmpfs none \"$0\" && exec \"$@\""])
                .arg(hidden);
        }
        command.arg(std::env::current_exe().unwrap());
        command
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&["netns", "delete", name]);
        }
    }
}

fn ip(arguments: &[&str]) -> bool {
    let status = Command::new("ip").args(arguments).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs the client at one end; calls `ready` once it waits for pictures, and gives back what it found.
fn run_client(mut program: Command, address: SocketAddr, token: &str, ready: impl FnOnce()) -> Value {
    let orders = json!({"address": address.to_string(), "token": token}).to_string();
    let child =
        program.args(["--exact", "client_process", "--nocapture"]).env(ORDERS, orders).stdout(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    let (mut ready, mut done) = (Some(ready), None);
    for line in std::io::BufRead::lines(output).map_while(Result::ok) {
        if line == "READY" {
            ready.take().expect("once")();
        }
        if let Some(found) = line.strip_prefix("DONE ") {
            done = Some(serde_json::from_str(found).unwrap());
        }
    }
    child.wait().unwrap();
    done.expect("the client says what it found")
}

#[test]
fn pictures_go_over_the_wire_and_the_memory_itself_is_given_where_it_is_seen() {
    let Some(cable) = Cable::new() else {
        eprintln!("LEFT OUT: network namespaces, which are for root and need `ip`; run the tests as root");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("space");
    let space = Space::at(&place).unwrap();
    let spec = FrameSpec::image(404, 640, 3, Primitive::U8);
    let mut camera = FramePublisher::create(&space, "camera", &spec).unwrap();
    let address = SocketAddr::new(Cable::ADDRESSES[0].parse().unwrap(), 7440);
    let host = HostProcess::start_by(cable.program(0, None), &place, address);

    let film = || {
        thread::scope(|scope| {
            scope.spawn(|| {
                let start = Instant::now();
                for number in 1..=FRAMES {
                    let due = start + PERIOD * number as u32;
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    let mut frame = camera.loan().unwrap();
                    frame.fill(number as u8);
                    frame.publish();
                }
            });
        });
    };
    let remote = run_client(cable.program(1, Some(&place)), address, &host.token, film);
    println!("over the wire: {remote}");
    assert_eq!(remote["mode"], "remote", "{remote}");
    let count = |name: &str| remote[name].as_u64().unwrap();
    assert_eq!(count("taken") + count("missed"), FRAMES, "{remote}");
    assert!(count("taken") * 10 >= FRAMES * 8, "{remote}");

    let local = run_client(cable.program(0, None), address, "", || ());
    println!("where the space is seen: {local}");
    assert_eq!(local["mode"], "local", "{local}");
}
