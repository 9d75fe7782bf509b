//! Killed while it changes a value.

use super::{Deaths, ID, Scenario, assert_alone};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::Value;
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("value: store", Deaths::AtEveryInstruction, store),
    Scenario::new("value: add", Deaths::AtEveryInstruction, add),
    Scenario::new("value: compare and exchange", Deaths::AtEveryInstruction, compare_exchange),
    Scenario::new("value: store, a waiter asleep", Deaths::InCompany, store_with_a_sleeper),
];

const OLD: u64 = 1;
const NEW: u64 = 0x0102_0304_0506_0708;

fn store(stage: &Stage<'_>) {
    changed_by(stage, |value| value.store(NEW));
}

fn add(stage: &Stage<'_>) {
    changed_by(stage, |value| assert_eq!(value.add(NEW - OLD), NEW));
}

fn compare_exchange(stage: &Stage<'_>) {
    changed_by(stage, |value| assert_eq!(value.compare_exchange(OLD, NEW), Ok(OLD)));
}

fn changed_by(stage: &Stage<'_>, change: fn(&Value<u64>)) {
    let value = Value::create(stage.space(), ID, OLD).unwrap();
    let before = value.read();
    let victim = stage.victim(|| {
        let value = Value::open(stage.space(), ID).unwrap();
        operation(|| change(&value));
    });
    victim.dies();
    let now = value.load();
    assert!([OLD, NEW].contains(&now), "{now:#x} was never stored");
    let newer = value.wait_newer(&before, Some(Duration::ZERO));
    assert_eq!(newer.is_ok(), value.read() != before, "a change, and who waits for one does not see it");
    assert_eq!(value.add(1), now + 1);
    assert_alone(value.region());
}

fn store_with_a_sleeper(stage: &Stage<'_>) {
    let value = Value::create(stage.space(), ID, OLD).unwrap();
    let before = value.read();
    let victim = stage.victim(|| {
        let value = Value::open(stage.space(), ID).unwrap();
        operation(|| value.store(NEW));
    });
    let wait = || value.wait_newer(&before, Some(PATIENCE)).expect("a newer value").value;
    let (got, latency) = asleep_while(wait, || {
        let killed = victim.dies();
        if value.load() == OLD {
            value.store(NEW);
        }
        killed
    });
    stage.note_latency(latency);
    assert_eq!(got, NEW);
}
