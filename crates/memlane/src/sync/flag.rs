//! A flag to wait for, which is a change counter: odd means set.
//!
//! ```text
//! bits 1–63   changes so far: odd set, even clear
//! bit 0       somebody sleeps
//! ```
//!
//! Setting a clear flag and clearing a set one is one compare-exchange; setting a set one is none. Because the
//! counter only goes up, whoever waits notices also a flag that was set and cleared before it looked again.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | before the compare-exchange | the flag as it was | nobody | nothing |
//! | setting, before the wake | a flag that is set, sleepers asleep | they, after a slice | the flag, late |
//! | taking an auto-reset flag, after the compare-exchange | a flag that is clear | nobody | nothing: the signal is gone with it |

use crate::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use crate::sync::version::{self, count};
use crate::sync::waiter::{Peers, TimedOut, Wait};

/// Whether the count of a flag's word says that it is set.
#[inline]
#[must_use]
pub const fn is_set(count: u64) -> bool {
    count & 1 == 1
}

/// Sets the flag and wakes up to `turns` of those who sleep, unless it is set already.
#[inline]
pub fn set(word: &AtomicU64, turns: u32, peers: &impl Peers) {
    let mut seen = word.load(Relaxed);
    while !is_set(count(seen)) {
        match version::commit_if(word, seen, count(seen) + 1, turns, peers) {
            Ok(()) => return,
            Err(changed) => seen = changed,
        }
    }
}

/// Clears the flag; says whether it was set. Of those who take an auto-reset flag, one is told so.
#[inline]
pub fn clear(word: &AtomicU64) -> bool {
    let mut seen = word.load(Relaxed);
    while is_set(count(seen)) {
        match version::pass(word, seen) {
            Ok(()) => return true,
            Err(changed) => seen = changed,
        }
    }
    false
}

/// Waits until the flag is set, or was since its count was `start`.
pub fn wait(word: &AtomicU64, start: u64, peers: &impl Peers, wait: &mut Wait) -> Result<(), TimedOut> {
    version::wait_until(word, peers, wait, |now| is_set(now) || now != start).map(drop)
}

/// Waits until the flag is set, and clears it: of all who wait, one gets each setting.
pub fn take(word: &AtomicU64, peers: &impl Peers, wait: &mut Wait) -> Result<(), TimedOut> {
    let is_left = || is_set(count(word.load(Acquire)));
    version::take_turn(word, peers, wait, |_| clear(word).then_some(()), is_left)
}
