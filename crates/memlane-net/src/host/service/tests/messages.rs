//! Queues, pipes, frame channels and streams.

use super::*;

#[tokio::test]
async fn messages_are_put_looked_at_and_taken() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "q", "kind": "queue", "capacity": 4096, "most": 3})).await;
    let put =
        session.ask_with(json!({"op": "put", "id": "q", "tag": "json", "lengths": [1, 3]}), b"1[2]").await;
    assert_eq!(put.unwrap().fields["put"], 2);
    let seen = session.ask(json!({"op": "peek", "id": "q", "most": 9})).await.unwrap();
    assert_eq!(seen.payload, b"1[2]".as_slice());
    session.ask_with(json!({"op": "put", "id": "q"}), b"x").await.unwrap();
    let full = session.ask_with(json!({"op": "put", "id": "q", "timeout": 0.01}), b"y").await;
    assert_eq!(full.unwrap_err().code, "timeout");
    let partly = json!({"op": "put", "id": "q", "timeout": 0.01, "lengths": [1, 1]});
    let got = session.ask(json!({"op": "get", "id": "q", "most": 2})).await.unwrap();
    let first = json!({"tag": "json", "length": 1, "redelivered": 0});
    assert_eq!((&got.fields["messages"][0], &got.payload[..]), (&first, &b"1[2]"[..]));
    session.ask_with(json!({"op": "put", "id": "q"}), b"y").await.unwrap();
    assert_eq!(session.ask_with(partly, b"zz").await.unwrap().fields["put"], 1);
    assert_eq!(
        session.ask(json!({"op": "get", "id": "q", "most": 9})).await.unwrap().payload,
        b"xyz".as_slice()
    );
    assert_eq!(session.refused(json!({"op": "get", "id": "q", "timeout": 0.01})).await, "timeout");
    assert_eq!(session.refused(json!({"op": "get", "id": "q", "leased": true})).await, "bad_parameter");
    for (operation, payload, code) in [
        (json!({"op": "put", "id": "q", "tag": "xml"}), vec![0], "bad_parameter"),
        (json!({"op": "put", "id": "q", "lengths": [5]}), vec![0], "bad_parameter"),
        (json!({"op": "put", "id": "q", "lengths": [0]}), vec![0], "bad_parameter"),
        (json!({"op": "put", "id": "q"}), vec![0; 99_999], "too_large"),
    ] {
        assert_eq!(
            session.ask_with(operation.clone(), &payload).await.unwrap_err().code,
            code,
            "{operation}"
        );
    }
    let room = session.asking(json!({"op": "get", "id": "q"}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    memlane::Queue::open(&ground.space, "q").unwrap().put(b"late", None).unwrap();
    assert_eq!(soon("a message", room).await.unwrap().unwrap().payload, b"late".as_slice());
    session.ok(json!({"op": "close", "id": "q"})).await;
    assert_eq!(session.refused(json!({"op": "get", "id": "q"})).await, "closed");
    assert_eq!(session.refused(json!({"op": "put", "id": "q"})).await, "closed");
}

#[tokio::test]
async fn a_put_waits_for_room() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "q", "kind": "queue", "capacity": 4096, "most": 1})).await;
    session.ask_with(json!({"op": "put", "id": "q"}), b"1").await.unwrap();
    let waiting = session.asking(json!({"op": "put", "id": "q"}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    memlane::Queue::open(&ground.space, "q").unwrap().get(None).unwrap();
    assert_eq!(soon("room", waiting).await.unwrap().unwrap().fields["put"], 1);
}

#[tokio::test]
async fn a_get_that_is_cancelled_takes_nothing() {
    let ground = Ground::new();
    let session = ground.session();
    for (id, acknowledged) in [("plain", false), ("kept", true)] {
        let make = json!({"op": "create", "id": id, "kind": "queue", "capacity": 4096, "acknowledged": acknowledged});
        session.ok(make).await;
        for _ in 0..50 {
            let waiting = session.asking(json!({"op": "get", "id": id, "leased": acknowledged}));
            tokio::task::yield_now().await;
            waiting.abort();
            let is_cancelled = waiting.await.is_err();
            assert!(is_cancelled);
        }
        session.ask_with(json!({"op": "put", "id": id}), b"m").await.unwrap();
        assert_eq!(
            session.ask(json!({"op": "get", "id": id, "timeout": 5})).await.unwrap().payload,
            b"m".as_slice()
        );
    }
}

#[tokio::test]
async fn what_is_not_acknowledged_is_another_s_again() {
    let ground = Ground::new();
    let (gone, next) = (ground.session(), ground.session());
    let make = json!({"op": "create", "id": "q", "kind": "queue", "capacity": 4096, "acknowledged": true});
    gone.ok(make).await;
    gone.ask_with(json!({"op": "put", "id": "q", "lengths": [1, 1, 1]}), b"abc").await.unwrap();
    let got = gone.ask(json!({"op": "get", "id": "q", "most": 3, "leased": true})).await.unwrap();
    let lease = |number: usize| got.fields["messages"][number]["lease"].as_u64().unwrap();
    gone.ok(json!({"op": "acknowledge", "lease": lease(0)})).await;
    assert_eq!(gone.refused(json!({"op": "acknowledge", "lease": lease(0)})).await, "lease_ended");
    gone.ok(json!({"op": "release", "lease": lease(1)})).await;
    let again = next.ask(json!({"op": "get", "id": "q"})).await.unwrap();
    assert_eq!((&again.payload[..], &again.fields["messages"][0]["redelivered"]), (&b"b"[..], &json!(1)));
    let waiting = next.asking(json!({"op": "get", "id": "q", "leased": true}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    gone.leases.end();
    let last = soon("the last", waiting).await.unwrap().unwrap();
    assert_eq!((&last.payload[..], &last.fields["messages"][0]["redelivered"]), (&b"c"[..], &json!(1)));
    assert_eq!(gone.refused(json!({"op": "acknowledge", "lease": lease(2)})).await, "lease_ended");
}

#[tokio::test]
async fn the_ends_of_a_pipe_are_held() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    one.ok(json!({"op": "create", "id": "p", "kind": "pipe", "capacity": 4096})).await;
    let left = one.lease(json!({"op": "take_end", "id": "p", "end": "left"})).await;
    assert_eq!(other.refused(json!({"op": "take_end", "id": "p", "end": "left"})).await, "end_taken");
    assert_eq!(other.refused(json!({"op": "take_end", "id": "p", "end": "up"})).await, "bad_parameter");
    let right = other.lease(json!({"op": "take_end", "id": "p", "end": "right"})).await;
    let waiting = other.asking(json!({"op": "receive", "lease": right}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    one.ask_with(json!({"op": "send", "lease": left, "tag": "utf-8"}), b"hello").await.unwrap();
    let received = soon("a message", waiting).await.unwrap().unwrap();
    assert_eq!((&received.fields["tag"], &received.payload[..]), (&json!("utf-8"), &b"hello"[..]));
    assert_eq!(other.refused(json!({"op": "receive", "lease": right, "timeout": 0.01})).await, "timeout");
    assert_eq!(
        one.ask_with(json!({"op": "send", "lease": left}), &[0; 9999]).await.unwrap_err().code,
        "too_large"
    );
    let big = [0; 3000];
    other.ask_with(json!({"op": "send", "lease": right}), &big).await.unwrap();
    let full = loop {
        let sent = other.ask_with(json!({"op": "send", "lease": right, "timeout": 0.01}), &big).await;
        match sent {
            Ok(_) => {}
            Err(fault) => break fault,
        }
    };
    assert_eq!(full.code, "timeout");
    let pending = other.asking(json!({"op": "receive", "lease": right}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    other.leases.end();
    assert_eq!(soon("the end", pending).await.unwrap().unwrap_err().code, "lease_ended");
    let end = loop {
        match one.ask(json!({"op": "receive", "lease": left})).await {
            Ok(message) => assert_eq!(message.payload.len(), big.len()),
            Err(fault) => break fault,
        }
    };
    assert_eq!(end.code, "end_of_pipe");
    assert_eq!(one.refused(json!({"op": "send", "lease": left})).await, "broken_pipe");
    one.ok(json!({"op": "release", "lease": left})).await;
    assert_eq!(one.refused(json!({"op": "send", "lease": left})).await, "lease_ended");

    one.ok(json!({"op": "create", "id": "w", "kind": "pipe", "capacity": 4096, "one_way": true})).await;
    let left = one.lease(json!({"op": "take_end", "id": "w", "end": "left"})).await;
    assert_eq!(one.refused(json!({"op": "receive", "lease": left})).await, "bad_parameter");
}

#[tokio::test]
async fn one_session_publishes_frames_at_a_time() {
    let ground = Ground::new();
    let (one, other) = (ground.session(), ground.session());
    one.ok(json!({"op": "create", "id": "f", "kind": "frames", "schema": "[2,2]u1"})).await;
    assert_eq!(one.ok(json!({"op": "read", "id": "f"})).await, json!({"sequence": 0}));
    let first = one.ask_with(json!({"op": "publish", "id": "f"}), &[1, 2, 3, 4]).await.unwrap().fields;
    let second = one.ask_with(json!({"op": "publish", "id": "f"}), &[5, 6, 7, 8]).await.unwrap().fields;
    assert_eq!((&first["lease"], &second["sequence"]), (&second["lease"], &json!(2)));
    let fault = other.ask_with(json!({"op": "publish", "id": "f"}), &[0; 4]).await.unwrap_err();
    assert_eq!(fault.code, "publisher_exists");
    assert_eq!(
        one.ask_with(json!({"op": "publish", "id": "f"}), &[0; 5]).await.unwrap_err().code,
        "too_large"
    );
    assert_eq!(
        one.ask_with(json!({"op": "publish", "id": "f"}), &[0; 3]).await.unwrap_err().code,
        "bad_parameter"
    );
    let frame = other.ask(json!({"op": "read", "id": "f"})).await.unwrap();
    assert_eq!((&frame.payload[..], &frame.fields["shape"]), (&[5, 6, 7, 8][..], &json!([2, 2])));
    one.leases.end();
    let third = other.ask_with(json!({"op": "publish", "id": "f"}), &[9; 4]).await.unwrap().fields;
    assert_eq!(third["sequence"], 3);
    other.ok(json!({"op": "release", "lease": third["lease"]})).await;
    drop(memlane::FramePublisher::open(&ground.space, "f").unwrap());
    // Nothing of this made the host a borrower.
    assert!(memlane::Observer::open(&ground.space, "f").unwrap().frames().unwrap().subscribers.is_empty());
}

#[tokio::test]
async fn records_are_appended_and_read() {
    let ground = Ground::new();
    let session = ground.session();
    session
        .ok(json!({"op": "create", "id": "s", "kind": "stream", "schema": "{n: <u4}", "capacity": 64}))
        .await;
    assert_eq!(session.ok(json!({"op": "records", "id": "s", "most": 5})).await["count"], 0);
    let records = |range: std::ops::Range<u32>| range.flat_map(u32::to_le_bytes).collect::<Vec<_>>();
    let first = session.ask_with(json!({"op": "append", "id": "s"}), &records(0..10)).await.unwrap().fields;
    assert_eq!(first["first"], 0);
    let more = session.ask_with(json!({"op": "append", "id": "s"}), &records(10..12)).await.unwrap().fields;
    assert_eq!((&more["first"], &more["lease"]), (&json!(10), &first["lease"]));
    let newest = session.ask(json!({"op": "records", "id": "s", "most": 3})).await.unwrap();
    assert_eq!((&newest.fields["first"], &newest.payload[..]), (&json!(9), &records(9..12)[..]));
    let some = session.ask(json!({"op": "records", "id": "s", "since": 4, "most": 2})).await.unwrap();
    assert_eq!((&some.fields["lost"], &some.payload[..]), (&json!(0), &records(4..6)[..]));
    let capacity =
        session.ok(json!({"op": "read", "id": "s"})).await["content"]["capacity"].as_u64().unwrap();
    session.ask_with(json!({"op": "append", "id": "s"}), &records(12..2 * capacity as u32)).await.unwrap();
    let old = session.ask(json!({"op": "records", "id": "s", "since": 0, "most": 1})).await.unwrap().fields;
    assert!(old["lost"].as_u64().unwrap() >= capacity - 1 && old["first"] == old["lost"], "{old:?}");
    let future = session.ok(json!({"op": "records", "id": "s", "since": u64::MAX, "most": u32::MAX})).await;
    assert_eq!(future["count"], 0);
    assert_eq!(
        session.ask_with(json!({"op": "append", "id": "s"}), &[0; 5]).await.unwrap_err().code,
        "bad_parameter"
    );
}

#[tokio::test]
async fn an_append_waits_for_the_readers_of_a_lossless_stream() {
    let ground = Ground::new();
    let session = ground.session();
    let make = json!({"op": "create", "id": "s", "kind": "stream", "schema": "u64", "capacity": 16, "lossless": true});
    session.ok(make).await;
    let capacity =
        session.ok(json!({"op": "read", "id": "s"})).await["content"]["capacity"].as_u64().unwrap();
    let reader = memlane::StreamSubscriber::open(&ground.space, "s").unwrap();
    let all = vec![7; 8 * (capacity as usize + 1)];
    let appending = {
        let session = session.clone();
        tokio::spawn(async move { session.ask_with(json!({"op": "append", "id": "s"}), &all).await })
    };
    until("the stream is full", || reader.published() + capacity / 8 > capacity).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(!appending.is_finished());
    let mut read = 0;
    while read < capacity + 1 {
        read += reader.try_next_many(4).len() as u64;
        tokio::task::yield_now().await;
    }
    assert_eq!(soon("the append", appending).await.unwrap().unwrap().fields["first"], 0);
}
