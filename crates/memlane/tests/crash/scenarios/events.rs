//! Killed while it sets, clears or takes an event.

use super::{Deaths, ID, Scenario, assert_alone};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::Event;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("event: set", Deaths::AtEveryInstruction, set),
    Scenario::new("event: clear", Deaths::AtEveryInstruction, clear),
    Scenario::new("event that resets itself: take", Deaths::AtEveryInstruction, take),
    Scenario::new("event: set, a waiter asleep", Deaths::InCompany, set_with_a_sleeper),
    Scenario::new("event: set and cleared, a waiter asleep", Deaths::InCompany, pulse_with_a_sleeper),
    Scenario::new("event that resets itself: set, a waiter asleep", Deaths::InCompany, set_for_one_sleeper),
];

fn changed_by(stage: &Stage<'_>, event: &Event, change: fn(&Event)) {
    let victim = stage.victim(|| {
        let event = Event::open(stage.space(), ID).unwrap();
        operation(|| change(&event));
    });
    victim.dies();
    // Whatever it did, the event works.
    event.clear();
    assert!(!event.is_set() && !event.try_wait());
    event.set();
    event.wait(None).unwrap();
    assert_eq!(event.clear(), !event.is_auto_reset());
    assert_alone(event.region());
}

fn set(stage: &Stage<'_>) {
    let event = Event::create(stage.space(), ID).unwrap();
    changed_by(stage, &event, Event::set);
}

fn clear(stage: &Stage<'_>) {
    let event = Event::create(stage.space(), ID).unwrap();
    event.set();
    changed_by(stage, &event, |event| assert!(event.clear()));
}

fn take(stage: &Stage<'_>) {
    let event = Event::create_auto_reset(stage.space(), ID).unwrap();
    event.set();
    changed_by(stage, &event, |event| event.wait(None).unwrap());
}

fn set_with_a_sleeper(stage: &Stage<'_>) {
    let event = Event::create(stage.space(), ID).unwrap();
    woken_by(stage, &event, Event::set);
    assert!(event.is_set());
}

fn pulse_with_a_sleeper(stage: &Stage<'_>) {
    let event = Event::create(stage.space(), ID).unwrap();
    woken_by(stage, &event, |event| {
        event.set();
        event.clear();
    });
}

fn set_for_one_sleeper(stage: &Stage<'_>) {
    let event = Event::create_auto_reset(stage.space(), ID).unwrap();
    woken_by(stage, &event, Event::set);
}

fn woken_by(stage: &Stage<'_>, event: &Event, change: fn(&Event)) {
    let victim = stage.victim(|| {
        let event = Event::open(stage.space(), ID).unwrap();
        operation(|| change(&event));
    });
    let wait = || event.wait(Some(PATIENCE)).expect("the event");
    let ((), latency) = asleep_while(wait, || {
        let killed = victim.dies();
        event.set();
        killed
    });
    stage.note_latency(latency);
}
