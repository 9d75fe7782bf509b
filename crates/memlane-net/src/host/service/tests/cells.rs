//! Contents.

use super::*;

#[tokio::test]
async fn a_value_is_read_written_added_to_and_exchanged() {
    let ground = Ground::new();
    let session = ground.session();
    let made = session
        .ok(json!({"op": "create", "id": "speed", "kind": "value", "schema": "i4", "initial": 3, "note": "n"}))
        .await;
    assert_eq!(
        (&made["created"], &made["kind"], &made["note"]),
        (&json!(true), &json!("value"), &json!("n"))
    );
    let read = session.ok(json!({"op": "read", "id": "speed"})).await;
    assert_eq!(read["content"], 3);
    let version = read["version"].as_u64().unwrap();
    let written =
        session.ok(json!({"op": "write", "id": "speed", "content": 5, "if_version": version})).await;
    assert_eq!(written["version"], version + 1);
    let late = session.ask(json!({"op": "write", "id": "speed", "content": 6, "if_version": version})).await;
    let late = late.unwrap_err();
    assert_eq!(
        (late.code.as_str(), &late.more["version"], &late.more["content"]),
        ("conflict", &json!(version + 1), &json!(5))
    );
    assert_eq!(session.ok(json!({"op": "add", "id": "speed", "by": -7})).await["content"], -2);
    let exchanged =
        session.ok(json!({"op": "compare_exchange", "id": "speed", "expected": -2, "new": 9})).await;
    assert_eq!(exchanged, json!({"exchanged": true, "content": -2}));
    let vain = session.ok(json!({"op": "compare_exchange", "id": "speed", "expected": -2, "new": 8})).await;
    assert_eq!(vain, json!({"exchanged": false, "content": 9}));
    let bytes = session.ask(json!({"op": "read", "id": "speed", "form": "bytes"})).await.unwrap();
    assert_eq!(bytes.payload, 9_i32.to_le_bytes().as_slice());
    session.ask_with(json!({"op": "write", "id": "speed"}), &4_i32.to_le_bytes()).await.unwrap();
    assert_eq!(session.ok(json!({"op": "read", "id": "speed"})).await["content"], 4);
    for (operation, code) in [
        (json!({"op": "write", "id": "speed", "content": "x"}), "schema"),
        (json!({"op": "write", "id": "speed", "content": 1e12}), "schema"),
        (json!({"op": "write", "id": "speed"}), "schema"),
        (json!({"op": "write", "id": "speed", "content": 1, "field": "a"}), "bad_parameter"),
        (json!({"op": "add", "id": "speed", "by": 1, "index": [0]}), "bad_parameter"),
        (json!({"op": "read", "id": "speed", "start": 0}), "bad_parameter"),
        (json!({"op": "read", "id": "sped"}), "not_found"),
        (json!({"op": "read", "id": "../x"}), "bad_id"),
        (json!({"op": "create", "id": "speed", "kind": "value", "schema": "i4"}), "already_exists"),
        (
            json!({"op": "create", "id": "speed", "kind": "value", "schema": "f8", "exist_ok": true}),
            "schema_mismatch",
        ),
        (json!({"op": "create", "id": "speed", "kind": "lock", "exist_ok": true}), "wrong_kind"),
    ] {
        assert_eq!(session.refused(operation.clone()).await, code, "{operation}");
    }
    let again = json!({"op": "create", "id": "speed", "kind": "value", "schema": "i4", "exist_ok": true});
    assert_eq!(session.ok(again).await["created"], false);
}

#[tokio::test]
async fn a_record_is_changed_field_by_field() {
    let ground = Ground::new();
    let session = ground.session();
    let schema = "{x: f4, pose: {a: u1, b: [2]u1}}";
    session.ok(json!({"op": "create", "id": "r", "kind": "record", "schema": schema})).await;
    let first =
        session.ok(json!({"op": "write", "id": "r", "content": {"x": 1.5}})).await["version"].as_u64();
    session.ok(json!({"op": "write", "id": "r", "field": "pose.b", "index": [1], "content": 7})).await;
    session.ask_with(json!({"op": "write", "id": "r", "field": "pose.a"}), &[9]).await.unwrap();
    let read = session.ok(json!({"op": "read", "id": "r"})).await;
    assert_eq!(read["content"], json!({"x": 1.5, "pose": {"a": 9, "b": [0, 7]}}));
    assert_eq!(
        session.ok(json!({"op": "read", "id": "r", "field": "pose.b"})).await["content"],
        json!([0, 7])
    );
    let bytes =
        session.ask(json!({"op": "read", "id": "r", "field": "pose.b", "form": "bytes"})).await.unwrap();
    assert_eq!(bytes.payload, [0, 7].as_slice());
    let late = json!({"op": "write", "id": "r", "field": "x", "content": 2, "if_version": first});
    assert_eq!(session.refused(late).await, "conflict");
    for (operation, code) in [
        (json!({"op": "write", "id": "r", "field": "y", "content": 2}), "no_field"),
        (json!({"op": "write", "id": "r", "content": {"z": 2}}), "no_field"),
        (json!({"op": "write", "id": "r", "field": "pose.b", "index": [2], "content": 2}), "out_of_range"),
        (json!({"op": "write", "id": "r", "start": 0, "content": 2}), "bad_parameter"),
        (json!({"op": "read", "id": "r", "field": "pose.c"}), "no_field"),
        (json!({"op": "add", "id": "r", "by": 2}), "wrong_kind"),
    ] {
        assert_eq!(session.refused(operation.clone()).await, code, "{operation}");
    }
}

#[tokio::test]
async fn an_array_is_read_and_written_in_parts() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "a", "kind": "array", "schema": "[2,3]<u2"})).await;
    session.ok(json!({"op": "write", "id": "a", "content": [[1, 2, 3], [4, 5, 6]]})).await;
    session.ok(json!({"op": "write", "id": "a", "index": [1, 0], "content": 40})).await;
    session.ok(json!({"op": "write", "id": "a", "start": 4, "content": [50, 60]})).await;
    assert_eq!(session.ok(json!({"op": "add", "id": "a", "index": [1, 2], "by": 1})).await["content"], 61);
    let swapped = json!({"op": "compare_exchange", "id": "a", "index": [0], "expected": 1, "new": 10});
    assert_eq!(session.ok(swapped).await, json!({"exchanged": true, "content": 1}));
    let whole = session.ok(json!({"op": "read", "id": "a"})).await;
    assert_eq!(whole["content"], json!([[10, 2, 3], [40, 50, 61]]));
    assert_eq!(session.ok(json!({"op": "read", "id": "a", "index": [1, 1]})).await["content"], 50);
    let run = session.ok(json!({"op": "read", "id": "a", "start": 2, "count": 2})).await;
    assert_eq!(run["content"], json!([3, 40]));
    let bytes = session.ask(json!({"op": "read", "id": "a", "start": 5, "form": "bytes"})).await.unwrap();
    assert_eq!(bytes.payload, [61, 0].as_slice());
    session.ask_with(json!({"op": "write", "id": "a", "start": 0, "count": 1}), &[7, 0]).await.unwrap();
    assert_eq!(session.ok(json!({"op": "read", "id": "a", "index": [0]})).await["content"], 7);
    session.ok(json!({"op": "create", "id": "s", "kind": "array", "schema": "[3]{a: u1, b: u1}"})).await;
    session.ok(json!({"op": "write", "id": "s", "index": [1], "field": "b", "content": 5})).await;
    assert_eq!(
        session.ok(json!({"op": "read", "id": "s", "index": [1]})).await["content"],
        json!({"a": 0, "b": 5})
    );
    for (operation, code) in [
        (json!({"op": "read", "id": "a", "index": [2, 0]}), "out_of_range"),
        (json!({"op": "read", "id": "a", "start": 7}), "out_of_range"),
        (json!({"op": "read", "id": "a", "start": 1, "count": 6}), "out_of_range"),
        (json!({"op": "read", "id": "a", "start": 1, "index": [0]}), "bad_parameter"),
        (json!({"op": "write", "id": "a", "start": 4, "content": [1, 2, 3]}), "too_large"),
        (json!({"op": "write", "id": "a", "content": [1]}), "schema"),
        (
            json!({"op": "write", "id": "a", "content": [[1, 2, 3], [4, 5, 6]], "if_version": 1}),
            "bad_parameter",
        ),
        (json!({"op": "add", "id": "a", "by": 1}), "bad_parameter"),
        (json!({"op": "add", "id": "s", "by": 1, "index": [0]}), "schema"),
    ] {
        assert_eq!(session.refused(operation.clone()).await, code, "{operation}");
    }
}

#[tokio::test]
async fn texts_and_raw_bytes() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "t", "kind": "text", "capacity": 8, "initial": "häl"})).await;
    let read = session.ok(json!({"op": "read", "id": "t"})).await;
    assert_eq!(read["content"], "häl");
    session.ask_with(json!({"op": "write", "id": "t", "if_version": read["version"]}), b"new").await.unwrap();
    let late =
        session.ask(json!({"op": "write", "id": "t", "content": "x", "if_version": 99})).await.unwrap_err();
    assert_eq!((late.code.as_str(), &late.more["content"]), ("conflict", &json!("new")));
    assert_eq!(session.refused(json!({"op": "write", "id": "t", "content": "123456789"})).await, "too_large");
    assert_eq!(session.refused(json!({"op": "write", "id": "t", "content": 5})).await, "bad_parameter");
    assert_eq!(
        session.ask_with(json!({"op": "write", "id": "t"}), &[0xff]).await.unwrap_err().code,
        "bad_parameter"
    );
    let too_long = json!({"op": "create", "id": "t2", "kind": "text", "capacity": 2, "initial": "long"});
    assert_eq!(session.refused(too_long).await, "too_large");
    assert_eq!(session.refused(json!({"op": "read", "id": "t2"})).await, "not_found");

    session.ok(json!({"op": "create", "id": "w", "kind": "raw", "capacity": 6})).await;
    session.ask_with(json!({"op": "write", "id": "w", "start": 2}), b"abc").await.unwrap();
    let bytes = session.ask(json!({"op": "read", "id": "w", "form": "bytes"})).await.unwrap();
    assert_eq!(bytes.payload, b"\0\0abc\0".as_slice());
    let part = json!({"op": "read", "id": "w", "start": 3, "count": 2});
    assert_eq!(session.ok(part).await["content"], json!([98, 99]));
    assert_eq!(
        session.ask_with(json!({"op": "write", "id": "w", "start": 5}), b"xy").await.unwrap_err().code,
        "too_large"
    );
}

#[tokio::test]
async fn a_wait_ends_with_a_newer_content_or_in_time() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "v", "kind": "value", "schema": "f8"})).await;
    let version = session.ok(json!({"op": "read", "id": "v"})).await["version"].clone();
    let wait = json!({"op": "wait", "id": "v", "version": version});
    let mut short = wait.clone();
    short["timeout"] = json!(0.01);
    assert_eq!(session.refused(short).await, "timeout");
    let waiting = session.asking(wait.clone());
    until("the wait", || ground.service.watchers.things() == 1).await;
    memlane::Value::<f64>::open(&ground.space, "v").unwrap().store(2.5);
    assert_eq!(soon("the change", waiting).await.unwrap().unwrap().fields["content"], 2.5);
    assert_eq!(session.ok(wait).await["content"], 2.5);
    session.ok(json!({"op": "create", "id": "l", "kind": "lock"})).await;
    assert_eq!(session.refused(json!({"op": "wait", "id": "l", "version": 0})).await, "unknown_operation");
}

#[tokio::test]
async fn a_region_that_was_made_anew_is_noticed() {
    let ground = Ground::new();
    let session = ground.session();
    let make = json!({"op": "create", "id": "v", "kind": "value", "schema": "u1", "initial": 1});
    session.ok(make.clone()).await;
    session.ok(json!({"op": "add", "id": "v", "by": 1})).await;
    ground.space.remove("v").unwrap();
    assert_eq!(session.refused(json!({"op": "read", "id": "v"})).await, "not_found");
    session.ok(make).await;
    assert_eq!(session.ok(json!({"op": "read", "id": "v"})).await["content"], 1);
    assert_eq!(session.ok(json!({"op": "add", "id": "v", "by": 1})).await["content"], 2);
    session.ok(json!({"op": "delete", "id": "v"})).await;
    assert_eq!(session.refused(json!({"op": "add", "id": "v", "by": 1})).await, "not_found");
    assert_eq!(session.refused(json!({"op": "delete", "id": "v"})).await, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_add_is_all_there() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "n", "kind": "value", "schema": "u64"})).await;
    session.ok(json!({"op": "create", "id": "a", "kind": "array", "schema": "[2]u64"})).await;
    session.ok(json!({"op": "create", "id": "r", "kind": "record", "schema": "{a: u64, b: u64}"})).await;
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let session = session.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    session.ok(json!({"op": "add", "id": "n", "by": 1})).await;
                    session.ok(json!({"op": "add", "id": "a", "index": [1], "by": 1})).await;
                    let field = if number % 2 == 0 { "a" } else { "b" };
                    session.ok(json!({"op": "write", "id": "r", "field": field, "content": number})).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(session.ok(json!({"op": "read", "id": "n"})).await["content"], 1000);
    assert_eq!(session.ok(json!({"op": "read", "id": "a"})).await["content"], json!([0, 1000]));
}
