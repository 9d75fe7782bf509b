//! A log: records of fixed size in a ring, written by one, copied out by any number.
//!
//! ```text
//! tail     records published so far; record s lies in slot s mod capacity
//! intent   records published or being written: record s is whole while intent ≤ s + capacity
//! ```
//!
//! The publisher announces how far it will write, writes, and moves the tail: that is the commit. A reader copies
//! out and looks at the announcement afterwards: what may have been overwritten meanwhile is not what it copied, and
//! how much that is follows by subtraction. Nobody waits for anybody. After Aeron's broadcast buffer (`tail intent`),
//! with records of one size, so that no record has to say where the next one is.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | publisher, before the tail moves | an announcement ahead of the tail, torn records behind it | the next publisher, by writing | as many of the oldest records lost as were announced |
//! | publisher, after it | the records | nobody | the records; sleepers a slice late |
//! | reader | nothing | nobody | nothing |
//!
//! The announcement never goes back: what a dead publisher announced it may have torn, and a reader may be at it.
//!
//! Orderings. *Announcement*: it is stored before a fence (Release) before the words of the records, and a reader
//! looks at it after a fence (Acquire) after it copied them; so whoever has copied a new word sees the announcement
//! of it. *Publication*: the tail is moved with Release and read with Acquire.

use crate::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, fence};
use crate::sync::version;
use crate::sync::waiter::Peers;

/// The words of a log.
#[derive(Debug, Clone, Copy)]
pub struct Log<'a> {
    /// Records published, as an eventcount.
    pub tail: &'a AtomicU64,
    /// Records announced.
    pub intent: &'a AtomicU64,
    /// Slots of the ring.
    pub capacity: u64,
}

impl Log<'_> {
    /// How many records were published: the number of the next one.
    #[inline]
    #[must_use]
    pub fn published(&self) -> u64 {
        version::count(self.tail.load(Acquire))
    }

    /// Publisher, first step: announces that it will write `count` records; gives back the number of the first.
    #[inline]
    #[must_use]
    pub fn begin(&self, count: u64) -> u64 {
        // Only the publisher moves the tail.
        let first = version::count(self.tail.load(Relaxed));
        if self.intent.load(Relaxed) < first + count {
            self.intent.store(first + count, Relaxed);
        }
        fence(Release); // announcement
        first
    }

    /// Publisher, second step: publishes all records before `end`, which were written. The commit.
    #[inline]
    pub fn publish(&self, end: u64, peers: &impl Peers) {
        version::commit(self.tail, end, peers);
    }

    /// Reader: the oldest record that was whole all the time up to now. What was copied of older ones may be torn.
    #[inline]
    #[must_use]
    pub fn oldest_whole(&self) -> u64 {
        fence(Acquire); // announcement
        self.intent.load(Relaxed).saturating_sub(self.capacity)
    }
}
