//! The pool of a frame channel: which slot holds which frame, who reads it, which one may be written.
//!
//! One publisher, any number of readers, nothing copied, nobody waits for anybody. Readers announce what they
//! are about to read (hazard pointers, M. Michael 2004); the publisher only ever writes a slot that is
//! neither announced nor among the frames still on offer.
//!
//! ```text
//! head       sequence << 13 | slot << 1 | somebody sleeps     the newest frame; 0: none yet
//! ring[s%H]  sequence << 12 | slot                            where the older ones are
//! sequences  per slot: the frame it offers, or 0              0 before it is written: "retracted"
//! borrows    per entry: slot + 1, or 0                        written by one reader each
//! ```
//!
//! With E borrow entries and a history of K frames there are E + K + 1 slots. E can be announced and K are on
//! offer, so one is always free: publishing never waits and never fails.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | publisher, before the head moves | a slot without a frame, or with one that was never published | the next publisher, by retracting it | the last K frames, unharmed |
//! | publisher, after it | a published frame | nobody | the frame; sleepers a slice late |
//! | reader, with a frame announced | a slot that is not re-used | whoever claims the dead reader's entry next | nothing: the pool has a slot for it |
//!
//! Orderings. *Hazard*: the reader announces, then looks whether the slot still offers the frame; the
//! publisher retracts, then looks who has announced. A SeqCst fence between the two on each side means at
//! least one of them sees the other. *Hand-over*: the slot's sequence is stored Release after the frame was
//! written and loaded Acquire before it is read. *Give-back*: the announcement is cleared, and set, with
//! Release and scanned with Acquire, so that the reader's last look at the frame comes before the publisher's
//! first write into it.

use crate::atomic::{
    AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, Ordering::SeqCst, fence,
};
use crate::sync::version;
use crate::sync::waiter::Peers;

const SLOT_BITS: u32 = 12;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
/// Slots a word of the free mask covers.
const MASK_BITS: usize = u64::BITS as usize;

/// Most slots of a pool.
pub const MAX_SLOTS: usize = 1 << SLOT_BITS;

/// The words of a pool, wherever they lie.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    /// The newest frame, as an eventcount.
    pub head: &'a AtomicU64,
    /// The frame each slot offers.
    pub sequences: &'a [AtomicU64],
    /// What each borrow entry has announced.
    pub borrows: &'a [AtomicU32],
    /// Where recent frames are; its length is a power of two above `history`.
    pub ring: &'a [AtomicU64],
    /// How many frames stay on offer.
    pub history: u64,
}

/// A frame and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// Number of the frame, from 1.
    pub sequence: u64,
    /// Its slot.
    pub slot: usize,
}

impl Located {
    /// What a count of the head, or a word of the ring, says.
    #[inline]
    #[must_use]
    pub const fn unpack(word: u64) -> Self {
        Self { sequence: word >> SLOT_BITS, slot: (word & SLOT_MASK) as usize }
    }

    #[inline]
    const fn pack(self) -> u64 {
        self.sequence << SLOT_BITS | self.slot as u64
    }
}

/// The frame is no longer on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl<'a> Pool<'a> {
    /// The newest frame; sequence 0 when there is none.
    #[inline]
    #[must_use]
    pub fn newest(&self) -> Located {
        Located::unpack(version::count(self.head.load(Acquire)))
    }

    /// Publisher, first step: the slot for the next frame, which nobody reads or will read. `None` only when
    /// the pool's words were spoilt.
    #[must_use]
    pub fn begin(&self) -> Option<Located> {
        // Only the publisher moves the head.
        let head = Located::unpack(version::count(self.head.load(Relaxed))).sequence;
        self.retract(head);
        // Hazard: our retractions before our look at the announcements. Pairs with the fence in `borrow`.
        fence(SeqCst);
        let slot = self.free_slot()?;
        Some(Located { sequence: head + 1, slot })
    }

    /// [`Self::begin`] right after this publisher has published: one frame went off the offer, and its slot
    /// is the next one unless somebody still reads it.
    #[inline]
    #[must_use]
    pub fn begin_after(&self, published: Located) -> Option<Located> {
        let Some(oldest) = published.sequence.checked_sub(self.history) else { return self.begin() };
        let Some(slot) = self.retract_one(oldest) else { return self.begin() };
        // Hazard: as in `begin`.
        fence(SeqCst);
        if self.is_announced(slot) {
            return self.begin();
        }
        Some(Located { sequence: published.sequence + 1, slot })
    }

    /// Publisher, second step: offers the frame that was written into the slot. The head's swap is the
    /// commit.
    #[inline]
    pub fn publish(&self, frame: Located, peers: &impl Peers) {
        if let Some(sequence) = self.sequences.get(frame.slot) {
            sequence.store(frame.sequence, Release); // hand-over
        }
        if let Some(entry) = self.ring_entry(frame.sequence) {
            entry.store(frame.pack(), Release);
        }
        version::commit(self.head, frame.pack(), peers);
    }

    /// Reader: announces frame `sequence` in the entry and makes sure that it is still on offer.
    #[inline]
    pub fn borrow_sequence(&self, entry: &AtomicU32, sequence: u64) -> Result<Located, Gone> {
        let word = self.ring_entry(sequence).map_or(0, |entry| entry.load(Acquire));
        let frame = Located::unpack(word);
        if frame.sequence != sequence {
            return Err(Gone);
        }
        self.borrow(entry, frame)
    }

    /// Reader: announces a located frame in the entry and makes sure that it is still on offer.
    #[inline]
    pub fn borrow(&self, entry: &AtomicU32, frame: Located) -> Result<Located, Gone> {
        // The slot comes from shared memory: one that is not there offers nothing.
        let sequence = self.sequences.get(frame.slot).ok_or(Gone)?;
        // Give-back: Release, so that the publisher that sees this announcement instead of our last one also
        // sees that we are done with that.
        entry.store(frame.slot as u32 + 1, Release);
        // Hazard: our announcement before our look at the offer. Pairs with the fence in `begin`.
        fence(SeqCst);
        if sequence.load(Acquire) == frame.sequence {
            return Ok(frame);
        }
        self.release(entry);
        Err(Gone)
    }

    /// Reader: gives the frame back.
    #[inline]
    pub fn release(&self, entry: &AtomicU32) {
        entry.store(0, Release);
    }

    /// Whether `frame` was on offer all the time since it was located: what an observer, who may not
    /// announce, asks after copying.
    #[must_use]
    pub fn still_offers(&self, frame: Located) -> bool {
        fence(Acquire);
        self.sequences.get(frame.slot).is_some_and(|sequence| sequence.load(Relaxed) == frame.sequence)
    }

    /// Where frame `sequence` is, if it is on offer.
    #[must_use]
    pub fn locate(&self, sequence: u64) -> Option<Located> {
        let frame = Located::unpack(self.ring_entry(sequence)?.load(Acquire));
        let offered = self.sequences.get(frame.slot)?.load(Acquire);
        (frame.sequence == sequence && offered == sequence).then_some(frame)
    }

    /// Takes old frames, and a dead publisher's unpublished one, off the offer.
    fn retract(&self, head: u64) {
        for offered in self.sequences {
            let sequence = offered.load(Relaxed);
            let too_old = sequence.saturating_add(self.history) <= head;
            if sequence != 0 && (too_old || sequence > head) {
                offered.store(0, Relaxed);
            }
        }
    }

    /// Takes frame `sequence` off the offer; where it was, if it was on it.
    #[inline]
    fn retract_one(&self, sequence: u64) -> Option<usize> {
        let frame = Located::unpack(self.ring_entry(sequence)?.load(Relaxed));
        let offered = self.sequences.get(frame.slot)?;
        let is_there = sequence != 0 && frame.sequence == sequence && offered.load(Relaxed) == sequence;
        is_there.then(|| {
            offered.store(0, Relaxed);
            frame.slot
        })
    }

    /// Whether a reader may be reading the slot.
    #[inline]
    fn is_announced(&self, slot: usize) -> bool {
        // Give-back: what its reader did with the frame before is over.
        self.borrows.iter().any(|entry| entry.load(Acquire) == slot as u32 + 1)
    }

    /// The first slot that offers nothing and that nobody has announced.
    fn free_slot(&self) -> Option<usize> {
        self.sequences.chunks(MASK_BITS).zip((0..).step_by(MASK_BITS)).find_map(|(chunk, first)| {
            let offering = chunk.iter().enumerate().filter(|(_, sequence)| sequence.load(Relaxed) != 0);
            let mut taken = offering.fold(0_u64, |taken, (index, _)| taken | 1 << index);
            for entry in self.borrows {
                // Give-back: what its reader did with the frame before is over.
                let slot = (entry.load(Acquire) as usize).wrapping_sub(1);
                let index = slot.wrapping_sub(first);
                if index < MASK_BITS {
                    taken |= 1 << index;
                }
            }
            let free = taken.trailing_ones() as usize;
            (free < chunk.len()).then_some(first + free)
        })
    }

    #[inline]
    fn ring_entry(&self, sequence: u64) -> Option<&'a AtomicU64> {
        self.ring.get((sequence as usize) & (self.ring.len().wrapping_sub(1)))
    }
}
