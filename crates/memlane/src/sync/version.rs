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
//! Where a change is for one sleeper and not for all (a message, a permit, a token), waking everybody would have
//! all but one wake for nothing: [`advance_for`] and [`commit_if`] wake as many as the change is good for, and
//! [`take_turn`] sees to it that the others are not forgotten. A waker clears the flag although others may still
//! sleep, so whoever has slept sets it again when it goes, and, when something is left, wakes the next one itself.
//! If it dies before that, the next one goes on after a slice.
//!
//! Orderings: a change is Release (what was written before it is seen by whoever reads the new count) and
//! Acquire (it follows the flag's setter).

use super::waiter::{ALL, Expired, Peers, TimedOut, Wait};
use crate::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, pause};

const SLEEPERS: u64 = 1;

/// How often somebody looks before it sleeps: a few microseconds, as long as a sleep costs at least.
const SPINS: u32 = if cfg!(loom) { 0 } else { 100 };

/// The count in a word.
#[inline]
#[must_use]
pub const fn count(word: u64) -> u64 {
    word >> 1
}

/// Counts one more change and wakes whoever sleeps. Any number of writers.
#[inline]
pub fn advance(word: &AtomicU64, peers: &impl Peers) -> u64 {
    // Added without a look before: a cache line that others look at comes over once, to be written.
    let seen = word.fetch_add(2, AcqRel);
    if seen & SLEEPERS != 0 {
        wake_all(word, peers);
    }
    count(seen).wrapping_add(1)
}

/// Takes the flag back before it wakes: who sleeps with a flag set in between is woken, too, and sets it again.
#[cold]
fn wake_all(word: &AtomicU64, peers: &impl Peers) {
    word.fetch_and(!SLEEPERS, Relaxed);
    peers.wake_u64(word, ALL);
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
    sleep_until(word, peers, wait, &mut false, |count| changed(count).then_some(count))
}

/// Sleeps until `attempt(count)` gets something, and gives that back; notes whether it slept.
pub fn sleep_until<T>(
    word: &AtomicU64,
    peers: &impl Peers,
    wait: &mut Wait,
    slept: &mut bool,
    mut attempt: impl FnMut(u64) -> Option<T>,
) -> Result<T, TimedOut> {
    loop {
        let looks = if *slept { 0 } else { SPINS };
        let seen = match arm_after(word, looks, &mut attempt) {
            Ok(got) => return Ok(got),
            Err(seen) => seen,
        };
        *slept = true;
        if peers.wait_u64(word, seen, wait) == Expired::Yes {
            return attempt(count(word.load(Acquire))).ok_or(TimedOut);
        }
    }
}

/// What `attempt(count)` gets; else sets the sleepers' flag and gives back the word to sleep on.
pub fn arm<T>(word: &AtomicU64, attempt: impl FnMut(u64) -> Option<T>) -> Result<T, u64> {
    arm_after(word, 0, attempt)
}

/// [`arm`], after so many looks whether the word changes.
fn arm_after<T>(
    word: &AtomicU64,
    mut looks: u32,
    mut attempt: impl FnMut(u64) -> Option<T>,
) -> Result<T, u64> {
    loop {
        let seen = word.load(Acquire);
        if let Some(got) = attempt(count(seen)) {
            return Ok(got);
        }
        while looks > 0 && word.load(Relaxed) == seen {
            pause();
            looks -= 1;
        }
        if looks > 0 {
            continue;
        }
        let flagged = seen | SLEEPERS;
        if seen == flagged || word.compare_exchange(seen, flagged, Relaxed, Relaxed).is_ok() {
            return Err(flagged);
        }
    }
}

/// Counts one more change, which is good for `turns` of those who [`take_turn`]s. Any number of writers.
#[inline]
pub fn advance_for(word: &AtomicU64, turns: u32, peers: &impl Peers) -> u64 {
    let mut seen = word.load(Relaxed);
    loop {
        match commit_if(word, seen, count(seen).wrapping_add(1), turns, peers) {
            Ok(()) => return count(seen).wrapping_add(1),
            Err(changed) => seen = changed,
        }
    }
}

/// Sets the count to `next` if the word still is `seen`, and wakes `turns` of those who sleep; else gives back what
/// the word is now.
#[inline]
pub fn commit_if(word: &AtomicU64, seen: u64, next: u64, turns: u32, peers: &impl Peers) -> Result<(), u64> {
    word.compare_exchange(seen, next << 1, AcqRel, Acquire)?;
    if seen & SLEEPERS != 0 {
        peers.wake_u64(word, turns);
    }
    Ok(())
}

/// Counts a change that nobody waits for: whoever sleeps goes on sleeping. Gives back the word when it is not `seen`.
#[inline]
pub fn pass(word: &AtomicU64, seen: u64) -> Result<(), u64> {
    // The flag stays: it is not this change that they are to be woken by.
    word.compare_exchange(seen, seen.wrapping_add(2), AcqRel, Acquire).map(drop)
}

/// [`pass`], in a word whose count can go down: takes one off.
#[inline]
pub fn lower(word: &AtomicU64, seen: u64) -> Result<(), u64> {
    word.compare_exchange(seen, seen.wrapping_sub(2), AcqRel, Acquire).map(drop)
}

/// Sleeps until `attempt(count)` gets something, and gives that back. `is_left` says whether there is something for
/// the next one; it is asked only after a sleep.
pub fn take_turn<T>(
    word: &AtomicU64,
    peers: &impl Peers,
    wait: &mut Wait,
    attempt: impl FnMut(u64) -> Option<T>,
    is_left: impl FnOnce() -> bool,
) -> Result<T, TimedOut> {
    let mut slept = false;
    let got = sleep_until(word, peers, wait, &mut slept, attempt);
    if slept {
        pass_on(word, peers, is_left);
    }
    got
}

/// Whoever has slept goes: others may sleep still, and one of them goes next if there is something for it. Also when
/// the deadline came, for a wake may have come with it.
pub fn pass_on(word: &AtomicU64, peers: &impl Peers, is_left: impl FnOnce() -> bool) {
    let mut seen = word.load(Relaxed);
    // Acquire: a change that found no flag because its waker had just cleared it is seen by `is_left`.
    while let Err(changed) = word.compare_exchange(seen, seen | SLEEPERS, AcqRel, Relaxed) {
        seen = changed;
    }
    if is_left() {
        peers.wake_u64(word, 1);
    }
}

#[inline]
fn wake(word: &AtomicU64, seen: u64, peers: &impl Peers) {
    if seen & SLEEPERS != 0 {
        peers.wake_u64(word, ALL);
    }
}
