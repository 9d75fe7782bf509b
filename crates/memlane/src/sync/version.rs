//! An eventcount: a change counter that knows whether anybody sleeps on it.
//!
//! ```text
//! bits 1–63   changes so far
//! bit 0       somebody sleeps on the low half: the next change wakes
//! ```
//!
//! One read-modify-write publishes the change and collects the flag, so a change with no sleeper makes no
//! system call. A sleeper that dies leaves the flag: one wake for nobody. A writer that dies between change
//! and wake delays the sleepers by a slice. After Vyukov's eventcount, with the flag in the word because a
//! count of sleepers would not survive theirs dying.
//!
//! Orderings: a change is Release (what was written before it is seen by whoever reads the new count) and
//! Acquire (it follows the flag's setter).

use super::waiter::{ALL, Expired, Peers, TimedOut, Wait};
use crate::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};

const SLEEPERS: u64 = 1;

/// The count in a word.
#[inline]
#[must_use]
pub const fn count(word: u64) -> u64 {
    word >> 1
}

/// Counts one more change and wakes whoever sleeps. Any number of writers.
#[inline]
pub fn advance(word: &AtomicU64, peers: &impl Peers) -> u64 {
    let mut seen = word.load(Relaxed);
    loop {
        let next = (seen | SLEEPERS).wrapping_add(1);
        match word.compare_exchange(seen, next, AcqRel, Relaxed) {
            Ok(_) => {
                wake(word, seen, peers);
                return count(next);
            }
            Err(changed) => seen = changed,
        }
    }
}

/// Sets the count and wakes whoever sleeps. For the one writer at a time of a channel or two-copy cell: this
/// store is its commit.
#[inline]
pub fn commit(word: &AtomicU64, next: u64, peers: &impl Peers) {
    let seen = word.swap(next << 1, AcqRel);
    wake(word, seen, peers);
}

/// Sleeps until `changed(count)` holds, and gives that count back.
pub fn wait_until(
    word: &AtomicU64,
    peers: &impl Peers,
    wait: &mut Wait,
    mut changed: impl FnMut(u64) -> bool,
) -> Result<u64, TimedOut> {
    loop {
        let seen = word.load(Acquire);
        if changed(count(seen)) {
            return Ok(count(seen));
        }
        if seen & SLEEPERS == 0 && word.compare_exchange(seen, seen | SLEEPERS, Relaxed, Relaxed).is_err() {
            continue;
        }
        if peers.wait_u64(word, seen | SLEEPERS, wait) == Expired::Yes {
            let last = count(word.load(Acquire));
            return if changed(last) { Ok(last) } else { Err(TimedOut) };
        }
    }
}

#[inline]
fn wake(word: &AtomicU64, seen: u64, peers: &impl Peers) {
    if seen & SLEEPERS != 0 {
        peers.wake_u64(word, ALL);
    }
}
