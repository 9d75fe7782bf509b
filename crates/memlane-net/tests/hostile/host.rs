//! A host in a process of its own, and thousands of connections that send it what is nearly valid.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use memlane_net::client::{Client, Options};
use memlane_net::protocol::operation::Specification;
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::headers::{HELLOS, REQUESTS};
use crate::mutant::mutate;
use crate::served::{HostProcess, free_port};

/// Connections of each sort.
const CONNECTIONS: usize = 3000;
/// At a time.
const THREADS: usize = 8;
/// Requests of a connection that was let in.
const REQUESTS_EACH: usize = 12;
const MIB: u64 = 1 << 20;

const UPGRADE: &str = "GET /api/v1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Of each kind that a request of [`REQUESTS`] names.
fn make_regions(client: &Client) {
    for (id, fields) in [
        ("value", json!({"kind": "value", "schema": "i64"})),
        ("record", json!({"kind": "record", "schema": "{x:f64,n:i32}"})),
        ("array", json!({"kind": "array", "schema": "[2,3]i32"})),
        ("text", json!({"kind": "text", "capacity": 4096})),
        ("lock", json!({"kind": "lock"})),
        ("semaphore", json!({"kind": "semaphore", "count": 2, "signal": true})),
        ("event", json!({"kind": "event", "auto_reset": true})),
        ("condition", json!({"kind": "condition", "count": 4})),
        ("barrier", json!({"kind": "barrier", "count": 3})),
        ("queue", json!({"kind": "queue", "capacity": 4096, "acknowledged": true})),
        ("pipe", json!({"kind": "pipe", "capacity": 4096})),
        ("frames", json!({"kind": "frames", "capacity": 4096})),
        ("stream", json!({"kind": "stream", "schema": "{n:u32}", "capacity": 64})),
    ] {
        let specification: Specification = serde_json::from_value(fields).unwrap();
        client.create(id, specification, false).unwrap();
    }
}

/// A client's frame with a mask of zeros.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        length @ ..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 0x7e);
            frame.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// The frame of a header, as text or with a payload; one in four is changed, inside or as a whole.
fn nearly_valid(header: &str, chance: &mut Chance) -> Vec<u8> {
    let (opcode, mut message) = if chance.below(2) == 0 {
        (1, header.as_bytes().to_vec())
    } else {
        (2, [&(header.len() as u32).to_le_bytes(), header.as_bytes(), b"payload!"].concat())
    };
    let way = chance.below(12);
    if way < 2 {
        mutate(&mut message, chance);
    }
    let mut frame = frame(opcode, &message);
    if way == 2 {
        mutate(&mut frame, chance);
    }
    frame
}

/// A connection that does not wait for long.
struct Hostile(TcpStream);

impl Hostile {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
        Self(stream)
    }

    /// To where the host's first frame can follow.
    fn upgraded(address: SocketAddr) -> Self {
        let mut hostile = Self::connect(address);
        hostile.0.write_all(UPGRADE.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            hostile.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        hostile
    }

    /// All that the host says to this, which is the last of it.
    fn say(mut self, bytes: &[u8]) -> String {
        // The host may have closed in the middle of it.
        let _ = self.0.write_all(bytes);
        let _ = self.0.shutdown(Shutdown::Write);
        let mut said = Vec::new();
        let _ = self.0.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// How many of many connections had a `good` and how many another end; `converse` says which.
fn attack(seed: u64, converse: impl Fn(&mut Chance) -> bool + Sync) -> (usize, usize) {
    let (good, other) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..THREADS as u64 {
            let (converse, good, other) = (&converse, &good, &other);
            scope.spawn(move || {
                let mut chance = Chance::new(seed + number);
                for _ in 0..CONNECTIONS / THREADS {
                    let count = if converse(&mut chance) { good } else { other };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    (good.into_inner(), other.into_inner())
}

#[test]
fn a_host_survives_what_is_nearly_valid() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.stderr(File::create(&log).unwrap());
    let listen = ([127, 0, 0, 1], free_port()).into();
    let mut host = HostProcess::start_by(program, &directory.path().join("space"), listen);
    let address = host.address;
    let connect = || Client::connect(&address.to_string(), Options::new().token(&host.token).remote());
    let good = connect().unwrap();
    make_regions(&good);
    let before = host.resident();

    let (upgraded, refused) = attack(100, |chance| {
        let mut request = UPGRADE.as_bytes().to_vec();
        mutate(&mut request, chance);
        Hostile::connect(address).say(&request).starts_with("HTTP/1.1 101")
    });
    println!("upgrades: {upgraded} of mutants, {refused} refused");
    assert!(upgraded > CONNECTIONS / 50 && refused > CONNECTIONS / 4);

    let token = format!("\"token\":\"{}\"", host.token);
    let hello = HELLOS[0].replace("\"token\":\"correct-horse\",\"session\":\"77aa\"", &token);
    let (welcome, refused) = attack(200, |chance| {
        let hello = if chance.below(2) == 0 { &hello } else { HELLOS[1] };
        let frames = [nearly_valid(hello, chance), nearly_valid(REQUESTS[0], chance)].concat();
        Hostile::upgraded(address).say(&frames).contains("\"welcome\"")
    });
    println!("hellos: {welcome} welcome, {refused} not");
    assert!(welcome > CONNECTIONS / 20 && refused > CONNECTIONS / 4);

    let (served, turned_away) = attack(300, |chance| {
        let mut bytes = frame(1, hello.as_bytes());
        for n in 1..=REQUESTS_EACH {
            let request = REQUESTS[chance.below(REQUESTS.len() as u64) as usize];
            bytes.extend(nearly_valid(&request.replace("\"n\":N", &format!("\"n\":{n}")), chance));
        }
        let said = Hostile::upgraded(address).say(&bytes);
        assert!(said.contains("\"welcome\""), "{said}");
        said.contains("\"ok\"")
    });
    println!("requests: {served} connections with one that was done, {turned_away} with none");
    assert!(served > CONNECTIONS / 4 && turned_away > 0);

    let after = host.resident();
    println!("{} KiB before, {} KiB after", before / 1024, after / 1024);
    assert!(after < before + 32 * MIB, "{} MiB more", (after - before) / MIB);
    assert_eq!(host.child.try_wait().unwrap(), None, "it lives");
    let panics = std::fs::read_to_string(log).unwrap();
    assert_eq!(panics, "", "it had nothing to say");
    for client in [good, connect().unwrap()] {
        client.array("array").write(&[[1, 2, 3], [4, 5, 6]]).unwrap();
        assert_eq!(client.array("array").read::<Value>().unwrap(), json!([[1, 2, 3], [4, 5, 6]]));
    }
}
