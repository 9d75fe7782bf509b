//! Barriers between threads, handles and processes: nobody goes on before all have come, all agree how a meeting ended,
//! and the death of a real process is told to who waits for it.

mod patience;
mod role;
mod scratch;

use memlane::barrier::BarrierState;
use memlane::participant::WaitingFor;
use memlane::{Barrier, Error, Lock, Result, Space};
use patience::{DEADLINE, await_that, measured};
use role::{Role, listen, say};
use scratch::Scratch;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

const ID: &str = "workers/step";

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let barrier = Barrier::open(&space, ID).expect("it exists");
        say("joined");
        // Each line is a meeting.
        while listen().is_some() {
            match barrier.wait(None) {
                Ok(_) => say("met"),
                Err(error) => say(&format!("failed: {error}")),
            }
        }
    });
}

/// How many threads sleep at it.
fn waiters(barrier: &Barrier) -> usize {
    let participants = barrier.region().participants();
    let waits = participants.iter().flat_map(|participant| &participant.waits);
    waits.filter(|wait| wait.what == WaitingFor::Parties).count()
}

/// Why a wait at a broken barrier failed.
fn why<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    match outcome {
        Err(Error::BrokenBarrier { why, .. }) => why,
        other => panic!("not broken: {other:?}"),
    }
}

/// What `work` comes to while another thread waits, and what that got.
fn while_waiting<T>(barrier: &Barrier, work: impl FnOnce() -> T) -> (Result<u32>, T) {
    thread::scope(|scope| {
        let waiter = scope.spawn(|| barrier.wait(Some(DEADLINE)));
        await_that(|| waiters(barrier) == 1 && barrier.waiting() == 1, "waiter");
        let result = work();
        (waiter.join().expect("it does not panic"), result)
    })
}

#[test]
fn nobody_goes_on_before_all_have_come() -> Result<()> {
    const PARTIES: u32 = 3;
    const ROUNDS: u32 = 300;
    let scratch = Scratch::new();
    let space = scratch.space();
    let barrier = Barrier::create(&space, ID, PARTIES)?;
    let (came, places) = (AtomicU32::new(0), AtomicU32::new(0));
    let work = || -> Result<()> {
        let barrier = Barrier::open(&space, ID)?;
        (0..ROUNDS).try_for_each(|round| {
            came.fetch_add(1, Ordering::SeqCst);
            places.fetch_add(barrier.wait(Some(DEADLINE))?, Ordering::SeqCst);
            assert!(came.load(Ordering::SeqCst) >= PARTIES * (round + 1));
            barrier.wait(Some(DEADLINE)).map(drop)
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..PARTIES).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    // 0, 1 and 2 each time.
    assert_eq!(places.into_inner(), 3 * ROUNDS);
    let BarrierState { parties, waiting, phase, broken, members, .. } = barrier.state();
    assert_eq!((parties, waiting, phase, broken), (PARTIES, 0, 2 * u64::from(ROUNDS), false));
    assert_eq!(members.len(), 1, "threads of one process are one member");
    Ok(())
}

#[test]
fn the_last_one_acts_before_anybody_goes_on() -> Result<()> {
    let scratch = Scratch::new();
    let barrier = Barrier::create(&scratch.space(), ID, 2)?;
    let acts = AtomicU32::new(0);
    let work = || {
        (1..=100).try_for_each(|round| {
            barrier.wait_with(Some(DEADLINE), || {
                acts.fetch_add(1, Ordering::SeqCst);
            })?;
            assert_eq!(acts.load(Ordering::SeqCst), round);
            barrier.wait(Some(DEADLINE)).map(drop)
        })
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })
}

#[test]
fn an_action_that_panics_breaks_it() -> Result<()> {
    let scratch = Scratch::new();
    let barrier = Barrier::create(&scratch.space(), ID, 2)?;
    let (waiter, panicked) = while_waiting(&barrier, || {
        catch_unwind(AssertUnwindSafe(|| barrier.wait_with(None, || panic!("on purpose")))).is_err()
    });
    assert!(panicked && barrier.is_broken());
    why(waiter);
    barrier.reset()
}

/// An action that panics after its phase was reset has nothing to do with the next one.
#[test]
fn an_action_that_panics_late_breaks_no_later_meeting() -> Result<()> {
    let scratch = Scratch::new();
    let barrier = Barrier::create(&scratch.space(), ID, 1)?;
    let act = || {
        barrier.reset().expect("it can be reset");
        panic!("on purpose")
    };
    assert!(catch_unwind(AssertUnwindSafe(|| barrier.wait_with(None, act))).is_err());
    assert!(!barrier.is_broken());
    assert_eq!(barrier.wait(None)?, 0);
    Ok(())
}

/// The latecomer gives up while the last one acts: the meeting is not its own, and takes place.
#[test]
fn who_came_too_late_breaks_nothing() -> Result<()> {
    let scratch = Scratch::new();
    let barrier = Barrier::create(&scratch.space(), ID, 1)?;
    let place = barrier.wait_with(None, || {
        let late = thread::scope(|scope| scope.spawn(|| barrier.wait(Some(Duration::ZERO))).join());
        let late = late.expect("it does not panic");
        assert!(matches!(late, Err(Error::Timeout { .. })), "{late:?}");
    })?;
    assert_eq!((place, barrier.is_broken()), (0, false));
    Ok(())
}

#[test]
fn a_wait_that_ends_breaks_it_for_all() -> Result<()> {
    let scratch = Scratch::new();
    let barrier = Barrier::create(&scratch.space(), ID, 3)?;
    for timeout in [Duration::ZERO, Duration::from_millis(90)] {
        let (waiter, (outcome, elapsed)) =
            while_waiting(&barrier, || measured(|| barrier.wait(Some(timeout))));
        let Err(Error::Timeout { what, waited, .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(what, "the other parties");
        assert!(timeout <= waited && waited <= elapsed);
        assert_eq!(why(waiter), "somebody gave up, aborted or reset it");
        why(barrier.wait(None));
        barrier.reset()?;
        assert!(!barrier.is_broken());
    }
    Ok(())
}

#[test]
fn abort_and_reset_are_told_to_who_waits() -> Result<()> {
    let scratch = Scratch::new();
    let barrier = Barrier::create(&scratch.space(), ID, 2)?;
    let (waiter, ()) = while_waiting(&barrier, || barrier.abort());
    why(waiter);
    assert!(barrier.is_broken());
    barrier.reset()?;
    let (waiter, reset) = while_waiting(&barrier, || barrier.reset());
    reset?;
    why(waiter);
    assert_eq!((barrier.is_broken(), barrier.waiting()), (false, 0));
    let (waiter, mine) = while_waiting(&barrier, || barrier.wait(Some(DEADLINE)));
    assert_eq!((waiter?, mine?), (0, 1));
    Ok(())
}

#[test]
fn a_barrier_is_opened_as_what_it_is() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let barrier = Barrier::open_or_create(&space, ID, 2)?;
    let again = Barrier::open_or_create(&space, ID, 2)?;
    let mismatch = Barrier::open_or_create(&space, ID, 3).map(drop);
    assert!(matches!(
        mismatch,
        Err(Error::ParameterMismatch { parameter: "parties", expected: 3, found: 2, .. })
    ));
    for parties in [0, 65_536] {
        assert!(matches!(Barrier::create(&space, "other", parties), Err(Error::BadParameter { .. })));
    }
    Lock::create(&space, "lock")?;
    assert!(matches!(Barrier::open(&space, "lock"), Err(Error::WrongKind { found: "lock", .. })));
    drop(again);
    assert_eq!(barrier.state().members.len(), 1, "another handle is left");
    Ok(())
}

#[test]
fn a_killed_member_is_told_to_who_waits() -> Result<()> {
    let scratch = Scratch::new();
    let barrier = Barrier::create(&scratch.space(), ID, 2)?;
    let mut member = Role::start("member", scratch.path(), &[]);
    member.expect("joined");
    member.tell("meet");
    assert!(barrier.wait(Some(DEADLINE)).is_ok());
    member.expect("met");
    let (waiter, _) = while_waiting(&barrier, || member.kill_and_wait());
    let died = format!("(pid {}) died", member.pid());
    assert!(why(waiter).ends_with(&died));
    assert!(why(barrier.wait(None)).ends_with(&died), "also to who comes later");
    // Whoever takes its place finds it broken, too, until it is reset.
    let mut next = Role::start("member", scratch.path(), &[]);
    next.expect("joined");
    assert!(barrier.is_broken());
    barrier.reset()?;
    next.tell("meet");
    assert!(barrier.wait(Some(DEADLINE)).is_ok());
    next.expect("met");
    Ok(())
}

/// The slot of a dead member is taken by the next process at once, and with it the only trace of that death.
#[test]
fn a_death_is_told_although_its_slot_is_taken_again() -> Result<()> {
    let scratch = Scratch::new();
    let barrier = Barrier::create(&scratch.space(), ID, 3)?;
    let mut member = Role::start("member", scratch.path(), &[]);
    member.expect("joined");
    member.kill_and_wait();
    let next = Role::start("member", scratch.path(), &[]);
    next.expect("joined");
    why(barrier.wait(Some(DEADLINE)));
    Ok(())
}

#[test]
fn who_left_in_peace_is_not_missed() -> Result<()> {
    let scratch = Scratch::new();
    let barrier = Barrier::create(&scratch.space(), ID, 2)?;
    let member = Role::start("member", scratch.path(), &[]);
    member.expect("joined");
    assert_eq!(barrier.state().members.len(), 2);
    assert!(member.finish().success());
    assert_eq!(barrier.state().members.len(), 1);
    let (waiter, mine) = while_waiting(&barrier, || barrier.wait(Some(DEADLINE)));
    assert_eq!((waiter?, mine?), (0, 1));
    Ok(())
}

/// A crew that was killed as a whole is started again, and has nobody to ask what to do about the barrier.
#[test]
fn who_joins_among_the_dead_begins_anew() -> Result<()> {
    let scratch = Scratch::new();
    drop(Barrier::create(&scratch.space(), ID, 2)?);
    let mut crew: Vec<_> = (0..2).map(|_| Role::start("member", scratch.path(), &[])).collect();
    for member in &crew {
        member.expect("joined");
    }
    crew[0].tell("meet");
    for member in &mut crew {
        member.kill_and_wait();
    }
    let barrier = Barrier::open(&scratch.space(), ID)?;
    assert_eq!((barrier.is_broken(), barrier.waiting(), barrier.state().members.len()), (false, 0, 1));
    let (waiter, mine) = while_waiting(&barrier, || barrier.wait(Some(DEADLINE)));
    assert_eq!((waiter?, mine?), (0, 1));
    Ok(())
}
