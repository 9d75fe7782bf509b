//! Killed while it takes, holds, gives back or awaits permits, and while it adds and takes tokens.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::{Error, Semaphore, SignalSemaphore};
use std::mem::forget;
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("semaphore: take a permit and give it back", Deaths::AtEveryInstruction, take),
    Scenario::new("semaphore: take what a dead one held", Deaths::AtEveryInstruction, take_from_the_dead),
    Scenario::new("semaphore: wait in vain for a living holder", Deaths::AtEveryInstruction, wait_in_vain),
    Scenario::new("semaphore: give back, a waiter asleep", Deaths::InCompany, give_back_with_a_sleeper),
    Scenario::new("tokens: add", Deaths::AtEveryInstruction, add),
    Scenario::new("tokens: take", Deaths::AtEveryInstruction, take_a_token),
    Scenario::new("tokens: add, a waiter asleep", Deaths::InCompany, add_with_a_sleeper),
];

/// Too short for the holder, long enough to sleep.
const MOMENT: Duration = Duration::from_millis(1);

/// Permits of every story's semaphore.
const PERMITS: u32 = 2;

fn semaphore(stage: &Stage<'_>) -> Semaphore {
    Semaphore::create(stage.space(), ID, PERMITS).unwrap()
}

/// The semaphore as a victim opens it.
fn open(stage: &Stage<'_>) -> Semaphore {
    let semaphore = Semaphore::open(stage.space(), ID).unwrap();
    join(semaphore.region());
    semaphore
}

/// Nothing reminds of a death, and no permit is lost or there twice.
fn assert_untouched(semaphore: &Semaphore) {
    assert_eq!(semaphore.free(), PERMITS);
    assert!(semaphore.state().holders.is_empty());
    let all = semaphore.try_acquire(PERMITS).unwrap().expect("nobody alive holds any");
    assert!(semaphore.try_acquire(1).unwrap().is_none(), "there are more permits than there were");
    drop(all);
    assert_eq!(semaphore.free(), PERMITS);
    assert_alone(semaphore.region());
}

fn take(stage: &Stage<'_>) {
    let semaphore = semaphore(stage);
    let victim = stage.victim(|| {
        let semaphore = open(stage);
        operation(|| drop(semaphore.acquire(PERMITS, None).unwrap()));
    });
    victim.dies();
    assert_untouched(&semaphore);
}

fn take_from_the_dead(stage: &Stage<'_>) {
    let semaphore = semaphore(stage);
    let victim = stage.victim(|| {
        let semaphore = open(stage);
        operation(|| assert!(semaphore.try_acquire(1).unwrap().is_some()));
    });
    let holder = stage.victim(|| {
        forget(open(stage).acquire(PERMITS, None).unwrap());
        operation(|| ());
    });
    drop(holder);
    victim.dies();
    assert_untouched(&semaphore);
}

fn wait_in_vain(stage: &Stage<'_>) {
    let semaphore = semaphore(stage);
    let victim = stage.victim(|| {
        let semaphore = open(stage);
        operation(|| {
            assert!(matches!(semaphore.acquire(PERMITS, Some(MOMENT)), Err(Error::LockTimeout { .. })));
        });
    });
    let permit = semaphore.acquire(1, None).unwrap();
    victim.dies();
    assert_eq!(semaphore.free(), PERMITS - 1);
    drop(permit);
    assert_untouched(&semaphore);
}

fn give_back_with_a_sleeper(stage: &Stage<'_>) {
    let semaphore = semaphore(stage);
    let victim = stage.victim(|| {
        let semaphore = open(stage);
        let permits = semaphore.acquire(PERMITS, None).unwrap();
        operation(|| drop(permits));
    });
    let wait = || drop(semaphore.acquire(1, Some(PATIENCE)).expect("a permit of the dead"));
    let ((), latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    assert_untouched(&semaphore);
}

/// A signal semaphore with so many tokens, and one more at most.
fn tokens(stage: &Stage<'_>, initial: u32) -> SignalSemaphore {
    SignalSemaphore::create_bounded(stage.space(), ID, initial, initial + 1).unwrap()
}

fn add(stage: &Stage<'_>) {
    let tokens = tokens(stage, 0);
    let victim = stage.victim(|| {
        let tokens = SignalSemaphore::open(stage.space(), ID).unwrap();
        operation(|| tokens.release(1).unwrap());
    });
    victim.dies();
    let value = tokens.value();
    assert_eq!(tokens.try_acquire(), value == 1);
    assert_eq!(tokens.value(), 0);
    tokens.release(1).unwrap();
    assert!(matches!(tokens.release(1), Err(Error::Overflow { value: 1, maximum: 1, count: 1, .. })));
    assert_alone(tokens.region());
}

fn take_a_token(stage: &Stage<'_>) {
    let tokens = tokens(stage, 1);
    let victim = stage.victim(|| {
        let tokens = SignalSemaphore::open(stage.space(), ID).unwrap();
        operation(|| tokens.acquire(None).unwrap());
    });
    victim.dies();
    assert!(tokens.value() <= 1);
    assert_eq!(tokens.value() == 1, tokens.try_acquire());
    assert_alone(tokens.region());
}

fn add_with_a_sleeper(stage: &Stage<'_>) {
    let tokens = tokens(stage, 0);
    let victim = stage.victim(|| {
        let tokens = SignalSemaphore::open(stage.space(), ID).unwrap();
        operation(|| tokens.release(1).unwrap());
    });
    let wait = || tokens.acquire(Some(PATIENCE)).expect("a token");
    let ((), latency) = asleep_while(wait, || {
        let killed = victim.dies();
        // Whether the victim's is taken already cannot be seen; there is room for one more while it is not.
        let _ = tokens.release(1);
        killed
    });
    stage.note_latency(latency);
    assert!(tokens.value() <= 1);
}
