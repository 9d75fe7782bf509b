//! What is about the host's machine itself: doors, the log, locks that are freed, foreign memory, the doctor.

use memlane::{Lock, Observer, Space};
use memlane_net::host::Limits;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::client::{Client, http};
use crate::served::Served;

/// Names the space of a process that holds the lock `door` until it is killed.
const HOLDER: &str = "MEMLANE_TEST_HOLDER";

/// Not a test: the holder of the others.
#[test]
fn holder_process() {
    let Some(space) = std::env::var_os(HOLDER) else { return };
    let door = Lock::open(&Space::at(Path::new(&space)).unwrap(), "door").unwrap();
    let _guard = door.lock().unwrap();
    println!("\nHOLDS");
    loop {
        std::thread::park();
    }
}

struct Holder {
    child: Child,
    _output: BufReader<ChildStdout>,
}

impl Holder {
    fn start(served: &Served) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "machine::holder_process", "--nocapture"])
            .env(HOLDER, served.space.directory())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while line.trim() != "HOLDS" {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "it ended");
        }
        Self { child, _output: output }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ok(answer: &Value) -> &Value {
    answer.get("ok").unwrap_or_else(|| panic!("{answer}"))
}

/// A client that says of itself that it passes on what another one says.
fn passed_on(served: &Served, token: &str) -> Client {
    Client::connect_with(served.address(), &[("Via", "1.1 elsewhere")]).let_in(token)
}

#[test]
fn a_dead_holders_lock_is_freed_and_the_next_is_told() {
    let served = Served::new(|host| host);
    let door = Lock::create(&served.space, "door").unwrap();
    let mut client = served.client();
    let free = client.ask(&json!({"n": 1, "op": "force_release", "id": "door"}));
    assert_eq!(free["error"]["code"], "not_owner", "{free}");
    for (n, consistent) in [(2, false), (3, true)] {
        let holder = Holder::start(&served);
        let pid = holder.child.id();
        drop(holder);
        assert!(!door.state().holder.unwrap().participant.alive);
        let freed =
            client.ask(&json!({"n": n, "op": "force_release", "id": "door", "consistent": consistent}));
        let freed = ok(&freed);
        assert_eq!(freed["killed"], false);
        assert!(freed["was"].as_str().unwrap().contains(&format!("pid {pid}")), "{freed}");
        let state = door.state();
        assert_eq!((state.holder, state.inconsistent), (None, !consistent));
        door.lock().unwrap().make_consistent();
    }
    let missing = client.ask(&json!({"n": 4, "op": "force_release", "id": "nothing"}));
    assert_eq!(missing["error"]["code"], "not_found");
}

#[test]
fn a_living_holder_is_ended_only_when_confirmed_and_from_here() {
    let served = Served::new(|host| host);
    let door = Lock::create(&served.space, "door").unwrap();
    let mut holder = Holder::start(&served);
    let mut client = served.client();
    let busy = client.ask(&json!({"n": 1, "op": "force_release", "id": "door"}));
    let pid = format!("pid {}", holder.child.id());
    assert_eq!(busy["error"]["code"], "busy");
    assert!(busy["error"]["holder"].as_str().unwrap().contains(&pid), "{busy}");

    let confirmed = json!({"n": 2, "op": "force_release", "id": "door", "confirmed": true});
    let mut other = passed_on(&served, served.token());
    other.ask(&json!({"n": 1, "op": "list"}));
    assert_eq!(other.ask(&confirmed)["error"]["code"], "out_of_reach");
    let mut looker = Client::connect(served.address()).let_in(served.host.tokens().read_only().unwrap());
    looker.ask(&json!({"n": 1, "op": "list"}));
    assert_eq!(looker.ask(&confirmed)["error"]["code"], "read_only");
    assert!(holder.child.try_wait().unwrap().is_none(), "it lives");

    let freed = client.ask(&confirmed);
    assert_eq!(ok(&freed)["killed"], true);
    assert_eq!(holder.child.wait().unwrap().signal(), Some(9));
    assert!(door.lock().unwrap().is_inconsistent(), "the next one is told");
}

#[test]
fn a_sessions_lock_is_taken_from_it_and_the_host_lives() {
    let served = Served::new(|host| host);
    let door = Lock::create(&served.space, "door").unwrap();
    let (mut holder, mut client) = (served.client(), served.client());
    let lease = ok(&holder.ask(&json!({"n": 1, "op": "lock", "id": "door"})))["lease"].clone();
    let busy = client.ask(&json!({"n": 1, "op": "force_release", "id": "door"}));
    assert!(busy["error"]["holder"].as_str().unwrap().starts_with("session "), "{busy}");
    let freed = client.ask(&json!({"n": 2, "op": "force_release", "id": "door", "confirmed": true}));
    assert_eq!(ok(&freed)["killed"], false);
    assert!(door.lock_timeout(std::time::Duration::ZERO).unwrap().owner_died());
    let late = holder.ask(&json!({"n": 2, "op": "release", "lease": lease}));
    assert_eq!(late["error"]["code"], "lease_ended");
}

#[test]
fn the_doctor_puts_away_what_nobody_can_miss() {
    let served = Served::new(|host| host);
    Lock::create(&served.space, "door").unwrap();
    drop(Holder::start(&served));
    let mut client = served.client();
    let found = client.ask(&json!({"n": 1, "op": "doctor"}));
    let dead = |answer: &Value| {
        let findings = ok(answer)["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["problem"] == "dead_participants")
    };
    assert_eq!(dead(&found).unwrap()["fixed"], false);
    let fix = json!({"n": 2, "op": "doctor", "fix": true});
    let mut looker = Client::connect(served.address()).let_in(served.host.tokens().read_only().unwrap());
    looker.ask(&json!({"n": 1, "op": "list"}));
    assert_eq!(looker.ask(&fix)["error"]["code"], "read_only");
    assert_eq!(dead(&client.ask(&fix)).unwrap()["fixed"], true);
    assert_eq!(dead(&client.ask(&json!({"n": 3, "op": "doctor"}))), None);
    let observer = Observer::open(&served.space, "door").unwrap();
    assert!(observer.participants().iter().all(|participant| participant.alive));

    let some = Served::new(|host| host.only(["robot/*".into()]));
    let mut client = some.client();
    assert_eq!(client.ask(&json!({"n": 1, "op": "doctor", "fix": true}))["error"]["code"], "not_shared");
}

#[test]
fn changes_and_refusals_are_logged() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    assert_eq!(ok(&client.ask(&json!({"n": 1, "op": "log", "timeout": 0})))["entries"], json!([]));
    client.ask(&json!({"n": 2, "op": "create", "id": "speed", "kind": "value", "schema": "f64"}));
    client.ask(&json!({"n": 3, "op": "list"}));
    let late = json!({"n": 4, "op": "compare_exchange", "id": "speed", "expected": 7.0, "new": 8.0});
    assert_eq!(ok(&client.ask(&late))["exchanged"], false);
    let token = served.host.tokens().read_only().unwrap();
    let mut looker = Client::connect(served.address()).let_in(token);
    looker.ask(&json!({"n": 1, "op": "delete", "id": "speed"}));
    let log = looker.ask(&json!({"n": 2, "op": "log"}));
    let entries = ok(&log)["entries"].as_array().unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (&entry["op"], &entry["id"], &entry["outcome"])).collect();
    let speed = json!("speed");
    let expected = [("create", "ok"), ("compare_exchange", "conflict"), ("delete", "read_only")];
    let expected = expected.map(|(op, outcome)| (json!(op), json!(outcome)));
    assert_eq!(told, expected.each_ref().map(|(op, outcome)| (op, &speed, outcome)));
    assert!(entries[0]["from"].as_str().unwrap().starts_with("127.0.0.1:") && entries[0]["client"] == "test");
    assert!(entries[0]["moment"].as_u64().unwrap() > 1_600_000_000_000_000_000);

    // Who waits gets the next one: also what came by plain HTTP.
    looker.say(&json!({"n": 3, "ack": 2, "op": "log", "since": entries[2]["number"]}), b"");
    let put = format!(
        "PUT /api/v1/regions/speed HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: 3\n\
         Authorization: Bearer {}\n\n",
        served.token()
    );
    assert!(http(served.address(), &put, b"1.5").starts_with("HTTP/1.1 2"));
    let next = looker.hear().0;
    let entry = &ok(&next)["entries"][0];
    assert_eq!(
        (&entry["op"], &entry["id"], &entry["outcome"]),
        (&json!("PUT"), &speed, &json!("ok")),
        "{next}"
    );
}

#[test]
fn only_the_last_thousand_are_kept() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    for n in 1..=1005 {
        client.ask(&json!({"n": n, "ack": n - 1, "op": "delete", "id": "nothing"}));
    }
    let log = client.ask(&json!({"n": 1006, "op": "log"}));
    let entries = ok(&log)["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["number"]), (1000, &json!(6)));
}

#[test]
fn foreign_memory_is_shown_to_who_is_here_and_may_write() {
    let served = Served::new(|host| host);
    let mut segment = tempfile::Builder::new().prefix("memlane-test-").tempfile_in("/dev/shm").unwrap();
    segment.write_all(b"0123456789").unwrap();
    let name = segment.path().file_name().unwrap().to_str().unwrap().to_owned();
    let mut client = served.client();
    let listed = client.ask(&json!({"n": 1, "op": "foreign"}));
    let segments = ok(&listed)["segments"].as_array().unwrap();
    let row = segments.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{listed}"));
    assert_eq!(row["size"], 10);
    client.say(&json!({"n": 2, "op": "foreign_read", "name": name, "start": 3, "count": 4}), b"");
    assert_eq!(client.hear().1, b"3456");
    for (n, name, code) in
        [(3, "../../etc/passwd", "bad_parameter"), (4, "memlane-no-such-segment", "not_found")]
    {
        let read = json!({"n": n, "op": "foreign_read", "name": name, "start": 0, "count": 4});
        assert_eq!(client.ask(&read)["error"]["code"], code);
    }
    let read = json!({"n": 1, "op": "foreign_read", "name": name, "start": 0, "count": 4});
    let mut looker = Client::connect(served.address()).let_in(served.host.tokens().read_only().unwrap());
    assert_eq!(looker.ask(&read)["error"]["code"], "read_only");
    let mut other = passed_on(&served, served.token());
    assert_eq!(other.ask(&read)["error"]["code"], "out_of_reach");
    let some = Served::new(|host| host.only(["robot/*".into()]));
    assert_eq!(some.client().ask(&json!({"n": 1, "op": "foreign"}))["error"]["code"], "not_shared");
}

fn door_of(answer: &Value) -> SocketAddr {
    let shared = &ok(answer)["shared"];
    format!("{}:{}", shared["address"].as_str().unwrap(), shared["port"]).parse().unwrap()
}

#[test]
fn a_host_is_shared_and_no_more() {
    let served = Served::new(|host| host.limits(Limits::default()));
    let mut client = served.client();
    let alone = client.ask(&json!({"n": 1, "op": "sharing"}));
    let (alone, token) = (ok(&alone), served.token());
    assert_eq!((&alone["shared"], &alone["qr"]), (&Value::Null, &Value::Null));
    assert_eq!(alone["url"], format!("http://{}/#token={token}", served.address()));
    assert_eq!(alone["read_write"], token);

    // Another address of this machine, as far as the loopback has them.
    let share = json!({"n": 2, "op": "share", "listen": "127.0.0.2:0"});
    let shared = client.ask(&share);
    let door = door_of(&shared);
    let url = ok(&shared)["shared"]["url"].as_str().unwrap();
    assert_eq!(url, format!("http://{door}/#token={token}"));
    assert!(ok(&shared)["qr"].as_str().unwrap().contains("<svg"), "{shared}");
    let mut guest = Client::connect(door).let_in(token);
    ok(&guest.ask(&json!({"n": 1, "op": "create", "id": "speed", "kind": "value", "schema": "f64"})));
    assert!(Observer::open(&served.space, "speed").is_ok(), "it is the same host");

    let (mut looker, mut other) =
        (Client::connect(door).let_in(served.host.tokens().read_only().unwrap()), passed_on(&served, token));
    for stranger in [&mut looker, &mut other] {
        let told = stranger.ask(&json!({"n": 1, "op": "sharing"}));
        let told = ok(&told);
        assert_eq!(
            (&told["read_write"], &told["read_only"], &told["qr"]),
            (&json!(null), &json!(null), &json!(null))
        );
        assert_eq!(told["shared"]["url"], format!("http://{door}/"));
    }
    assert_eq!(other.ask(&json!({"n": 2, "op": "unshare"}))["error"]["code"], "out_of_reach");
    assert_eq!(looker.ask(&json!({"n": 2, "op": "unshare"}))["error"]["code"], "read_only");

    ok(&client.ask(&json!({"n": 3, "op": "unshare"})));
    assert_eq!(guest.hear().0["refused"]["code"], "shutting_down");
    assert!(TcpStream::connect(door).is_err(), "the door is closed");
    let alone = client.ask(&json!({"n": 4, "op": "sharing"}));
    assert_eq!(ok(&alone)["shared"], Value::Null);
}

#[test]
fn a_shared_door_is_encrypted_if_wished_and_refused_with_words() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    let shared = client.ask(&json!({"n": 1, "op": "share", "listen": "127.0.0.2:0", "tls": true}));
    let fingerprint = ok(&shared)["shared"]["fingerprint"].as_str().unwrap();
    assert!(ok(&shared)["shared"]["url"].as_str().unwrap().starts_with("https://"));
    let options = memlane_net::client::Options::new().token(served.token()).fingerprint(fingerprint).remote();
    let guest = memlane_net::client::Client::connect(&door_of(&shared).to_string(), options).unwrap();
    assert!(guest.list(&[]).unwrap().is_empty());
    let taken = json!({"n": 2, "op": "share", "listen": served.address().to_string()});
    assert_eq!(client.ask(&taken)["error"]["code"], "busy");
    let nowhere = json!({"n": 3, "op": "share", "listen": "no such place"});
    assert_eq!(client.ask(&nowhere)["error"]["code"], "bad_parameter");
}
