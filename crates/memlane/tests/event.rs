//! Events between threads, handles and processes: who waits is let go, all or one, and no setting is missed.

mod patience;
mod role;
mod scratch;

use memlane::participant::WaitingFor;
use memlane::{Error, Event, Lock, Observer, Result, Space};
use patience::{DEADLINE, assert_in_vain, assert_woken, await_that};
use role::{Role, listen, say};
use scratch::Scratch;
use std::thread;

const ID: &str = "robot/ready";

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let event = Event::open(&space, ID).expect("it exists");
        match part.role.as_str() {
            "setter" => event.set(),
            "waiter" => event.wait(None).expect("somebody sets it"),
            other => panic!("there is no role {other}"),
        }
        say("done");
        listen();
    });
}

/// How many threads wait for it.
fn waiters(event: &Event) -> usize {
    let participants = event.region().participants();
    let waits = participants.iter().flat_map(|participant| &participant.waits);
    waits.filter(|wait| wait.what == WaitingFor::Event).count()
}

#[test]
fn a_set_event_lets_everybody_go_on_until_it_is_cleared() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let event = Event::create(&space, ID)?;
    assert!(!event.is_set() && !event.try_wait() && !event.is_auto_reset());
    thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..3).map(|_| scope.spawn(|| Event::open(&space, ID)?.wait(Some(DEADLINE)))).collect();
        await_that(|| waiters(&event) > 0, "waiter");
        event.set();
        event.set();
        waiting.into_iter().try_for_each(|waiter| waiter.join().expect("it does not panic"))
    })?;
    assert!(event.is_set() && event.try_wait());
    event.wait(Some(DEADLINE))?;
    assert_eq!(event.region().version(), 1, "setting what is set is no change");
    assert!(event.clear() && !event.clear() && !event.is_set());
    assert_eq!(Observer::open(&space, ID)?.version(), 2);
    assert_in_vain(ID, "the event", |timeout| event.wait(timeout));
    Ok(())
}

/// As `threading.Event` does it: a pulse lets everybody go who waited.
#[test]
fn who_waits_notices_an_event_that_is_cleared_at_once() -> Result<()> {
    let scratch = Scratch::new();
    let event = Event::create(&scratch.space(), ID)?;
    for _ in 0..200 {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| event.wait(Some(DEADLINE)));
            await_that(|| waiters(&event) > 0, "waiter");
            event.set();
            event.clear();
            waiter.join().expect("it does not panic")
        })?;
    }
    Ok(())
}

#[test]
fn an_event_that_resets_itself_lets_one_go_on_each_time() -> Result<()> {
    const ROUNDS: u32 = 1_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let event = Event::create_auto_reset(&space, ID)?;
    let answer = Event::create_auto_reset(&space, "answer")?;
    event.set();
    assert!(event.try_wait() && !event.try_wait() && event.is_auto_reset());
    thread::scope(|scope| {
        let takers: Vec<_> = (0..2)
            .map(|_| {
                scope
                    .spawn(|| (0..ROUNDS).try_for_each(|_| event.wait(Some(DEADLINE)).map(|()| answer.set())))
            })
            .collect();
        // A setting that nobody took yet would swallow the next one, so each is answered.
        (0..2 * ROUNDS).try_for_each(|_| {
            event.set();
            answer.wait(Some(DEADLINE))
        })?;
        takers.into_iter().try_for_each(|taker| taker.join().expect("it does not panic"))
    })?;
    assert!(!event.is_set());
    assert_in_vain(ID, "the event", |timeout| event.wait(timeout));
    Ok(())
}

#[test]
fn setting_wakes_who_sleeps() -> Result<()> {
    const ROUNDS: u64 = 300;
    let scratch = Scratch::new();
    let space = scratch.space();
    let (ping, pong) = (Event::create_auto_reset(&space, "ping")?, Event::create_auto_reset(&space, "pong")?);
    assert_woken(ROUNDS, || {
        thread::scope(|scope| {
            let echo =
                scope.spawn(|| (0..ROUNDS).try_for_each(|_| ping.wait(Some(DEADLINE)).map(|()| pong.set())));
            (0..ROUNDS).try_for_each(|_| {
                ping.set();
                pong.wait(Some(DEADLINE))
            })?;
            echo.join().expect("it does not panic")
        })
    })
}

#[test]
fn an_event_is_opened_as_what_it_is() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    Event::open_or_create(&space, ID)?;
    Event::open_or_create(&space, ID)?;
    let mismatch = Event::open_or_create_auto_reset(&space, ID);
    assert!(matches!(
        mismatch,
        Err(Error::ParameterMismatch { parameter: "auto-reset", expected: 1, found: 0, .. })
    ));
    assert!(matches!(Event::create(&space, ID), Err(Error::AlreadyExists { .. })));
    Lock::create(&space, "lock")?;
    assert!(matches!(Event::open(&space, "lock"), Err(Error::WrongKind { found: "lock", .. })));
    Ok(())
}

#[test]
fn an_event_outlives_who_set_it_and_who_waited() -> Result<()> {
    let scratch = Scratch::new();
    let event = Event::create_auto_reset(&scratch.space(), ID)?;
    // Killed in its sleep, a waiter has taken nothing.
    let mut waiter = Role::start("waiter", scratch.path(), &[]);
    await_that(|| waiters(&event) == 1, "waiter");
    waiter.kill_and_wait();
    let mut setter = Role::start("setter", scratch.path(), &[]);
    setter.expect("done");
    setter.kill_and_wait();
    event.wait(Some(DEADLINE))
}
