//! The two ends of a queue: where the next message goes, and where the oldest is.
//!
//! ```text
//! bit 0       somebody sleeps on the low half
//! bit 1       closed
//! bits 2–31   place in the ring, in units of 8 bytes
//! bits 32–63  messages so far
//! ```
//!
//! Producers exclude each other by a claim, consumers by another; a producer and a consumer meet only in these two
//! words. A message is written where nobody looks, and one compare-exchange of the tail sends it, collects who sleeps
//! and notices that the queue was closed. One of the head takes it. Both words say how many messages there were,
//! so the length is exact after any death, and a full ring is told from an empty one.
//! After the two-lock queue of Michael and Scott (1996), over a ring instead of a list, with claims for locks.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | producer, before the tail moves | bytes behind the tail, maybe a dead claim | the next producer, by writing | the message was not sent |
//! | producer, after it | a message, maybe a dead claim | nobody | the message; sleepers maybe a slice late |
//! | consumer, before the head moves | maybe a dead claim | the next consumer, by taking it over | the message is there still |
//! | consumer, after it | maybe a dead claim | nobody | the message is gone with it |
//!
//! Each side keeps what it last saw of the other's word on its own line, and looks again only when that is not enough:
//! at every look the other side's line would have to come over. Both words only ever go on, so what was seen leaves as
//! much room, and as many messages, or fewer. It is noted *before* anything is sent or taken on its strength: then the
//! next one, whoever died, does not start from something older, between which and the tail the ring had come round.
//!
//! Orderings: the tail is moved with Release and read with Acquire, so that a message is whole before it is seen; so
//! is the head, so that a message was copied before it is overwritten. The words in between are ordinary memory.

use crate::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, fence};
use crate::sync::version;
use crate::sync::waiter::{ALL, Peers};

const CLOSED: u64 = 1;
const PLACE_BITS: u32 = 30;
const PLACE_MASK: u32 = (1 << PLACE_BITS) - 1;
const COUNT_SHIFT: u32 = PLACE_BITS + 1;

/// Where an end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Messages so far, modulo 2³².
    pub count: u32,
    /// Place in the ring.
    pub place: u32,
    /// Whether nothing can be put any more; the tail's word counts.
    pub closed: bool,
}

impl End {
    /// What the count of an end's eventcount says.
    #[inline]
    #[must_use]
    pub const fn unpack(value: u64) -> Self {
        Self {
            count: (value >> COUNT_SHIFT) as u32,
            place: (value >> 1) as u32 & PLACE_MASK,
            closed: value & CLOSED != 0,
        }
    }

    /// The count of an end's eventcount that says so.
    #[inline]
    #[must_use]
    pub const fn pack(self) -> u64 {
        (self.count as u64) << COUNT_SHIFT | ((self.place & PLACE_MASK) as u64) << 1 | self.closed as u64
    }
}

/// The words of a queue.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// Where the next message goes.
    pub tail: &'a AtomicU64,
    /// Where the oldest message is.
    pub head: &'a AtomicU64,
    /// What producers last saw of the head.
    pub head_seen: &'a AtomicU64,
    /// What consumers last saw of the tail.
    pub tail_seen: &'a AtomicU64,
    /// Units of the ring.
    pub units: u32,
    /// Most messages at once.
    pub most: u32,
}

/// Why a message cannot be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no room now.
    Full,
    /// There never will be.
    Closed,
}

impl Ends<'_> {
    /// The tail now.
    #[inline]
    #[must_use]
    pub fn tail(&self) -> End {
        End::unpack(version::count(self.tail.load(Acquire)))
    }

    /// The head now.
    #[inline]
    #[must_use]
    pub fn head(&self) -> End {
        End::unpack(version::count(self.head.load(Acquire)))
    }

    /// The head after what was copied from the ring: messages before it may be torn.
    #[must_use]
    pub fn head_after_reading(&self) -> End {
        fence(Acquire);
        End::unpack(version::count(self.head.load(Relaxed)))
    }

    /// Units between two ends.
    #[inline]
    #[must_use]
    pub fn used(&self, head: End, tail: End) -> u32 {
        if head.count == tail.count {
            return 0;
        }
        let (head, tail) = (self.place(head), self.place(tail));
        if head < tail { tail - head } else { tail + self.units - head }
    }

    /// An end's place in the ring; it is other processes' word, and never behind the ring.
    #[inline]
    #[must_use]
    pub fn place(&self, end: End) -> u32 {
        if end.place < self.units { end.place } else { 0 }
    }

    /// Messages between two ends.
    #[inline]
    #[must_use]
    pub fn length(head: End, tail: End) -> u32 {
        tail.count.wrapping_sub(head.count)
    }

    /// The end behind a message of `units` at `end`.
    #[inline]
    #[must_use]
    pub fn behind(&self, end: End, units: u32) -> End {
        let place = self.place(end) + units;
        let place = if place < self.units { place } else { place - self.units };
        End { count: end.count.wrapping_add(1), place, closed: end.closed }
    }

    /// Producer, holding the claim: whether a message of `units` can be put at `tail`, which this producer has come
    /// to; `head` is what it last saw, and is renewed when that is not enough.
    #[inline]
    pub fn check_room(&self, head: &mut End, tail: End, units: u32) -> Result<(), Refused> {
        if tail.closed {
            return Err(Refused::Closed);
        }
        let has_room =
            |head: End| Self::length(head, tail) < self.most && self.units - self.used(head, tail) >= units;
        if has_room(*head) {
            return Ok(());
        }
        *head = self.head();
        if has_room(*head) { Ok(()) } else { Err(Refused::Full) }
    }

    /// Producer, holding the claim: where to start from with [`Self::find_room`].
    #[inline]
    #[must_use]
    pub fn head_seen(&self) -> End {
        End::unpack(self.head_seen.load(Acquire))
    }

    /// Producer, holding the claim: [`Self::check_room`], and notes what was seen.
    #[inline]
    pub fn find_room(&self, head: &mut End, tail: End, units: u32) -> Result<(), Refused> {
        let before = *head;
        let outcome = self.check_room(head, tail, units);
        if *head != before {
            self.head_seen.store(head.pack(), Release);
        }
        outcome
    }

    /// Whether there seems to be a message; who holds the consumers' claim knows.
    #[inline]
    #[must_use]
    pub fn seems_filled(&self) -> bool {
        let head = self.head().count;
        head != End::unpack(self.tail_seen.load(Relaxed)).count || head != self.tail().count
    }

    /// Consumer, holding the claim: up to where there are messages from `head` on, which it has come to.
    #[inline]
    #[must_use]
    pub fn tail_from(&self, head: End) -> End {
        let seen = End::unpack(self.tail_seen.load(Acquire));
        if seen.count != head.count {
            return seen;
        }
        let tail = self.tail();
        self.tail_seen.store(tail.pack(), Release);
        tail
    }

    /// Producer, holding the claim: sends all messages before `tail`. The commit. `messages` says for how many
    /// consumers that is good.
    #[inline]
    pub fn put(&self, tail: End, messages: u32, peers: &impl Peers) -> Result<(), Refused> {
        let mut seen = self.tail.load(Relaxed);
        // Only the flags can change under us: somebody fell asleep, or closed the queue.
        loop {
            if End::unpack(version::count(seen)).closed {
                return Err(Refused::Closed);
            }
            match version::commit_if(self.tail, seen, tail.pack(), messages, peers) {
                Ok(()) => return Ok(()),
                Err(changed) => seen = changed,
            }
        }
    }

    /// Consumer, holding the claim: takes all messages before `head`. The commit.
    #[inline]
    pub fn take(&self, head: End, peers: &impl Peers) {
        let mut seen = self.head.load(Relaxed);
        // Only the flags can change under us.
        loop {
            let next = End { closed: End::unpack(version::count(seen)).closed, ..head };
            match version::commit_if(self.head, seen, next.pack(), ALL, peers) {
                Ok(()) => return,
                Err(changed) => seen = changed,
            }
        }
    }

    /// Nothing can be put from now on. Wakes everybody. Closing the tail is the commit; the head is closed only
    /// because producers sleep on it.
    pub fn close(&self, peers: &impl Peers) {
        for end in [self.tail, self.head] {
            let mut seen = end.load(Relaxed);
            loop {
                let next = End { closed: true, ..End::unpack(version::count(seen)) };
                match version::commit_if(end, seen, next.pack(), ALL, peers) {
                    Ok(()) => break,
                    Err(changed) => seen = changed,
                }
            }
        }
    }
}
