//! Requests are done once and in order, whatever happens to the connection.

use memlane::Event;
use memlane_net::host::Limits;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::served::Served;

const GRACE: Duration = Duration::from_millis(300);

fn hasty() -> Served {
    let mut limits = Limits::default();
    limits.grace = GRACE;
    Served::new(|host| host.limits(limits))
}

/// Asks, and the answer must be good.
fn done(client: &mut Client, header: &Value) -> Value {
    let answer = client.ask(header);
    answer.get("ok").unwrap_or_else(|| panic!("{header}: {answer}")).clone()
}

#[allow(clippy::needless_pass_by_value)] // As a table of literals is written.
fn make(client: &mut Client, n: u64, id: &str, kind: &str, more: Value) {
    let mut header = json!({"n": n, "op": "create", "id": id, "kind": kind});
    header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    done(client, &header);
}

/// Until the host has noticed that the session's connection is gone.
fn until_away(served: &Served, watcher: &mut Client, n: &mut u64, name: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        *n += 1;
        let status = done(watcher, &json!({"n": *n, "ack": *n - 1, "op": "status"}));
        if status["clients"].as_array().unwrap().iter().any(|row| name(row) && row["away"].is_f64()) {
            return;
        }
        assert!(Instant::now() < deadline, "{status} of {}", served.address());
    }
}

#[test]
fn a_change_sent_again_after_a_cut_happens_once() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    make(&mut client, 1, "count", "value", json!({"schema": "i64"}));
    let add = json!({"n": 2, "ack": 1, "op": "add", "id": "count", "by": 1});
    let first = client.ask(&add);
    for _ in 0..3 {
        let (mut again, resumed) = served.resumed(&client.session);
        assert!(resumed);
        assert_eq!(again.ask(&add), first, "the recorded answer, byte for byte");
        client = again;
    }
    assert_eq!(done(&mut client, &json!({"n": 3, "ack": 2, "op": "read", "id": "count"}))["content"], 1);
    // What was acknowledged is forgotten, and asking again is an error.
    client.say(&add, b"");
    assert_eq!(client.hear().0["error"]["code"], "malformed");
}

#[test]
fn a_wait_survives_the_connection_and_is_answered_to_the_next() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    make(&mut client, 1, "go", "event", json!({"auto_reset": true}));
    let wait = json!({"n": 2, "ack": 1, "op": "await", "id": "go"});
    client.say(&wait, b"");
    done(&mut client, &json!({"n": 3, "op": "status"}));
    let (mut next, resumed) = served.resumed(&client.session);
    assert!(resumed);
    next.say(&wait, b"");
    // The host has seen that it comes again, while it is still to be answered.
    done(&mut next, &json!({"n": 4, "op": "status"}));
    Event::open(&served.space, "go").unwrap().set();
    assert_eq!(next.hear().0, json!({"n": 2, "ok": {}}), "once");
    assert_eq!(done(&mut next, &json!({"n": 5, "ack": 4, "op": "clear", "id": "go"}))["was"], false);
}

#[test]
fn a_newer_connection_displaces_the_older() {
    let served = Served::new(|host| host);
    let mut older = served.client();
    let (mut newer, resumed) = served.resumed(&older.session);
    assert!(resumed);
    assert_eq!(u16::from(older.closed().code), 4001);
    done(&mut newer, &json!({"n": 1, "op": "status"}));
}

#[test]
fn a_wait_holds_up_nobody_and_can_be_cancelled() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    make(&mut client, 1, "go", "event", json!({}));
    make(&mut client, 2, "count", "value", json!({"schema": "i64"}));
    client.say(&json!({"n": 3, "op": "await", "id": "go"}), b"");
    client.say(&json!({"n": 4, "op": "wait", "id": "count", "version": 0}), b"");
    for n in 5..10 {
        client.say(&json!({"n": n, "op": "add", "id": "count", "by": 1}), b"");
    }
    client.say(&json!({"n": 10, "op": "cancel", "request": 3}), b"");
    let answers: BTreeMap<_, _> =
        (3..=10).map(|_| client.hear().0).map(|answer| (answer["n"].as_u64(), answer)).collect();
    assert_eq!(answers.len(), 8, "{answers:?}");
    assert_eq!(answers[&Some(3)]["error"]["code"], "cancelled");
    assert!(answers[&Some(4)]["ok"]["content"].as_i64() > Some(0));
    assert_eq!(answers[&Some(9)]["ok"]["content"], 5);
}

#[test]
fn leases_outlive_a_cut_but_not_for_long() {
    let served = hasty();
    let (mut holder, mut other) = (served.client(), served.client());
    make(&mut holder, 1, "door", "lock", json!({}));
    let lease = done(&mut holder, &json!({"n": 2, "op": "lock", "id": "door"}))["lease"].clone();
    let locks = done(&mut other, &json!({"n": 1, "op": "locks"}));
    let held = &locks["locks"][0]["holder"];
    assert_eq!((&held["client"], held["session"].is_string()), (&json!("test"), true), "{locks}");
    assert!(held["from"].as_str().unwrap().starts_with("127.0.0.1:"), "{locks}");
    // Back in time: it is still held.
    let (mut holder, _) = served.resumed(&holder.session);
    let attempt = other.ask(&json!({"n": 2, "op": "lock", "id": "door", "timeout": 0}));
    assert_eq!(attempt["error"]["code"], "timeout", "{attempt}");
    assert_eq!(done(&mut holder, &json!({"n": 3, "op": "release", "lease": lease})), json!({}));
    let lease = done(&mut holder, &json!({"n": 4, "op": "lock", "id": "door"}))["lease"].clone();
    let session = holder.session.clone();
    drop(holder);
    // Too late: the next one is told.
    let taken = done(&mut other, &json!({"n": 3, "op": "lock", "id": "door", "timeout": 10}));
    assert_eq!(taken["owner_died"], true, "{taken}");
    let (mut back, resumed) = served.resumed(&session);
    assert!(resumed, "the session itself is kept");
    let ended = back.ask(&json!({"n": 5, "ack": 4, "op": "release", "lease": lease}));
    assert_eq!(ended["error"]["code"], "lease_ended", "{ended}");
}

#[test]
fn nothing_is_taken_for_whoever_is_away() {
    let served = hasty();
    let (mut client, mut watcher) = (served.client(), served.client());
    make(&mut client, 1, "jobs", "queue", json!({"capacity": 4096}));
    let get = json!({"n": 2, "ack": 1, "op": "get", "id": "jobs"});
    client.say(&get, b"");
    done(&mut client, &json!({"n": 3, "op": "status"}));
    let session = client.session.clone();
    drop(client);
    let mut n = 0;
    until_away(&served, &mut watcher, &mut n, |row| row["away"].as_f64() > Some(GRACE.as_secs_f64() * 1.5));
    watcher.say(&json!({"n": n + 1, "op": "put", "id": "jobs"}), b"work");
    watcher.hear();
    let (mut back, _) = served.resumed(&session);
    let ended = back.ask(&get);
    assert_eq!(ended["error"]["code"], "lease_ended", "{ended}");
    back.say(&json!({"n": 4, "ack": 3, "op": "get", "id": "jobs", "timeout": 0}), b"");
    assert_eq!(back.hear().1, b"work");
}

#[test]
fn events_keep_to_their_window_and_end_with_the_connection() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    make(&mut client, 1, "count", "value", json!({"schema": "i64"}));
    let ok = done(&mut client, &json!({"n": 2, "op": "subscribe", "id": "count", "window": 1}));
    let subscription = ok["subscription"].as_u64().unwrap();
    let (first, _) = client.hear();
    assert_eq!(
        (&first["subscription"], &first["event"], &first["content"]),
        (&json!(subscription), &json!(1), &json!(0))
    );
    let mut writer = served.client();
    for n in 1..=10 {
        done(&mut writer, &json!({"n": n, "op": "add", "id": "count", "by": 1}));
    }
    // Without credit nothing comes but what is asked for.
    assert_eq!(client.ask(&json!({"n": 3, "op": "status"}))["ok"]["subscriptions"], 1);
    client.say(&json!({"credit": [{"subscription": subscription, "event": 1}]}), b"");
    let (second, _) = client.hear();
    assert_eq!((&second["event"], &second["content"]), (&json!(2), &json!(10)), "the newest, not the next");
    done(&mut client, &json!({"n": 4, "op": "unsubscribe", "subscription": subscription}));
    let (mut next, resumed) = served.resumed(&client.session);
    assert!(resumed);
    assert_eq!(done(&mut next, &json!({"n": 5, "op": "status"}))["subscriptions"], 0);
}

#[test]
fn bye_gives_everything_back_at_once() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    make(&mut client, 1, "door", "lock", json!({}));
    done(&mut client, &json!({"n": 2, "op": "lock", "id": "door"}));
    done(&mut client, &json!({"n": 3, "op": "bye"}));
    assert_eq!(u16::from(client.closed().code), 1000);
    done(&mut served.client(), &json!({"n": 1, "op": "lock", "id": "door", "timeout": 0}));
    assert!(!served.resumed(&client.session).1);
}

#[test]
fn a_session_is_nobody_elses() {
    let served = Served::new(|host| host);
    let client = served.client();
    assert!(!served.resumed("0123456789abcdef").1);
    // Nor does a token for looking get at a session that may write.
    let mut looking = Client::connect(served.address());
    let token = served.host.tokens().read_only();
    let welcome = looking.enter(json!({"token": token, "session": client.session}));
    assert_eq!(welcome["resumed"], false);
}
