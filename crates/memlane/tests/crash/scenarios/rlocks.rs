//! Killed while it takes, holds or gives back a re-entrant lock.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::RLock;
use std::mem::forget;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("rlock, lock twice and unlock twice", Deaths::AtEveryInstruction, lock_twice),
    Scenario::new("rlock held twice, taken over", Deaths::AtEveryInstruction, take_over),
    Scenario::new("rlock held twice, abandoned", Deaths::AtEveryInstruction, abandon),
    Scenario::new("rlock unlocked twice, a waiter asleep", Deaths::InCompany, unlock_with_a_sleeper),
];

fn create(stage: &Stage<'_>) -> RLock {
    RLock::create(stage.space(), ID).unwrap()
}

/// The lock as a victim opens it.
fn open(stage: &Stage<'_>) -> RLock {
    let lock = RLock::open(stage.space(), ID).unwrap();
    join(lock.region());
    lock
}

/// A survivor holds it once, and twice, and nothing stays of the victim. Says whether the survivor was told.
fn assert_whole(lock: &RLock) -> bool {
    let guard = lock.try_lock().unwrap().expect("a dead owner's lock is free at once");
    let depth = || lock.state().holder.unwrap().depth;
    assert_eq!(depth(), 1, "how often it was held dies with its owner");
    let again = lock.lock().unwrap();
    assert!(!again.owner_died(), "who holds it already was told already");
    assert_eq!(depth(), 2);
    drop(again);
    assert_eq!(depth(), 1);
    let owner_died = guard.owner_died();
    guard.make_consistent();
    drop(guard);
    let guard = lock.lock().unwrap();
    assert!(!guard.owner_died() && !guard.is_inconsistent());
    drop(guard);
    assert_eq!(lock.state().holder, None);
    assert_alone(lock.region());
    owner_died
}

fn lock_twice(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        operation(|| {
            let _outer = lock.lock().unwrap();
            drop(lock.lock().unwrap());
        });
    });
    victim.dies();
    let owner_died = assert_whole(&lock);
    assert_eq!(lock.state().recoveries, u32::from(owner_died));
}

fn die_holding_twice(stage: &Stage<'_>) {
    let owner = stage.victim(|| {
        let lock = open(stage);
        forget(lock.lock().unwrap());
        forget(lock.lock().unwrap());
        operation(|| ());
        lock
    });
    drop(owner);
}

fn take_over(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        operation(|| {
            let guard = lock.try_lock().unwrap().unwrap();
            assert!(guard.owner_died());
        });
    });
    die_holding_twice(stage);
    victim.dies();
    let guard = lock.lock().unwrap();
    assert!(guard.is_inconsistent(), "the mark of the first death is lost");
    drop(guard);
    assert!((1..=2).contains(&lock.state().recoveries));
    assert_whole(&lock);
}

fn abandon(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        forget(lock.lock().unwrap());
        let inner = lock.lock().unwrap();
        operation(|| {
            inner.abandon();
            lock.release().unwrap();
        });
    });
    victim.dies();
    assert!(assert_whole(&lock), "nobody is told of what was abandoned");
}

fn unlock_with_a_sleeper(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        let outer = lock.lock().unwrap();
        let inner = lock.lock().unwrap();
        operation(|| {
            drop(inner);
            drop(outer);
        });
    });
    let wait = || lock.lock_timeout(PATIENCE).expect("the lock of a dead owner").owner_died();
    let (owner_died, latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    assert_eq!(lock.is_inconsistent(), owner_died);
    assert_eq!(lock.state().contended, 1);
    assert!(!assert_whole(&lock), "a death is told once");
}
