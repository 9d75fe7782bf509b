//! Killed while it appends, reads, subscribes or takes the publisher's place.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::stream::{PublisherState, Records};
use memlane::{Region, StreamPublisher, StreamSpec, StreamSubscriber};
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("stream: append", Deaths::AtEveryInstruction, append),
    Scenario::new("stream: append, a reader asleep", Deaths::InCompany, append_with_a_sleeper),
    Scenario::new("stream: append, a reader in the way", Deaths::AtEveryInstruction, append_lossless),
    Scenario::new("stream: read what is waited for", Deaths::AtEveryInstruction, read),
    Scenario::new("stream: read, the publisher asleep", Deaths::InCompany, read_with_a_sleeper),
    Scenario::new("stream: subscribe and leave", Deaths::AtEveryInstruction, subscribe),
    Scenario::new("stream: take a dead publisher's place", Deaths::AtEveryInstruction, take_place),
];

/// A record's bytes are all its number.
const RECORD: usize = 512;
/// A ring of one page.
const CAPACITY: u64 = 8;
const READERS: u32 = 2;
/// Published before a victim comes: more than the ring holds.
const BEFORE: u64 = 13;

fn spec() -> StreamSpec {
    StreamSpec::of("[512]u1").capacity(CAPACITY)
}

fn append_one(publisher: &mut StreamPublisher) -> u64 {
    let number = publisher.published();
    assert_eq!(publisher.append(&[number as u8; RECORD]).unwrap(), number);
    number
}

/// A stream with records, and their publisher.
fn stream(stage: &Stage<'_>, spec: &StreamSpec) -> StreamPublisher {
    let mut publisher = StreamPublisher::create(stage.space(), ID, spec).unwrap().patience(Some(PATIENCE));
    assert_eq!(publisher.capacity(), CAPACITY);
    (0..BEFORE).for_each(|number| assert_eq!(append_one(&mut publisher), number));
    publisher
}

fn reopen(stage: &Stage<'_>) -> StreamPublisher {
    StreamPublisher::open(stage.space(), ID).unwrap().patience(Some(PATIENCE))
}

fn assert_whole(records: &Records) {
    for (number, bytes) in records.iter() {
        assert_eq!(bytes, [number as u8; RECORD], "record {number} is torn");
    }
}

/// A ring's worth of records and more arrives, each whole.
fn assert_goes_on(publisher: &mut StreamPublisher, reader: &StreamSubscriber) {
    reader.seek(publisher.published());
    for _ in 0..2 * CAPACITY {
        let number = append_one(publisher);
        let record = reader.next(Some(Duration::ZERO)).unwrap();
        assert_eq!((record.sequence, record.bytes), (number, vec![number as u8; RECORD]));
    }
    assert_eq!(publisher.published(), reader.published());
}

fn append(stage: &Stage<'_>) {
    drop(stream(stage, &spec()));
    let reader = StreamSubscriber::open(stage.space(), ID).unwrap();
    let victim = stage.victim(|| {
        let mut publisher = reopen(stage);
        operation(|| append_one(&mut publisher));
        publisher
    });
    victim.dies();
    assert!(matches!(reader.state().publisher, PublisherState::Died(_)));
    let published = reader.published();
    assert!([BEFORE, BEFORE + 1].contains(&published));
    let all = reader.since(0).unwrap();
    assert_whole(&all);
    assert_eq!(all.lost + all.len() as u64, published);
    // The announcement of a record that was never published costs the oldest one, and no more.
    assert!(all.len() as u64 >= CAPACITY - 1);
    let mut next = reopen(stage);
    assert_eq!(append_one(&mut next), published);
    let got = reader.try_next_many(usize::MAX);
    assert_eq!((got.first, got.lost, got.len() as u64), (BEFORE, 0, published + 1 - BEFORE));
    assert_whole(&got);
    assert_goes_on(&mut next, &reader);
    assert_alone(next.region());
}

fn append_with_a_sleeper(stage: &Stage<'_>) {
    drop(stream(stage, &spec()));
    let sleeper = StreamSubscriber::open(stage.space(), ID).unwrap();
    let victim = stage.victim(|| {
        let mut publisher = reopen(stage);
        operation(|| append_one(&mut publisher));
        publisher
    });
    let wait = move || sleeper.next(Some(PATIENCE)).expect("a record");
    let (record, latency) = asleep_while(wait, || {
        let killed = victim.dies();
        let mut next = reopen(stage);
        if next.published() == BEFORE {
            append_one(&mut next);
        }
        killed
    });
    stage.note_latency(latency);
    assert_eq!((record.sequence, record.bytes), (BEFORE, vec![BEFORE as u8; RECORD]));
}

fn append_lossless(stage: &Stage<'_>) {
    let mut publisher = stream(stage, &spec().lossless_for(READERS));
    let reader = StreamSubscriber::open(stage.space(), ID).unwrap();
    (1..CAPACITY).for_each(|_| assert_ne!(append_one(&mut publisher), 0));
    drop(publisher);
    let victim = stage.victim(|| {
        let mut publisher = reopen(stage).patience(Some(Duration::from_millis(1)));
        operation(|| {
            append_one(&mut publisher);
            // No more fits.
            publisher.append(&[0; RECORD]).unwrap_err()
        });
        publisher
    });
    victim.dies();
    let mut next = reopen(stage);
    let published = next.published();
    assert!([BEFORE + CAPACITY - 1, BEFORE + CAPACITY].contains(&published));
    let got = reader.try_next_many(usize::MAX);
    assert_eq!((got.first, got.lost, got.len() as u64), (BEFORE, 0, published - BEFORE));
    assert_whole(&got);
    assert_eq!(reader.lost(), 0);
    assert_goes_on(&mut next, &reader);
    assert_alone(next.region());
}

/// A publisher with as much published as a reader that joined at `BEFORE` lets it.
fn full(stage: &Stage<'_>) -> StreamPublisher {
    let mut publisher = stream(stage, &spec().lossless_for(READERS));
    let reader = StreamSubscriber::open(stage.space(), ID).unwrap();
    (0..CAPACITY).for_each(|_| assert_ne!(append_one(&mut publisher), 0));
    drop(reader);
    publisher
}

/// A reader of the oldest records that are there.
fn reader_behind(stage: &Stage<'_>) -> StreamSubscriber {
    let reader = StreamSubscriber::open(stage.space(), ID).unwrap();
    reader.seek(BEFORE);
    reader
}

fn read(stage: &Stage<'_>) {
    let mut publisher = full(stage);
    let victim = stage.victim(|| {
        let reader = reader_behind(stage);
        operation(|| {
            assert_eq!(reader.next(None).unwrap().sequence, BEFORE);
            assert_eq!(reader.next_many(2, None).unwrap().len(), 2);
        });
        reader
    });
    victim.dies();
    let survivor = StreamSubscriber::open(stage.space(), ID).unwrap();
    assert_goes_on(&mut publisher, &survivor);
    assert_entries(stage, 1);
    assert_alone(publisher.region());
}

fn read_with_a_sleeper(stage: &Stage<'_>) {
    let mut publisher = full(stage);
    let victim = stage.victim(|| {
        let reader = reader_behind(stage);
        operation(|| drop(reader.next(None).unwrap()));
        reader
    });
    let wait = move || append_one(&mut publisher);
    let (number, latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    assert_eq!(number, BEFORE + CAPACITY);
}

/// All entries that no living reader has can be had.
fn assert_entries(stage: &Stage<'_>, taken: u32) {
    let free: Vec<_> = (taken..READERS).map(|_| StreamSubscriber::open(stage.space(), ID).unwrap()).collect();
    assert!(StreamSubscriber::open(stage.space(), ID).is_err());
    drop(free);
}

fn subscribe(stage: &Stage<'_>) {
    let mut publisher = stream(stage, &spec().lossless_for(READERS));
    let survivor = StreamSubscriber::open(stage.space(), ID).unwrap();
    let victim = stage.victim(|| {
        let region = Region::open(stage.space(), ID).unwrap();
        join(&region);
        operation(|| drop(StreamSubscriber::open(stage.space(), ID).unwrap()));
        region
    });
    victim.dies();
    assert_goes_on(&mut publisher, &survivor);
    assert_entries(stage, 1);
    assert_goes_on(&mut publisher, &survivor);
    assert_alone(publisher.region());
}

fn take_place(stage: &Stage<'_>) {
    drop(stream(stage, &spec()));
    let first = stage.victim(|| {
        let mut publisher = reopen(stage);
        let mut batch = publisher.batch(1).unwrap();
        batch.set(0, &[u8::MAX; RECORD]).unwrap();
        operation(|| ());
        publisher
    });
    drop(first);
    let victim = stage.victim(|| {
        let region = Region::open(stage.space(), ID).unwrap();
        join(&region);
        let publisher = operation(|| StreamPublisher::open(stage.space(), ID).unwrap());
        (region, publisher)
    });
    victim.dies();
    let reader = StreamSubscriber::open(stage.space(), ID).unwrap();
    assert_whole(&reader.since(0).unwrap());
    let mut next = reopen(stage);
    assert_eq!(append_one(&mut next), BEFORE);
    assert_whole(&reader.since(0).unwrap());
    assert_goes_on(&mut next, &reader);
    assert!(matches!(reader.state().publisher, PublisherState::Alive(_)));
    assert_alone(next.region());
}
