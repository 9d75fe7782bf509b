//! Locks, and what a session's end gives back.

use super::*;

const KINDS: [&str; 3] = ["lock", "rlock", "rwlock"];

#[tokio::test]
async fn sessions_contend_like_processes() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    for kind in KINDS {
        one.ok(json!({"op": "create", "id": kind, "kind": kind})).await;
        let taken = one.ok(json!({"op": "lock", "id": kind})).await;
        assert_eq!((&taken["owner_died"], &taken["inconsistent"]), (&json!(false), &json!(false)));
        let fault = other.ask(json!({"op": "lock", "id": kind, "timeout": 0.02})).await.unwrap_err();
        assert_eq!(fault.code, "timeout");
        assert!(fault.message.contains("holds"), "{kind}: {fault}");
        let waiting = other.asking(json!({"op": "lock", "id": kind}));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!waiting.is_finished());
        one.ok(json!({"op": "release", "lease": taken["lease"]})).await;
        let lease = soon(kind, waiting).await.unwrap().unwrap().fields["lease"].clone();
        assert_eq!(one.refused(json!({"op": "release", "lease": taken["lease"]})).await, "lease_ended");
        other.ok(json!({"op": "abandon", "lease": lease})).await;
        let told = one.ok(json!({"op": "lock", "id": kind})).await;
        assert_eq!((&told["owner_died"], &told["inconsistent"]), (&json!(true), &json!(true)), "{kind}");
        one.ok(json!({"op": "make_consistent", "lease": told["lease"]})).await;
        one.ok(json!({"op": "release", "lease": told["lease"]})).await;
        let whole = other.ok(json!({"op": "lock", "id": kind})).await;
        assert_eq!(whole["inconsistent"], false, "{kind}");
        other.ok(json!({"op": "release", "lease": whole["lease"]})).await;
    }
    assert!(one.leases.list().is_empty() && other.leases.list().is_empty());
}

#[tokio::test]
async fn the_lock_of_any_region_can_be_taken() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "a", "kind": "array", "schema": "[2]u1"})).await;
    let lease = session.lease(json!({"op": "lock", "id": "a"})).await;
    let listed = session.leases.list();
    assert_eq!((listed[0].number, listed[0].id.as_str(), listed[0].kind), (lease, "a", "lock"));
    assert!(memlane::Region::open(&ground.space, "a").unwrap().lock().try_lock().unwrap().is_none());
    session.ok(json!({"op": "release", "lease": lease})).await;
    let shared = json!({"op": "lock", "id": "a", "mode": "shared"});
    assert_eq!(session.refused(shared).await, "wrong_kind");
}

#[tokio::test]
async fn a_session_is_as_many_threads_as_its_client_has() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "l", "kind": "lock"})).await;
    let lease = session.lease(json!({"op": "lock", "id": "l"})).await;
    assert_eq!(session.refused(json!({"op": "lock", "id": "l", "timeout": 0.01})).await, "timeout");
    let second = session.asking(json!({"op": "lock", "id": "l"}));
    session.ok(json!({"op": "release", "lease": lease})).await;
    soon("the second thread", second).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_rlock_is_held_as_often_as_it_was_taken() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    one.ok(json!({"op": "create", "id": "l", "kind": "rlock"})).await;
    let first = one.lease(json!({"op": "lock", "id": "l"})).await;
    let second = one.lease(json!({"op": "lock", "id": "l", "timeout": 0})).await;
    assert_ne!(first, second);
    one.ok(json!({"op": "release", "lease": first})).await;
    assert_eq!(other.refused(json!({"op": "lock", "id": "l", "timeout": 0})).await, "timeout");
    one.ok(json!({"op": "release", "lease": second})).await;
    other.lease(json!({"op": "lock", "id": "l", "timeout": 0})).await;
}

#[tokio::test]
async fn readers_share_and_writers_wait_for_them() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    one.ok(json!({"op": "create", "id": "l", "kind": "rwlock"})).await;
    let read = json!({"op": "lock", "id": "l", "mode": "shared"});
    let (first, second) = (one.lease(read.clone()).await, other.lease(read.clone()).await);
    assert_eq!(other.refused(json!({"op": "lock", "id": "l", "timeout": 0})).await, "timeout");
    assert_eq!(other.refused(json!({"op": "abandon", "lease": second})).await, "bad_parameter");
    let writer = other.asking(json!({"op": "lock", "id": "l"}));
    one.ok(json!({"op": "release", "lease": first})).await;
    other.ok(json!({"op": "release", "lease": second})).await;
    let writer = soon("the writer", writer).await.unwrap().unwrap().fields["lease"].clone();
    let reader = one.asking(read);
    until("a reader that waits", || ground.service.watchers.things() == 1).await;
    other.ok(json!({"op": "release", "lease": writer})).await;
    soon("the reader", reader).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_wait_that_is_cancelled_takes_nothing() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    for kind in KINDS {
        one.ok(json!({"op": "create", "id": kind, "kind": kind})).await;
        let lease = one.lease(json!({"op": "lock", "id": kind})).await;
        let waiting = other.asking(json!({"op": "lock", "id": kind}));
        tokio::time::sleep(Duration::from_millis(10)).await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        one.ok(json!({"op": "release", "lease": lease})).await;
        let again = one.lease(json!({"op": "lock", "id": kind, "timeout": 5})).await;
        one.ok(json!({"op": "release", "lease": again})).await;
        assert!(other.leases.list().is_empty());
    }
}

#[tokio::test]
async fn the_end_of_a_session_tells_the_next_owner() {
    let ground = Ground::new();
    let (gone, next) = (ground.session(), ground.session());
    for kind in KINDS {
        gone.ok(json!({"op": "create", "id": kind, "kind": kind})).await;
        gone.lease(json!({"op": "lock", "id": kind})).await;
    }
    let lease = gone.lease(json!({"op": "lock", "id": "rlock"})).await;
    let pending = gone.asking(json!({"op": "lock", "id": "lock"}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    gone.leases.end();
    for kind in KINDS {
        let told = soon(kind, next.ok(json!({"op": "lock", "id": kind}))).await;
        assert_eq!((&told["owner_died"], &told["inconsistent"]), (&json!(true), &json!(true)), "{kind}");
    }
    assert_eq!(soon("the pending", pending).await.unwrap().unwrap_err().code, "lease_ended");
    assert_eq!(gone.refused(json!({"op": "release", "lease": lease})).await, "lease_ended");
    // The session comes back, and holds something again.
    gone.ok(json!({"op": "create", "id": "new", "kind": "lock"})).await;
    gone.lease(json!({"op": "lock", "id": "new"})).await;
    drop(next);
    let told = soon("a dropped session", gone.ok(json!({"op": "lock", "id": "rwlock"}))).await;
    assert_eq!(told["owner_died"], true);
}

#[tokio::test]
async fn what_needs_a_thread_is_limited() {
    let ground = Ground::new();
    let session = ground.session();
    let most = crate::host::threads::MOST;
    for number in 0..=most {
        session.ok(json!({"op": "create", "id": format!("l/{number}"), "kind": "rlock"})).await;
    }
    for number in 0..most {
        session.lease(json!({"op": "lock", "id": format!("l/{number}")})).await;
    }
    let one_more = json!({"op": "lock", "id": format!("l/{most}")});
    let fault = session.ask(one_more.clone()).await.unwrap_err();
    assert!(fault.code == "limit" && fault.message.contains(&most.to_string()), "{fault}");
    session.leases.end();
    let freed = async {
        while session.ask(one_more.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon("room for a thread", freed).await;
}
