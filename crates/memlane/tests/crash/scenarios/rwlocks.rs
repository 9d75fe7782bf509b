//! Killed while it reads, writes, or waits to.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::{Error, RwLock, Value};
use std::mem::forget;
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("rwlock, read", Deaths::AtEveryInstruction, read),
    Scenario::new("rwlock, write", Deaths::AtEveryInstruction, write),
    Scenario::new("rwlock, write two values", Deaths::InCompany, write_two_values),
    Scenario::new("rwlock taken over by a writer", Deaths::AtEveryInstruction, take_over_writing),
    Scenario::new("rwlock taken over by a reader", Deaths::AtEveryInstruction, take_over_reading),
    Scenario::new("rwlock, abandon", Deaths::AtEveryInstruction, abandon),
    Scenario::new("rwlock, wait in vain for a living reader", Deaths::AtEveryInstruction, write_in_vain),
    Scenario::new("rwlock, wait in vain for a living writer", Deaths::AtEveryInstruction, read_in_vain),
    Scenario::new("rwlock, a reader leaves, a writer asleep", Deaths::InCompany, leave_with_a_writer_asleep),
    Scenario::new("rwlock, a writer leaves, a reader asleep", Deaths::InCompany, leave_with_a_reader_asleep),
];

/// Too short for the holder, long enough to sleep.
const MOMENT: Duration = Duration::from_millis(1);

fn create(stage: &Stage<'_>) -> RwLock {
    RwLock::create(stage.space(), ID).unwrap()
}

/// The lock as a victim opens it.
fn open(stage: &Stage<'_>) -> RwLock {
    let lock = RwLock::open(stage.space(), ID).unwrap();
    join(lock.region());
    lock
}

/// A survivor reads and writes, and nothing stays of the victim.
fn assert_untouched(lock: &RwLock) {
    let reader = lock.try_read().unwrap().expect("nobody living writes");
    assert!(!reader.owner_died() && !reader.is_inconsistent());
    drop(reader);
    let writer = lock.try_write().unwrap().expect("nobody living reads or writes");
    assert!(!writer.owner_died() && !writer.is_inconsistent());
    drop(writer);
    let state = lock.state();
    assert_eq!((state.lock.holder, state.readers), (None, Vec::new()));
    assert_alone(lock.region());
}

/// A survivor writes and puts right what was left; says whether it was told.
fn repair(lock: &RwLock) -> bool {
    let guard = lock.try_write().unwrap().expect("nobody living reads or writes");
    let (owner_died, is_inconsistent) = (guard.owner_died(), guard.is_inconsistent());
    assert!(is_inconsistent || !owner_died);
    guard.make_consistent();
    drop(guard);
    assert_untouched(lock);
    is_inconsistent
}

fn read(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        operation(|| drop(lock.read(None).unwrap()));
    });
    victim.dies();
    assert!(lock.state().readers.is_empty(), "the dead do not read");
    assert_untouched(&lock);
    assert_eq!(lock.state().lock.recoveries, 0);
}

fn write(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        operation(|| drop(lock.write(None).unwrap()));
    });
    victim.dies();
    let told = repair(&lock);
    assert_eq!(lock.state().lock.recoveries, u32::from(told));
}

/// Other regions than the lock's change, too, so that images of it alone mean nothing.
fn write_two_values(stage: &Stage<'_>) {
    let lock = create(stage);
    let values = ["one", "other"].map(|id| Value::<u64>::create(stage.space(), id, 0).unwrap());
    let victim = stage.victim(|| {
        let lock = open(stage);
        let values = ["one", "other"].map(|id| Value::<u64>::open(stage.space(), id).unwrap());
        for value in &values {
            join(value.region());
        }
        operation(|| {
            let _guard = lock.write(None).unwrap();
            values[0].store(1);
            values[1].store(1);
        });
    });
    victim.dies();
    let guard = lock.read(Some(PATIENCE)).unwrap();
    assert!(values[0].load() == values[1].load() || guard.owner_died(), "half a change, and nobody is told");
    assert_eq!(guard.is_inconsistent(), guard.owner_died());
    assert_eq!(lock.state().lock.recoveries, u32::from(guard.owner_died()));
    drop(guard);
    repair(&lock);
}

/// Leaves the lock to a writer that died inside, which nobody has been told of yet.
fn die_writing(stage: &Stage<'_>) {
    let writer = stage.victim(|| {
        let lock = open(stage);
        forget(lock.write(None).unwrap());
        operation(|| ());
    });
    drop(writer);
}

fn take_over_writing(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        operation(|| assert!(lock.try_write().unwrap().unwrap().owner_died()));
    });
    die_writing(stage);
    victim.dies();
    assert!(repair(&lock), "the mark of the first death is lost");
    assert!((1..=2).contains(&lock.state().lock.recoveries));
}

fn take_over_reading(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        operation(|| assert!(lock.try_read().unwrap().unwrap().owner_died()));
    });
    die_writing(stage);
    victim.dies();
    let reader = lock.try_read().unwrap().expect("nobody living writes");
    assert!(reader.is_inconsistent(), "the mark of the first death is lost");
    drop(reader);
    assert!(repair(&lock));
    assert!((1..=2).contains(&lock.state().lock.recoveries));
}

fn abandon(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        let guard = lock.write(None).unwrap();
        operation(|| guard.abandon());
    });
    victim.dies();
    assert!(repair(&lock), "nobody is told of what was abandoned");
}

/// The victim has the word, but was never inside.
fn write_in_vain(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        operation(|| assert!(matches!(lock.write(Some(MOMENT)), Err(Error::LockTimeout { .. }))));
    });
    let guard = lock.read(None).unwrap();
    victim.dies();
    assert!(lock.state().lock.waiters.is_empty(), "the dead do not wait");
    drop(lock.try_read().unwrap().expect("a dead writer keeps nobody out"));
    drop(guard);
    assert_untouched(&lock);
    assert_eq!(lock.state().lock.recoveries, 0, "a writer that only waited has changed nothing");
}

fn read_in_vain(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        operation(|| assert!(matches!(lock.read(Some(MOMENT)), Err(Error::LockTimeout { .. }))));
    });
    let guard = lock.write(None).unwrap();
    victim.dies();
    assert!(lock.state().readers.is_empty() && lock.state().lock.waiters.is_empty());
    drop(guard);
    assert_untouched(&lock);
}

fn leave_with_a_writer_asleep(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        let guard = lock.read(None).unwrap();
        operation(|| drop(guard));
    });
    let wait = || lock.write(Some(PATIENCE)).expect("the dead do not read").owner_died();
    let (owner_died, latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    assert!(!owner_died, "a reader changes nothing");
    assert_untouched(&lock);
}

fn leave_with_a_reader_asleep(stage: &Stage<'_>) {
    let lock = create(stage);
    let victim = stage.victim(|| {
        let lock = open(stage);
        let guard = lock.write(None).unwrap();
        operation(|| drop(guard));
    });
    let wait = || lock.read(Some(PATIENCE)).expect("the lock of a dead writer").owner_died();
    let (owner_died, latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    assert_eq!(lock.is_inconsistent(), owner_died);
    assert_eq!(repair(&lock), owner_died);
}
