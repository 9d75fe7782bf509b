//! A meeting: so many parties arrive, and then all go on.
//!
//! ```text
//! state      bit 0 somebody sleeps | bit 1 broken | bits 2–17 history | bits 18–63 phase
//! history    bit i: phase − 1 − i did not end by everybody's arriving, but was reset
//! members    who takes part: a share for each participant (`share.rs`), of handles
//! arrivals   generation : 19 | phase : 29 | how many threads arrived : 16
//! ```
//!
//! Who arrives adds up, under a private claim, who did in this phase, and either notes its own arrival or, as the
//! last, moves the phase on: one store either way. An arrival of another phase or generation is none, so nothing has
//! to be cleared. Whoever waits looks now and then whether all members live, and breaks the meeting when one died.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | before its arrival | a dead member | whoever resets | the meeting, broken |
//! | after it | a dead member, arrived | whoever resets | the meeting, broken, unless the last one came before anybody looked |
//! | the last, before the phase moves | a dead member, maybe a dead claim | whoever resets | the meeting, broken |
//! | the last, after it | a new phase | nobody | all go on; sleepers maybe a slice late |

use crate::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::sync::claim::{self, Claim};
use crate::sync::share;
use crate::sync::version;
use crate::sync::waiter::{ALL, Peers, TimedOut, Wait};

const HISTORY_BITS: u32 = 16;
const HISTORY_MASK: u64 = (1 << HISTORY_BITS) - 1;
const PHASE_SHIFT: u32 = HISTORY_BITS + 1;

const ARRIVED_BITS: u32 = 16;
const ARRIVED_MASK: u64 = (1 << ARRIVED_BITS) - 1;
const ARRIVAL_PHASE_BITS: u32 = 29;
const ARRIVAL_PHASE_MASK: u64 = (1 << ARRIVAL_PHASE_BITS) - 1;

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
        let history = (self.history << 1 | was_reset as u64) & HISTORY_MASK;
        Self { phase: self.phase + 1, broken: false, history }
    }

    /// What became of `phase`; `None` while it lasts.
    fn outcome_of(self, phase: u64) -> Option<Result<(), Broken>> {
        match self.phase.wrapping_sub(phase) {
            0 => self.broken.then_some(Err(Broken)),
            later => {
                let was_reset = later <= u64::from(HISTORY_BITS) && self.history >> (later - 1) & 1 == 1;
                Some(if was_reset { Err(Broken) } else { Ok(()) })
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

    /// The last one: all go on. The commit.
    pub fn end(&self, phase: u64, peers: &impl Peers) -> Result<(), Broken> {
        self.change(peers, |state| match state.outcome_of(phase) {
            None => Ok(state.next(false)),
            Some(outcome) => outcome.and(Err(Broken)),
        })
    }

    /// Waits for the end of `phase`. Breaks it when a member is dead, or time is up.
    pub fn wait(
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
        version::sleep_until(self.state, peers, wait, &mut false, attempt).or_else(|TimedOut| {
            match self.give_up(phase, peers) {
                Some(Ok(())) => Ok(Ok(())),
                _ => Err(TimedOut),
            }
        })
    }

    /// Breaks the meeting if `phase` is not over; what became of it.
    fn give_up(&self, phase: u64, peers: &impl Peers) -> Option<Result<(), Broken>> {
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
        for (slot, member) in (0..).zip(self.members) {
            let word = member.load(Relaxed);
            if share::read(word, slot).is_some_and(|(claim, _)| peers.is_dead(claim)) {
                // Loses against the slot's next holder.
                let _ = member.compare_exchange(word, 0, Relaxed, Relaxed);
            }
        }
        let _ = self.change(peers, |state| Ok(state.next(true)));
        claim::release(self.gatekeeper, peers);
    }

    /// How many arrived in a phase.
    #[must_use]
    pub fn arrived(&self, phase: u64) -> u32 {
        let of_phase = |word: &AtomicU64| {
            let word = word.load(Acquire);
            let matches = word >> ARRIVED_BITS & ARRIVAL_PHASE_MASK == phase & ARRIVAL_PHASE_MASK;
            if matches { (word & ARRIVED_MASK) as u32 } else { 0 }
        };
        self.arrivals.iter().map(of_phase).sum()
    }

    /// A member that is dead.
    pub fn dead_member(&self, peers: &impl Peers) -> Option<Claim> {
        share::all(self.members).map(|(claim, _)| claim).find(|claim| peers.is_dead(*claim))
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
