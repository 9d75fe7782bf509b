//! Locks between threads: exclusion, refusals that name the holder, marks that stay until somebody takes them
//! away. What becomes of a lock whose owner dies is in `death.rs`.

mod patience;
mod scratch;

use memlane::lock::{LockState, OwnerDied};
use memlane::participant::WaitingFor;
use memlane::{Array, Error, Lock, LockGuard, Region, Result, Space, Value};
use patience::{DEADLINE, assert_woken, await_that, measured};
use scratch::Scratch;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const ID: &str = "robot/arm";

/// A little longer than several slices of a wait.
const TIMEOUT: Duration = Duration::from_millis(90);

/// Runs `work` while another thread, whose id it is given, holds the lock.
fn while_held<T>(space: &Space, work: impl FnOnce(u32) -> T) -> T {
    thread::scope(|scope| {
        let (taken, is_taken) = mpsc::channel();
        let (done, is_done) = mpsc::channel::<()>();
        scope.spawn(move || {
            let lock = Lock::open(space, ID).expect("it exists");
            let _guard = lock.lock().expect("it is free");
            taken.send(thread_id()).expect("the test waits");
            // Ends with the sender.
            let _ = is_done.recv();
        });
        let result = work(is_taken.recv().expect("the holder lives"));
        drop(done);
        result
    })
}

fn thread_id() -> u32 {
    rustix::thread::gettid().as_raw_pid() as u32
}

fn is_free(state: &LockState) -> bool {
    state.holder.is_none() && state.waiters.is_empty() && !state.inconsistent && state.recoveries == 0
}

#[test]
fn one_thread_at_a_time_holds_it() -> Result<()> {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 25_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = Lock::create(&space, ID)?;
    let total = Value::create(&space, "total", 0_u64)?;
    let work = || -> Result<()> {
        let (lock, total) = (Lock::open(&space, ID)?, Value::<u64>::open(&space, "total")?);
        (0..ROUNDS).try_for_each(|_| {
            let _guard = lock.lock()?;
            // Two steps, so that an increment is lost when two threads are here.
            let next = total.load() + 1;
            total.store(next);
            Ok(())
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!(total.load(), THREADS * ROUNDS);
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    Ok(())
}

#[test]
fn all_handles_of_a_region_have_the_same_lock() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let array = Array::<u8>::create(&space, ID, &[1])?;
    let region = Region::open(&space, ID)?;
    let guard = array.lock()?;
    let (first, second) = (region.lock(), array.region().lock());
    assert_eq!(first.state().holder, second.state().holder);
    assert!(first.try_lock()?.is_none());
    drop(guard);
    assert!(second.try_lock()?.is_some());
    assert!(matches!(Lock::open(&space, ID), Err(Error::WrongKind { found: "array", .. })));
    Ok(())
}

#[test]
fn a_thread_does_not_wait_for_itself() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), ID)?;
    let again = Lock::open(&scratch.space(), ID)?;
    let guard = lock.lock()?;
    let refusals =
        [again.lock().err(), again.lock_timeout(DEADLINE).err(), again.acquire(Some(Duration::ZERO)).err()];
    for error in refusals {
        assert_eq!(
            error.map(|error| error.to_string()).as_deref(),
            Some(
                "this thread holds the lock of region `robot/arm` already and would wait for itself for ever"
            )
        );
    }
    assert!(again.try_lock()?.is_none());
    drop(guard);
    assert!(again.try_lock()?.is_some());
    Ok(())
}

#[test]
fn whoever_does_not_hold_it_cannot_give_it_back() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = Lock::create(&space, ID)?;
    for error in [lock.release().err(), lock.abandon().err(), lock.make_consistent().err()] {
        assert_eq!(
            error.map(|error| error.to_string()).as_deref(),
            Some("this thread does not hold the lock of region `robot/arm`: nobody holds it")
        );
    }
    while_held(&space, |holder| {
        for error in [lock.release().err(), lock.abandon().err(), lock.make_consistent().err()] {
            let Some(Error::NotOwner { holder: named, .. }) = error else { panic!("{error:?}") };
            assert_names(&named, holder);
        }
        assert!(lock.state().holder.is_some_and(|found| found.thread == holder));
    });
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    Ok(())
}

#[test]
fn a_wait_in_vain_takes_its_time_and_names_the_holder() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = Lock::create(&space, ID)?;
    while_held(&space, |holder| -> Result<()> {
        assert!(lock.try_lock()?.is_none());
        for timeout in [Duration::ZERO, TIMEOUT] {
            let (outcome, elapsed) = measured(|| lock.lock_timeout(timeout).map(drop));
            let Err(Error::LockTimeout { waited, holder: named, .. }) = outcome else {
                panic!("{outcome:?}")
            };
            assert!(timeout <= waited && waited <= elapsed && elapsed < DEADLINE, "{waited:?} {elapsed:?}");
            assert_names(&named, holder);
        }
        Ok(())
    })?;
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    Ok(())
}

/// `lock-0123 (pid 7), thread 8, alive, holds it for 12.0ms`
fn assert_names(text: &str, thread: u32) {
    let expected = format!(" (pid {}), thread {thread}, alive, holds it for ", std::process::id());
    assert!(text.starts_with("lock-") && text.contains(&expected), "{text}");
}

#[test]
fn anybody_can_read_who_holds_it_and_who_waits() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = Lock::create(&space, ID)?;
    let guard = lock.lock()?;
    let waiter = thread::scope(|scope| {
        let waiter =
            scope.spawn(|| Ok::<_, Error>((thread_id(), Lock::open(&space, ID)?.lock()?.owner_died())));
        await_that(|| !lock.state().waiters.is_empty(), "waiter");
        let state = lock.state();
        let holder = state.holder.expect("this thread holds it");
        assert_eq!((holder.participant.pid, holder.thread), (std::process::id(), thread_id()));
        assert_eq!((holder.participant.alive, holder.depth), (true, 1));
        let waiting = state.waiters[0].waits[0];
        assert_eq!(waiting.what, WaitingFor::Lock);
        drop(guard);
        let (thread, owner_died) = waiter.join().expect("it does not panic")?;
        assert_eq!((waiting.thread, owner_died), (thread, false));
        Ok::<_, Error>(thread)
    })?;
    assert_ne!(waiter, thread_id());
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    assert_eq!(lock.state().contended, 1);
    Ok(())
}

#[test]
fn the_next_owner_is_told_of_an_abandoned_lock_and_the_mark_stays() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), ID)?;
    let guard = lock.lock()?;
    assert!(!guard.owner_died() && !guard.is_inconsistent());
    guard.abandon();
    assert!(lock.is_inconsistent() && lock.state().holder.is_none());

    let told = lock.lock()?;
    assert!(told.owner_died() && told.is_inconsistent());
    drop(told);
    let later = lock.lock()?;
    assert!(!later.owner_died() && later.is_inconsistent(), "one owner is told, the mark is for all");
    later.make_consistent();
    assert!(!later.is_inconsistent());
    drop(later);
    assert!(!lock.lock()?.owner_died());
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    Ok(())
}

/// As bindings use it, whose guards live elsewhere.
#[test]
fn without_a_guard_it_works_the_same() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), ID)?;
    assert_eq!(lock.acquire(None)?, OwnerDied(false));
    lock.abandon()?;
    assert_eq!(lock.acquire(Some(Duration::ZERO))?, OwnerDied(true));
    lock.release()?;
    assert_eq!(lock.acquire(Some(TIMEOUT))?, OwnerDied(false));
    assert!(lock.is_inconsistent());
    lock.make_consistent()?;
    lock.release()?;
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    Ok(())
}

/// The lock goes to and fro, each time to one who sleeps for it.
#[test]
fn waiters_are_woken() -> Result<()> {
    const ROUNDS: u64 = 200;
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = Lock::create(&space, ID)?;
    let give_back_to_waiter = |guard: LockGuard<'_>| {
        await_that(|| !lock.state().waiters.is_empty(), "waiter");
        drop(guard);
    };
    let (held, is_held) = mpsc::channel();
    let (taken, is_taken) = mpsc::channel();
    assert_woken(ROUNDS, || {
        thread::scope(|scope| {
            let other = scope.spawn(|| -> Result<()> {
                let own = Lock::open(&space, ID)?;
                for () in is_held {
                    let guard = own.lock()?;
                    taken.send(()).expect("the test waits");
                    give_back_to_waiter(guard);
                }
                Ok(())
            });
            let mut guard = lock.lock()?;
            for _ in 0..ROUNDS {
                held.send(()).expect("the other lives");
                give_back_to_waiter(guard);
                is_taken.recv().expect("the other lives");
                guard = lock.lock()?;
            }
            drop(held);
            other.join().expect("it does not panic")
        })
    })
}

/// A waiter that is told of an abandoned lock while it sleeps.
#[test]
fn a_sleeping_waiter_gets_an_abandoned_lock() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = Lock::create(&space, ID)?;
    let guard = lock.lock()?;
    thread::scope(|scope| {
        let waiter =
            scope.spawn(|| Ok::<_, Error>(Lock::open(&space, ID)?.lock_timeout(DEADLINE)?.owner_died()));
        await_that(|| !lock.state().waiters.is_empty(), "waiter");
        guard.abandon();
        assert!(waiter.join().expect("it does not panic")?);
        Ok(())
    })
}

#[test]
fn a_panic_abandons_the_lock() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::open_or_create(&scratch.space(), "l")?;
    let cut_short = std::panic::catch_unwind(|| {
        let _guard = lock.lock();
        std::panic::resume_unwind(Box::new("half-way"));
    });
    assert!(cut_short.is_err());
    let guard = lock.lock()?;
    assert!(guard.owner_died() && guard.is_inconsistent());
    Ok(())
}

#[test]
fn without_a_thread_anybody_gives_it_back_and_whoever_takes_it_twice_waits() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), ID)?;
    assert_eq!(lock.detached().acquire(None)?, OwnerDied(false));
    assert_eq!(lock.state().holder.expect("it is held").thread, 0);
    assert!(matches!(lock.detached().acquire(Some(TIMEOUT)), Err(Error::LockTimeout { .. })));
    assert!(matches!(lock.release(), Err(Error::NotOwner { .. })), "no thread holds it");
    thread::scope(|scope| scope.spawn(|| lock.detached().release()).join().expect("no panic"))?;
    assert!(matches!(lock.detached().release(), Err(Error::NotOwner { .. })), "nobody holds it");
    let _guard = lock.lock()?;
    assert!(matches!(lock.detached().release(), Err(Error::NotOwner { .. })), "a thread holds it");
    Ok(())
}

#[test]
fn a_guard_can_be_adopted_by_the_thread_that_took_the_lock() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), ID)?;
    assert!(matches!(lock.adopt(), Err(Error::NotOwner { .. })));
    lock.acquire(None)?;
    drop(lock.adopt()?);
    assert!(is_free(&lock.state()));
    Ok(())
}

#[test]
fn a_lock_without_a_thread_is_abandoned_and_made_consistent() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), "held")?;
    assert!(matches!(lock.detached().abandon(), Err(Error::NotOwner { .. })), "nobody holds it");
    assert!(matches!(lock.detached().make_consistent(), Err(Error::NotOwner { .. })), "nobody holds it");
    lock.detached().acquire(None)?;
    thread::scope(|scope| scope.spawn(|| lock.detached().abandon()).join().expect("no panic"))?;
    assert_eq!(lock.detached().acquire(None)?, OwnerDied(true));
    assert!(lock.is_inconsistent());
    lock.detached().make_consistent()?;
    lock.detached().release()?;
    assert_eq!(lock.detached().acquire(None)?, OwnerDied(false));
    assert!(!lock.is_inconsistent());
    lock.detached().release()
}
