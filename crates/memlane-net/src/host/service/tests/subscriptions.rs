//! Subscriptions: the newest, exact counts, and nothing that a producer notices.

use super::*;
use crate::host::subscription::Subscription;
use memlane::{Event, FramePublisher, FrameSpec, StreamPublisher, StreamSpec, Value as Cell};
use serde_json::Map;

impl Ground {
    fn subscribe(&self, operation: Value) -> (Map<String, Value>, Subscription) {
        let operation = serde_json::from_value(operation).unwrap();
        self.service.subscribe(&operation).unwrap()
    }
}

async fn next(subscription: &mut Subscription) -> (Value, Bytes) {
    let (fields, payload) = soon("an event", subscription.next()).await.unwrap();
    (Value::Object(fields), payload)
}

async fn nothing(subscription: &mut Subscription) {
    let event = tokio::time::timeout(Duration::from_millis(30), subscription.next()).await;
    assert!(event.is_err(), "{event:?}");
}

#[tokio::test]
async fn a_content_comes_at_once_and_whenever_it_changes() {
    let ground = Ground::new();
    let cell = Cell::<f64>::create(&ground.space, "v", 1.0).unwrap();
    let (fields, mut all) = ground.subscribe(json!({"op": "subscribe", "id": "v"}));
    assert_eq!((&fields["kind"], &fields["schema"]), (&json!("value"), &json!("<f8")));
    let (first, _) = next(&mut all).await;
    assert_eq!(first["content"], 1.0);
    nothing(&mut all).await;
    cell.store(f64::NAN);
    assert_eq!(next(&mut all).await.0["content"], "NaN");
    nothing(&mut all).await;
    cell.store(2.0);
    cell.store(3.0);
    assert_eq!(next(&mut all).await.0["content"], 3.0);
    let version = cell.read().version;
    let (_, mut after) =
        ground.subscribe(json!({"op": "subscribe", "id": "v", "after": version, "form": "bytes"}));
    nothing(&mut after).await;
    cell.store(4.0);
    assert_eq!(next(&mut after).await.1, 4.0_f64.to_le_bytes().as_slice());
    let (_, mut before) = ground.subscribe(json!({"op": "subscribe", "id": "v", "after": 0}));
    assert_eq!(next(&mut before).await.0["content"], 4.0);
    assert_eq!(next(&mut all).await.0["content"], 4.0);
    ground.session().ok(json!({"op": "delete", "id": "v"})).await;
    assert_eq!(soon("the end", all.next()).await.unwrap_err().code, "not_found");
    assert_eq!(soon("the end", after.next()).await.unwrap_err().code, "not_found");
}

/// Who looks at a region's participants is not to find a host there that nobody uses it by.
#[tokio::test]
async fn a_region_is_left_when_nobody_follows_it_any_more() {
    let ground = Ground::new();
    drop(Event::create(&ground.space, "looked at").unwrap());
    for id in ["followed", "written"] {
        drop(Cell::<f64>::create(&ground.space, id, 1.0).unwrap());
    }
    let observe = |id| memlane::Observer::open(&ground.space, id).unwrap();
    let left = async |observer: &memlane::Observer| {
        while !observer.participants().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let [looked_at, followed, written] = ["looked at", "followed", "written"].map(observe);
    let (_, mut standing) = ground.subscribe(json!({"op": "subscribe", "id": "looked at"}));
    let (_, mut content) = ground.subscribe(json!({"op": "subscribe", "id": "followed"}));
    next(&mut standing).await;
    nothing(&mut standing).await;
    assert_eq!(looked_at.participants().len(), 0, "to look is not to take part");
    next(&mut content).await;
    ground.session().ok(json!({"op": "write", "id": "written", "content": 2.0})).await;
    assert_eq!(written.participants().len(), 1);
    soon("the end of idle participation", left(&written)).await;
    assert_eq!(followed.participants().len(), 1, "it is followed still");
    drop(content);
    soon("the end of the following", left(&followed)).await;
}

#[tokio::test]
async fn the_newest_frame_wins_and_the_missed_are_counted() {
    let ground = Ground::new();
    let spec = FrameSpec::of("[4,4]u1".parse().unwrap());
    let mut camera = FramePublisher::create(&ground.space, "f", &spec).unwrap();
    let mut publish = |value: u8| {
        let mut loan = camera.loan().unwrap();
        loan.fill(value);
        loan.publish()
    };
    let (_, mut one) = ground.subscribe(json!({"op": "subscribe", "id": "f"}));
    nothing(&mut one).await;
    publish(1);
    let (first, bytes) = next(&mut one).await;
    assert_eq!((&first["sequence"], &first["missed"], &bytes[..]), (&json!(1), &json!(0), &[1; 16][..]));
    for value in 2..=9 {
        publish(value);
    }
    let (newest, bytes) = next(&mut one).await;
    assert_eq!((&newest["sequence"], &newest["missed"], bytes[0]), (&json!(9), &json!(7), 9));
    let (_, mut after) = ground.subscribe(json!({"op": "subscribe", "id": "f", "after": 4}));
    let (event, same) = next(&mut after).await;
    assert_eq!((&event["missed"], &event["shape"]), (&json!(4), &json!([4, 4])));
    // One copy for all.
    assert_eq!(same.as_ptr(), bytes.as_ptr());
    let scaled = json!({"op": "subscribe", "id": "f", "scale": 2, "jpeg": 80});
    let ((_, mut small), (_, mut too)) = (ground.subscribe(scaled.clone()), ground.subscribe(scaled));
    let ((event, small), (_, also)) = (next(&mut small).await, next(&mut too).await);
    assert_eq!((&event["encoding"], &event["shape"]), (&json!("jpeg"), &json!([2, 2, 1])));
    assert_eq!(small.as_ptr(), also.as_ptr());
    assert!(memlane::Observer::open(&ground.space, "f").unwrap().frames().unwrap().subscribers.is_empty());
}

#[tokio::test]
async fn records_come_in_batches_and_the_lost_are_counted() {
    let ground = Ground::new();
    let spec = StreamSpec::of("u64").capacity(64);
    let mut stream = StreamPublisher::create(&ground.space, "s", &spec).unwrap();
    stream.append_many(&[0; 16]).unwrap();
    let (_, mut all) = ground.subscribe(json!({"op": "subscribe", "id": "s", "most": 3}));
    nothing(&mut all).await;
    stream.append_many(&[7; 8 * 4]).unwrap();
    let (batch, bytes) = next(&mut all).await;
    assert_eq!(batch, json!({"first": 2, "count": 3, "lost": 0}));
    assert_eq!(bytes.len(), 24);
    assert_eq!(next(&mut all).await.0, json!({"first": 5, "count": 1, "lost": 0}));
    let mut counted = 6;
    for _ in 0..2 * stream.capacity() {
        stream.append(&[1; 8]).unwrap();
    }
    while counted < stream.published() {
        let (batch, _) = next(&mut all).await;
        counted += batch["lost"].as_u64().unwrap();
        assert_eq!(batch["first"], counted);
        counted += batch["count"].as_u64().unwrap();
    }
    let (_, mut after) =
        ground.subscribe(json!({"op": "subscribe", "id": "s", "after": stream.published() - 1}));
    assert_eq!(next(&mut after).await.0["count"], 1);
}

#[tokio::test]
async fn other_kinds_show_how_they_stand() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "e", "kind": "event"})).await;
    session.ok(json!({"op": "create", "id": "l", "kind": "lock"})).await;
    let (_, mut event) = ground.subscribe(json!({"op": "subscribe", "id": "e"}));
    assert_eq!(next(&mut event).await.0["content"]["set"], false);
    session.ok(json!({"op": "set", "id": "e"})).await;
    assert_eq!(next(&mut event).await.0["content"]["set"], true);
    let (_, mut lock) = ground.subscribe(json!({"op": "subscribe", "id": "l"}));
    assert_eq!(next(&mut lock).await.0["content"]["holder"], Value::Null);
    session.lease(json!({"op": "lock", "id": "l"})).await;
    assert_eq!(next(&mut lock).await.0["content"]["holder"]["pid"], std::process::id());
    nothing(&mut lock).await;
}

#[tokio::test]
async fn a_rate_is_kept() {
    let ground = Ground::new();
    let cell = Cell::<u64>::create(&ground.space, "v", 0).unwrap();
    let (_, mut slow) = ground.subscribe(json!({"op": "subscribe", "id": "v", "rate": 20}));
    let start = std::time::Instant::now();
    for number in 1..=4 {
        cell.store(number);
        assert_eq!(next(&mut slow).await.0["content"], number);
    }
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn rows_that_changed_are_told() {
    let ground = Ground::new();
    let cell = Cell::<u64>::create(&ground.space, "a/v", 0).unwrap();
    Cell::<u64>::create(&ground.space, "b", 0).unwrap();
    let (_, mut rows) = ground.subscribe(json!({"op": "watch", "patterns": ["a"], "rate": 20}));
    let (first, _) = next(&mut rows).await;
    assert_eq!((&first["changed"][0]["id"], &first["gone"]), (&json!("a/v"), &json!([])));
    assert_eq!(first["changed"].as_array().unwrap().len(), 1);
    cell.store(5);
    // That it is not known to change at all may be told before.
    let stored = async { while next(&mut rows).await.0["changed"][0]["preview"] != "5" {} };
    soon("the new content", stored).await;
    Cell::<u64>::create(&ground.space, "a/w", 0).unwrap();
    let made = async {
        while next(&mut rows).await.0["changed"].as_array().unwrap().iter().all(|row| row["id"] != "a/w") {}
    };
    soon("the new row", made).await;
    ground.space.remove("a/v").unwrap();
    let gone = async { while next(&mut rows).await.0["gone"] != json!(["a/v"]) {} };
    soon("that it is gone", gone).await;
}

#[tokio::test]
async fn many_rows_come_in_events_of_bounded_size() {
    let ground = Ground::new();
    let cells: Vec<_> = (0..1000)
        .map(|number| Cell::<u8>::create(&ground.space, &format!("c/{number}"), 0).unwrap())
        .collect();
    let (_, mut rows) = ground.subscribe(json!({"op": "watch", "rate": 20}));
    let mut ids = std::collections::BTreeSet::new();
    while ids.len() < cells.len() {
        let (event, _) = next(&mut rows).await;
        assert!(event.to_string().len() < crate::protocol::message::MAX_HEADER);
        ids.extend(event["changed"].as_array().unwrap().iter().map(|row| row["id"].to_string()));
    }
    // One that was quiet for long is found changed, too.
    cells[777].store(1);
    let found = async {
        loop {
            let (event, _) = next(&mut rows).await;
            if event["changed"].as_array().unwrap().iter().any(|row| row["id"] == "c/777") {
                return;
            }
        }
    };
    soon("the change", found).await;
}

#[tokio::test]
async fn five_hundred_regions_need_five_threads() {
    let ground = Ground::new();
    let cells: Vec<_> = (0..500)
        .map(|number| Cell::<u64>::create(&ground.space, &format!("c/{number}"), 0).unwrap())
        .collect();
    let tasks: Vec<_> = (0..1000)
        .map(|number| {
            let id = format!("c/{}", number % 500);
            let (_, mut subscription) = ground.subscribe(json!({"op": "subscribe", "id": id}));
            tokio::spawn(async move {
                assert_eq!(next(&mut subscription).await.0["content"], 0);
                next(&mut subscription).await.0["content"].clone()
            })
        })
        .collect();
    // Two subscribers of each region, and one watch for both.
    until("all wait", || ground.service.watchers.things() == 500).await;
    assert!(ground.service.watchers.threads() <= 5, "{}", ground.service.watchers.threads());
    for cell in &cells {
        cell.store(7);
    }
    for task in tasks {
        assert_eq!(soon("an event", task).await.unwrap(), 7);
    }
}

/// A producer makes a system call when somebody waits for what it changes, and only then. While no subscriber asks for
/// the next event, nobody does, however many there are: not one wake for a thousand frames.
#[tokio::test]
async fn a_stalled_subscriber_is_not_noticed_by_a_producer() {
    let ground = Ground::new();
    let mut camera = FramePublisher::create(&ground.space, "f", &FrameSpec::bytes(64)).unwrap();
    let mut publish = |count: u32| {
        for _ in 0..count {
            camera.loan().unwrap().publish();
        }
    };
    let watches = || ground.service.watchers.watches();
    let mut subscriptions: Vec<_> =
        (0..20).map(|_| ground.subscribe(json!({"op": "subscribe", "id": "f"})).1).collect();
    publish(1);
    for subscription in &mut subscriptions {
        next(subscription).await;
    }
    until("nobody waits", || ground.service.watchers.things() == 0).await;
    let before = watches();
    publish(1000);
    tokio::time::sleep(Duration::from_millis(50)).await;
    publish(1000);
    assert_eq!((watches() - before, ground.service.watchers.things()), (0, 0));
    for subscription in &mut subscriptions {
        assert_eq!(next(subscription).await.0["missed"], 1999);
    }
}
