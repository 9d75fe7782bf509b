//! The readers that a lossless publisher waits for.
//!
//! Each has an entry: who it is, and the next record it wants. The publisher writes up to a limit: the least of
//! these, or where the log was when it looked, and a ring further. Only when it reaches the limit it looks again. A
//! reader that is dead holds nobody up.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | reader, at any moment | an entry of the dead | whoever claims it next | the publisher goes on after a slice |
//! | publisher | nothing of its own here | nobody | nothing |
//!
//! Orderings. *Joining*: a reader stores its cursor and then looks at the tail, the publisher moves the tail and then
//! looks at the entries, each with a full fence in between: so the publisher sees the entry, or the reader sees a
//! tail from which on nothing is overwritten before the publisher looks again. *Going on*: a cursor is stored with
//! Release and read with Acquire, so that a record is copied before it is overwritten.

use super::log::Log;
use crate::atomic::{
    AtomicU32, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::SeqCst, fence,
    fence_after_rmw,
};
use crate::sync::claim::Claim;
use crate::sync::version;
use crate::sync::waiter::Peers;

/// A reader's entry.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Whose it is.
    pub claim: &'a AtomicU32,
    /// The next record it wants.
    pub cursor: &'a AtomicU64,
}

/// Who holds a publisher up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slowest {
    /// The reader; `None` when there is none and the log itself is the limit.
    pub reader: Option<Claim>,
    /// The next record it wants.
    pub cursor: u64,
}

impl Entry<'_> {
    /// Reader, having claimed the entry: where it begins. Nothing from there on is overwritten before it goes on.
    pub fn join(&self, log: &Log<'_>, drain: &AtomicU64, peers: &impl Peers) -> u64 {
        self.cursor.swap(log.published(), AcqRel);
        fence_after_rmw(); // joining
        let first = log.published();
        // The publisher may wait already for what this reader does not want.
        self.go_on(first, drain, peers);
        first
    }

    /// Reader: everything before `cursor` was copied out. Wakes the publisher if it waits.
    #[inline]
    pub fn go_on(&self, cursor: u64, drain: &AtomicU64, peers: &impl Peers) {
        self.cursor.swap(cursor, AcqRel); // going on
        version::advance(drain, peers);
    }
}

/// Publisher: the reader that is furthest behind, of those who live. `is_dead` costs a system call and may answer
/// `false` when that is not worth it.
pub fn slowest<'a>(
    log: &Log<'_>,
    entries: impl Iterator<Item = Entry<'a>>,
    is_dead: impl Fn(Claim) -> bool,
) -> Slowest {
    fence(SeqCst); // joining
    let end = version::count(log.tail.load(Relaxed));
    let mut slowest = Slowest { reader: None, cursor: end };
    for entry in entries {
        let Some(reader) = Claim::in_word(entry.claim.load(Acquire)) else { continue };
        // Another process's word: nobody wants what is not there yet.
        let cursor = entry.cursor.load(Acquire).min(end);
        if cursor < slowest.cursor && !is_dead(reader) {
            slowest = Slowest { reader: Some(reader), cursor };
        }
    }
    slowest
}
