//! Many clients at once, and one that does not read: what they cost the host.

use std::net::TcpStream;
use std::time::Duration;

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, Space, Value};
use memlane_net::client::{Client, Options};
use memlane_net::protocol::message::Message as Header;
use rustix::process::{Resource, Rlimit};
use serde_json::json;
use served::HostProcess;
use tungstenite::{Message, WebSocket};

mod served;

const MIB: u64 = 1 << 20;
const PICTURE: usize = 404 * 640 * 3;

/// Not a test: the host of the others.
#[test]
fn host_process() {
    allow_many_files();
    served::serve_if_ordered();
}

/// A thousand sockets are more than some shells allow.
fn allow_many_files() {
    let Rlimit { maximum, .. } = rustix::process::getrlimit(Resource::Nofile);
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .expect("up to the maximum");
}

/// A conversation by hand, after the welcome.
fn raw_client(host: &HostProcess) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(host.address).unwrap();
    let (mut socket, _) = tungstenite::client(format!("ws://{}/api/v1", host.address), stream).unwrap();
    assert!(read(&mut socket)["hello"].is_object());
    say(&mut socket, &json!({"hello": {"protocol": 1, "token": host.token}}));
    assert!(read(&mut socket)["welcome"].is_object());
    socket
}

fn say(socket: &mut WebSocket<TcpStream>, header: &serde_json::Value) {
    socket.send(Message::text(header.to_string())).unwrap();
}

fn read(socket: &mut WebSocket<TcpStream>) -> serde_json::Value {
    loop {
        let message = match socket.read().unwrap() {
            Message::Text(text) => Header::from_text(text.to_string()),
            Message::Binary(bytes) => Header::from_binary(bytes),
            _ => continue,
        };
        return message.unwrap().header().unwrap();
    }
}

#[test]
fn a_thousand_idle_connections_take_little_memory() {
    allow_many_files();
    let directory = tempfile::tempdir().unwrap();
    let host = HostProcess::start(&directory.path().join("space"), served::free_port());
    let alone = host.resident();
    let mut clients: Vec<_> = (0..1000).map(|_| raw_client(&host)).collect();
    let together = host.resident();
    println!("{} MiB alone, {} MiB with 1000 connections", alone / MIB, together / MIB);
    assert!(together < 60 * MIB, "{} MiB", together / MIB);
    // All of them are served.
    for client in &mut clients {
        say(client, &json!({"n": 1, "op": "list"}));
    }
    for client in &mut clients {
        assert_eq!(read(client)["ok"]["regions"], json!([]));
    }
}

#[test]
fn two_hundred_clients_read_and_write() {
    allow_many_files();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("space");
    let space = Space::at(&place).unwrap();
    let sum = Value::<i64>::create(&space, "sum", 0).unwrap();
    let host = HostProcess::start(&place, served::free_port());
    std::thread::scope(|scope| {
        for who in 0..200 {
            let (host, space) = (&host, &space);
            scope.spawn(move || {
                let options = Options::new().token(host.token.as_str()).remote();
                let client = Client::connect(&host.address.to_string(), options).unwrap();
                let text = format!("text/{who}");
                memlane::Text::create(space, &text, 100).unwrap();
                for number in 0..50 {
                    client.value("sum").add(&1_i64).unwrap();
                    client.text(&text).write(&number.to_string()).unwrap();
                    assert_eq!(client.text(&text).read().unwrap().0, number.to_string());
                }
            });
        }
    });
    assert_eq!(sum.load(), 200 * 50);
}

#[test]
fn a_subscriber_that_does_not_read_costs_bounded_memory_and_counts_what_it_missed() {
    const FRAMES: u64 = 400;
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("space");
    let space = Space::at(&place).unwrap();
    let picture = FrameSpec::image(404, 640, 3, Primitive::U8);
    let mut camera = FramePublisher::create(&space, "camera", &picture).unwrap();
    camera.loan().unwrap().publish();
    let host = HostProcess::start(&place, served::free_port());
    let mut stalled = raw_client(&host);
    say(&mut stalled, &json!({"n": 1, "op": "subscribe", "id": "camera", "window": 4}));
    let options = Options::new().token(host.token.as_str()).remote();
    let other = Client::connect(&host.address.to_string(), options).unwrap();
    other.frames("camera").newest().unwrap();
    let before = host.resident();
    for _ in 0..FRAMES {
        camera.loan().unwrap().publish();
        // The host gets every chance to pile frames up.
        other.frames("camera").newest().unwrap();
    }
    let after = host.resident();
    println!("{} MiB before, {} MiB after {FRAMES} frames", before / MIB, after / MIB);
    let allowed = before + 16 * PICTURE as u64;
    assert!(after < allowed, "{} MiB grew to {} MiB", before / MIB, after / MIB);
    // It reads again: what was on the way, and then the newest, with all that it missed.
    let (mut frames, mut missed, mut newest) = (0, 0, 0);
    stalled.get_ref().set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    while newest < FRAMES + 1 {
        let header = read(&mut stalled);
        let Some(sequence) = header["sequence"].as_u64() else { continue };
        frames += 1;
        missed += header["missed"].as_u64().unwrap();
        newest = sequence;
        say(
            &mut stalled,
            &json!({"credit": [{"subscription": header["subscription"], "event": header["event"]}]}),
        );
    }
    println!("{frames} frames and {missed} missed of {newest}");
    assert_eq!(frames + missed, newest, "every frame is delivered or counted");
    assert!(frames <= 6, "{frames} frames were piled up");
}
