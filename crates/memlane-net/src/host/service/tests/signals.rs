//! Semaphores, events, conditions, barriers.

use super::*;

#[tokio::test]
async fn permits_are_held_by_a_lease() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    one.ok(json!({"op": "create", "id": "s", "kind": "semaphore", "count": 3})).await;
    let two = one.lease(json!({"op": "acquire", "id": "s", "count": 2})).await;
    assert_eq!(
        other.refused(json!({"op": "acquire", "id": "s", "count": 2, "timeout": 0.01})).await,
        "timeout"
    );
    assert_eq!(other.refused(json!({"op": "acquire", "id": "s", "count": 4})).await, "too_many");
    assert_eq!(other.refused(json!({"op": "raise", "id": "s"})).await, "bad_parameter");
    let waiting = other.asking(json!({"op": "acquire", "id": "s", "count": 2}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    waiting.abort();
    until("no wait", || ground.service.watchers.things() == 0).await;
    let waiting = other.asking(json!({"op": "acquire", "id": "s", "count": 2}));
    one.ok(json!({"op": "release", "lease": two})).await;
    soon("permits", waiting).await.unwrap().unwrap();
    assert_eq!(memlane::Semaphore::open(&ground.space, "s").unwrap().free(), 1);
    other.leases.end();
    assert_eq!(memlane::Semaphore::open(&ground.space, "s").unwrap().free(), 3);
}

#[tokio::test]
async fn tokens_are_passed() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "s", "kind": "semaphore", "signal": true, "most": 2})).await;
    assert_eq!(session.refused(json!({"op": "acquire", "id": "s", "timeout": 0})).await, "timeout");
    let waiting = session.asking(json!({"op": "acquire", "id": "s"}));
    session.ok(json!({"op": "raise", "id": "s", "count": 2})).await;
    assert!(soon("a token", waiting).await.unwrap().unwrap().fields.is_empty());
    assert_eq!(session.refused(json!({"op": "raise", "id": "s", "count": 2})).await, "overflow");
    assert_eq!(session.refused(json!({"op": "acquire", "id": "s", "count": 2})).await, "bad_parameter");
}

#[tokio::test]
async fn events_are_set_cleared_and_awaited() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "e", "kind": "event"})).await;
    session.ok(json!({"op": "create", "id": "a", "kind": "event", "auto_reset": true})).await;
    assert_eq!(session.refused(json!({"op": "await", "id": "e", "timeout": 0.01})).await, "timeout");
    let waiting = session.asking(json!({"op": "await", "id": "e"}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    memlane::Event::open(&ground.space, "e").unwrap().set();
    soon("the event", waiting).await.unwrap().unwrap();
    assert_eq!(session.ok(json!({"op": "clear", "id": "e"})).await, json!({"was": true}));
    assert_eq!(session.ok(json!({"op": "clear", "id": "e"})).await, json!({"was": false}));
    let cancelled = session.asking(json!({"op": "await", "id": "a"}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    cancelled.abort();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    session.ok(json!({"op": "set", "id": "a"})).await;
    session.ok(json!({"op": "await", "id": "a", "timeout": 0})).await;
    assert_eq!(session.refused(json!({"op": "await", "id": "a", "timeout": 0})).await, "timeout");
    assert_eq!(
        session.ok(json!({"op": "read", "id": "a"})).await["content"],
        json!({"set": false, "auto_reset": true})
    );
    session.ok(json!({"op": "create", "id": "l", "kind": "lock"})).await;
    for op in ["set", "clear", "await", "meet", "abort", "reset", "notify", "close", "publish", "append"] {
        assert_eq!(session.refused(json!({"op": op, "id": "l"})).await, "wrong_kind", "{op}");
    }
}

#[tokio::test]
async fn a_condition_is_waited_for_with_a_lock() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    one.ok(json!({"op": "create", "id": "c", "kind": "condition"})).await;
    for kind in ["lock", "rlock"] {
        one.ok(json!({"op": "create", "id": kind, "kind": kind})).await;
        let lease = one.lease(json!({"op": "lock", "id": kind})).await;
        let wait = json!({"op": "condition_wait", "id": "c", "lease": lease, "timeout": 0.02});
        assert_eq!(one.ok(wait).await, json!({"notified": false}), "{kind}");
        let waiting = one.asking(json!({"op": "condition_wait", "id": "c", "lease": lease}));
        let others = soon("the lock", other.lease(json!({"op": "lock", "id": kind}))).await;
        assert_eq!(other.ok(json!({"op": "notify", "id": "c", "count": 1})).await, json!({"notified": 1}));
        assert!(!waiting.is_finished());
        other.ok(json!({"op": "release", "lease": others})).await;
        assert_eq!(soon("the notification", waiting).await.unwrap().unwrap().fields["notified"], true);
        // Cancelled, it holds the lock again.
        let waiting = one.asking(json!({"op": "condition_wait", "id": "c", "lease": lease}));
        let others = soon("the lock", other.lease(json!({"op": "lock", "id": kind}))).await;
        waiting.abort();
        other.ok(json!({"op": "release", "lease": others})).await;
        let condition = memlane::Condition::open(&ground.space, "c").unwrap();
        until("nobody waits", || condition.waiters().is_empty()).await;
        let held = memlane::Region::open(&ground.space, kind).unwrap().lock();
        until("held again", || held.state().holder.is_some()).await;
        one.ok(json!({"op": "release", "lease": lease})).await;
        soon("given back", other.lease(json!({"op": "lock", "id": kind}))).await;
    }
    assert_eq!(one.ok(json!({"op": "notify", "id": "c"})).await, json!({"notified": 0}));
}

#[tokio::test]
async fn a_session_that_ends_while_it_waits_leaves_others_holds_alone() {
    let ground = Ground::new();
    let (gone, other, third) = (ground.session(), ground.session(), ground.session());
    gone.ok(json!({"op": "create", "id": "c", "kind": "condition"})).await;
    for kind in ["lock", "rlock"] {
        gone.ok(json!({"op": "create", "id": kind, "kind": kind})).await;
        let lease = gone.lease(json!({"op": "lock", "id": kind})).await;
        let waiting = gone.asking(json!({"op": "condition_wait", "id": "c", "lease": lease}));
        let others = soon("the lock", other.lease(json!({"op": "lock", "id": kind}))).await;
        gone.leases.end();
        assert_eq!(soon("the end", waiting).await.unwrap().unwrap_err().code, "lease_ended");
        assert_eq!(
            third.refused(json!({"op": "lock", "id": kind, "timeout": 0.1})).await,
            "timeout",
            "{kind}"
        );
        other.ok(json!({"op": "release", "lease": others})).await;
        soon("free", third.lease(json!({"op": "lock", "id": kind}))).await;
    }
}

#[tokio::test]
async fn sessions_meet_at_a_barrier() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    one.ok(json!({"op": "create", "id": "b", "kind": "barrier", "count": 2})).await;
    for _ in 0..3 {
        let waiting = one.asking(json!({"op": "meet", "id": "b"}));
        let index = soon("the meeting", other.ok(json!({"op": "meet", "id": "b"}))).await["index"].as_u64();
        let other_index = soon("the meeting", waiting).await.unwrap().unwrap().fields["index"].as_u64();
        assert_eq!(index.unwrap() + other_index.unwrap(), 1);
    }
    assert_eq!(one.refused(json!({"op": "meet", "id": "b", "timeout": 0.02})).await, "timeout");
    assert_eq!(one.refused(json!({"op": "meet", "id": "b"})).await, "broken_barrier");
    one.ok(json!({"op": "reset", "id": "b"})).await;
    let waiting = one.asking(json!({"op": "meet", "id": "b"}));
    let observer = memlane::Observer::open(&ground.space, "b").unwrap();
    until("one waits", || observer.barrier().unwrap().waiting == 1).await;
    other.ok(json!({"op": "abort", "id": "b"})).await;
    assert_eq!(soon("the abort", waiting).await.unwrap().unwrap_err().code, "broken_barrier");
}
