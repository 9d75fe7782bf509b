//! Killed while it waits for a notification, or notifies.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::{Condition, Lock, RLock};
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("condition, wait in vain", Deaths::AtEveryInstruction, wait_in_vain),
    Scenario::new("condition, wait in vain with an rlock held twice", Deaths::InCompany, wait_with_an_rlock),
    Scenario::new("condition, notify nobody", Deaths::AtEveryInstruction, notify_nobody),
    Scenario::new("condition, notify, a waiter asleep", Deaths::InCompany, notify_with_a_sleeper),
];

/// Too short for a notification, long enough to sleep.
const MOMENT: Duration = Duration::from_millis(1);

/// Where the lock is: not in the condition's region, whose images say nothing of it.
const LOCK: &str = "lock";

/// A condition with room for one thread.
fn create(stage: &Stage<'_>) -> (Condition, Lock) {
    (Condition::create(stage.space(), ID, 1).unwrap(), Lock::create(stage.space(), LOCK).unwrap())
}

/// Both as a victim opens them.
fn open(stage: &Stage<'_>) -> (Condition, Lock) {
    let condition = Condition::open(stage.space(), ID).unwrap();
    let lock = Lock::open(stage.space(), LOCK).unwrap();
    join(condition.region());
    join(lock.region());
    (condition, lock)
}

/// There is room for the survivor, and nobody living waits.
fn assert_empty(condition: &Condition, lock: &Lock) {
    assert!(condition.waiters().is_empty(), "the dead do not wait");
    let mut guard = lock.lock_timeout(PATIENCE).expect("the lock of a dead owner");
    assert!(!condition.wait(&mut guard, Some(Duration::ZERO)).unwrap(), "notified by nobody");
    assert_eq!(condition.notify_all(), 0, "nobody is left to go");
    assert_alone(condition.region());
}

fn wait_in_vain(stage: &Stage<'_>) {
    let (condition, lock) = create(stage);
    let victim = stage.victim(|| {
        let (condition, lock) = open(stage);
        let mut guard = lock.lock().unwrap();
        operation(|| assert!(!condition.wait(&mut guard, Some(MOMENT)).unwrap()));
    });
    victim.dies();
    assert_eq!(condition.notify(1), 0, "the dead are not let go");
    assert_empty(&condition, &lock);
}

fn wait_with_an_rlock(stage: &Stage<'_>) {
    let condition = Condition::create(stage.space(), ID, 1).unwrap();
    let lock = RLock::create(stage.space(), LOCK).unwrap();
    let victim = stage.victim(|| {
        let condition = Condition::open(stage.space(), ID).unwrap();
        let lock = RLock::open(stage.space(), LOCK).unwrap();
        join(condition.region());
        join(lock.region());
        let _outer = lock.lock().unwrap();
        let mut inner = lock.lock().unwrap();
        operation(|| {
            assert!(!condition.wait(&mut inner, Some(MOMENT)).unwrap());
            assert_eq!(lock.state().holder.unwrap().depth, 2);
        });
    });
    victim.dies();
    let mut guard = lock.try_lock().unwrap().expect("a dead owner's lock is free at once");
    assert!(!condition.wait(&mut guard, Some(Duration::ZERO)).unwrap());
    assert_eq!(lock.state().holder.unwrap().depth, 1);
}

fn notify_nobody(stage: &Stage<'_>) {
    let (condition, lock) = create(stage);
    let victim = stage.victim(|| {
        let (condition, _) = open(stage);
        operation(|| assert_eq!(condition.notify_all(), 0));
    });
    victim.dies();
    assert_empty(&condition, &lock);
}

/// Exactly one goes, whether the victim let it or the survivor had to.
fn notify_with_a_sleeper(stage: &Stage<'_>) {
    let (condition, lock) = create(stage);
    let victim = stage.victim(|| {
        let (condition, _) = open(stage);
        operation(|| assert_eq!(condition.notify(1), 1));
    });
    let wait = || {
        let mut guard = lock.lock().unwrap();
        condition.wait(&mut guard, Some(PATIENCE)).unwrap()
    };
    let (notified, latency) = asleep_while(wait, || {
        let killed = victim.dies();
        condition.notify(1);
        killed
    });
    stage.note_latency(latency);
    assert!(notified);
    assert_empty(&condition, &lock);
}
