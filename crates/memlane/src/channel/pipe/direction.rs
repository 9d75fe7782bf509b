//! One way through a pipe: one sends, one receives.
//!
//! ```text
//! tail   units sent so far << 1 | roused        written by the sender, the receiver sleeps on it
//! head   units received so far << 1 | roused    written by the receiver, the sender sleeps on it
//! roles  who has the ends: 0 nobody yet, a claim, or CLOSED
//! ```
//!
//! Both words are eventcounts whose count is a place: one compare-exchange sends a message and says whether the
//! receiver sleeps. Nobody takes a lock. An end that is closed turns `roused` over in all words, only so that they
//! change. That the other end is gone is read from its role *before* the last look at the ring, so what it sent before
//! it went is received. After Lamport's one-producer queue (1977).
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | sender, before the tail moves | bytes behind the tail | nobody: the conversation ends | all it sent, then the end |
//! | sender, after it | a message | nobody | the same; the receiver maybe a slice late |
//! | receiver, before the head moves | the message | nobody: the conversation ends | a broken pipe |
//! | receiver, after it | nothing | nobody | a broken pipe |
//!
//! Orderings: the tail is moved with Release and read with Acquire, so that a message is whole before it is seen; so
//! is the head, so that a message was copied before it is overwritten; a role is given up with Release and read with
//! Acquire, so that whoever sees that an end was closed sees all it sent.

use crate::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::sync::claim::Claim;
use crate::sync::version;
use crate::sync::waiter::{ALL, Peers};

/// The role of an end that was closed: no participant's claim.
const CLOSED: u32 = 1 << 31;
/// In the count of a word: turned over by an end that is closed.
const ROUSED: u64 = 1;

/// Who has an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nobody had it yet.
    Fresh,
    /// Whoever made this claim, if it lives.
    Had(Claim),
    /// Nobody any more.
    Closed,
}

/// What a role word says.
#[must_use]
pub fn role(word: &AtomicU32) -> Role {
    let word = word.load(Acquire);
    match Claim::in_word(word) {
        Some(claim) => Role::Had(claim),
        None if word == CLOSED => Role::Closed,
        None => Role::Fresh,
    }
}

/// Gives an end up, for good.
pub fn close(word: &AtomicU32) {
    word.store(CLOSED, Release);
}

/// The words of one way.
#[derive(Debug, Clone, Copy)]
pub struct Direction<'a> {
    /// Units sent.
    pub tail: &'a AtomicU64,
    /// Units received.
    pub head: &'a AtomicU64,
    /// Units of the ring.
    pub units: u32,
}

impl Direction<'_> {
    /// Units sent so far.
    #[inline]
    #[must_use]
    pub fn sent(&self) -> u64 {
        version::count(self.tail.load(Acquire)) >> 1
    }

    /// Units received so far.
    #[inline]
    #[must_use]
    pub fn received(&self) -> u64 {
        version::count(self.head.load(Acquire)) >> 1
    }

    /// Units between two places, which are other processes' words: never more than the ring.
    #[inline]
    #[must_use]
    pub fn used(&self, received: u64, sent: u64) -> u32 {
        sent.wrapping_sub(received).min(u64::from(self.units)) as u32
    }

    /// Where in the ring a place is.
    #[inline]
    #[must_use]
    pub fn place(&self, count: u64) -> u32 {
        (count % u64::from(self.units)) as u32
    }

    /// Sender: everything before `sent` was written. The commit.
    #[inline]
    pub fn send(&self, sent: u64, peers: &impl Peers) {
        advance(self.tail, |count| sent << 1 | count & ROUSED, peers);
    }

    /// Receiver: everything before `received` was copied. The commit.
    #[inline]
    pub fn receive(&self, received: u64, peers: &impl Peers) {
        advance(self.head, |count| received << 1 | count & ROUSED, peers);
    }

    /// Whoever sleeps looks again, and who is about to sleep does not: an end was given up.
    pub fn rouse(&self, peers: &impl Peers) {
        // Turned over and not set: an end can be had and closed again in one conversation.
        advance(self.tail, |count| count ^ ROUSED, peers);
        advance(self.head, |count| count ^ ROUSED, peers);
    }

    /// A new conversation: nothing was said. Nobody else is there.
    pub fn reset(&self) {
        self.tail.store(0, Release);
        self.head.store(0, Release);
    }
}

/// Moves a word on. One end moves the place, and the other may set a flag meanwhile.
#[inline]
fn advance(word: &AtomicU64, next: impl Fn(u64) -> u64, peers: &impl Peers) {
    let mut seen = word.load(Relaxed);
    while let Err(changed) = version::commit_if(word, seen, next(version::count(seen)), ALL, peers) {
        seen = changed;
    }
}
