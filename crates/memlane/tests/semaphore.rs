//! Semaphores of both sorts: never more permits out than there are, errors that name who holds them, and permits that
//! come back from real processes killed.

mod patience;
mod role;
mod scratch;

use memlane::participant::WaitingFor;
use memlane::{Error, Event, Result, Semaphore, SignalSemaphore, Space};
use patience::{DEADLINE, assert_in_vain, assert_woken, await_that};
use proptest::prelude::*;
use role::{Role, listen, say};
use scratch::Scratch;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

const ID: &str = "licences";
const PERMITS: u32 = 3;
/// None, and a little longer than several slices of a wait.
const TIMEOUTS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(90)];

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        match part.role.as_str() {
            "holder" => {
                let semaphore = Semaphore::open(&space, ID).expect("it exists");
                let permits = semaphore.acquire(part.number(0) as u32, None).expect("they come free");
                say("holds");
                listen();
                drop(permits);
                say("gave back");
                listen();
            }
            "taker" => {
                let tokens = SignalSemaphore::open(&space, ID).expect("it exists");
                tokens.acquire(None).expect("one comes");
                say("took");
                listen();
            }
            other => panic!("there is no role {other}"),
        }
    });
}

fn is_waited_for(region: &memlane::Region, what: WaitingFor) -> bool {
    region.participants().iter().any(|one| one.waits.iter().any(|wait| wait.what == what))
}

#[test]
fn there_are_never_more_permits_out_than_there_are() -> Result<()> {
    const THREADS: u32 = 4;
    const ROUNDS: u32 = 3_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let semaphore = Semaphore::create(&space, ID, PERMITS)?;
    let out = AtomicU32::new(0);
    let work = |number: u32| -> Result<()> {
        let semaphore = Semaphore::open(&space, ID)?;
        (0..ROUNDS).try_for_each(|round| {
            let permit = semaphore.acquire(1 + (round + number) % PERMITS, Some(DEADLINE))?;
            let now = out.fetch_add(permit.count(), Ordering::Relaxed) + permit.count();
            assert!(now <= PERMITS, "{now} of {PERMITS}");
            out.fetch_sub(permit.count(), Ordering::Relaxed);
            Ok(())
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!((semaphore.free(), semaphore.state().holders.len()), (PERMITS, 0));
    Ok(())
}

#[test]
fn errors_say_who_holds_how_many() -> Result<()> {
    let scratch = Scratch::new();
    let semaphore = Semaphore::create(&scratch.space(), ID, PERMITS)?;
    let mut holder = Role::start("holder", scratch.path(), &["2"]);
    holder.expect("holds");
    for timeout in TIMEOUTS {
        let error = semaphore.acquire(2, Some(timeout)).expect_err("only one is free");
        let Error::LockTimeout { what, waited, holder: holders, .. } = &error else { panic!("{error}") };
        assert_eq!((*what, *waited >= timeout), ("a permit", true));
        assert!(holders.ends_with(&format!("(pid {}) holds 2", holder.pid())), "{holders}");
    }
    assert!(semaphore.try_acquire(2)?.is_none());
    let state = semaphore.state();
    assert_eq!((state.total, state.free, state.owned), (PERMITS, 1, true));
    assert_eq!(
        state.holders.iter().map(|(one, count)| (one.pid, *count)).collect::<Vec<_>>(),
        [(holder.pid(), 2)]
    );

    let error = semaphore.acquire(PERMITS + 1, None).expect_err("there never are as many");
    assert!(matches!(error, Error::TooMany { what: "permits", asked: 4, most: 3, .. }), "{error}");
    assert!(matches!(semaphore.try_acquire(PERMITS + 1), Err(Error::TooMany { .. })));
    let error = semaphore.release(1).expect_err("this process holds none");
    assert!(matches!(error, Error::NotOwner { .. }), "{error}");
    holder.tell("give back");
    holder.expect("gave back");
    assert_eq!(semaphore.free(), PERMITS);
    Ok(())
}

#[test]
fn a_semaphore_is_opened_as_what_it_is() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    Semaphore::open_or_create(&space, ID, PERMITS)?;
    Semaphore::open_or_create(&space, ID, PERMITS)?;
    let mismatch = Semaphore::open_or_create(&space, ID, PERMITS + 1);
    assert!(matches!(
        mismatch,
        Err(Error::ParameterMismatch { parameter: "permits", expected: 4, found: 3, .. })
    ));
    for error in
        [SignalSemaphore::open(&space, ID).err(), SignalSemaphore::open_or_create(&space, ID, 0).err()]
    {
        assert!(matches!(error, Some(Error::ParameterMismatch { expected: 1, found: 0, .. })), "{error:?}");
    }
    assert!(matches!(Event::open(&space, ID), Err(Error::WrongKind { found: "semaphore", .. })));
    SignalSemaphore::create_bounded(&space, "tokens", 1, 2)?;
    assert!(matches!(Semaphore::open(&space, "tokens"), Err(Error::ParameterMismatch { .. })));
    for permits in [0, u32::MAX] {
        assert!(matches!(Semaphore::create(&space, "none", permits), Err(Error::BadParameter { .. })));
    }
    for (initial, maximum) in [(0, 0), (3, 2), (0, u32::MAX)] {
        let bad = SignalSemaphore::create_bounded(&space, "none", initial, maximum);
        assert!(matches!(bad, Err(Error::BadParameter { .. })), "{initial} of {maximum}");
    }
    Ok(())
}

#[test]
fn threads_may_give_back_what_another_took() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let semaphore = Semaphore::create(&space, ID, PERMITS)?;
    semaphore.take(2, None)?;
    thread::scope(|scope| scope.spawn(|| Semaphore::open(&space, ID)?.release(1)).join().expect("no panic"))?;
    assert_eq!(semaphore.free(), 2);
    assert!(semaphore.release(2).is_err());
    assert_eq!(semaphore.free(), 2, "a refused release changes nothing");
    Ok(())
}

#[test]
fn what_a_killed_process_held_is_free() -> Result<()> {
    let scratch = Scratch::new();
    let semaphore = Semaphore::create(&scratch.space(), ID, PERMITS)?;
    let mut holder = Role::start("holder", scratch.path(), &["3"]);
    holder.expect("holds");
    assert_eq!(semaphore.free(), 0);
    thread::scope(|scope| -> Result<()> {
        let waiters: Vec<_> = (0..2).map(|_| scope.spawn(|| semaphore.take(1, Some(DEADLINE)))).collect();
        await_that(|| is_waited_for(semaphore.region(), WaitingFor::Permit), "waiter");
        holder.kill();
        waiters.into_iter().try_for_each(|waiter| waiter.join().expect("it does not panic"))
    })?;
    assert_eq!(semaphore.free(), 1);
    holder.kill_and_wait();
    // The slot's next holder has none of what the last one had.
    let mut next = Role::start("holder", scratch.path(), &["1"]);
    next.expect("holds");
    assert_eq!((semaphore.free(), semaphore.state().holders.len()), (0, 2));
    next.kill_and_wait();
    assert!(semaphore.try_acquire(1)?.is_some());
    Ok(())
}

#[test]
fn releases_wake_as_many_as_they_are_good_for() -> Result<()> {
    const ROUNDS: u64 = 300;
    let scratch = Scratch::new();
    let space = scratch.space();
    let (ping, pong) =
        (SignalSemaphore::create(&space, "ping", 0)?, SignalSemaphore::create(&space, "pong", 0)?);
    assert_woken(ROUNDS, || {
        thread::scope(|scope| {
            let echo = scope.spawn(|| {
                (0..ROUNDS).try_for_each(|_| ping.acquire(Some(DEADLINE)).and_then(|()| pong.release(1)))
            });
            (0..ROUNDS).try_for_each(|_| ping.release(1).and_then(|()| pong.acquire(Some(DEADLINE))))?;
            echo.join().expect("it does not panic")
        })
    })?;
    assert_eq!((ping.value(), pong.value()), (0, 0));
    Ok(())
}

#[test]
fn every_token_is_taken_once() -> Result<()> {
    const THREADS: u32 = 3;
    const ROUNDS: u32 = 2_000;
    let scratch = Scratch::new();
    let tokens = SignalSemaphore::create(&scratch.space(), ID, 0)?;
    thread::scope(|scope| {
        let takers: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| (0..ROUNDS).try_for_each(|_| tokens.acquire(Some(DEADLINE)))))
            .collect();
        (0..ROUNDS).try_for_each(|_| tokens.release(THREADS))?;
        takers.into_iter().try_for_each(|taker| taker.join().expect("it does not panic"))
    })?;
    assert_eq!(tokens.value(), 0);
    Ok(())
}

#[test]
fn tokens_have_a_bound_and_waits_an_end() -> Result<()> {
    let scratch = Scratch::new();
    let tokens = SignalSemaphore::create_bounded(&scratch.space(), ID, 1, 2)?;
    tokens.release(1)?;
    let error = tokens.release(1).expect_err("it is full");
    assert!(matches!(error, Error::Overflow { value: 2, maximum: 2, count: 1, .. }), "{error}");
    let state = tokens.state();
    assert_eq!((tokens.value(), state.free, state.total, state.owned), (2, 2, 2, false));
    assert!(tokens.try_acquire() && tokens.try_acquire() && !tokens.try_acquire());
    assert_in_vain(ID, "a token", |timeout| tokens.acquire(timeout));
    Ok(())
}

#[test]
fn a_killed_process_takes_its_token_with_it() -> Result<()> {
    let scratch = Scratch::new();
    let tokens = SignalSemaphore::create(&scratch.space(), ID, 2)?;
    let mut taker = Role::start("taker", scratch.path(), &[]);
    taker.expect("took");
    taker.kill_and_wait();
    assert_eq!(tokens.value(), 1);
    tokens.acquire(Some(DEADLINE))
}

/// What a process does with permits.
#[derive(Debug, Clone, Copy)]
enum Step {
    Take(u32),
    GiveBack(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![(0..5_u32).prop_map(Step::Take), (0..5_u32).prop_map(Step::GiveBack)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn free_is_what_is_not_held(steps in prop::collection::vec(step(), 0..40)) {
        let scratch = Scratch::new();
        let semaphore = Semaphore::create(&scratch.space(), ID, PERMITS).expect("it is new");
        let mut held = 0;
        for step in steps {
            match step {
                Step::Take(count) => match semaphore.try_take(count) {
                    Ok(taken) => {
                        prop_assert_eq!(taken, held + count <= PERMITS);
                        held += if taken { count } else { 0 };
                    }
                    Err(error) => prop_assert!(count > PERMITS, "{error}"),
                },
                Step::GiveBack(count) => {
                    let given = semaphore.release(count).is_ok();
                    prop_assert_eq!(given, count <= held);
                    held -= if given { count } else { 0 };
                }
            }
            prop_assert_eq!(semaphore.free(), PERMITS - held);
        }
    }
}
