//! `docs/protocol.md` is enough to write a client: the one of `peers/client.py`, which was, does what the page says.

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, StreamPublisher, StreamSpec};
use python::Python;
use serde_json::{Value, json};
use served::Served;

mod python;
mod served;

fn python(served: &Served) -> Python {
    Python::new(served.address(), served.token())
}

/// Each request with what its answer holds, at least.
fn converse(python: &mut Python, conversation: &[(Value, Value)]) {
    for (request, expected) in conversation {
        let answer = python.ask(request);
        assert!(holds(&answer, expected), "{request}\nwas answered {answer}\ninstead of {expected}");
    }
}

fn holds(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(name, value)| found.get(name).is_some_and(|found| holds(found, value)))
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| holds(found, expected))
        }
        _ => found == expected,
    }
}

/// A request and its answer's header.
#[allow(clippy::needless_pass_by_value)] // A table reads better without.
fn asked(request: Value, header: Value) -> (Value, Value) {
    (request, json!({"header": header}))
}

fn refused(request: Value, code: &str) -> (Value, Value) {
    asked(request, json!({"error": {"code": code}}))
}

#[test]
fn its_size_is_that_of_an_afternoon() {
    let client = include_str!("peers/client.py");
    assert!(client.lines().count() <= 200, "{} lines", client.lines().count());
}

#[test]
fn the_secret_in_the_space_proves_that_it_is_the_same_machine() {
    let served = Served::new(|host| host);
    let remote = python(&served);
    assert_eq!((&remote.welcome["local"], &remote.welcome["access"]), (&json!(false), &json!("read-write")));
    let local = Python::new(served.address(), "");
    assert_eq!((&local.welcome["local"], &local.welcome["access"]), (&json!(true), &json!("read-write")));
}

#[test]
fn contents() {
    let served = Served::new(|host| host);
    let mut python = python(&served);
    converse(
        &mut python,
        &[
            asked(
                json!({"op": "create", "id": "v", "kind": "value", "schema": "f64", "initial": 1.5}),
                json!({"id": "v", "created": true}),
            ),
            refused(json!({"op": "create", "id": "v", "kind": "value", "schema": "f64"}), "already_exists"),
            asked(
                json!({"op": "create", "id": "v", "kind": "value", "schema": "f64", "exist_ok": true}),
                json!({"created": false}),
            ),
            refused(
                json!({"op": "create", "id": "v", "kind": "text", "capacity": 9, "exist_ok": true}),
                "wrong_kind",
            ),
            asked(json!({"op": "read", "id": "v"}), json!({"content": 1.5})),
            (json!({"op": "read", "id": "v", "form": "bytes"}), json!({"hex": "000000000000f83f"})),
            asked(json!({"op": "add", "id": "v", "by": 2}), json!({"content": 3.5})),
            asked(
                json!({"op": "compare_exchange", "id": "v", "expected": 3.5, "new": 4}),
                json!({"exchanged": true, "content": 3.5}),
            ),
            asked(
                json!({"op": "compare_exchange", "id": "v", "expected": 3.5, "new": 5}),
                json!({"exchanged": false, "content": 4.0}),
            ),
            asked(
                json!({"op": "create", "id": "t", "kind": "text", "capacity": 100, "initial": "one"}),
                json!({"created": true}),
            ),
            asked(json!({"op": "write", "id": "t", "content": "grüße"}), json!({})),
            asked(json!({"op": "read", "id": "t"}), json!({"content": "grüße"})),
            refused(json!({"op": "write", "id": "t", "content": "late", "if_version": 0}), "conflict"),
            refused(json!({"op": "wait", "id": "t", "version": 0, "timeout": -1}), "bad_parameter"),
            asked(
                json!({"op": "create", "id": "r", "kind": "record", "schema": "{x:f8,n:i4}"}),
                json!({"created": true}),
            ),
            asked(json!({"op": "write", "id": "r", "content": {"x": 1.5, "n": 2}}), json!({})),
            asked(json!({"op": "write", "id": "r", "field": "n", "content": 3}), json!({})),
            asked(json!({"op": "read", "id": "r"}), json!({"content": {"x": 1.5, "n": 3}})),
            asked(json!({"op": "read", "id": "r", "field": "n"}), json!({"content": 3})),
            refused(json!({"op": "read", "id": "r", "field": "y"}), "no_field"),
            asked(
                json!({"op": "create", "id": "a", "kind": "array", "schema": "[2,3]i4"}),
                json!({"created": true}),
            ),
            asked(json!({"op": "write", "id": "a", "index": [1, 2], "content": 7}), json!({})),
            asked(json!({"op": "write", "id": "a", "start": 1, "hex": "0100000002000000"}), json!({})),
            asked(json!({"op": "read", "id": "a"}), json!({"content": [[0, 1, 2], [0, 0, 7]]})),
            (
                json!({"op": "read", "id": "a", "start": 1, "count": 2, "form": "bytes"}),
                json!({"hex": "0100000002000000"}),
            ),
            asked(json!({"op": "add", "id": "a", "index": [1, 2], "by": 3}), json!({"content": 10})),
            refused(json!({"op": "read", "id": "a", "index": [2, 0]}), "out_of_range"),
            asked(
                json!({"op": "list", "patterns": ["a", "t"]}),
                json!({"regions": [{"id": "a"}, {"id": "t"}]}),
            ),
            asked(json!({"op": "describe", "id": "a"}), json!({"kind": "array", "schema": "[2,3]<i4"})),
            asked(json!({"op": "delete", "id": "a"}), json!({})),
            refused(json!({"op": "read", "id": "a"}), "not_found"),
            refused(json!({"op": "fly"}), "unknown_operation"),
        ],
    );
}

#[test]
fn locks_and_their_like() {
    let served = Served::new(|host| host);
    let (mut python, mut other) = (python(&served), python(&served));
    converse(
        &mut python,
        &[
            asked(json!({"op": "create", "id": "l", "kind": "lock"}), json!({"created": true})),
            asked(
                json!({"op": "lock", "id": "l"}),
                json!({"lease": 1, "owner_died": false, "inconsistent": false}),
            ),
        ],
    );
    converse(&mut other, &[refused(json!({"op": "lock", "id": "l", "timeout": 0.01}), "timeout")]);
    converse(
        &mut python,
        &[
            asked(json!({"op": "abandon", "lease": 1}), json!({})),
            refused(json!({"op": "release", "lease": 1}), "lease_ended"),
        ],
    );
    converse(
        &mut other,
        &[
            asked(
                json!({"op": "lock", "id": "l"}),
                json!({"lease": 1, "owner_died": true, "inconsistent": true}),
            ),
            asked(json!({"op": "make_consistent", "lease": 1}), json!({})),
            asked(json!({"op": "release", "lease": 1}), json!({})),
            asked(
                json!({"op": "create", "id": "s", "kind": "semaphore", "count": 2}),
                json!({"created": true}),
            ),
            asked(json!({"op": "acquire", "id": "s", "count": 2}), json!({"lease": 2})),
            asked(json!({"op": "create", "id": "e", "kind": "event"}), json!({"created": true})),
            refused(json!({"op": "await", "id": "e", "timeout": 0}), "timeout"),
            asked(json!({"op": "set", "id": "e"}), json!({})),
            asked(json!({"op": "await", "id": "e"}), json!({})),
            asked(json!({"op": "clear", "id": "e"}), json!({"was": true})),
        ],
    );
}

#[test]
fn queues_frames_and_streams() {
    let served = Served::new(|host| host);
    let mut python = python(&served);
    converse(
        &mut python,
        &[
            asked(
                json!({"op": "create", "id": "q", "kind": "queue", "capacity": 1000, "acknowledged": true}),
                json!({"created": true}),
            ),
            asked(json!({"op": "put", "id": "q", "tag": "utf-8", "hex": "6869"}), json!({"put": 1})),
            asked(json!({"op": "put", "id": "q", "lengths": [1, 2], "hex": "010203"}), json!({"put": 2})),
            (json!({"op": "peek", "id": "q", "most": 9}), json!({"hex": "6869010203"})),
            (
                json!({"op": "get", "id": "q", "leased": true}),
                json!({"hex": "6869", "header": {"messages": [
                    {"tag": "utf-8", "length": 2, "redelivered": 0, "lease": 1}
                ]}}),
            ),
            asked(json!({"op": "release", "lease": 1}), json!({})),
            (
                json!({"op": "get", "id": "q", "leased": true}),
                json!({"hex": "6869", "header": {"messages": [{"redelivered": 1, "lease": 2}]}}),
            ),
            asked(json!({"op": "acknowledge", "lease": 2}), json!({})),
            (
                json!({"op": "get", "id": "q", "most": 9}),
                json!({"hex": "010203", "header": {"messages": [{"length": 1}, {"length": 2}]}}),
            ),
            refused(json!({"op": "get", "id": "q", "timeout": 0}), "timeout"),
            asked(json!({"op": "close", "id": "q"}), json!({})),
            refused(json!({"op": "get", "id": "q"}), "closed"),
            asked(
                json!({"op": "create", "id": "f", "kind": "frames", "schema": "[2,2]u1 encoding=\"mono8\""}),
                json!({"created": true}),
            ),
            asked(json!({"op": "publish", "id": "f", "hex": "01020304"}), json!({"sequence": 1, "lease": 3})),
            (json!({"op": "read", "id": "f"}), json!({"hex": "01020304", "header": {"sequence": 1}})),
            asked(
                json!({"op": "create", "id": "x", "kind": "stream", "schema": "u1", "capacity": 8}),
                json!({"created": true}),
            ),
            asked(json!({"op": "append", "id": "x", "hex": "0a0b0c"}), json!({"lease": 4})),
            (
                json!({"op": "records", "id": "x", "most": 2}),
                json!({"hex": "0b0c", "header": {"count": 2, "lost": 0, "record_size": 1}}),
            ),
        ],
    );
}

#[test]
fn subscriptions_deliver_what_is_new_and_count_the_rest() {
    let served = Served::new(|host| host);
    let value = memlane::Value::<i64>::create(&served.space, "v", 1).unwrap();
    let picture = FrameSpec::image(2, 2, 1, Primitive::U8);
    let mut camera = FramePublisher::create(&served.space, "f", &picture).unwrap();
    let mut log = StreamPublisher::create(&served.space, "x", &StreamSpec::of("u1").capacity(64)).unwrap();
    let mut python = python(&served);
    converse(
        &mut python,
        &[
            asked(json!({"op": "subscribe", "id": "v"}), json!({"subscription": 1, "kind": "value"})),
            asked(json!({"next": true}), json!({"subscription": 1, "event": 1, "content": 1})),
        ],
    );
    value.store(2);
    converse(
        &mut python,
        &[
            asked(json!({"next": true}), json!({"subscription": 1, "event": 2, "content": 2})),
            asked(json!({"op": "unsubscribe", "subscription": 1}), json!({})),
            asked(json!({"op": "subscribe", "id": "f"}), json!({"subscription": 2, "kind": "frames"})),
        ],
    );
    let mut frame = camera.loan().unwrap();
    frame.copy_from_slice(&[1, 2, 3, 4]);
    frame.publish();
    converse(
        &mut python,
        &[
            (
                json!({"next": true}),
                json!({"hex": "01020304", "header": {
                    "event": 1, "sequence": 1, "missed": 0, "shape": [2, 2], "encoding": "mono8"
                }}),
            ),
            asked(json!({"op": "unsubscribe", "subscription": 2}), json!({})),
            asked(
                json!({"op": "subscribe", "id": "x", "after": 0, "most": 3}),
                json!({"subscription": 3, "kind": "stream"}),
            ),
        ],
    );
    log.append_many(&[1, 2, 3, 4]).unwrap();
    converse(
        &mut python,
        &[
            (json!({"next": true}), json!({"hex": "010203", "header": {"first": 0, "count": 3, "lost": 0}})),
            (json!({"next": true}), json!({"hex": "04", "header": {"first": 3, "count": 1, "lost": 0}})),
            asked(json!({"op": "unsubscribe", "subscription": 3}), json!({})),
            asked(json!({"op": "watch", "rate": 50}), json!({"subscription": 4})),
            asked(
                json!({"next": true}),
                json!({"changed": [{"id": "f"}, {"id": "v"}, {"id": "x"}], "gone": []}),
            ),
        ],
    );
    served.space.remove("f").unwrap();
    converse(&mut python, &[asked(json!({"next": true}), json!({"gone": ["f"]}))]);
}
