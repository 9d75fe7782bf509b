//! Waiting as C expects it: nanoseconds, one number for ever, ended by a signal if the program wants so.
#![allow(unsafe_code)] // A function that C finds by its name.

use crate::status::{Failure, memlane_status, memlane_status::*};
use memlane::interruption::interruptible;
use std::cell::Cell;
use std::time::Duration;

/// Wait for ever. Any other timeout below 0 is a deadline that has passed, and does not wait.
pub const MEMLANE_FOREVER: i64 = i64::MIN;

type ShouldEnd = extern "C" fn() -> bool;

thread_local! {
    static SHOULD_END: Cell<Option<ShouldEnd>> = const { Cell::new(None) };
    /// Whether it ended the wait that is going on.
    static ENDED: Cell<bool> = const { Cell::new(false) };
}

/// Lets this thread's waits end with MEMLANE_INTERRUPTED once `should_end` returns true: at best, it returns a flag
/// that a signal handler sets. NULL ends that. Without it a signal does not end a wait.
///
/// It is asked at each signal that the thread gets while it sleeps, and every 40 ms at least, so it has to be quick.
/// Only an answer within a wait counts: look at the flag yourself between two waits. What the wait obtained in the
/// same instant is not lost: it is returned with MEMLANE_OK.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_interrupt_when(should_end: Option<extern "C" fn() -> bool>) {
    SHOULD_END.set(should_end);
}

/// A timeout of C.
#[inline]
pub(crate) fn timeout(nanoseconds: i64) -> Option<Duration> {
    (nanoseconds != MEMLANE_FOREVER).then(|| Duration::from_nanos(nanoseconds.max(0).unsigned_abs()))
}

/// Runs what may wait for so many nanoseconds.
#[inline]
pub(crate) fn wait<T>(
    nanoseconds: i64,
    body: impl FnOnce(Option<Duration>) -> memlane::Result<T>,
) -> Result<T, Failure> {
    let timeout = timeout(nanoseconds);
    if SHOULD_END.get().is_none() {
        return body(timeout).map_err(Failure::from);
    }
    ENDED.set(false);
    interruptible(should_end, || body(timeout)).map_err(Failure::from).map_err(interrupted)
}

/// Says it once a wait: what waits on the way out, to take a lock again, is not ended too.
fn should_end() -> bool {
    let ends = !ENDED.get() && SHOULD_END.get().is_some_and(|ask| ask());
    if ends {
        ENDED.set(true);
    }
    ends
}

/// A wait that was ended looks like one whose time is up.
#[cold]
fn interrupted(failure: Failure) -> Failure {
    let status: memlane_status =
        if ENDED.get() && failure.status == MEMLANE_TIMEOUT { MEMLANE_INTERRUPTED } else { failure.status };
    Failure { status, ..failure }
}

/// Nothing came in time.
#[cold]
pub(crate) fn timed_out(message: String) -> Failure {
    let failure = Failure::new(MEMLANE_TIMEOUT, message);
    if SHOULD_END.get().is_some() { interrupted(failure) } else { failure }
}
