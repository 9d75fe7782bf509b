//! A client that one host passes on to another.

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, Observer};
use memlane_net::host::{Host, Tls};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use crate::client::Client;
use crate::served::{HostProcess, Served, free_port};

/// What the near host says to a client that wants to be passed on; the far host's hello, if all is well.
fn passed_on(near: &Served, token: &str, via: &Value) -> (Client, Value) {
    let mut client = Client::connect(near.address());
    let reply = client.say_hello(json!({"token": token, "via": via}));
    (client, reply)
}

/// A client that was passed on and let in.
fn through(near: &Served, far: SocketAddr, token: &str) -> Client {
    let (mut client, hello) = passed_on(near, near.token(), &json!({"host": far.to_string()}));
    assert!(hello["hello"]["challenge"].is_string(), "{hello}");
    let welcome = client.enter(json!({"token": token}));
    assert_eq!(welcome["local"], false);
    assert!(welcome["why"].as_str().unwrap().contains("passes on"), "{welcome}");
    client
}

fn refusal(near: &Served, token: &str, via: &Value) -> (String, String) {
    let (mut client, reply) = passed_on(near, token, via);
    let refused = &reply["refused"];
    let text = |name: &str| refused[name].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned();
    assert_eq!(u16::from(client.closed().code), 1008);
    (text("code"), text("message"))
}

#[test]
fn changes_and_pictures_go_through_unharmed() {
    let (near, far) = (Served::new(|host| host), Served::new(|host| host));
    let mut client = through(&near, far.address(), far.token());
    let mut n = 0;
    let mut ask = |client: &mut Client, mut header: Value| {
        n += 1;
        header["n"] = json!(n);
        header["ack"] = json!(n - 1);
        client.say(&header, b"");
        let (answer, payload) = client.hear();
        (answer.get("ok").unwrap_or_else(|| panic!("{header}: {answer}")).clone(), payload)
    };
    ask(&mut client, json!({"op": "create", "id": "count", "kind": "value", "schema": "i64"}));
    for expected in 1..=300 {
        let (added, _) = ask(&mut client, json!({"op": "add", "id": "count", "by": 1}));
        assert_eq!(added["content"], expected);
    }
    assert!(Observer::open(&far.space, "count").is_ok() && Observer::open(&near.space, "count").is_err());

    let spec = FrameSpec::image(404, 640, 3, Primitive::U8);
    let mut camera = FramePublisher::open_or_create(&far.space, "camera", &spec).unwrap();
    ask(&mut client, json!({"op": "subscribe", "id": "camera", "form": "bytes"}));
    for sequence in 1..=20_u8 {
        let picture: Vec<u8> = (0..404 * 640 * 3).map(|at| (at as u8).wrapping_mul(sequence)).collect();
        let mut loan = camera.loan().unwrap();
        loan.copy_from_slice(&picture);
        loan.publish();
        let (event, payload) = client.hear();
        assert_eq!((&event["sequence"], payload == picture), (&json!(sequence), true));
        let credit = json!({"credit": [{"subscription": event["subscription"], "event": event["event"]}]});
        client.say(&credit, b"");
    }

    // A session outlives its connection, whichever way it came.
    let session = client.session.clone();
    drop(client);
    let (mut client, _) = passed_on(&near, near.token(), &json!({"host": far.address().to_string()}));
    assert_eq!(client.enter(json!({"token": far.token(), "session": session}))["resumed"], true);
    let (status, _) = ask(&mut client, json!({"op": "status"}));
    assert_eq!(status["clients"].as_array().unwrap().len(), 1, "{status}");
    let client = &status["clients"][0];
    assert_eq!(client["local"], false, "{client}");
    assert!(client["why"].as_str().unwrap().contains("another host, or a proxy"), "{client}");
}

#[test]
fn what_is_said_too_early_is_not_lost() {
    let (near, far) = (Served::new(|host| host), Served::new(|host| host));
    let mut client = Client::connect(near.address());
    let hellos = [
        json!({"hello": {"protocol": 1, "token": near.token(), "via": {"host": far.address().to_string()}}}),
        json!({"hello": {"protocol": 1, "token": far.token()}}),
    ];
    // Kept until the flush, so that both are in one packet.
    for hello in hellos {
        client.socket.write(tungstenite::Message::text(hello.to_string())).unwrap();
    }
    client.socket.flush().unwrap();
    assert!(client.hear().0["hello"].is_object());
    assert!(client.hear().0["welcome"].is_object());
}

#[test]
fn a_killed_far_host_is_noticed_and_found_again() {
    let near = Served::new(|host| host);
    let directory = tempfile::tempdir().unwrap();
    let far = HostProcess::start(directory.path(), free_port());
    let (address, token) = (far.address, far.token.clone());
    let mut client = through(&near, address, &token);
    let created =
        client.ask(&json!({"n": 1, "op": "create", "id": "speed", "kind": "value", "schema": "f64"}));
    assert!(created["ok"].is_object(), "{created}");
    let port = far.kill();
    let end = client.socket.read();
    assert!(end.is_err(), "{end:?}");
    let via = json!({"host": address.to_string()});
    assert_eq!(refusal(&near, near.token(), &via).0, "unreachable");
    let again = HostProcess::start(directory.path(), port);
    let mut client = through(&near, again.address, &again.token);
    assert!(client.ask(&json!({"n": 1, "op": "read", "id": "speed"}))["ok"].is_object());
}

#[test]
fn encryption_is_pinned() {
    let near = Served::new(|host| host);
    let far = Served::new(|host| host.tls(Tls::self_made()));
    let host = far.address().to_string();
    let pin = far.host.fingerprint().unwrap();
    let (mut client, hello) = passed_on(&near, near.token(), &json!({"host": host, "fingerprint": pin}));
    assert!(hello["hello"].is_object(), "{hello}");
    client.enter(json!({"token": far.token()}));
    assert!(client.ask(&json!({"n": 1, "op": "list"}))["ok"].is_object());
    for (via, word) in [
        (json!({"host": host, "fingerprint": "00".repeat(32)}), "another fingerprint"),
        (json!({"host": host, "fingerprint": "no digits"}), "64 hexadecimal digits"),
        (json!({"host": host, "tls": true}), "its certificate is not taken"),
        (json!({"host": host}), "if it speaks TLS"),
    ] {
        let (code, message) = refusal(&near, near.token(), &via);
        assert!(code == "unreachable" && message.contains(word), "{via}: {message}");
    }
}

#[test]
fn nobody_is_passed_on_where_it_may_not_be() {
    let (near, far) = (Served::new(|host| host), Served::new(|host| host));
    let via = json!({"host": far.address().to_string()});
    let looking = near.host.tokens().read_only().unwrap();
    assert_eq!(refusal(&near, looking, &via).0, "read_only");
    assert_eq!(refusal(&near, "a-wrong-token", &via).0, "unauthorised");
    let shown = Served::new(Host::read_only);
    assert_eq!(refusal(&shown, shown.token(), &via).0, "read_only");

    let itself = refusal(&near, near.token(), &json!({"host": near.address().to_string()}));
    assert!(itself.0 == "unreachable" && itself.1.contains("the very host"), "{itself:?}");
    for host in ["", "ftp://lab", "127.0.0.1:1"] {
        assert_eq!(refusal(&near, near.token(), &json!({"host": host})).0, "unreachable", "{host}");
    }
    // And no further than one host.
    let (mut client, _) = passed_on(&near, near.token(), &via);
    let beyond = json!({"token": far.token(), "via": {"host": shown.address().to_string()}});
    let reply = client.say_hello(beyond);
    assert!(reply["refused"]["message"].as_str().unwrap().contains("not passed on any further"), "{reply}");
}

#[test]
fn what_is_no_memlane_is_refused_with_words() {
    let near = Served::new(|host| host);
    for (answer, word) in [
        (&b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"[..], "HTTP 404"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
            "HTTP 101",
        ),
        (b"220 mail.example.org ESMTP\r\n", "not answer in plain HTTP"),
        (b"", "not answer in"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let other = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut asked = [0; 4096];
            let _ = socket.read(&mut asked).unwrap();
            socket.write_all(answer).unwrap();
            // Who says nothing keeps the line.
            while answer.is_empty() && socket.read(&mut asked).is_ok_and(|read| read > 0) {}
        });
        let (code, message) = refusal(&near, near.token(), &json!({"host": host}));
        assert!(code == "unreachable" && message.contains(word), "{message}");
        other.join().unwrap();
    }
}
