//! A meeting: so many parties arrive, and then all go on.
//!
//! ```text
//! state      bit 0 somebody sleeps | bit 1 broken | bits 2–17 history | bits 18–63 phase
//! history    bit i: phase − 1 − i did not end by everybody's arriving, but was reset; the highest bit: or one before
//! members    who takes part: a share for each participant (`share.rs`), of handles
//! arrivals   generation : 19 | phase : 29 | how many threads arrived : 16
//! ```
//!
//! Who arrives adds up, under a private claim, who did in this phase, and either notes its own arrival or, as the
//! last, moves the phase on: one store either way. An arrival of another phase or generation is none, so nothing has
//! to be cleared. Whoever waits looks now and then whether all members live, and breaks the meeting when one died.
//! So does whoever joins in the slot of a member that died: nobody else could find that death any more. Where no member
//! lives, there is nobody to tell, and joining begins anew.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | before its arrival | a dead member | whoever resets | the meeting, broken |
//! | after it | a dead member, arrived | whoever resets | the meeting, broken, unless the last one came before anybody looked |
//! | the last, before the phase moves | a dead member, maybe a dead claim | whoever resets | the meeting, broken |
//! | the last, after it | a new phase | nobody | all go on; sleepers maybe a slice late |
//! | resetting, before the phase moves | maybe fewer dead members, and one more | whoever resets | the meeting, broken |
//!
//! Orderings: arrivals are added up under the claim, so the last one has seen what all others did before; moving the
//! phase on is Release and seeing it moved is Acquire, so then all have. A member found dead is looked at again
//! after its death was seen: whoever left in peace did so before it died.

use crate::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::sync::claim::{self, Claim};
use crate::sync::share;
use crate::sync::version;
use crate::sync::waiter::{ALL, Peers, TimedOut, Wait};

const HISTORY_BITS: u32 = 16;
const HISTORY_MASK: u64 = (1 << HISTORY_BITS) - 1;
const OLDEST: u64 = 1 << (HISTORY_BITS - 1);
const PHASE_SHIFT: u32 = HISTORY_BITS + 1;

const ARRIVED_BITS: u32 = 16;
const ARRIVED_MASK: u64 = (1 << ARRIVED_BITS) - 1;
const ARRIVAL_PHASE_BITS: u32 = 29;
const ARRIVAL_PHASE_MASK: u64 = (1 << ARRIVAL_PHASE_BITS) - 1;

/// How often what is left of arrivals long ago is put away: before a phase has their low bits again.
const TIDY_PHASES: u64 = 1 << (ARRIVAL_PHASE_BITS - 1);

/// Most parties: what an arrival counts to.
pub const MAX_PARTIES: u32 = ARRIVED_MASK as u32;

/// How a meeting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// How many meetings there were.
    pub phase: u64,
    /// Whether nobody gets through.
    pub broken: bool,
    history: u64,
}

impl State {
    /// What the count of the state's eventcount says.
    #[must_use]
    pub const fn unpack(count: u64) -> Self {
        Self { phase: count >> PHASE_SHIFT, broken: count & 1 != 0, history: count >> 1 & HISTORY_MASK }
    }

    const fn pack(self) -> u64 {
        self.phase << PHASE_SHIFT | self.history << 1 | self.broken as u64
    }

    /// The next phase.
    const fn next(self, was_reset: bool) -> Self {
        let history = (self.history << 1 | self.history & OLDEST | was_reset as u64) & HISTORY_MASK;
        Self { phase: self.phase + 1, broken: false, history }
    }

    /// What became of `phase`; `None` while it lasts.
    fn outcome_of(self, phase: u64) -> Option<Result<(), Broken>> {
        match self.phase.wrapping_sub(phase) {
            0 => self.broken.then_some(Err(Broken)),
            later => {
                // So long ago that it is not known: better broken for nothing than a meeting that was none.
                let bit = later.min(u64::from(HISTORY_BITS)) - 1;
                Some(if self.history >> bit & 1 == 1 { Err(Broken) } else { Ok(()) })
            }
        }
    }
}

/// The meeting is broken, or was reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// What an arrival comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The last one, and the meeting is over.
    Over,
    /// The last one, who has something to do before it is over.
    Last(u64),
    /// Not the last one of this phase; how many were there before.
    Early(u64, u32),
    /// All are there, and the last one has something to do before the meeting of this phase is over.
    TooMany(u64),
}

/// The words of a meeting.
#[derive(Debug, Clone, Copy)]
pub struct Meeting<'a> {
    /// Phase and how it stands, as an eventcount.
    pub state: &'a AtomicU64,
    /// Private lock of who arrives.
    pub gatekeeper: &'a AtomicU32,
    /// Who takes part.
    pub members: &'a [AtomicU64],
    /// Who arrived.
    pub arrivals: &'a [AtomicU64],
    /// How many there must be.
    pub parties: u32,
}

impl Meeting<'_> {
    /// How it stands.
    #[must_use]
    pub fn state(&self) -> State {
        State::unpack(version::count(self.state.load(Acquire)))
    }

    /// Takes part: from now on its death breaks the meeting. Each joining is to be undone by a [`Self::leave`].
    pub fn join(&self, me: Claim, peers: &impl Peers) {
        let _ = claim::acquire(self.gatekeeper, me, peers, &mut Wait::FOREVER.clone());
        self.join_alone(me, peers);
        claim::release(self.gatekeeper, peers);
    }

    fn join_alone(&self, me: Claim, peers: &impl Peers) {
        let Some(word) = self.members.get(usize::from(me.slot())) else { return };
        let before = share::read(word.load(Relaxed), me.slot()).filter(|(member, _)| *member != me);
        if share::all(self.members).all(|(member, _)| peers.is_dead(member)) {
            if self.state().broken || share::all(self.members).next().is_some() {
                self.reset_alone(peers);
            }
        } else if before.is_some() {
            self.abort(peers);
        }
        let _ = share::add(word, me, 1);
    }

    /// Takes part no longer.
    pub fn leave(&self, me: Claim) {
        if let Some(word) = self.members.get(usize::from(me.slot())) {
            let _ = share::subtract(word, me, 1);
        }
    }

    /// Arrives. The last one ends the phase at once, unless it has something to do before.
    pub fn arrive(&self, me: Claim, has_action: bool, peers: &impl Peers) -> Result<Arrival, Broken> {
        let _ = claim::acquire(self.gatekeeper, me, peers, &mut Wait::FOREVER.clone());
        let arrival = self.arrive_alone(me, has_action, peers);
        claim::release(self.gatekeeper, peers);
        arrival
    }

    fn arrive_alone(&self, me: Claim, has_action: bool, peers: &impl Peers) -> Result<Arrival, Broken> {
        let State { phase, broken, .. } = self.state();
        if broken {
            return Err(Broken);
        }
        if phase.is_multiple_of(TIDY_PHASES) {
            self.tidy(phase);
        }
        let arrived = self.arrived(phase);
        if arrived >= self.parties {
            return Ok(Arrival::TooMany(phase));
        }
        let is_last = arrived + 1 == self.parties;
        if is_last && !has_action {
            return self.end(phase, peers).map(|()| Arrival::Over);
        }
        if let Some(word) = self.arrivals.get(usize::from(me.slot())) {
            let before = counted(word.load(Relaxed), me.generation(), phase);
            word.store(arrival(me.generation(), phase, before + 1), Release);
        }
        Ok(if is_last { Arrival::Last(phase) } else { Arrival::Early(phase, arrived) })
    }

    /// Takes away what is no arrival of this phase.
    #[cold]
    fn tidy(&self, phase: u64) {
        for word in self.arrivals {
            if !is_of(word.load(Relaxed), phase) {
                word.store(0, Relaxed);
            }
        }
    }

    /// The last one: all go on. The commit.
    pub fn end(&self, phase: u64, peers: &impl Peers) -> Result<(), Broken> {
        self.change(peers, |state| match state.outcome_of(phase) {
            None => Ok(state.next(false)),
            Some(outcome) => outcome.and(Err(Broken)),
        })
    }

    /// Waits for the end of `phase`, having arrived. Breaks it when a member is dead, or time is up.
    pub fn wait(
        &self,
        phase: u64,
        peers: &impl Peers,
        wait: &mut Wait,
    ) -> Result<Result<(), Broken>, TimedOut> {
        self.wait_for_end(phase, peers, wait).or_else(|TimedOut| match self.give_up(phase, peers) {
            Some(Ok(())) => Ok(Ok(())),
            _ => Err(TimedOut),
        })
    }

    /// Waits until another phase than `phase` begins, for which this one came too late, or the meeting is broken, for
    /// instance because a member is dead.
    pub fn wait_for_next(&self, phase: u64, peers: &impl Peers, wait: &mut Wait) -> Result<(), TimedOut> {
        self.wait_for_end(phase, peers, wait).map(drop)
    }

    fn wait_for_end(
        &self,
        phase: u64,
        peers: &impl Peers,
        wait: &mut Wait,
    ) -> Result<Result<(), Broken>, TimedOut> {
        let mut slept = false;
        let attempt = |count| {
            let outcome = State::unpack(count).outcome_of(phase);
            if outcome.is_none() && std::mem::replace(&mut slept, true) && self.dead_member(peers).is_some() {
                return self.give_up(phase, peers);
            }
            outcome
        };
        version::sleep_until(self.state, peers, wait, &mut false, attempt)
    }

    /// Breaks the meeting if `phase` is not over; what became of it.
    pub fn give_up(&self, phase: u64, peers: &impl Peers) -> Option<Result<(), Broken>> {
        let mut outcome = Some(Err(Broken));
        let _ = self.change(peers, |state| match state.outcome_of(phase) {
            None => Ok(State { broken: true, ..state }),
            over => {
                outcome = over;
                Err(Broken)
            }
        });
        outcome
    }

    /// Nobody gets through until it is reset.
    pub fn abort(&self, peers: &impl Peers) {
        let _ = self.change(peers, |state| Ok(State { broken: true, ..state }));
    }

    /// Begins a new phase with nobody arrived; whoever waits is told that the one before was broken.
    pub fn reset(&self, me: Claim, peers: &impl Peers) {
        let _ = claim::acquire(self.gatekeeper, me, peers, &mut Wait::FOREVER.clone());
        self.reset_alone(peers);
        claim::release(self.gatekeeper, peers);
    }

    fn reset_alone(&self, peers: &impl Peers) {
        for (slot, member) in (0..).zip(self.members) {
            let word = member.load(Relaxed);
            if share::read(word, slot).is_some_and(|(claim, _)| peers.is_dead(claim)) {
                // Loses against the slot's next holder.
                let _ = member.compare_exchange(word, 0, Relaxed, Relaxed);
            }
        }
        let _ = self.change(peers, |state| Ok(state.next(true)));
    }

    /// How many arrived in a phase.
    #[must_use]
    pub fn arrived(&self, phase: u64) -> u32 {
        let of_phase = |word: &AtomicU64| {
            let word = word.load(Acquire);
            if is_of(word, phase) { (word & ARRIVED_MASK) as u32 } else { 0 }
        };
        self.arrivals.iter().map(of_phase).sum()
    }

    /// A member that is dead.
    pub fn dead_member(&self, peers: &impl Peers) -> Option<Claim> {
        (0..).zip(self.members).find_map(|(slot, word)| {
            let member = || share::read(word.load(Acquire), slot).map(|(member, _)| member);
            let dead = member().filter(|member| peers.is_dead(*member))?;
            // Still there: it did not leave before it died.
            (member() == Some(dead)).then_some(dead)
        })
    }

    fn change(
        &self,
        peers: &impl Peers,
        mut next: impl FnMut(State) -> Result<State, Broken>,
    ) -> Result<(), Broken> {
        let mut seen = self.state.load(Acquire);
        loop {
            let state = next(State::unpack(version::count(seen)))?;
            match version::commit_if(self.state, seen, state.pack(), ALL, peers) {
                Ok(()) => return Ok(()),
                Err(changed) => seen = changed,
            }
        }
    }
}

/// Whether an arrival is one of `phase`.
const fn is_of(word: u64, phase: u64) -> bool {
    word >> ARRIVED_BITS & ARRIVAL_PHASE_MASK == phase & ARRIVAL_PHASE_MASK
}

fn arrival(generation: u32, phase: u64, count: u32) -> u64 {
    u64::from(generation) << (ARRIVAL_PHASE_BITS + ARRIVED_BITS)
        | (phase & ARRIVAL_PHASE_MASK) << ARRIVED_BITS
        | u64::from(count) & ARRIVED_MASK
}

/// How many of a participant's threads a word counts for a phase.
fn counted(word: u64, generation: u32, phase: u64) -> u32 {
    let count = word & ARRIVED_MASK;
    if word == arrival(generation, phase, count as u32) { count as u32 } else { 0 }
}
