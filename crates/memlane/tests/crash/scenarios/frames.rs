//! Killed while it publishes, reads, subscribes or takes the publisher's place.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::frames::{Frame, PublisherState};
use memlane::{FramePublisher, FrameSpec, FrameSubscriber, Region};
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("frames: loan and publish", Deaths::AtEveryInstruction, publish),
    Scenario::new("frames: publish, a reader asleep", Deaths::InCompany, publish_with_a_sleeper),
    Scenario::new("frames: borrow and give back", Deaths::AtEveryInstruction, borrow),
    Scenario::new("frames: subscribe and leave", Deaths::AtEveryInstruction, subscribe),
    Scenario::new("frames: take a dead publisher's place", Deaths::AtEveryInstruction, take_place),
];

/// A frame's bytes are all its number.
const FRAME_BYTES: usize = 64;
const HISTORY: u32 = 2;
const BORROWS: u32 = 5;
/// Published before a victim comes: more than there are slots, so all have been used.
const BEFORE: u64 = 9;

fn spec() -> FrameSpec {
    FrameSpec::bytes(FRAME_BYTES).history(HISTORY).borrows(BORROWS)
}

/// A channel with frames on offer, and their publisher.
fn channel(stage: &Stage<'_>) -> FramePublisher {
    let mut publisher = FramePublisher::create(stage.space(), ID, &spec()).unwrap();
    (1..=BEFORE).for_each(|number| assert_eq!(publish_one(&mut publisher), number));
    publisher
}

fn publish_one(publisher: &mut FramePublisher) -> u64 {
    let mut loan = publisher.loan().unwrap();
    let number = loan.sequence();
    loan.fill(number as u8);
    loan.publish()
}

fn assert_whole(frame: &Frame<'_>) {
    let number = frame.sequence() as u8;
    assert_eq!(**frame, [number; FRAME_BYTES], "frame {number} is torn");
}

/// Each of more frames than there are slots arrives whole, while others stay as they are.
fn assert_goes_on(publisher: &mut FramePublisher, reader: &FrameSubscriber, held: &[Frame<'_>]) {
    for _ in 0..BEFORE {
        let number = publish_one(publisher);
        let frame = reader.latest().unwrap().unwrap();
        assert_eq!(frame.sequence(), number);
        assert_whole(&frame);
        held.iter().for_each(assert_whole);
    }
}

/// All entries of the pool that no living reader has can be had.
fn assert_entries(stage: &Stage<'_>, taken: u32) {
    let free = BORROWS - taken;
    drop(FrameSubscriber::open_with(stage.space(), ID, free).unwrap());
    assert!(FrameSubscriber::open_with(stage.space(), ID, free + 1).is_err());
}

fn publish(stage: &Stage<'_>) {
    let mut publisher = channel(stage);
    let reader = FrameSubscriber::open_with(stage.space(), ID, 1).unwrap();
    let read = reader.latest().unwrap().unwrap();
    let holder = FrameSubscriber::open_with(stage.space(), ID, BORROWS - 1).unwrap();
    let held: Vec<_> = (1..BORROWS).map(|_| hold_next(&mut publisher, &holder)).collect();
    // All entries hold frames that are off the offer by now: one slot is left.
    let newest = (0..HISTORY).map(|_| publish_one(&mut publisher)).max().unwrap();
    drop(publisher);
    let victim = stage.victim(|| {
        let mut publisher = FramePublisher::open(stage.space(), ID).unwrap();
        operation(|| publish_one(&mut publisher));
        publisher
    });
    victim.dies();
    assert!(matches!(reader.publisher(), PublisherState::Died(_)));
    let mut next = FramePublisher::open(stage.space(), ID).unwrap();
    let number = next.loan().unwrap().sequence();
    assert!([newest + 1, newest + 2].contains(&number));
    assert_whole(&read);
    drop(read);
    for on_offer in number - u64::from(HISTORY)..number {
        let frame = reader.next(Some(Duration::ZERO)).unwrap();
        assert_eq!(frame.sequence(), on_offer);
        assert_whole(&frame);
    }
    assert_goes_on(&mut next, &reader, &held);
    assert_alone(next.region());
}

fn hold_next<'a>(publisher: &mut FramePublisher, holder: &'a FrameSubscriber) -> Frame<'a> {
    publish_one(publisher);
    holder.latest().unwrap().unwrap()
}

fn publish_with_a_sleeper(stage: &Stage<'_>) {
    drop(channel(stage));
    let sleeper = FrameSubscriber::open_with(stage.space(), ID, 1).unwrap();
    let victim = stage.victim(|| {
        let mut publisher = FramePublisher::open(stage.space(), ID).unwrap();
        operation(|| publish_one(&mut publisher));
        publisher
    });
    let wait = move || {
        let frame = sleeper.next(Some(PATIENCE)).expect("a frame");
        assert_whole(&frame);
        frame.sequence()
    };
    let (number, latency) = asleep_while(wait, || {
        let killed = victim.dies();
        let mut next = FramePublisher::open(stage.space(), ID).unwrap();
        if next.loan().unwrap().sequence() == BEFORE + 1 {
            publish_one(&mut next);
        }
        killed
    });
    stage.note_latency(latency);
    assert_eq!(number, BEFORE + 1);
}

fn borrow(stage: &Stage<'_>) {
    let mut publisher = channel(stage);
    let reader = FrameSubscriber::open_with(stage.space(), ID, 1).unwrap();
    let victim = stage.victim(|| {
        let subscriber = FrameSubscriber::open_with(stage.space(), ID, 3).unwrap().history(HISTORY.into());
        operation(|| {
            let older = subscriber.next(None).unwrap();
            let newest = subscriber.latest().unwrap().unwrap();
            assert_eq!((older.sequence(), newest.sequence()), (BEFORE - 1, BEFORE));
            assert_eq!((older[0], newest[FRAME_BYTES - 1]), (BEFORE as u8 - 1, BEFORE as u8));
        });
        subscriber
    });
    victim.dies();
    assert_goes_on(&mut publisher, &reader, &[]);
    assert_entries(stage, 1);
    assert_goes_on(&mut publisher, &reader, &[]);
    assert_alone(publisher.region());
}

fn subscribe(stage: &Stage<'_>) {
    let mut publisher = channel(stage);
    let holder = FrameSubscriber::open_with(stage.space(), ID, 1).unwrap();
    let held = holder.last(1).unwrap();
    let victim = stage.victim(|| {
        let region = Region::open(stage.space(), ID).unwrap();
        join(&region);
        operation(|| drop(FrameSubscriber::open(stage.space(), ID).unwrap()));
        region
    });
    victim.dies();
    assert_entries(stage, 1);
    let reader = FrameSubscriber::open(stage.space(), ID).unwrap();
    assert_goes_on(&mut publisher, &reader, &held);
    assert_alone(publisher.region());
}

fn take_place(stage: &Stage<'_>) {
    drop(channel(stage));
    let holder = FrameSubscriber::open(stage.space(), ID).unwrap();
    let held = holder.last(2).unwrap();
    let first = stage.victim(|| {
        let mut publisher = FramePublisher::open(stage.space(), ID).unwrap();
        let mut loan = publisher.loan().unwrap();
        loan.fill(u8::MAX);
        operation(|| ());
        publisher
    });
    drop(first);
    let victim = stage.victim(|| {
        let region = Region::open(stage.space(), ID).unwrap();
        join(&region);
        let publisher = operation(|| FramePublisher::open(stage.space(), ID).unwrap());
        (region, publisher)
    });
    victim.dies();
    let reader = FrameSubscriber::open(stage.space(), ID).unwrap();
    assert_eq!(reader.latest().unwrap().unwrap().sequence(), BEFORE);
    let mut next = FramePublisher::open(stage.space(), ID).unwrap();
    assert_goes_on(&mut next, &reader, &held);
    assert!(matches!(reader.publisher(), PublisherState::Alive(_)));
    assert_alone(next.region());
}
