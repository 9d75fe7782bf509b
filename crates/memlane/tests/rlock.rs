//! Re-entrant locks between threads and processes: counted for one thread, exclusive for all others.

mod patience;
mod role;
mod scratch;

use memlane::lock::OwnerDied;
use memlane::{Error, Lock, RLock, Result, Space};
use patience::{DEADLINE, await_that, measured};
use role::{Role, listen, say};
use scratch::Scratch;
use std::mem::forget;
use std::thread;
use std::time::Duration;

const ID: &str = "robot/arm";

/// A little longer than several slices of a wait.
const TIMEOUT: Duration = Duration::from_millis(90);

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        hold_twice(&space).expect("the role can be played");
    });
}

/// Holds the lock twice until it is killed.
fn hold_twice(space: &Space) -> Result<()> {
    let lock = RLock::open(space, ID)?;
    forget(lock.lock()?);
    forget(lock.lock()?);
    say("held");
    listen();
    panic!("the parent kills this process");
}

fn depth(lock: &RLock) -> Option<u32> {
    lock.state().holder.map(|holder| holder.depth)
}

/// Whether another thread could have it now.
fn is_free_for_others(lock: &RLock) -> bool {
    let try_lock = || lock.try_lock().expect("asking works").is_some();
    thread::scope(|scope| scope.spawn(try_lock).join().expect("it does not panic"))
}

#[test]
fn its_holder_may_take_it_again_and_gives_it_back_as_often() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RLock::create(&scratch.space(), ID)?;
    let again = RLock::open(&scratch.space(), ID)?;
    let outer = lock.lock()?;
    let middle = again.lock_timeout(Duration::ZERO)?;
    let inner = lock.try_lock()?.expect("it is held by this thread");
    assert_eq!((depth(&lock), again.acquire(None)?), (Some(3), OwnerDied(false)));
    assert_eq!(depth(&again), Some(4));
    again.release()?;
    // In any order.
    drop(outer);
    drop(inner);
    assert_eq!(depth(&lock), Some(1));
    assert!(!is_free_for_others(&lock));
    drop(middle);
    assert_eq!(depth(&lock), None);
    assert!(is_free_for_others(&lock));
    assert!(matches!(lock.release(), Err(Error::NotOwner { .. })));
    Ok(())
}

#[test]
fn others_wait_and_are_told_whom_for() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RLock::create(&scratch.space(), ID)?;
    let (_outer, _inner) = (lock.lock()?, lock.lock()?);
    let holder = rustix::thread::gettid().as_raw_pid();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| measured(|| lock.lock_timeout(TIMEOUT).err()));
        let (error, elapsed) = waiter.join().expect("it does not panic");
        let Some(Error::LockTimeout { id, what, holder: named, .. }) = error else { panic!("{error:?}") };
        assert_eq!((id.as_str(), what), (ID, "the lock"));
        assert!(named.contains(&format!("thread {holder}, alive")), "{named}");
        assert!((TIMEOUT..DEADLINE).contains(&elapsed), "{elapsed:?}");
        let refused = scope.spawn(|| lock.release().err().map(|error| error.to_string()));
        let refused = refused.join().expect("it does not panic").unwrap_or_default();
        assert!(refused.starts_with("this thread does not hold the lock of region `robot/arm`"), "{refused}");
    });
    assert_eq!(depth(&lock), Some(2));
    Ok(())
}

#[test]
fn one_thread_at_a_time_holds_it_however_often() -> Result<()> {
    const ROUNDS: u64 = 5_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = RLock::create(&space, ID)?;
    let total = memlane::Value::create(&space, "total", 0_u64)?;
    let work = || -> Result<()> {
        (0..ROUNDS).try_for_each(|_| {
            let _outer = lock.lock()?;
            let next = total.load() + 1;
            let _inner = lock.lock()?;
            total.store(next);
            Ok(())
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!(total.load(), 4 * ROUNDS);
    assert_eq!(depth(&lock), None);
    Ok(())
}

#[test]
fn what_a_dead_owner_held_twice_is_held_once_by_the_next() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RLock::create(&scratch.space(), ID)?;
    let mut holder = Role::start("holder", scratch.path(), &[]);
    holder.expect("held");
    assert_eq!(depth(&lock), Some(2));
    let guard = thread::scope(|scope| -> Result<_> {
        let waiter =
            scope.spawn(|| lock.acquire(Some(DEADLINE)).and_then(|told| lock.release().map(|()| told)));
        await_that(|| !lock.state().waiters.is_empty(), "waiter");
        holder.kill_and_wait();
        assert_eq!(waiter.join().expect("it does not panic")?, OwnerDied(true));
        lock.lock()
    })?;
    assert!(!guard.owner_died() && guard.is_inconsistent(), "a death is told once, and marked");
    assert_eq!((depth(&lock), lock.state().recoveries), (Some(1), 1));
    let inner = lock.lock()?;
    assert!(!inner.owner_died() && inner.is_inconsistent());
    inner.make_consistent();
    assert!(!guard.is_inconsistent());
    Ok(())
}

#[test]
fn abandoned_within_it_is_told_to_the_next_owner() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RLock::create(&scratch.space(), ID)?;
    let outer = lock.lock()?;
    lock.lock()?.abandon();
    assert_eq!(depth(&lock), Some(1), "abandoning gives it back once");
    drop(outer);
    let guard = lock.lock()?;
    assert!(guard.owner_died() && guard.is_inconsistent());
    drop(guard);
    lock.acquire(None)?;
    lock.make_consistent()?;
    lock.release()?;
    assert!(!lock.is_inconsistent());
    assert!(matches!(lock.make_consistent(), Err(Error::NotOwner { .. })));
    Ok(())
}

#[test]
fn a_panic_within_it_abandons_it() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RLock::create(&scratch.space(), ID)?;
    let panics = || {
        let _outer = lock.lock().expect("it is free");
        let _inner = lock.lock().expect("it is held by this thread");
        panic!("on purpose");
    };
    thread::scope(|scope| scope.spawn(panics).join()).expect_err("it panics");
    assert_eq!(depth(&lock), None);
    assert!(lock.lock()?.owner_died());
    Ok(())
}

#[test]
fn a_lock_of_another_kind_is_refused() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    drop(RLock::create(&space, ID)?);
    assert!(matches!(Lock::open(&space, ID), Err(Error::WrongKind { found: "rlock", .. })));
    assert!(matches!(RLock::create(&space, ID), Err(Error::AlreadyExists { .. })));
    drop(Lock::create(&space, "other")?);
    assert!(matches!(RLock::open_or_create(&space, "other"), Err(Error::WrongKind { found: "lock", .. })));
    Ok(())
}
