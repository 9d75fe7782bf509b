//! A log: records of fixed size in a ring, written by one, copied out by any number.
//!
//! ```text
//! tail     records published so far; record s lies in slot s mod capacity
//! intent   records published or being written: record s is whole while intent ≤ s + capacity
//! number   records published when the newest was copied beside these words, or 0
//! copy     that record, if it is a small one
//! ```
//!
//! The publisher announces how far it will write, writes, and moves the tail: that is the commit. A reader copies
//! out and looks at the announcement afterwards: what may have been overwritten meanwhile is not what it copied, and
//! how much that is follows by subtraction. Nobody waits for anybody. After Aeron's broadcast buffer (`tail intent`),
//! with records of one size, so that no record has to say where the next one is.
//!
//! A reader that polls has the tail's cache line brought to it by each change, and then waits as long again for the
//! record's. So a small record stands on the tail's line, too. That copy is whole while nothing further was announced
//! than the reader has seen published; whoever finds it otherwise takes the record from the ring.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | publisher, before the tail moves | an announcement ahead of the tail, torn records behind it | the next publisher, by writing | as many of the oldest records lost as were announced |
//! | publisher, after it | the records | nobody | the records; sleepers a slice late |
//! | reader | nothing | nobody | nothing |
//!
//! The announcement never goes back: what a dead publisher announced it may have torn, and a reader may be at it. Until
//! the next one has published as much, nobody takes the copy.
//!
//! Orderings. *Announcement*: it is stored before a fence (Release) before the words of the records, and a reader
//! looks at it after a fence (Acquire) after it copied them; so whoever has copied a new word, from the ring or beside
//! the tail, sees the announcement of it. *Publication*: the tail is moved with Release and read with Acquire.

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
    /// Of which record the copy is: records published with it.
    pub number: &'a AtomicU64,
    /// Room for the copy of a record, on the line of the other words; none for records that are larger.
    pub copy: &'a [AtomicU64],
}

/// How far a publisher is. Nobody else moves these words, so that it need not look at them: the cache line on which
/// they are is at the readers who poll, and comes over once for each record, to be written.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// What the tail says.
    pub published: u64,
    /// What the intent says.
    announced: u64,
}

impl Log<'_> {
    /// Publisher, when it has become it: where it goes on.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { published: version::count(self.tail.load(Relaxed)), announced: self.intent.load(Relaxed) }
    }

    /// How many records were published: the number of the next one.
    #[inline]
    #[must_use]
    pub fn published(&self) -> u64 {
        version::count(self.tail.load(Acquire))
    }

    /// Publisher, first step: announces that it will write `count` records; gives back the number of the first.
    #[inline]
    #[must_use]
    pub fn begin(&self, progress: &mut Progress, count: u64) -> u64 {
        let first = progress.published;
        if progress.announced < first + count {
            progress.announced = first + count;
            self.intent.store(first + count, Relaxed);
        }
        fence(Release); // announcement
        first
    }

    /// Publisher, second step: publishes all records before `end`, which were written. The commit.
    #[inline]
    pub fn publish(&self, progress: &mut Progress, end: u64, peers: &impl Peers) {
        progress.published = end;
        version::commit(self.tail, end, peers);
    }

    /// Publisher, between the two: also beside the tail, the one record that it has begun, `number` as `begin` gave it.
    #[inline]
    pub fn copy_beside(&self, number: u64, fill: impl FnOnce(&[AtomicU64])) {
        if !self.copy.is_empty() {
            fill(self.copy);
            self.number.store(number + 1, Relaxed);
        }
    }

    /// Reader: copies the newest record out from beside the tail, when `published` is what it has just seen; `None`
    /// when it is not there, or something further was begun meanwhile and what was copied may be torn.
    #[inline]
    pub fn read_beside(&self, published: u64, copy_out: impl FnOnce(&[AtomicU64])) -> Option<()> {
        if self.copy.is_empty() || self.number.load(Relaxed) != published {
            return None;
        }
        copy_out(self.copy);
        fence(Acquire); // announcement
        (self.intent.load(Relaxed) == published).then_some(())
    }

    /// Reader: the oldest record that was whole all the time up to now. What was copied of older ones may be torn.
    #[inline]
    #[must_use]
    pub fn oldest_whole(&self) -> u64 {
        fence(Acquire); // announcement
        self.intent.load(Relaxed).saturating_sub(self.capacity)
    }
}
