//! A claim word: one holder at a time, taken over when the holder dies.
//!
//! The region's own lock, the private writer locks of records, texts and channels, and the publisher's role
//! of a frame channel are all this word.
//!
//! ```text
//! bit 31   somebody sleeps on the word        state word     meaning
//! 12–30    generation of the holder           0              free
//! 0–11     slot of the holder                 claim          held, nobody waits
//!                                             claim|WAITERS  held, releasing must wake
//! ```
//!
//! Acquiring and releasing are one instruction each, so there is no moment in which a holder that dies has
//! half a lock:
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | before the compare-exchange | nothing | nobody | nothing |
//! | holding | the dead claim | the next acquirer, by one compare-exchange | [`Acquired::OwnerDied`] |
//! | between release and wake | a free word with sleepers | the sleepers, after a slice | a late wake |
//! | woken, before taking it | a free word, maybe with sleepers | the sleepers, after a slice | a late wake |
//!
//! The slow path is that of Drepper, "Futexes are tricky" (mutex 2), with the owner in the word.
//!
//! Orderings: taking is Acquire and releasing is Release, so what a holder wrote is seen by the next. A
//! takeover from a dead holder has no release to pair with; the kernel's teardown of the dead process, seen
//! through its presence lock, orders those writes.

use super::waiter::{Expired, Peers, TimedOut, Wait};
use crate::atomic::{AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, pause};
use std::num::NonZeroU32;

const WAITERS: u32 = 1 << 31;
const SLOT_BITS: u32 = 12;
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
const GENERATION_MASK: u32 = (1 << 19) - 1;

/// How often a contended acquirer looks before it sleeps: about the length of a short critical section.
const SPINS: u32 = if cfg!(loom) { 0 } else { 100 };

/// A participant's mark: its slot and the generation of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Claim(NonZeroU32);

impl Claim {
    /// The claim of generation `generation` of `slot`.
    #[must_use]
    pub const fn new(slot: u16, generation: u32) -> Option<Self> {
        if generation & GENERATION_MASK == 0 || slot as u32 > SLOT_MASK {
            return None;
        }
        match NonZeroU32::new((generation & GENERATION_MASK) << SLOT_BITS | slot as u32) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    /// The claim in a word, without regard to sleepers; `None` when the word is free.
    #[inline]
    #[must_use]
    pub const fn in_word(word: u32) -> Option<Self> {
        match NonZeroU32::new(word & !WAITERS) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    /// Index into the participants' table.
    #[inline]
    #[must_use]
    pub const fn slot(self) -> u16 {
        (self.0.get() & SLOT_MASK) as u16
    }

    /// Which use of the slot.
    #[inline]
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.0.get() >> SLOT_BITS
    }

    #[inline]
    pub(crate) const fn bits(self) -> u32 {
        self.0.get()
    }
}

/// The generation after `generation`: never zero, so that no claim is the free word.
#[must_use]
pub const fn next_generation(generation: u32) -> u32 {
    match generation.wrapping_add(1) & GENERATION_MASK {
        0 => 1,
        next => next,
    }
}

/// How a word was got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Acquired {
    /// It was free.
    Free,
    /// Its holder was dead.
    OwnerDied,
}

/// Takes the word if it is free; else gives back what stands in it.
#[inline]
pub fn try_acquire(word: &AtomicU32, me: Claim) -> Result<Acquired, u32> {
    match word.compare_exchange(0, me.bits(), Acquire, Relaxed) {
        Ok(_) => Ok(Acquired::Free),
        Err(found) => Err(found),
    }
}

/// Takes the word, waiting for a living holder.
#[inline]
pub fn acquire(
    word: &AtomicU32,
    me: Claim,
    peers: &impl Peers,
    wait: &mut Wait,
) -> Result<Acquired, TimedOut> {
    match try_acquire(word, me) {
        Ok(acquired) => Ok(acquired),
        Err(found) => acquire_contended(word, me, peers, wait, found),
    }
}

/// Takes the word if it is free or its holder is dead, without waiting; else says who lives.
pub fn try_take_over(word: &AtomicU32, me: Claim, peers: &impl Peers) -> Result<Acquired, Claim> {
    let mut found = word.load(Relaxed);
    loop {
        let acquired = match Claim::in_word(found) {
            None => Acquired::Free,
            Some(holder) if peers.is_dead(holder) => Acquired::OwnerDied,
            Some(holder) => return Err(holder),
        };
        // Sleepers stay noted: they wait for us now.
        match word.compare_exchange(found, me.bits() | (found & WAITERS), Acquire, Relaxed) {
            Ok(_) => return Ok(acquired),
            Err(changed) => found = changed,
        }
    }
}

/// The waiting half of [`acquire`]; `found` is what the word held.
#[cold]
pub fn acquire_contended(
    word: &AtomicU32,
    me: Claim,
    peers: &impl Peers,
    wait: &mut Wait,
    found: u32,
) -> Result<Acquired, TimedOut> {
    let mut found = spin(word, found);
    let mut slept = false;
    loop {
        let (next, acquired) = match Claim::in_word(found) {
            // Whoever has waited cannot know whether others still do: it keeps the mark for them.
            None => (me.bits() | WAITERS, Some(Acquired::Free)),
            // Asking costs a system call, so a holder is trusted to live for the first slice.
            Some(holder) if slept && peers.is_dead(holder) => {
                (me.bits() | WAITERS, Some(Acquired::OwnerDied))
            }
            Some(_) => (found | WAITERS, None),
        };
        if next != found {
            // The exact word: death is stable, so a word that still names the dead holder still is that hold.
            if let Err(changed) = word.compare_exchange(found, next, Acquire, Relaxed) {
                found = changed;
                continue;
            }
        }
        if let Some(acquired) = acquired {
            return Ok(acquired);
        }
        let expired = peers.wait_u32(word, next, wait);
        slept = true;
        found = word.load(Relaxed);
        if expired == Expired::Yes {
            let taken = try_take_over(word, me, peers).map_err(|_| TimedOut);
            // A wake may have come with the deadline, and it was meant for one: the next sleeper gets it.
            peers.wake_u32(word, 1);
            return taken;
        }
    }
}

/// The word to sleep on while somebody holds it, with the sleepers' mark set; `None` when it is free.
pub fn arm(word: &AtomicU32) -> Option<u32> {
    let mut found = word.load(Relaxed);
    loop {
        Claim::in_word(found)?;
        let marked = found | WAITERS;
        if found == marked {
            return Some(marked);
        }
        match word.compare_exchange(found, marked, Relaxed, Relaxed) {
            Ok(_) => return Some(marked),
            Err(changed) => found = changed,
        }
    }
}

/// Gives the word back and wakes one sleeper, if any.
#[inline]
pub fn release(word: &AtomicU32, peers: &impl Peers) {
    if word.swap(0, Release) & WAITERS != 0 {
        peers.wake_u32(word, 1);
    }
}

/// [`release`] for a holder, by anybody, unless it holds the word no more; says whether it did.
pub fn release_for(word: &AtomicU32, holder: Claim, peers: &impl Peers) -> bool {
    let mut found = word.load(Relaxed);
    while Claim::in_word(found) == Some(holder) {
        match word.compare_exchange(found, 0, Release, Relaxed) {
            Ok(_) if found & WAITERS != 0 => {
                peers.wake_u32(word, 1);
                return true;
            }
            Ok(_) => return true,
            Err(changed) => found = changed,
        }
    }
    false
}

fn spin(word: &AtomicU32, mut found: u32) -> u32 {
    let mut looks = SPINS;
    while looks > 0 && Claim::in_word(found).is_some() && found & WAITERS == 0 {
        pause();
        found = word.load(Relaxed);
        looks -= 1;
    }
    found
}
