//! Lists, documents, and every kind made.

use super::*;

const KINDS: [&str; 16] = [
    r#"{"kind": "value", "schema": "f8"}"#,
    r#"{"kind": "record", "schema": "{a: u1}"}"#,
    r#"{"kind": "array", "schema": "[4]f8"}"#,
    r#"{"kind": "text", "capacity": 64}"#,
    r#"{"kind": "raw", "capacity": 64}"#,
    r#"{"kind": "lock"}"#,
    r#"{"kind": "rlock"}"#,
    r#"{"kind": "rwlock"}"#,
    r#"{"kind": "semaphore", "count": 3}"#,
    r#"{"kind": "event", "auto_reset": true}"#,
    r#"{"kind": "condition", "count": 4}"#,
    r#"{"kind": "barrier", "count": 2}"#,
    r#"{"kind": "queue", "capacity": 4096, "most": 10, "acknowledged": true}"#,
    r#"{"kind": "pipe", "capacity": 4096, "one_way": true}"#,
    r#"{"kind": "stream", "schema": "{t: f8}", "capacity": 64}"#,
    r#"{"kind": "frames", "schema": "[4,4]u1", "history": 2, "borrows": 3}"#,
];

fn create(id: &str, kind: &str) -> Value {
    let mut operation: Value = serde_json::from_str(kind).unwrap();
    (operation["op"], operation["id"]) = (json!("create"), json!(id));
    operation
}

#[tokio::test]
async fn every_kind_is_made_listed_described_and_read() {
    let ground = Ground::new();
    let session = ground.session();
    for (number, kind) in KINDS.iter().enumerate() {
        let id = format!("k/{number:02}");
        let mut operation = create(&id, kind);
        assert_eq!(session.ok(operation.clone()).await["created"], true, "{kind}");
        assert_eq!(session.refused(operation.clone()).await, "already_exists", "{kind}");
        operation["exist_ok"] = json!(true);
        assert_eq!(session.ok(operation).await["created"], false, "{kind}");
        session.ok(json!({"op": "read", "id": id})).await;
        assert_eq!(session.ok(json!({"op": "describe", "id": id})).await["id"], id.as_str());
    }
    let rows = session.ok(json!({"op": "list", "patterns": ["k/0*"]})).await;
    assert_eq!(rows["regions"].as_array().unwrap().len(), 10);
    assert_eq!(session.ok(json!({"op": "list"})).await["regions"].as_array().unwrap().len(), KINDS.len());
    assert_eq!(session.refused(json!({"op": "describe", "id": "no"})).await, "not_found");
}

#[tokio::test]
async fn fields_that_do_not_fit_a_kind_are_refused_by_name() {
    let ground = Ground::new();
    let session = ground.session();
    for (kind, name) in [
        (r#"{"kind": "value", "schema": "f8", "capacity": 3}"#, "`capacity`"),
        (r#"{"kind": "lock", "signal": true}"#, "`signal`"),
        (r#"{"kind": "event", "lossless": true}"#, "`lossless`"),
        (r#"{"kind": "frames", "schema": "[4]u1", "most": 1}"#, "`most`"),
        (r#"{"kind": "record"}"#, "`schema`"),
        (r#"{"kind": "queue"}"#, "`capacity`"),
        (r#"{"kind": "barrier"}"#, "`count`"),
        (r#"{"kind": "spoon"}"#, "`spoon`"),
        (r#"{"kind": "value", "schema": "[2]f8"}"#, "scalar"),
        (r#"{"kind": "semaphore", "most": 4}"#, "`most`"),
        (r#"{"kind": "lock", "participants": 0}"#, "participants"),
    ] {
        let fault = session.ask(create("x", kind)).await.unwrap_err();
        assert_eq!(fault.code, "bad_parameter", "{kind}: {fault}");
        assert!(fault.message.contains(name), "{kind}: {fault}");
    }
    assert_eq!(session.refused(create("x", r#"{"kind": "array", "schema": "[2"}"#)).await, "schema");
    assert_eq!(session.ok(json!({"op": "list"})).await["regions"], json!([]));
}

#[tokio::test]
async fn who_holds_and_who_waits_is_shown() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    one.ok(json!({"op": "create", "id": "l", "kind": "rlock"})).await;
    one.ok(json!({"op": "create", "id": "free", "kind": "lock"})).await;
    let lease = one.lease(json!({"op": "lock", "id": "l"})).await;
    let waiting = other.asking(json!({"op": "lock", "id": "l"}));
    let edges = async {
        loop {
            let edges = one.ok(json!({"op": "wait_graph"})).await["edges"].clone();
            if edges.as_array().is_some_and(|edges| !edges.is_empty()) {
                return edges;
            }
        }
    };
    assert_eq!(soon("an edge", edges).await[0]["id"], "l");
    let locks = one.ok(json!({"op": "locks"})).await["locks"].clone();
    assert_eq!((locks.as_array().unwrap().len(), &locks[0]["id"]), (1, &json!("l")));
    assert_eq!(one.ok(json!({"op": "locks", "all": true})).await["locks"].as_array().unwrap().len(), 2);
    let processes = one.ok(json!({"op": "participants"})).await["participants"].clone();
    assert_eq!(processes[0]["pid"], std::process::id());
    assert_eq!(processes[0]["locks"], json!(["l"]));
    one.ok(json!({"op": "release", "lease": lease})).await;
    soon("the lock", waiting).await.unwrap().unwrap();
    assert!(one.ok(json!({"op": "doctor"})).await["findings"].is_array());
    for operation in [json!({"op": "status"}), json!({"op": "bye"}), json!({"op": "cancel", "request": 1})] {
        assert_eq!(one.refused(operation).await, "unknown_operation");
    }
}

#[tokio::test]
async fn a_description_leaves_out_what_is_too_large_for_json() {
    let ground = Ground::new();
    let session = ground.session();
    for (id, schema, is_told) in [("small", "[65536]u1", true), ("large", "[65537]u1", false)] {
        session.ok(json!({"op": "create", "id": id, "kind": "array", "schema": schema})).await;
        let document = session.ok(json!({"op": "describe", "id": id})).await;
        assert_eq!((document["content"].is_array(), document["error"].is_string()), (is_told, !is_told));
        assert_eq!(document["kind"], "array");
    }
}
