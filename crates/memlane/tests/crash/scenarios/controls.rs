//! Stories that break a rule on purpose: a suite that does not notice is blind.

use super::{Deaths, ID, Scenario, join};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::Array;
use std::fs::{self, File};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("control: two words changed without a lock", Deaths::AtEveryInstruction, torn).broken(),
    Scenario::new("control: a lock held for half of a change", Deaths::AtEveryInstruction, half_locked)
        .broken(),
    Scenario::new("control: a file left behind", Deaths::AtEveryEffect, left_behind).broken(),
];

fn torn(stage: &Stage<'_>) {
    let counters = Array::<u64>::create(stage.space(), ID, &[2]).unwrap();
    let victim = stage.victim(|| {
        let counters = Array::<u64>::open(stage.space(), ID).unwrap();
        operation(|| {
            counters.store(0, 1).unwrap();
            counters.store(1, 1).unwrap();
        });
    });
    victim.dies();
    assert_eq!(counters.load(0).unwrap(), counters.load(1).unwrap());
}

fn half_locked(stage: &Stage<'_>) {
    let counters = Array::<u64>::create(stage.space(), ID, &[2]).unwrap();
    let victim = stage.victim(|| {
        let counters = Array::<u64>::open(stage.space(), ID).unwrap();
        let lock = counters.region().lock();
        join(counters.region());
        operation(|| {
            counters.store(0, 1).unwrap();
            drop(lock.lock().unwrap());
            counters.store(1, 1).unwrap();
        });
    });
    victim.dies();
    let lock = counters.region().lock();
    let told = lock.lock().unwrap().owner_died();
    assert!(told || counters.load(0).unwrap() == counters.load(1).unwrap());
}

fn left_behind(stage: &Stage<'_>) {
    let path = stage.space().directory().join("scratch");
    let victim = stage.victim(|| {
        operation(|| {
            File::create(&path).unwrap();
            fs::remove_file(&path).unwrap();
        });
    });
    victim.dies();
    assert!(stage.files().is_empty());
}
