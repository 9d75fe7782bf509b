//! Waits that must end: in vain after exactly their time, or as soon as a condition holds.
#![allow(dead_code)] // Every suite uses a part.

use memlane::Error;
use std::time::{Duration, Instant};

/// Longer than any wait that succeeds, also on a machine with much else to do.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// None, less than a slice of a wait, and several slices.
const TIMEOUTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(3), Duration::from_millis(90)];

/// Runs a wait for what does not come with several timeouts. Each must take its time, and say what it waited
/// for.
pub(crate) fn assert_in_vain<T>(
    id: &str,
    what: &str,
    mut wait: impl FnMut(Option<Duration>) -> Result<T, Error>,
) {
    for timeout in TIMEOUTS {
        let (outcome, elapsed) = measured(|| wait(Some(timeout)));
        let Err(error) = outcome else { panic!("{what} of {id} came out of nothing") };
        assert!((timeout..DEADLINE).contains(&elapsed), "{error} after {elapsed:?} instead of {timeout:?}");
        let message = error.to_string();
        let Error::Timeout { waited, .. } = error else { panic!("not a timeout: {message}") };
        assert!(timeout <= waited && waited <= elapsed, "{message}");
        assert_eq!(message, format!("waited {waited:.1?} for {what} of region `{id}` in vain"));
    }
}

/// What `work` came to, and how long it took.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let outcome = work();
    (outcome, start.elapsed())
}

/// The shortest slice of a wait: a waiter that nobody wakes finds out for itself after this time.
const SLICE: Duration = Duration::from_millis(5);

/// Plays a dialogue of so many rounds, each with two waits one after the other. Waiters that were not woken
/// would take two slices for each.
pub(crate) fn assert_woken(rounds: u64, play: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let (outcome, elapsed) = measured(play);
    assert!(elapsed < SLICE * rounds as u32, "{rounds} rounds took {elapsed:?}");
    outcome
}

/// Looks until the condition holds, for what has nothing to sleep on.
pub(crate) fn await_that(condition: impl Fn() -> bool, what: &str) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "no {what} for {DEADLINE:?}");
        std::thread::yield_now();
    }
}
