//! Conditions between threads and processes: exactly as many go as were notified, with any lock, and in spite of the
//! dead.

mod patience;
mod role;
mod scratch;

use memlane::{Condition, Error, Lock, RLock, Result, RwLock, Space, Value};
use patience::{DEADLINE, await_that, measured};
use role::{Part, Role, listen, say};
use rustix::process::{Signal, WaitIdOptions};
use scratch::Scratch;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

const ID: &str = "orders/changed";
const LOCK: &str = "orders/lock";

/// A little longer than several slices of a wait.
const TIMEOUT: Duration = Duration::from_millis(90);

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        play(&space, part).expect("the role can be played");
    });
}

/// Waits, and says whether it was notified; or dies holding the lock.
fn play(space: &Space, part: &Part) -> Result<()> {
    let lock = Lock::open(space, LOCK)?;
    let condition = Condition::open(space, ID)?;
    let mut guard = lock.lock()?;
    if part.role == "holder" {
        say("held");
        listen();
        panic!("the parent kills this process");
    }
    let notified = condition.wait(&mut guard, None)?;
    drop(guard);
    say(if notified { "notified" } else { "timed out" });
    listen();
    Ok(())
}

fn create(scratch: &Scratch) -> Result<(Condition, Lock)> {
    let space = scratch.space();
    Ok((Condition::create(&space, ID, 8)?, Lock::create(&space, LOCK)?))
}

fn await_waiters(condition: &Condition, count: usize) {
    await_that(|| condition.waiters().len() == count, "waiters");
}

/// Starts a process that waits, behind `before` others.
fn start_waiter(scratch: &Scratch, condition: &Condition, before: usize) -> Role {
    let waiter = Role::start("waiter", scratch.path(), &[]);
    await_waiters(condition, before + 1);
    waiter
}

#[test]
fn exactly_as_many_go_as_are_notified() -> Result<()> {
    let scratch = Scratch::new();
    let (condition, lock) = create(&scratch)?;
    let gone = AtomicUsize::new(0);
    let wait = || {
        let mut guard = lock.lock().expect("the lock");
        assert!(condition.wait(&mut guard, None).expect("there is room"));
        gone.fetch_add(1, SeqCst);
    };
    thread::scope(|scope| {
        for before in 0..6 {
            scope.spawn(wait);
            await_waiters(&condition, before + 1);
        }
        assert_eq!(condition.notify(0), 0);
        let mut expected = 0;
        for (asked, granted) in [(1, 1), (2, 2), (1, 1)] {
            assert_eq!(condition.notify(asked), granted);
            expected += granted;
            await_that(|| gone.load(SeqCst) == expected, "notified threads");
            assert_eq!(condition.waiters().len(), 6 - expected);
        }
        assert_eq!(condition.notify(10), 2);
        await_that(|| gone.load(SeqCst) == 6, "notified threads");
        assert_eq!(condition.notify_all(), 0);
    });
    Ok(())
}

#[test]
fn a_wait_in_vain_ends_in_time_and_leaves_no_trace() -> Result<()> {
    let scratch = Scratch::new();
    let (condition, lock) = create(&scratch)?;
    let mut guard = lock.lock()?;
    for timeout in [Duration::ZERO, Duration::from_millis(3), TIMEOUT] {
        let (notified, elapsed) = measured(|| condition.wait(&mut guard, Some(timeout)));
        assert!(!notified? && (timeout..DEADLINE).contains(&elapsed), "{elapsed:?}");
        assert!(condition.waiters().is_empty());
        assert!(lock.state().holder.is_some(), "the lock is taken again");
    }
    assert_eq!(condition.notify_all(), 0);
    let (right, elapsed) = measured(|| condition.wait_for(&mut guard, Some(TIMEOUT), || false));
    assert!(!right? && (TIMEOUT..DEADLINE).contains(&elapsed), "{elapsed:?}");
    assert!(
        condition.wait_for(&mut guard, Some(Duration::ZERO), || true)?,
        "what is right is not waited for"
    );
    Ok(())
}

#[test]
fn a_notification_wakes_at_once() -> Result<()> {
    const ROUNDS: u64 = 200;
    let scratch = Scratch::new();
    let (condition, lock) = create(&scratch)?;
    let turn = Value::create(&scratch.space(), "turn", 0_u64)?;
    let play = |parity: u64| -> Result<()> {
        let mut guard = lock.lock()?;
        for round in 0..ROUNDS {
            let mine = 2 * round + parity;
            assert!(condition.wait_for(&mut guard, Some(DEADLINE), || turn.load() == mine)?);
            turn.store(mine + 1);
            condition.notify(1);
        }
        Ok(())
    };
    patience::assert_woken(ROUNDS, || {
        thread::scope(|scope| {
            let other = scope.spawn(|| play(1));
            play(0)?;
            other.join().expect("it does not panic")
        })
    })?;
    assert_eq!(turn.load(), 2 * ROUNDS);
    Ok(())
}

#[test]
fn nothing_handed_over_is_lost() -> Result<()> {
    const ITEMS: u64 = 2_000;
    let scratch = Scratch::new();
    let (condition, lock) = create(&scratch)?;
    let (stock, taken) = (Value::create(&scratch.space(), "stock", 0_u64)?, AtomicUsize::new(0));
    let consume = || -> Result<()> {
        for _ in 0..ITEMS {
            let mut guard = lock.lock()?;
            assert!(condition.wait_for(&mut guard, Some(DEADLINE), || stock.load() > 0)?);
            stock.store(stock.load() - 1);
            taken.fetch_add(1, SeqCst);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let consumers = [scope.spawn(consume), scope.spawn(consume), scope.spawn(consume)];
        for _ in 0..consumers.len() as u64 * ITEMS {
            let _guard = lock.lock()?;
            stock.store(stock.load() + 1);
            condition.notify(1);
        }
        consumers.into_iter().try_for_each(|consumer| consumer.join().expect("it does not panic"))
    })?;
    assert_eq!((taken.load(SeqCst), stock.load()), (3 * ITEMS as usize, 0));
    Ok(())
}

#[test]
fn a_re_entrant_lock_is_given_back_whole_and_taken_as_often() -> Result<()> {
    let scratch = Scratch::new();
    let condition = Condition::open_or_create(&scratch.space(), ID)?;
    let lock = RLock::create(&scratch.space(), LOCK)?;
    let (outer, mut inner) = (lock.lock()?, lock.lock()?);
    thread::scope(|scope| {
        let notifier = scope.spawn(|| -> Result<usize> {
            await_waiters(&condition, 1);
            let _guard = lock.lock_timeout(DEADLINE)?;
            Ok(condition.notify(1))
        });
        assert!(condition.wait(&mut inner, Some(DEADLINE))?);
        assert_eq!(lock.state().holder.map(|holder| holder.depth), Some(2));
        assert_eq!(notifier.join().expect("it does not panic")?, 1);
        Result::Ok(())
    })?;
    drop((outer, inner));
    assert!(lock.state().holder.is_none());
    Ok(())
}

#[test]
fn a_write_lock_is_given_back_and_taken_again() -> Result<()> {
    let scratch = Scratch::new();
    let condition = Condition::open_or_create(&scratch.space(), ID)?;
    let lock = RwLock::create(&scratch.space(), LOCK)?;
    let mut guard = lock.write(None)?;
    thread::scope(|scope| {
        let notifier = scope.spawn(|| -> Result<usize> {
            await_waiters(&condition, 1);
            let _guard = lock.read(Some(DEADLINE))?;
            Ok(condition.notify_all())
        });
        assert!(condition.wait(&mut guard, Some(DEADLINE))?);
        assert!(lock.try_read()?.is_none(), "the lock is taken again");
        assert_eq!(notifier.join().expect("it does not panic")?, 1);
        Result::Ok(())
    })?;
    drop(guard);
    assert!(lock.try_write()?.is_some());
    Ok(())
}

#[test]
fn more_threads_than_it_was_made_for_are_refused() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let condition = Condition::create(&space, ID, 1)?;
    let lock = Lock::create(&space, LOCK)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut guard = lock.lock().expect("the lock");
            condition.wait(&mut guard, None).expect("there is room")
        });
        await_waiters(&condition, 1);
        let mut guard = lock.lock()?;
        let error = condition.wait(&mut guard, None).err().map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some(
                "1 threads wait at region `orders/changed` already, as many as it was made for; make it with more"
            )
        );
        assert!(lock.state().holder.is_some(), "who is refused keeps the lock");
        condition.notify(1);
        Result::Ok(())
    })
}

#[test]
fn its_size_is_checked() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    for threads in [0, 1 << 17] {
        assert!(matches!(Condition::create(&space, ID, threads), Err(Error::BadParameter { .. })));
    }
    drop(Condition::create(&space, ID, 2)?);
    let refused = Condition::open_or_create(&space, ID);
    assert!(matches!(refused, Err(Error::ParameterMismatch { found: 2, expected: 128, .. })));
    drop(Condition::open(&space, ID)?);
    drop(Lock::create(&space, LOCK)?);
    assert!(matches!(Condition::open(&space, LOCK), Err(Error::WrongKind { .. })));
    Ok(())
}

#[test]
fn who_waits_in_another_process_is_let_go() -> Result<()> {
    let scratch = Scratch::new();
    let (condition, _lock) = create(&scratch)?;
    let waiter = start_waiter(&scratch, &condition, 0);
    assert_eq!(condition.waiters()[0].pid, waiter.pid());
    assert_eq!(condition.notify(1), 1);
    waiter.expect("notified");
    assert!(waiter.finish().success());
    Ok(())
}

#[test]
fn the_dead_who_waited_are_passed_over() -> Result<()> {
    let scratch = Scratch::new();
    let (condition, _lock) = create(&scratch)?;
    let mut first = start_waiter(&scratch, &condition, 0);
    let second = start_waiter(&scratch, &condition, 1);
    first.kill_and_wait();
    assert_eq!(condition.waiters().len(), 1);
    assert_eq!(condition.notify(2), 1, "one lives");
    second.expect("notified");
    Ok(())
}

/// The first is stopped, so it cannot go with its notification; then it dies.
#[test]
fn the_notification_of_the_dead_goes_to_the_next() -> Result<()> {
    let scratch = Scratch::new();
    let (condition, _lock) = create(&scratch)?;
    let mut first = start_waiter(&scratch, &condition, 0);
    let second = start_waiter(&scratch, &condition, 1);
    let third = start_waiter(&scratch, &condition, 2);
    first.signal(Signal::STOP);
    first.await_state(WaitIdOptions::STOPPED);
    assert_eq!(condition.notify(1), 1);
    assert_eq!(condition.waiters().len(), 2, "the first is let go, and does not go");
    first.kill_and_wait();
    // Either may be the next, and only one.
    await_that(|| condition.waiters().len() == 1, "next one");
    assert_eq!(condition.notify_all(), 1);
    second.expect("notified");
    assert!(second.finish().success());
    third.expect("notified");
    assert_eq!(condition.notify_all(), 0);
    Ok(())
}

#[test]
fn whose_lock_was_taken_over_is_told_when_the_wait_ends() -> Result<()> {
    let scratch = Scratch::new();
    let (condition, lock) = create(&scratch)?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| -> Result<_> {
            let mut guard = lock.lock()?;
            assert!(!guard.owner_died());
            let notified = condition.wait(&mut guard, None)?;
            Ok((notified, guard.owner_died()))
        });
        await_waiters(&condition, 1);
        let mut holder = Role::start("holder", scratch.path(), &[]);
        holder.expect("held");
        assert_eq!(condition.notify(1), 1);
        holder.kill_and_wait();
        assert_eq!(waiter.join().expect("it does not panic")?, (true, true));
        Ok(())
    })
}
