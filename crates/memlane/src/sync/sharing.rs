//! A claim that is had by one writer, or by any number of readers.
//!
//! ```text
//! word     the writer's claim (`claim.rs`)
//! shares   how many read locks each participant has (`share.rs`)
//! gate     readers sleep here: a writer has left
//! drain    a writer sleeps here: a reader has left
//! ```
//!
//! A reader notes itself in its own share and then looks at the word; a writer claims the word and then looks at the
//! shares. With a full fence in between on either side at least one sees the other: the reader then takes its share
//! back and waits, the writer waits for it. So a waiting writer keeps new readers out. Readers of different processes
//! touch no common line. After the "big reader" locks of Linux, with shares that die with their participant.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | reader, at any moment | a share of the dead | nobody: it is not counted once a writer asks who lives | the writer waits a slice |
//! | writer, waiting for readers | a dead claim | the next writer or reader, by taking it over | nothing: nothing was changed |
//! | writer, inside | a dead claim | the same | that the owner died |
//! | writer, leaving, before the gate | readers asleep | they, after a slice | nothing |
//!
//! Orderings: a share is given back with Release and added up with Acquire, so what was read is read before it is
//! written; the word is as in `claim.rs`, and readers look at it with Acquire.

use crate::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, fence_after_rmw};
use crate::sync::claim::{self, Claim};
use crate::sync::share;
use crate::sync::version;
use crate::sync::waiter::{Peers, TimedOut, Wait};

/// The words of a readers-writer lock.
#[derive(Debug, Clone, Copy)]
pub struct Sharing<'a> {
    /// The writer's claim.
    pub word: &'a AtomicU32,
    /// Writers that left, as an eventcount.
    pub gate: &'a AtomicU64,
    /// Readers that left while a writer was there, as an eventcount.
    pub drain: &'a AtomicU64,
    /// One above the highest slot that ever had a read lock.
    pub reach: &'a AtomicU32,
    /// The shares, every `stride` words.
    pub shares: &'a [AtomicU64],
    /// Words from one share to the next.
    pub stride: usize,
}

/// A writer is in the way, and dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadWriter;

impl<'a> Sharing<'a> {
    /// Becomes a reader, if there is no writer.
    #[inline]
    pub fn try_read(&self, me: Claim, peers: &impl Peers) -> bool {
        if Claim::in_word(self.word.load(Relaxed)).is_some() {
            return false;
        }
        self.enter(me);
        // Our share before our look at the word. Pairs with the fence in `is_drained_now`.
        fence_after_rmw();
        if Claim::in_word(self.word.load(Acquire)).is_none() {
            return true;
        }
        self.leave(me, peers);
        false
    }

    /// Becomes a reader, waiting for a living writer. A dead one is for the caller to replace.
    pub fn read(
        &self,
        me: Claim,
        peers: &impl Peers,
        wait: &mut Wait,
    ) -> Result<Result<(), DeadWriter>, TimedOut> {
        let mut slept = false;
        let attempt = |_| {
            if self.try_read(me, peers) {
                return Some(Ok(()));
            }
            // Asking costs a system call, so a writer is trusted to live for the first slice.
            let asks = std::mem::replace(&mut slept, true);
            let writer = Claim::in_word(self.word.load(Relaxed)).filter(|_| asks);
            writer.is_some_and(|writer| peers.is_dead(writer)).then_some(Err(DeadWriter))
        };
        version::sleep_until(self.gate, peers, wait, &mut false, attempt)
    }

    /// Counts a read lock of `me`; who calls knows that no writer is inside.
    #[inline]
    pub fn enter(&self, me: Claim) {
        let needed = u32::from(me.slot()) + 1;
        let mut reach = self.reach.load(Relaxed);
        // Before the share: a share beyond the reach would not be seen.
        while reach < needed {
            match self.reach.compare_exchange(reach, needed, Relaxed, Relaxed) {
                Ok(_) => break,
                Err(changed) => reach = changed,
            }
        }
        if let Some(share) = self.share(me.slot()) {
            let _ = share::add(share, me, 1);
        }
    }

    /// Gives a read lock back; `false` when this participant has none.
    #[inline]
    pub fn leave(&self, me: Claim, peers: &impl Peers) -> bool {
        let left = self.share(me.slot()).is_some_and(|share| share::subtract(share, me, 1).is_some());
        // A writer that still saw our share sleeps, or is about to: then we see its claim.
        fence_after_rmw();
        if Claim::in_word(self.word.load(Relaxed)).is_some() {
            version::advance(self.drain, peers);
        }
        left
    }

    /// Waits for the readers, having acquired the word; keeps it when time is up.
    pub fn drained(&self, peers: &impl Peers, wait: &mut Wait) -> Result<(), TimedOut> {
        if self.is_drained_now() {
            return Ok(());
        }
        let mut slept = false;
        let attempt = |_| {
            // Asking costs a system call, so readers are trusted to live for the first slice.
            let asks = std::mem::replace(&mut slept, true);
            self.is_drained(|reader| asks && peers.is_dead(reader)).then_some(())
        };
        version::sleep_until(self.drain, peers, wait, &mut false, attempt)
    }

    /// Whether nobody reads, for who has just acquired the word.
    #[inline]
    pub fn is_drained_now(&self) -> bool {
        // Our claim before our look at the shares. Pairs with the fence in `try_read`.
        fence_after_rmw();
        self.is_drained(|_| false)
    }

    /// Gives the word back.
    #[inline]
    pub fn end_write(&self, peers: &impl Peers) {
        claim::release(self.word, peers);
        version::advance(self.gate, peers);
    }

    /// Whether nobody reads, when those that `is_dead` do not.
    #[inline]
    pub fn is_drained(&self, is_dead: impl Fn(Claim) -> bool) -> bool {
        self.readers().all(|(reader, _)| is_dead(reader))
    }

    /// Who reads, and how often.
    #[inline]
    pub fn readers(&self) -> impl Iterator<Item = (Claim, u32)> + use<'a> {
        let shares = self.shares.iter().step_by(self.stride).take(self.reach.load(Relaxed) as usize);
        (0..).zip(shares).filter_map(|(slot, share)| share::read(share.load(Acquire), slot))
    }

    #[inline]
    fn share(&self, slot: u16) -> Option<&'a AtomicU64> {
        self.shares.get(usize::from(slot) * self.stride)
    }
}
