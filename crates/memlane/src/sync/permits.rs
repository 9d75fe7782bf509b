//! Permits: what each participant holds is the truth, and what is free is worked out.
//!
//! Whoever takes permits adds up what the living hold, under a private claim, and adds its own by one
//! compare-exchange: that is the commit. Giving back is one compare-exchange without the claim, because it can only
//! make room. There is no count of free permits that a death could leave wrong.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | taking, before its share is raised | maybe a dead claim | the next taker, by taking it over | nothing |
//! | holding | a share of the dead | whoever finds too few, by zeroing it | its permits, free |
//! | giving back, before the wake | sleepers asleep | they, after a slice | the permits, late |
//!
//! Asking who lives costs a system call for each holder, so that is done only when permits are short. Zeroing is a
//! compare-exchange on the exact word: death is stable, so a share that still names a dead holder is that one's.
//!
//! Orderings: giving back is Release and adding up is Acquire, and every change of a share is a read-modify-write, so
//! what was done with a permit comes before what is done with it next.

use crate::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::sync::claim::{self, Claim};
use crate::sync::share;
use crate::sync::version;
use crate::sync::waiter::{ALL, Peers, TimedOut, Wait};

/// The words of a semaphore whose permits are held.
#[derive(Debug, Clone, Copy)]
pub struct Permits<'a> {
    /// Private lock of who takes.
    pub gatekeeper: &'a AtomicU32,
    /// One above the highest slot that ever held a permit.
    pub reach: &'a AtomicU32,
    /// Permits that came back, as an eventcount.
    pub changes: &'a AtomicU64,
    /// What each participant holds.
    pub held: &'a [AtomicU64],
    /// How many there are in all.
    pub total: u32,
}

impl<'a> Permits<'a> {
    /// Takes `count` permits if as many are free; asks who lives when they are short.
    #[inline]
    pub fn try_acquire(&self, count: u32, me: Claim, peers: &impl Peers) -> bool {
        self.take_if_free(count, me, peers)
            || (self.take_from_the_dead(peers) && self.take_if_free(count, me, peers))
    }

    /// Takes `count` permits, waiting for them.
    pub fn acquire(
        &self,
        count: u32,
        me: Claim,
        peers: &impl Peers,
        wait: &mut Wait,
    ) -> Result<(), TimedOut> {
        let mut looked_at = None;
        let attempt = |change| {
            if self.try_acquire(count, me, peers) {
                return Some(());
            }
            // The wake was for some permits, too few for this one: others may want fewer. Once for each change, or two
            // who both want too many would keep each other awake.
            let is_news = looked_at.replace(change).is_some_and(|before| before != change);
            if is_news && self.free(|_| false) > 0 {
                peers.wake_u64(self.changes, ALL);
            }
            None
        };
        version::take_turn(self.changes, peers, wait, attempt, || self.free(|_| false) > 0)
    }

    /// Gives `count` permits back; `false` when this participant does not hold as many.
    #[inline]
    pub fn release(&self, count: u32, me: Claim, peers: &impl Peers) -> bool {
        if count == 0 {
            // A change that is good for nobody would take the sleepers' flag away from them.
            return true;
        }
        let share = self.held.get(usize::from(me.slot()));
        let given = share.and_then(|share| share::subtract(share, me, count)).is_some();
        if given {
            version::advance_for(self.changes, count, peers);
        }
        given
    }

    /// How many are free, when those that `is_dead` hold nothing.
    #[inline]
    pub fn free(&self, is_dead: impl Fn(Claim) -> bool) -> u32 {
        let held = self.holders().filter(|(claim, _)| !is_dead(*claim));
        held.fold(self.total, |free, (_, count)| free.saturating_sub(count))
    }

    /// Who holds how many.
    #[inline]
    pub fn holders(&self) -> impl Iterator<Item = (Claim, u32)> + use<'a> {
        share::all(self.used())
    }

    /// The shares that were ever anybody's.
    #[inline]
    fn used(&self) -> &'a [AtomicU64] {
        let reach = self.held.len().min(self.reach.load(Relaxed) as usize);
        self.held.get(..reach).unwrap_or_default()
    }

    #[inline]
    fn take_if_free(&self, count: u32, me: Claim, peers: &impl Peers) -> bool {
        // Nobody keeps it but for these few instructions; whoever died with it left nothing behind.
        let _ = claim::acquire(self.gatekeeper, me, peers, &mut Wait::FOREVER.clone());
        let has_enough = self.free(|_| false) >= count;
        if has_enough {
            self.take(count, me);
        }
        claim::release(self.gatekeeper, peers);
        has_enough
    }

    /// Zeroes the shares of the dead; says whether there were any.
    #[cold]
    fn take_from_the_dead(&self, peers: &impl Peers) -> bool {
        let mut freed = 0_u32;
        for (slot, word) in (0..).zip(self.used()) {
            let seen = word.load(Acquire);
            let Some((holder, count)) = share::read(seen, slot) else { continue };
            // Acquired or not, what the dead did with it comes before what is done next.
            if peers.is_dead(holder) && word.compare_exchange(seen, 0, Release, Relaxed).is_ok() {
                freed = freed.saturating_add(count).min(ALL);
            }
        }
        if freed > 0 {
            // Who found it takes it, and the others who sleep need not wait for a slice to find the rest.
            version::advance_for(self.changes, freed, peers);
        }
        freed > 0
    }

    /// Under the gatekeeper.
    #[inline]
    fn take(&self, count: u32, me: Claim) {
        let needed = u32::from(me.slot()) + 1;
        if self.reach.load(Relaxed) < needed {
            // Before the share: a share beyond the reach would not be seen.
            self.reach.store(needed, Relaxed);
        }
        if let Some(share) = self.held.get(usize::from(me.slot())) {
            let _ = share::add(share, me, count);
        }
    }
}
