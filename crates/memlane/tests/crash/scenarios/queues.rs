//! Killed while it puts, takes, leases, acknowledges, gives back or closes.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::{Error, Queue, QueueSpec};
use std::mem::forget;
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("queue: put", Deaths::AtEveryInstruction, put),
    Scenario::new("queue: put many", Deaths::AtEveryInstruction, put_many),
    Scenario::new("queue: reserve, fill and commit", Deaths::AtEveryInstruction, reserve),
    Scenario::new("queue: put after a dead producer", Deaths::AtEveryInstruction, put_after_the_dead),
    Scenario::new("queue: take", Deaths::AtEveryInstruction, take),
    Scenario::new("queue: take several in place", Deaths::AtEveryInstruction, take_several),
    Scenario::new("queue: take after a dead consumer", Deaths::AtEveryInstruction, take_after_the_dead),
    Scenario::new("queue: lease and acknowledge", Deaths::AtEveryInstruction, lease_and_acknowledge),
    Scenario::new("queue: lease and give back", Deaths::AtEveryInstruction, lease_and_give_back),
    Scenario::new("queue: lease what a dead one had", Deaths::AtEveryInstruction, lease_after_the_dead),
    Scenario::new("queue: close", Deaths::AtEveryInstruction, close),
    Scenario::new("queue: put, a getter asleep", Deaths::InCompany, put_with_a_sleeper),
    Scenario::new("queue: take, a putter asleep", Deaths::InCompany, take_with_a_sleeper),
    Scenario::new("queue: close, a getter asleep", Deaths::InCompany, close_with_a_sleeper),
    Scenario::new("queue: give back, a getter asleep", Deaths::InCompany, give_back_with_a_sleeper),
];

const AT_ONCE: Option<Duration> = Some(Duration::ZERO);
/// The longest message that the smallest ring holds with nothing else in it.
const MOST: usize = 4096 - 8;
const NEXT: u8 = 99;

/// A message's bytes are all its number; messages are of several lengths.
fn message(number: u8) -> Vec<u8> {
    vec![number; 20 + usize::from(number)]
}

fn messages(numbers: impl IntoIterator<Item = u8>) -> Vec<Vec<u8>> {
    numbers.into_iter().map(message).collect()
}

fn queue(stage: &Stage<'_>, spec: QueueSpec, numbers: impl IntoIterator<Item = u8>) -> Queue {
    let queue = Queue::create(stage.space(), ID, &spec).unwrap();
    let messages = messages(numbers);
    assert_eq!(queue.put_many(&messages, AT_ONCE).unwrap(), messages.len());
    queue
}

fn plain() -> QueueSpec {
    QueueSpec::bytes(MOST)
}

fn acknowledged() -> QueueSpec {
    QueueSpec::bytes(MOST - 8).acknowledged()
}

/// The queue as a victim opens it.
fn open(stage: &Stage<'_>) -> Queue {
    let queue = Queue::open(stage.space(), ID).unwrap();
    join(queue.region());
    queue
}

/// What is in it, in order; that is what its length said.
fn drain(queue: &Queue) -> Vec<u8> {
    let length = queue.len();
    let mut numbers = Vec::new();
    while let Some(got) = queue.try_get().unwrap() {
        let number = got.bytes[0];
        assert_eq!(got.bytes, message(number), "message {number} is torn");
        numbers.push(number);
    }
    assert!(numbers.len() <= length);
    numbers
}

/// Everything can be put and taken again, all of the ring.
fn assert_goes_on(queue: &Queue) {
    assert_eq!((queue.len(), queue.state().used), (0, 0));
    queue.put(&message(NEXT), AT_ONCE).unwrap();
    assert_eq!(drain(queue), [NEXT]);
    let longest = vec![NEXT; queue.capacity()];
    queue.put(&longest, AT_ONCE).unwrap();
    assert!(!queue.try_put(b"").unwrap());
    assert_eq!(queue.get(AT_ONCE).unwrap().bytes, longest);
    let state = queue.state();
    assert!(state.leases.is_empty() && state.producer.is_none() && state.consumer.is_none(), "{state:?}");
    assert_alone(queue.region());
}

fn put(stage: &Stage<'_>) {
    put_by(stage, |queue| queue.put(&message(3), None).unwrap(), &[3]);
}

fn put_many(stage: &Stage<'_>) {
    let put = |queue: &Queue| assert_eq!(queue.put_many(&messages([3, 4, 5]), None).unwrap(), 3);
    put_by(stage, put, &[3, 4, 5]);
}

fn reserve(stage: &Stage<'_>) {
    let put = |queue: &Queue| {
        let mut reserved = queue.reserve(100, None).unwrap();
        reserved.truncate(message(3).len());
        reserved.fill(3);
        reserved.commit().unwrap();
    };
    put_by(stage, put, &[3]);
}

/// What is put comes whole or not at all, behind what is there.
fn put_by(stage: &Stage<'_>, put: impl Fn(&Queue), puts: &[u8]) {
    let queue = queue(stage, plain(), [1, 2]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| put(&queue));
        queue
    });
    victim.dies();
    queue.put(&message(NEXT), AT_ONCE).unwrap();
    let found = drain(&queue);
    let (without, with) = ([&[1, 2], &[][..], &[NEXT]].concat(), [&[1, 2], puts, &[NEXT]].concat());
    assert!(found == without || found == with, "{found:?}");
    assert_goes_on(&queue);
}

fn put_after_the_dead(stage: &Stage<'_>) {
    let queue = queue(stage, plain(), [1]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| queue.put(&message(3), None).unwrap());
        queue
    });
    let dead = stage.victim(|| {
        let queue = open(stage);
        let mut reserved = queue.reserve(MOST - 100, None).unwrap();
        reserved.fill(NEXT);
        forget(reserved);
        operation(|| ());
        queue
    });
    drop(dead);
    victim.dies();
    let found = drain(&queue);
    assert!(found == [1] || found == [1, 3], "{found:?}");
    assert_goes_on(&queue);
}

fn take(stage: &Stage<'_>) {
    take_by(stage, |queue| assert_eq!(queue.get(None).unwrap().bytes, message(1)), 1);
}

fn take_several(stage: &Stage<'_>) {
    let take = |queue: &Queue| {
        let mut sum = 0;
        assert_eq!(queue.get_each(2, None, |_, bytes| sum += bytes[0]).unwrap(), 2);
        assert_eq!(sum, 3);
    };
    take_by(stage, take, 2);
}

/// What was being taken is gone or all there.
fn take_by(stage: &Stage<'_>, take: impl Fn(&Queue), takes: usize) {
    let queue = queue(stage, plain(), [1, 2, 3]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| take(&queue));
        queue
    });
    victim.dies();
    let found = drain(&queue);
    assert!([&[1, 2, 3][..], &[1, 2, 3][takes..]].contains(&&*found), "{found:?}");
    assert_goes_on(&queue);
}

fn take_after_the_dead(stage: &Stage<'_>) {
    let queue = queue(stage, plain(), [1, 2]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| assert_eq!(queue.get(None).unwrap().bytes, message(1)));
        queue
    });
    let dead = stage.victim(|| {
        let queue = open(stage);
        forget(queue.read(None).unwrap());
        operation(|| ());
        queue
    });
    drop(dead);
    victim.dies();
    let found = drain(&queue);
    assert!(found == [1, 2] || found == [2], "{found:?}");
    assert_goes_on(&queue);
}

fn lease_and_acknowledge(stage: &Stage<'_>) {
    let queue = queue(stage, acknowledged(), [1, 2]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| {
            let lease = queue.lease(None).unwrap();
            assert_eq!((lease.bytes(), lease.redelivered()), (&*message(1), 0));
            lease.acknowledge().unwrap();
        });
        queue
    });
    victim.dies();
    let mut found = drain(&queue);
    found.sort_unstable();
    assert!(found == [1, 2] || found == [2], "{found:?}");
    assert_goes_on(&queue);
}

fn lease_and_give_back(stage: &Stage<'_>) {
    let queue = queue(stage, acknowledged(), [1, 2]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| drop(queue.lease(None).unwrap()));
        queue
    });
    victim.dies();
    let mut times = 0;
    let mut found = Vec::new();
    while let Some(got) = queue.try_get().unwrap() {
        times += got.redelivered;
        found.push(got.bytes);
    }
    found.sort_unstable();
    assert_eq!(found, messages([1, 2]));
    assert!(times <= 1, "handed out {times} times before");
    assert_goes_on(&queue);
}

fn lease_after_the_dead(stage: &Stage<'_>) {
    let queue = queue(stage, acknowledged(), [1]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| {
            let lease = queue.lease(None).unwrap();
            assert_eq!(lease.redelivered(), 1);
            lease.acknowledge().unwrap();
        });
        queue
    });
    let dead = stage.victim(|| {
        let queue = open(stage);
        forget(queue.lease(None).unwrap());
        operation(|| ());
        queue
    });
    drop(dead);
    victim.dies();
    match queue.try_get().unwrap() {
        None => {}
        Some(got) => assert!(got.bytes == message(1) && (1..=2).contains(&got.redelivered), "{got:?}"),
    }
    assert_eq!(drain(&queue), []);
    assert_goes_on(&queue);
}

fn close(stage: &Stage<'_>) {
    let queue = queue(stage, plain(), [1]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| queue.close());
        queue
    });
    victim.dies();
    let closed = queue.is_closed();
    assert_eq!(closed, matches!(queue.put(&message(2), AT_ONCE), Err(Error::Closed { .. })));
    let found: Vec<_> = (0..queue.len()).map(|_| queue.get(AT_ONCE).unwrap().bytes).collect();
    assert_eq!(found, messages(if closed { &[1][..] } else { &[1, 2] }.iter().copied()));
    queue.close();
    assert!(matches!(queue.get(None), Err(Error::Closed { .. })));
    assert_alone(queue.region());
}

fn put_with_a_sleeper(stage: &Stage<'_>) {
    let queue = queue(stage, plain(), []);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| queue.put(&message(1), None).unwrap());
        queue
    });
    let wait = || queue.get(Some(PATIENCE)).expect("a message").bytes;
    let (got, latency) = asleep_while(wait, || {
        let killed = victim.dies();
        if queue.state().put == 0 {
            queue.put(&message(1), Some(PATIENCE)).unwrap();
        }
        killed
    });
    stage.note_latency(latency);
    assert_eq!(got, message(1));
    assert_goes_on(&queue);
}

fn take_with_a_sleeper(stage: &Stage<'_>) {
    let queue = queue(stage, plain().messages(1), [1]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| queue.get(None).unwrap());
        queue
    });
    let wait = || queue.put(&message(2), Some(PATIENCE)).expect("room");
    let ((), latency) = asleep_while(wait, || {
        let killed = victim.dies();
        // Still there, or the sleeper's already.
        if queue.peek(1).first().is_some_and(|first| first.bytes == message(1)) {
            assert_eq!(queue.get(Some(PATIENCE)).unwrap().bytes, message(1));
        }
        killed
    });
    stage.note_latency(latency);
    assert_eq!(drain(&queue), [2]);
    assert_goes_on(&queue);
}

fn close_with_a_sleeper(stage: &Stage<'_>) {
    let queue = queue(stage, acknowledged(), []);
    let victim = stage.victim(|| {
        let queue = open(stage);
        operation(|| queue.close());
        queue
    });
    let wait = || queue.get(Some(PATIENCE)).expect_err("there is nothing");
    let (error, latency) = asleep_while(wait, || {
        let killed = victim.dies();
        if !queue.is_closed() {
            queue.close();
        }
        killed
    });
    stage.note_latency(latency);
    assert!(matches!(error, Error::Closed { .. }), "{error}");
    assert_alone(queue.region());
}

fn give_back_with_a_sleeper(stage: &Stage<'_>) {
    let queue = queue(stage, acknowledged(), [1]);
    let victim = stage.victim(|| {
        let queue = open(stage);
        let lease = queue.lease(None).unwrap();
        operation(|| drop(lease));
    });
    let wait = || queue.get(Some(PATIENCE)).expect("a message");
    let (got, latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    assert!(got.bytes == message(1) && got.redelivered == 1, "{got:?}");
    assert_goes_on(&queue);
}
