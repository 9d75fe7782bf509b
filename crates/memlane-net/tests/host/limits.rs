//! Too much of anything is refused with a reason, and the host goes on.

use memlane::Event;
use memlane_net::host::{Host, Limits};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use crate::client::{Client, http, stream};
use crate::served::Served;

const SHORT: Duration = Duration::from_millis(300);

fn limited(change: impl FnOnce(&mut Limits)) -> Served {
    let mut limits = Limits::default();
    change(&mut limits);
    Served::new(|host| host.limits(limits))
}

/// Somebody else is still served.
fn assert_unharmed(served: &Served) {
    let answer = served.client().ask(&json!({"n": 1, "op": "status"}));
    assert!(answer["ok"]["uptime"].as_f64().is_some(), "{answer}");
}

/// The last message before the host closes, and how it does.
fn last_words(client: &mut Client) -> Value {
    let mut last = Value::Null;
    loop {
        match client.listen() {
            Ok((message, _)) => last = message,
            Err(frame) => {
                assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1008), "{last}");
                return last;
            }
        }
    }
}

#[test]
fn connections_from_one_address_are_counted() {
    let served = limited(|limits| limits.connections_per_address = 2);
    let (_one, two) = (served.client(), served.client());
    let answer = http(served.address(), "", b"");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("too many connections"), "{answer}");
    drop(two);
    // Its place is free as soon as the host has seen that it is gone.
    let deadline = Instant::now() + Duration::from_secs(10);
    while tungstenite::client(format!("ws://{}/api/v1", served.address()), stream(served.address())).is_err()
    {
        assert!(Instant::now() < deadline, "the place is not given back");
    }
}

#[test]
fn sessions_that_are_away_make_room() {
    let served = limited(|limits| limits.sessions = 2);
    let (one, two) = (served.client(), served.client());
    let mut third = Client::connect(served.address());
    let reply = third.say_hello(json!({"token": served.host.tokens().read_write()}));
    assert_eq!(reply["refused"]["code"], "limit", "{reply}");
    let (lost, kept) = (one.session.clone(), two.session.clone());
    drop(one);
    // The host notices in its own time.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut third = Client::connect(served.address());
        let reply = third.say_hello(json!({"token": served.host.tokens().read_write()}));
        if reply.get("welcome").is_some() {
            break;
        }
        assert!(Instant::now() < deadline, "{reply}");
    }
    assert!(served.resumed(&kept).1, "the one that was there stays");
    drop(two);
    let mut back = Client::connect(served.address());
    let reply = back.say_hello(json!({"token": served.host.tokens().read_write(), "session": lost}));
    assert_ne!(reply["welcome"]["resumed"], true, "{reply}");
}

#[test]
fn requests_in_flight_are_counted() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    for n in 1..=257 {
        client.say(&json!({"n": n, "op": "status"}), b"");
    }
    for n in 1..=256 {
        assert_eq!(client.hear().0["n"], n);
    }
    let refused = last_words(&mut client);
    assert_eq!((&refused["n"], &refused["error"]["code"]), (&json!(257), &json!("limit")), "{refused}");
    assert_unharmed(&served);
}

#[test]
fn a_hundred_thousand_open_requests_are_refused() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    let mut writer = client.socket.get_ref().try_clone().unwrap();
    let flood = thread::spawn(move || {
        let mut socket = WebSocket::from_raw_socket(&mut writer, Role::Client, None);
        // The host closes in the middle of it.
        (1..=100_000).take_while(|n| socket.send(request(*n)).is_ok()).count()
    });
    let mut last = Value::Null;
    while let Ok((message, _)) = client.listen() {
        last = message;
    }
    assert_eq!(last["error"]["code"], "limit", "{last}");
    drop(client);
    flood.join().unwrap();
    assert_unharmed(&served);
}

fn request(n: u64) -> Message {
    Message::Text(json!({"n": n, "op": "status"}).to_string().into())
}

#[test]
fn answers_that_are_not_acknowledged_fill_up() {
    let served = limited(|limits| limits.recorded_bytes = 1000);
    let mut client = served.client();
    let delete = |n: u64, ack: u64| json!({"n": n, "ack": ack, "op": "delete", "id": "nothing"});
    let mut n = 1;
    while client.ask(&delete(n, 0))["error"]["code"] == "not_found" {
        n += 1;
        assert!(n < 100, "nothing fills up");
    }
    assert!(n > 5, "{n}");
    assert_eq!(client.ask(&json!({"n": n + 1, "op": "status"}))["n"], n + 1, "what only looks goes on");
    assert_eq!(client.ask(&delete(n + 2, 0))["error"]["code"], "limit");
    assert_eq!(client.ask(&delete(n + 3, n + 2))["error"]["code"], "not_found");
}

/// A frame's head that promises so many bytes, masked.
fn promise(bytes: u64) -> Vec<u8> {
    let mut head = vec![0x82, 0xff];
    head.extend(bytes.to_be_bytes());
    head.extend([1, 2, 3, 4]);
    head
}

#[test]
fn a_length_of_ten_gigabytes_is_refused() {
    let served = Served::new(|host| host);
    let mut stranger = Client::connect(served.address());
    stranger.socket.get_mut().write_all(&promise(1 << 20)).unwrap();
    assert_eq!(last_words(&mut stranger)["refused"]["code"], "limit", "a hello is short");
    for bytes in [10_000_000_000, (64 << 20) + 1, i64::MAX as u64] {
        let mut client = served.client();
        client.socket.get_mut().write_all(&promise(bytes)).unwrap();
        let refused = last_words(&mut client);
        assert_eq!(refused["refused"]["code"], "limit", "{bytes}: {refused}");
    }
    assert_unharmed(&served);
}

#[test]
fn messages_that_are_none_are_refused() {
    let served = Served::new(|host| host);
    let deep = format!("{{\"n\":1,\"op\":\"list\",\"patterns\":{}", "[".repeat(1000));
    let long = json!({"n": 1, "op": "list", "patterns": ["x".repeat(300_000)]}).to_string();
    let texts =
        [deep.as_str(), long.as_str(), "", "{", "[]", "null", "{\"n\":-1}", "{\"n\":\"1\"}", "{\"ack\":1e9}"];
    let text = |text: &str| Message::Text(text.into());
    let binary = |bytes: &[u8]| Message::Binary(bytes.to_vec().into());
    let binaries = [&b"\xff\xff\xff\xff{}"[..], b"\x05\0\0\0{}", b"", b"\0\0\0\0", b"\x02\0\0\0\xff\xfe"];
    for message in texts.map(text).into_iter().chain(binaries.map(binary)) {
        let mut client = served.client();
        client.socket.send(message.clone()).unwrap();
        let refused = last_words(&mut client);
        assert_eq!(refused["refused"]["code"], "malformed", "{message:.80}: {refused}");
    }
    assert_unharmed(&served);
}

#[test]
fn requests_that_are_not_understood_are_answered() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    for (n, request, code) in [
        (1, json!({"op": "explode"}), "unknown_operation"),
        (2, json!({"op": "read"}), "malformed"),
        (3, json!({}), "malformed"),
        (4, json!({"op": "read", "id": "a", "form": "explode"}), "malformed"),
        (5, json!({"op": "unsubscribe", "subscription": 7}), "not_found"),
    ] {
        let mut header = request.clone();
        header["n"] = n.into();
        let answer = client.ask(&header);
        assert_eq!((&answer["n"], &answer["error"]["code"]), (&json!(n), &json!(code)), "{answer}");
    }
    // A number that is not the next one is beyond repair.
    client.say(&json!({"n": 9, "op": "status"}), b"");
    assert_eq!(last_words(&mut client)["error"]["code"], "malformed");
}

#[test]
fn whoever_does_not_say_who_he_is_goes() {
    let served = limited(|limits| limits.hello = SHORT);
    let mut silent = Client::connect(served.address());
    assert_eq!(last_words(&mut silent)["refused"]["code"], "unauthorised");
    // One byte of a request at a time.
    let mut slow = stream(served.address());
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".iter().chain([b'x'].iter().cycle());
    let began = Instant::now();
    for byte in request {
        if slow.write_all(&[*byte]).is_err() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "still listening");
        thread::sleep(Duration::from_millis(20));
    }
    assert_unharmed(&served);
}

#[test]
fn a_silent_connection_is_asked_and_then_closed() {
    let served = limited(|limits| (limits.ping_after, limits.silence) = (SHORT / 3, SHORT));
    let (mut here, gone) = (served.client(), served.client());
    let began = Instant::now();
    let mut pings = 0;
    // Reads, and so answers.
    while began.elapsed() < SHORT * 4 {
        assert!(matches!(here.socket.read().unwrap(), Message::Ping(_)));
        pings += 1;
    }
    assert!(pings >= 4, "{pings}");
    assert_eq!(here.ask(&json!({"n": 1, "op": "status"}))["n"], 1);
    // Does not read: the host has closed, after what it had said.
    let mut rest = Vec::new();
    let mut socket: &TcpStream = gone.socket.get_ref();
    let read = socket.read_to_end(&mut rest);
    assert!(read.is_ok() || read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset), "{rest:?}");
}

#[test]
fn whoever_does_not_read_is_not_read_from() {
    let served = Served::new(|host| host);
    let client = served.client();
    let socket = client.socket.get_ref();
    socket.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut writing = WebSocket::from_raw_socket(socket, Role::Client, None);
    let most: u64 = 1_000_000;
    let request = |n: u64| json!({"n": n, "ack": n - 1, "op": "status"}).to_string();
    let sent = (1..most).take_while(|n| writing.send(Message::Text(request(*n).into())).is_ok());
    let sent = sent.count() as u64;
    assert!(sent > 1000 && sent < most - 1, "{sent} requests were taken");
    assert_unharmed(&served);
}

#[test]
fn pings_of_whoever_does_not_read_are_not_read_either() {
    let served = Served::new(|host| host);
    let client = served.client();
    let socket = client.socket.get_ref();
    socket.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut writer = socket;
    // A thousand pings of a hundred bytes.
    let pings = [&[0x89, 0x80 | 0x64, 0, 0, 0, 0][..], &[7; 100]].concat().repeat(1000);
    let most = 200_000_000 / pings.len();
    let sent = (0..most).take_while(|_| writer.write_all(&pings).is_ok()).count();
    assert!(sent > 1 && sent < most, "{sent} of {most}");
    assert_unharmed(&served);
}

#[test]
fn a_host_that_is_for_looking_only_says_so() {
    let served = Served::new(Host::read_only);
    let answer = served.client().ask(&json!({"n": 1, "op": "delete", "id": "a"}));
    assert_eq!(answer["error"]["code"], "read_only", "{answer}");
}

#[test]
fn what_is_not_shared_is_not_there() {
    let served = Served::new(|host| host.only(["shared/*".into()]));
    for id in ["shared/one", "other/one"] {
        Event::create(&served.space, id).unwrap();
    }
    let mut client = served.client();
    let answer = client.ask(&json!({"n": 1, "op": "delete", "id": "other/one"}));
    assert_eq!(answer["error"]["code"], "not_shared", "{answer}");
    let listed = client.ask(&json!({"n": 2, "op": "list"}));
    let ids: Vec<_> = listed["ok"]["regions"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, ["shared/one"], "{listed}");
    assert_eq!(client.ask(&json!({"n": 3, "op": "delete", "id": "shared/one"}))["ok"], json!({}));
    assert_eq!(served.space.list().unwrap(), ["other/one"]);
}
