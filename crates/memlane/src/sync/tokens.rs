//! Tokens: a counter that anybody may raise and lower.
//!
//! ```text
//! bits 1–31   how many there are
//! bit 0       somebody sleeps
//! ```
//!
//! Raising and lowering are one compare-exchange each. Nobody owns a token: one that was taken by a process that is
//! then killed is gone with it, as from a POSIX semaphore.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | before the compare-exchange | nothing | nobody | nothing |
//! | after it | the count, raised or lowered | nobody | the count; sleepers maybe a slice late |

use crate::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use crate::sync::version::{self, count};
use crate::sync::waiter::{Peers, TimedOut, Wait};

/// Most tokens there can be: what fits the half of a word that is slept on.
pub const MAX_TOKENS: u32 = i32::MAX as u32;

/// How many there are.
#[inline]
#[must_use]
pub fn value(word: &AtomicU64) -> u32 {
    count(word.load(Acquire)) as u32
}

/// Takes one, if there is one.
#[inline]
pub fn try_take(word: &AtomicU64) -> bool {
    let mut seen = word.load(Relaxed);
    while count(seen) > 0 {
        match version::lower(word, seen) {
            Ok(()) => return true,
            Err(changed) => seen = changed,
        }
    }
    false
}

/// Takes one, waiting for it.
pub fn take(word: &AtomicU64, peers: &impl Peers, wait: &mut Wait) -> Result<(), TimedOut> {
    let mut slept = false;
    let got = loop {
        if try_take(word) {
            break Ok(());
        }
        // Only a word without tokens may be slept on. That there was none is no reason: the number goes down and up
        // again, so a word that was looked at earlier can be back, with a token that nobody wakes for any more.
        let is_there = |count| (count > 0).then_some(());
        if version::sleep_until(word, peers, wait, &mut slept, is_there).is_err() {
            break Err(TimedOut);
        }
    };
    if slept {
        version::pass_on(word, peers, || value(word) > 0);
    }
    got
}

/// Adds `more`; what there is, when they would be more than `maximum`.
#[inline]
pub fn add(word: &AtomicU64, more: u32, maximum: u32, peers: &impl Peers) -> Result<(), u32> {
    if more == 0 {
        // A change that is good for nobody would take the sleepers' flag away from them.
        return Ok(());
    }
    let mut seen = word.load(Relaxed);
    loop {
        let now = count(seen) as u32;
        let Some(sum) = now.checked_add(more).filter(|sum| *sum <= maximum) else { return Err(now) };
        match version::commit_if(word, seen, u64::from(sum), more, peers) {
            Ok(()) => return Ok(()),
            Err(changed) => seen = changed,
        }
    }
}
