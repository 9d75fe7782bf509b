//! Killed while it takes, holds, gives back or abandons a lock.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::{Array, Error, Lock, LockGuard, Region};
use std::mem::forget;
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("lock, change two counters, unlock", Deaths::AtEveryInstruction, change),
    Scenario::new("try to lock, and unlock", Deaths::AtEveryInstruction, try_lock),
    Scenario::new("lock taken over from a dead owner", Deaths::AtEveryInstruction, take_over),
    Scenario::new("lock taken over after a wait", Deaths::AtEveryInstruction, take_over_after_a_wait),
    Scenario::new("make consistent", Deaths::AtEveryInstruction, make_consistent),
    Scenario::new("abandon", Deaths::AtEveryInstruction, abandon),
    Scenario::new("wait in vain for a living owner", Deaths::AtEveryInstruction, wait_in_vain),
    Scenario::new("unlock, a waiter asleep", Deaths::InCompany, unlock_with_a_sleeper),
    Scenario::new("lock without a thread, and unlock", Deaths::AtEveryInstruction, detached),
    Scenario::new("unlock for another process", Deaths::AtEveryInstruction, unlock_for_another),
];

/// Too short for the holder, long enough to sleep.
const MOMENT: Duration = Duration::from_millis(1);

/// Two counters that are equal whenever nobody holds the lock.
fn counters(stage: &Stage<'_>) -> Array<u64> {
    Array::create(stage.space(), ID, &[2]).unwrap()
}

/// The counters as a victim opens them.
fn open(stage: &Stage<'_>) -> Array<u64> {
    let counters = Array::open(stage.space(), ID).unwrap();
    join(counters.region());
    counters
}

fn count(counters: &Array<u64>) {
    counters.update(0, |count| count + 1).unwrap();
    counters.update(1, |count| count + 1).unwrap();
}

fn are_equal(counters: &Array<u64>) -> bool {
    counters.load(0).unwrap() == counters.load(1).unwrap()
}

/// Puts the counters right, after which nothing reminds of a death.
fn repair(counters: &Array<u64>, guard: LockGuard<'_>) {
    counters.store(0, 0).unwrap();
    counters.store(1, 0).unwrap();
    guard.make_consistent();
    drop(guard);
    assert_untouched(counters.region());
}

fn assert_untouched(region: &Region) {
    let lock = region.lock();
    let guard = lock.lock().unwrap();
    assert!(!guard.owner_died() && !guard.is_inconsistent());
    drop(guard);
    assert_eq!(lock.state().holder, None);
    assert_alone(region);
}

fn change(stage: &Stage<'_>) {
    let counters = counters(stage);
    let victim = stage.victim(|| {
        let counters = open(stage);
        operation(|| {
            let _guard = counters.lock().unwrap();
            count(&counters);
        });
    });
    victim.dies();
    let lock = counters.region().lock();
    let guard = lock.lock().unwrap();
    assert!(are_equal(&counters) || guard.owner_died(), "half a change, and nobody is told");
    assert_eq!(guard.is_inconsistent(), guard.owner_died());
    assert_eq!(lock.state().recoveries, u32::from(guard.owner_died()));
    repair(&counters, guard);
}

fn try_lock(stage: &Stage<'_>) {
    drop(Lock::create(stage.space(), ID).unwrap());
    let victim = stage.victim(|| {
        let lock = Lock::open(stage.space(), ID).unwrap();
        operation(|| drop(lock.try_lock().unwrap().unwrap()));
    });
    victim.dies();
    let lock = Lock::open(stage.space(), ID).unwrap();
    let guard = lock.try_lock().unwrap().expect("a dead owner's lock is free at once");
    assert_eq!(lock.state().recoveries, u32::from(guard.owner_died()));
    guard.make_consistent();
    drop(guard);
    assert_untouched(lock.region());
}

/// Leaves the lock to an owner that is dead, which nobody has been told of yet.
fn die_holding(stage: &Stage<'_>) {
    let owner = stage.victim(|| {
        let counters = open(stage);
        forget(counters.region().lock().lock().unwrap());
        operation(|| ());
        counters
    });
    drop(owner);
}

fn take_over(stage: &Stage<'_>) {
    take_over_by(stage, |lock| lock.try_lock().unwrap().unwrap());
}

fn take_over_after_a_wait(stage: &Stage<'_>) {
    take_over_by(stage, |lock| lock.lock().unwrap());
}

fn take_over_by(stage: &Stage<'_>, take: fn(&Lock) -> LockGuard<'_>) {
    let counters = counters(stage);
    let victim = stage.victim(|| {
        let lock = open(stage).region().lock();
        operation(|| assert!(take(&lock).owner_died()));
    });
    die_holding(stage);
    victim.dies();
    let lock = counters.region().lock();
    let guard = lock.lock().unwrap();
    assert!(guard.is_inconsistent(), "the mark of the first death is lost");
    assert!((1..=2).contains(&lock.state().recoveries));
    repair(&counters, guard);
}

fn make_consistent(stage: &Stage<'_>) {
    let counters = counters(stage);
    die_holding(stage);
    let victim = stage.victim(|| {
        let lock = Region::open(stage.space(), ID).unwrap().lock();
        let guard = lock.try_lock().unwrap().unwrap();
        operation(|| {
            guard.make_consistent();
            drop(guard);
        });
    });
    victim.dies();
    let lock = counters.region().lock();
    let guard = lock.lock().unwrap();
    assert_eq!(guard.is_inconsistent(), guard.owner_died());
    repair(&counters, guard);
}

fn abandon(stage: &Stage<'_>) {
    let counters = counters(stage);
    let victim = stage.victim(|| {
        let counters = open(stage);
        let lock = counters.region().lock();
        let guard = lock.lock().unwrap();
        counters.store(0, 1).unwrap();
        operation(|| guard.abandon());
    });
    victim.dies();
    let lock = counters.region().lock();
    let guard = lock.lock().unwrap();
    assert!(guard.owner_died() && guard.is_inconsistent(), "nobody is told of what was abandoned");
    repair(&counters, guard);
}

fn wait_in_vain(stage: &Stage<'_>) {
    let counters = counters(stage);
    let victim = stage.victim(|| {
        let lock = open(stage).region().lock();
        operation(|| assert!(matches!(lock.lock_timeout(MOMENT), Err(Error::LockTimeout { .. }))));
    });
    let lock = counters.region().lock();
    let guard = lock.lock().unwrap();
    victim.dies();
    assert!(lock.state().waiters.is_empty(), "the dead do not wait");
    drop(guard);
    assert_untouched(counters.region());
}

fn unlock_with_a_sleeper(stage: &Stage<'_>) {
    let counters = counters(stage);
    let victim = stage.victim(|| {
        let counters = open(stage);
        let lock = counters.region().lock();
        let guard = lock.lock().unwrap();
        count(&counters);
        operation(|| drop(guard));
    });
    let lock = counters.region().lock();
    let wait = || {
        let guard = lock.lock_timeout(PATIENCE).expect("the lock of a dead owner");
        (guard.owner_died(), are_equal(&counters))
    };
    let ((owner_died, equal), latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    assert!(equal);
    assert_eq!(lock.is_inconsistent(), owner_died);
    assert_eq!(lock.state().contended, 1);
    assert!(lock.state().waiters.is_empty());
    repair(&counters, lock.lock().unwrap());
}

fn detached(stage: &Stage<'_>) {
    let counters = counters(stage);
    let victim = stage.victim(|| {
        let counters = open(stage);
        let lock = counters.region().lock();
        operation(|| {
            lock.detached().acquire(None).unwrap();
            count(&counters);
            lock.detached().release().unwrap();
        });
    });
    victim.dies();
    let lock = counters.region().lock();
    let guard = lock.lock().unwrap();
    assert!(are_equal(&counters) || guard.owner_died(), "half a change, and nobody is told");
    repair(&counters, guard);
}

/// The holder lives: whoever gives the lock back for it and dies has done so, or has not.
fn unlock_for_another(stage: &Stage<'_>) {
    let counters = counters(stage);
    let lock = counters.region().lock();
    lock.detached().acquire(None).unwrap();
    let victim = stage.victim(|| {
        let lock = open(stage).region().lock();
        operation(|| lock.detached().release().unwrap());
    });
    victim.dies();
    assert!(matches!(lock.detached().release(), Ok(()) | Err(Error::NotOwner { .. })));
    let guard = lock.try_lock().unwrap().expect("it was given back once");
    assert!(!guard.owner_died(), "who died never held it");
    drop(guard);
    assert_untouched(counters.region());
}
