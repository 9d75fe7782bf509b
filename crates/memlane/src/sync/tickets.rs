//! Tickets: threads that wait, in the order in which they came, and grants for the oldest of them.
//!
//! ```text
//! entry   claim : 32 | number : 30 | state : 2
//! state   0 free (the whole word)   1 taken: its number is being drawn
//!         2 waiting: the number is its ticket   3 granted: the number is how many tickets there were
//! ```
//!
//! Whoever waits has an entry and sleeps on it, so a grant wakes that thread and no other. One compare-exchange grants
//! and one store takes the grant. Exactly as many living threads go as were granted: what was granted to a thread that
//! died before it went is taken over by the next that finds it, by one compare-exchange that puts its own claim there.
//! Only who waited already when it was granted may do that.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | taking an entry, or waiting | an entry of the dead | whoever needs an entry | nothing: it is passed over |
//! | granting, after the compare-exchange | a grant, its thread asleep | that thread, after a slice | one that goes late |
//! | granted, before it goes | a grant of the dead | another that waits, after a slice | its grant |
//! | taking a grant over, with two entries | a grant of the dead | the same | that grant, once |
//!
//! Orderings: granting is Release and going is Acquire, so whoever goes sees what the granter did before.

use crate::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::sync::claim::Claim;
use crate::sync::waiter::{Expired, Peers, TimedOut, Wait};

const STATE_MASK: u64 = 3;
const TAKEN: u64 = 1;
const WAITING: u64 = 2;
const GRANTED: u64 = 3;

const NUMBER_BITS: u32 = 30;
const NUMBER_MASK: u64 = (1 << NUMBER_BITS) - 1;

/// The words of a waiting room.
#[derive(Debug, Clone, Copy)]
pub struct Tickets<'a> {
    /// Tickets drawn so far.
    pub drawn: &'a AtomicU64,
    /// Who waits.
    pub entries: &'a [AtomicU64],
}

/// A thread's place among those who wait.
#[derive(Debug, Clone, Copy)]
#[must_use = "it has to wait or leave"]
pub struct Place<'a> {
    entry: &'a AtomicU64,
    word: u64,
}

/// All entries are taken by the living.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

fn pack(claim: Claim, number: u64, state: u64) -> u64 {
    u64::from(claim.bits()) << 32 | (number & NUMBER_MASK) << 2 | state
}

fn claim_of(word: u64) -> Option<Claim> {
    Claim::in_word((word >> 32) as u32)
}

fn number_of(word: u64) -> u64 {
    word >> 2 & NUMBER_MASK
}

/// How much later `other` is than `number`.
fn distance(number: u64, other: u64) -> u64 {
    other.wrapping_sub(number) & NUMBER_MASK
}

/// Whether a ticket was drawn before a grant was given.
fn is_before(ticket: u64, granted: u64) -> bool {
    (1..=NUMBER_MASK / 2).contains(&distance(number_of(ticket), number_of(granted)))
}

impl<'a> Tickets<'a> {
    /// Takes a place behind all others.
    pub fn enter(&self, me: Claim, peers: &impl Peers) -> Result<Place<'a>, Full> {
        let entry = self.take_entry(me, peers).ok_or(Full)?;
        let mut ticket = self.drawn.load(Relaxed);
        while let Err(changed) = self.drawn.compare_exchange(ticket, ticket + 1, AcqRel, Relaxed) {
            ticket = changed;
        }
        let word = pack(me, ticket, WAITING);
        entry.store(word, Release);
        Ok(Place { entry, word })
    }

    /// A free entry, or one of the dead; but no grant of the dead that somebody who waits may take over.
    fn take_entry(&self, me: Claim, peers: &impl Peers) -> Option<&'a AtomicU64> {
        let is_free = |word| word == 0;
        let is_dead = |word| claim_of(word).is_some_and(|claim| peers.is_dead(claim));
        let was_waiting = |word| word & STATE_MASK != GRANTED && is_dead(word);
        self.take_where(me, is_free)
            .or_else(|| self.take_where(me, was_waiting))
            .or_else(|| self.take_where(me, |word| is_dead(word) && !self.is_wanted(word)))
    }

    fn take_where(&self, me: Claim, wanted: impl Fn(u64) -> bool) -> Option<&'a AtomicU64> {
        self.entries.iter().find(|entry| {
            let word = entry.load(Relaxed);
            wanted(word) && entry.compare_exchange(word, pack(me, 0, TAKEN), AcqRel, Relaxed).is_ok()
        })
    }

    /// Whether somebody waited already when this was granted.
    fn is_wanted(&self, granted: u64) -> bool {
        let waits = |word: u64| word & STATE_MASK == WAITING && is_before(word, granted);
        self.entries.iter().any(|entry| waits(entry.load(Relaxed)))
    }

    /// Waits for a grant.
    pub fn wait(&self, place: Place<'a>, peers: &impl Peers, wait: &mut Wait) -> Result<(), TimedOut> {
        loop {
            if place.is_granted() {
                place.entry.store(0, Release);
                return Ok(());
            }
            let expired = peers.wait_u64(place.entry, place.word, wait);
            // Looking at all others costs a system call for each grant, so one's own comes first.
            if !place.is_granted() && self.take_over(place, peers) {
                return Ok(());
            }
            if expired == Expired::Yes {
                return place.leave();
            }
        }
    }

    /// Lets the `count` oldest who wait and live go; gives back how many there were.
    pub fn grant(&self, count: usize, peers: &impl Peers) -> usize {
        let drawn = self.drawn.load(Acquire);
        let mut granted = 0;
        while granted < count {
            let Some((entry, word, claim)) = self.oldest(drawn) else { break };
            if peers.is_dead(claim) {
                let _ = entry.compare_exchange(word, 0, Relaxed, Relaxed);
                continue;
            }
            if entry.compare_exchange(word, pack(claim, drawn, GRANTED), AcqRel, Relaxed).is_ok() {
                peers.wake_u64(entry, 1);
                granted += 1;
            }
        }
        granted
    }

    /// Who wait, oldest first, of the tickets before `drawn`.
    fn oldest(&self, drawn: u64) -> Option<(&'a AtomicU64, u64, Claim)> {
        let waiting = self.entries.iter().filter_map(|entry| {
            let word = entry.load(Acquire);
            let age = distance(number_of(word), drawn);
            let counts = word & STATE_MASK == WAITING && (1..=NUMBER_MASK / 2).contains(&age);
            Some((age, (entry, word, claim_of(word).filter(|_| counts)?)))
        });
        waiting.max_by_key(|(age, _)| *age).map(|(_, found)| found)
    }

    /// Goes with a grant of the dead, if there is one for somebody who waited already when it was granted.
    fn take_over(&self, place: Place<'_>, peers: &impl Peers) -> bool {
        let Some(me) = claim_of(place.word) else { return false };
        for entry in self.entries {
            let word = entry.load(Acquire);
            let is_for_me = word & STATE_MASK == GRANTED && is_before(place.word, word);
            let Some(holder) = claim_of(word).filter(|_| is_for_me) else { continue };
            let mine = pack(me, number_of(word), GRANTED);
            if !peers.is_dead(holder) || entry.compare_exchange(word, mine, AcqRel, Relaxed).is_err() {
                continue;
            }
            if place.give_up() {
                entry.store(0, Release);
            } else {
                // Two grants in one hand: this one is put back where it was, for the next, and before we go.
                entry.store(word, Release);
                place.entry.store(0, Release);
            }
            return true;
        }
        false
    }

    /// Who wait for a grant, or have one.
    pub fn waiting(&self) -> impl Iterator<Item = Claim> + use<'a> {
        let waits = |entry: &AtomicU64| {
            let word = entry.load(Relaxed);
            claim_of(word).filter(|_| word & STATE_MASK == WAITING)
        };
        self.entries.iter().filter_map(waits)
    }
}

impl Place<'_> {
    /// Gives the place up; fine when it was granted meanwhile, and then that grant is taken.
    pub fn leave(self) -> Result<(), TimedOut> {
        if self.give_up() {
            return Err(TimedOut);
        }
        self.entry.store(0, Release);
        Ok(())
    }

    fn is_granted(self) -> bool {
        self.entry.load(Acquire) != self.word
    }

    /// Frees the entry; `false` when it was granted meanwhile.
    fn give_up(self) -> bool {
        self.entry.compare_exchange(self.word, 0, AcqRel, Acquire).is_ok()
    }
}
