//! Parameters that nobody means well with: a fault, never a panic, and never much memory.

use super::*;

/// A space with a region of most kinds, each of its kind's name.
async fn ground_of_kinds() -> (Ground, Session) {
    let ground = Ground::new();
    let session = ground.session();
    for (id, make) in [
        ("value", json!({"schema": "f4"})),
        ("array", json!({"schema": "[3]u8"})),
        ("raw", json!({"capacity": 16})),
        ("text", json!({"capacity": 16})),
        ("queue", json!({"capacity": 4096, "acknowledged": true})),
        ("semaphore", json!({"count": 2})),
        ("condition", json!({})),
        ("barrier", json!({"count": 2})),
        ("stream", json!({"schema": "u8"})),
        ("frames", json!({"schema": "[4,4]u1"})),
        ("lock", json!({})),
    ] {
        let mut make = make;
        (make["op"], make["id"], make["kind"]) = (json!("create"), json!(id), json!(id));
        session.ok(make).await;
    }
    (ground, session)
}

#[tokio::test]
async fn no_request_is_too_strange() {
    let (_ground, session) = ground_of_kinds().await;
    let most = u64::MAX;
    for operation in [
        json!({"op": "wait", "id": "value", "version": 0, "timeout": -1}),
        json!({"op": "lock", "id": "lock", "timeout": -1e300}),
        json!({"op": "acquire", "id": "semaphore", "count": u32::MAX}),
        json!({"op": "acquire", "id": "semaphore", "timeout": -0.1}),
        json!({"op": "raise", "id": "semaphore", "count": u32::MAX}),
        json!({"op": "read", "id": "array", "index": [most]}),
        json!({"op": "read", "id": "array", "index": [0, 0, 0, 0]}),
        json!({"op": "read", "id": "array", "start": most, "count": most}),
        json!({"op": "read", "id": "array", "start": 0, "count": most}),
        json!({"op": "read", "id": "raw", "start": 1, "count": most}),
        json!({"op": "write", "id": "array", "start": most, "content": [1]}),
        json!({"op": "write", "id": "array", "index": [most], "content": 1}),
        json!({"op": "write", "id": "raw", "start": 16, "content": [1]}),
        json!({"op": "write", "id": "value", "content": {"a": [[[[]]]]}}),
        json!({"op": "write", "id": "value", "content": null}),
        json!({"op": "add", "id": "value", "by": "many"}),
        json!({"op": "add", "id": "array", "index": [most], "by": 1}),
        json!({"op": "put", "id": "queue", "lengths": [most, most]}),
        json!({"op": "put", "id": "queue", "lengths": [1]}),
        json!({"op": "get", "id": "queue", "most": u32::MAX, "timeout": 0}),
        json!({"op": "release", "lease": most}),
        json!({"op": "abandon", "lease": 0}),
        json!({"op": "make_consistent", "lease": most}),
        json!({"op": "acknowledge", "lease": most}),
        json!({"op": "send", "lease": most}),
        json!({"op": "receive", "lease": most}),
        json!({"op": "condition_wait", "id": "condition", "lease": most}),
        json!({"op": "meet", "id": "barrier", "timeout": -5}),
        json!({"op": "take_end", "id": "queue", "end": "left"}),
    ] {
        let fault = session.ask(operation.clone()).await.expect_err(&operation.to_string());
        assert!(!fault.code.is_empty() && !fault.message.is_empty(), "{operation}: {fault}");
    }
    assert!(session.leases.list().is_empty());
}

#[tokio::test]
async fn no_region_is_too_strange() {
    let ground = Ground::new();
    let session = ground.session();
    let most = u64::MAX;
    for operation in [
        json!({"op": "create", "id": "c", "kind": "raw", "capacity": most}),
        json!({"op": "create", "id": "c", "kind": "text", "capacity": most}),
        json!({"op": "create", "id": "c", "kind": "queue", "capacity": most}),
        json!({"op": "create", "id": "c", "kind": "pipe", "capacity": most}),
        json!({"op": "create", "id": "c", "kind": "stream", "schema": "u8", "capacity": most}),
        json!({"op": "create", "id": "c", "kind": "frames", "capacity": most}),
        json!({"op": "create", "id": "c", "kind": "frames", "schema": "[9]u1", "history": u32::MAX}),
        json!({"op": "create", "id": "c", "kind": "frames", "schema": "[9]u1", "borrows": u32::MAX}),
        json!({"op": "create", "id": "c", "kind": "array", "schema": "[99999999999,99999999999]u8"}),
        json!({"op": "create", "id": "c", "kind": "barrier", "count": u32::MAX}),
        json!({"op": "create", "id": "c", "kind": "condition", "count": 0}),
        json!({"op": "create", "id": "c", "kind": "semaphore", "count": u32::MAX}),
        json!({"op": "create", "id": "c", "kind": "value", "schema": "\u{0}"}),
        json!({"op": "create", "id": "/etc/passwd", "kind": "lock"}),
        json!({"op": "create", "id": "a/../../b", "kind": "lock"}),
        json!({"op": "create", "id": "", "kind": "lock"}),
        json!({"op": "read", "id": "\u{0}"}),
    ] {
        let fault = session.ask(operation.clone()).await.expect_err(&operation.to_string());
        assert!(!fault.code.is_empty() && !fault.message.is_empty(), "{operation}: {fault}");
    }
}

#[tokio::test]
async fn no_number_is_too_strange() {
    let (ground, session) = ground_of_kinds().await;
    let most = u64::MAX;
    for operation in [
        json!({"op": "peek", "id": "queue", "most": u32::MAX}),
        json!({"op": "records", "id": "stream", "since": most, "most": u32::MAX}),
        json!({"op": "notify", "id": "condition", "count": u32::MAX}),
        json!({"op": "list", "patterns": ["*".repeat(1000), String::new(), "/".repeat(1000)]}),
    ] {
        session.ok(operation).await;
    }
    for strange in [f64::NAN, f64::NEG_INFINITY, -f64::MIN_POSITIVE] {
        let operation = Operation::Await { id: "lock".into(), timeout: Some(strange) };
        let fault = ground.service.perform(&session.leases, operation, Bytes::new()).await.unwrap_err();
        assert_eq!(fault.code, "bad_parameter", "{strange}");
    }
    for long in [f64::INFINITY, f64::MAX, 1e18] {
        let operation = Operation::Get { id: "queue".into(), most: 1, leased: false, timeout: Some(long) };
        let asked = ground.service.perform(&session.leases, operation, Bytes::new());
        assert!(tokio::time::timeout(Duration::from_millis(5), asked).await.is_err(), "{long}");
    }
    assert!(session.leases.list().is_empty());
}

#[tokio::test]
async fn strange_subscriptions_are_refused() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "v", "kind": "value", "schema": "f4"})).await;
    session.ok(json!({"op": "create", "id": "f", "kind": "frames", "schema": "[4,4]u1"})).await;
    session.ok(json!({"op": "create", "id": "s", "kind": "stream", "schema": "u8"})).await;
    for operation in [
        json!({"op": "subscribe", "id": "no"}),
        json!({"op": "subscribe", "id": "v", "rate": 0}),
        json!({"op": "subscribe", "id": "v", "rate": -1}),
        json!({"op": "subscribe", "id": "v", "rate": 1e-300}),
        json!({"op": "subscribe", "id": "v", "scale": 2}),
        json!({"op": "subscribe", "id": "v", "most": 2}),
        json!({"op": "subscribe", "id": "f", "jpeg": 101}),
        json!({"op": "subscribe", "id": "f", "scale": 0}),
        json!({"op": "subscribe", "id": "s", "jpeg": 50}),
        json!({"op": "watch", "rate": 0}),
        json!({"op": "read", "id": "v"}),
    ] {
        let understood = serde_json::from_value(operation.clone()).unwrap();
        assert!(ground.service.subscribe(&understood).is_err(), "{operation}");
    }
    for operation in [
        json!({"op": "subscribe", "id": "f", "scale": u32::MAX, "after": u64::MAX, "rate": 1e300}),
        json!({"op": "subscribe", "id": "s", "most": u32::MAX, "after": u64::MAX}),
        json!({"op": "subscribe", "id": "s", "most": 0}),
        json!({"op": "subscribe", "id": "v", "after": u64::MAX, "window": u64::MAX}),
        json!({"op": "watch", "rate": 1e9, "patterns": ["*"]}),
    ] {
        let understood = serde_json::from_value(operation.clone()).unwrap();
        assert!(ground.service.subscribe(&understood).is_ok(), "{operation}");
    }
}
