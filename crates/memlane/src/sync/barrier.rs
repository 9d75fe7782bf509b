//! A meeting of a number of parties: nobody goes on before all have arrived.
//!
//! Use it to keep workers in step. A process takes part from when it opens the barrier until its last handle is gone;
//! several threads of it may be parties. When a process that takes part dies, when a wait runs out of time, or when
//! somebody calls [`Barrier::abort`], the barrier is broken: everybody who waits is told, and nobody gets through until
//! [`Barrier::reset`], or until a process joins that finds nobody alive.
//!
//! How it works, and what a death leaves behind, is in `sync/meeting.rs`.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let step = memlane::Barrier::open_or_create(&space, "workers/step", 2)?;
//! std::thread::scope(|scope| {
//!     let other = scope.spawn(|| step.wait(None));
//!     let mine = step.wait(None)?;
//!     let theirs = other.join().expect("it arrives")?;
//!     assert_eq!(mine + theirs, 1); // 0 and 1, in the order of arrival
//!     Ok(())
//! })
//! # }
//! ```

use super::meeting::{Arrival, Broken, MAX_PARTIES, Meeting};
use super::share;
use super::waiter::{TimedOut, Wait};
use crate::atomic::AtomicU64;
use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout::barrier::{self as layout, BarrierLine};
use crate::os::fork;
use crate::os::mapping::{Mapping, Shared};
use crate::participant::{Participant, WaitingFor};
use crate::region::{Opening, Region};
use crate::space::Space;
use crate::sync::claim::Claim;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the parameter stands in the header.
const PARTIES: usize = 0;
const PARAMETERS: [&str; 1] = ["parties"];

/// A meeting point of processes and their threads.
#[derive(Debug)]
pub struct Barrier {
    region: Region,
    words: Words,
    forks: u32,
}

/// What anybody can read of a barrier.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BarrierState {
    /// How many have to arrive.
    pub parties: u32,
    /// How many have arrived and wait.
    pub waiting: u32,
    /// How many meetings there were, with those that were broken and reset.
    pub phase: u64,
    /// Whether nobody gets through.
    pub broken: bool,
    /// Who takes part.
    pub members: Vec<Participant>,
}

/// Typed views of a barrier's body.
#[derive(Debug)]
pub(crate) struct Words {
    line: Shared<BarrierLine>,
    members: Shared<[AtomicU64]>,
    arrivals: Shared<[AtomicU64]>,
    parties: u32,
}

impl Words {
    /// Lays them over a mapping; the error says what is wrong with the header.
    pub(crate) fn new(description: &Description, mapping: &Arc<Mapping>) -> Result<Self, String> {
        let parties = u32::try_from(description.parameters[PARTIES]).ok();
        let parties = parties.filter(|parties| (1..=MAX_PARTIES).contains(parties));
        let parties = parties.ok_or("its number of parties makes no sense")?;
        let (body, slots) = (description.body_offset, description.participants);
        let shares = |offset| mapping.shared_slice(body + offset, usize::from(slots));
        let views = || {
            Some(Self {
                line: mapping.shared(body)?,
                members: shares(layout::MEMBERS_OFFSET)?,
                arrivals: shares(layout::arrivals_offset(slots))?,
                parties,
            })
        };
        views().ok_or_else(|| "its body is too short".to_owned())
    }

    fn meeting(&self) -> Meeting<'_> {
        Meeting {
            state: &self.line.state,
            gatekeeper: &self.line.gatekeeper,
            members: &self.members,
            arrivals: &self.arrivals,
            parties: self.parties,
        }
    }

    /// What there is to see; `describe` is what the table knows of a claim.
    pub(crate) fn state(&self, describe: impl Fn(Claim) -> Option<Participant>) -> BarrierState {
        let meeting = self.meeting();
        let state = meeting.state();
        BarrierState {
            parties: self.parties,
            waiting: meeting.arrived(state.phase),
            phase: state.phase,
            broken: state.broken,
            members: share::all(&self.members).filter_map(|(claim, _)| describe(claim)).collect(),
        }
    }
}

impl Barrier {
    /// Opens the barrier `id`, which must be for so many parties, or makes it, and takes part.
    pub fn open_or_create(space: &Space, id: &str, parties: u32) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, parties)
    }

    /// Makes the barrier `id`, which must not exist, for 1 to 65535 parties, and takes part.
    pub fn create(space: &Space, id: &str, parties: u32) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, parties)
    }

    /// Opens the barrier `id`, which must exist, and takes part.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, parties: u32) -> Result<Self> {
        if !(1..=MAX_PARTIES).contains(&parties) {
            return Err(Error::BadParameter {
                id: id.into(),
                parameter: "the number of parties",
                limit: format!("1 to {MAX_PARTIES}"),
                found: u64::from(parties),
            });
        }
        let mut parameters = [0; 8];
        parameters[PARTIES] = u64::from(parties);
        let slots = space.participants;
        let blueprint = Blueprint::plain(Kind::Barrier, slots, parameters, layout::body_size(slots));
        let region = Region::obtain(space, id, opening, &blueprint)?;
        region.expect_parameters(&blueprint, &PARAMETERS)?;
        Self::of(region)
    }

    fn of(region: Region) -> Result<Self> {
        region.expect_kind(Kind::Barrier)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        let attachment = region.attachment().as_ref();
        words.meeting().join(attachment.me()?, attachment);
        Ok(Self { region, words, forks: fork::count() })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// How many have to arrive.
    pub fn parties(&self) -> u32 {
        self.words.parties
    }

    /// How many have arrived and wait.
    pub fn waiting(&self) -> u32 {
        let meeting = self.words.meeting();
        meeting.arrived(meeting.state().phase)
    }

    /// Whether nobody gets through.
    pub fn is_broken(&self) -> bool {
        self.words.meeting().state().broken
    }

    /// Arrives, and waits for the others. Gives back how many had arrived before: 0 of the first, one less than the
    /// parties of the last. When time is up the barrier is broken for all: [`Error::Timeout`] here,
    /// [`Error::BrokenBarrier`] for the others.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<u32> {
        self.meet(timeout, None::<fn()>)
    }

    /// [`Self::wait`]; the last to arrive runs its `action` before anybody goes on. If it panics, the barrier is
    /// broken.
    pub fn wait_with(&self, timeout: Option<Duration>, action: impl FnOnce()) -> Result<u32> {
        self.meet(timeout, Some(action))
    }

    /// Breaks the barrier: who waits is told, and nobody gets through until [`Self::reset`].
    pub fn abort(&self) {
        self.words.meeting().abort(self.region.attachment().as_ref());
    }

    /// Begins anew, with whoever lives: who waits is told that it was broken, who arrives from now on meets.
    pub fn reset(&self) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        self.words.meeting().reset(attachment.me()?, attachment);
        Ok(())
    }

    /// Who takes part, and how many have arrived.
    pub fn state(&self) -> BarrierState {
        let attachment = self.region.attachment();
        self.words.state(|claim| attachment.describe(claim))
    }

    fn meet(&self, timeout: Option<Duration>, action: Option<impl FnOnce()>) -> Result<u32> {
        if self.forks != fork::count() {
            return Err(Error::Forked { id: self.region.id().into(), what: "barrier" });
        }
        let attachment = self.region.attachment().as_ref();
        let me = attachment.me()?;
        let meeting = self.words.meeting();
        let start = Instant::now();
        let mut wait = Wait::until(timeout);
        loop {
            let arrival = meeting.arrive(me, action.is_some(), attachment).map_err(|Broken| self.broken())?;
            let (phase, index) = match arrival {
                Arrival::Over => return Ok(self.words.parties - 1),
                Arrival::Last(phase) => return self.act(phase, action),
                Arrival::Early(phase, index) => (phase, index),
                Arrival::TooMany(phase) => {
                    let _waiting = attachment.blocked(me, WaitingFor::Parties);
                    let next = meeting.wait_for_next(phase, attachment, &mut wait);
                    next.map_err(|TimedOut| self.timed_out(start))?;
                    continue;
                }
            };
            let _waiting = attachment.blocked(me, WaitingFor::Parties);
            return match meeting.wait(phase, attachment, &mut wait) {
                Ok(Ok(())) => Ok(index),
                Ok(Err(Broken)) => Err(self.broken()),
                Err(TimedOut) => Err(self.timed_out(start)),
            };
        }
    }

    /// The last to arrive.
    fn act(&self, phase: u64, action: Option<impl FnOnce()>) -> Result<u32> {
        let breaking = Breaking { barrier: self, phase };
        if let Some(action) = action {
            action();
        }
        std::mem::forget(breaking);
        let ended = self.words.meeting().end(phase, self.region.attachment().as_ref());
        ended.map(|()| self.words.parties - 1).map_err(|Broken| self.broken())
    }

    #[cold]
    fn timed_out(&self, start: Instant) -> Error {
        self.region.timed_out(WaitingFor::Parties.words(), start)
    }

    #[cold]
    fn broken(&self) -> Error {
        let attachment = self.region.attachment().as_ref();
        let why = match self.words.meeting().dead_member(attachment) {
            Some(claim) => format!("{} died", attachment.who(claim)),
            None => "somebody gave up, aborted or reset it".to_owned(),
        };
        Error::BrokenBarrier { id: self.region.id().into(), why }
    }
}

impl Drop for Barrier {
    fn drop(&mut self) {
        // A forked child's copy takes no part.
        if self.forks == fork::count()
            && let Ok(me) = self.region.attachment().me()
        {
            self.words.meeting().leave(me);
        }
    }
}

/// Breaks the barrier when the action of the last to arrive panics.
struct Breaking<'a> {
    barrier: &'a Barrier,
    /// And no later one.
    phase: u64,
}

impl Drop for Breaking<'_> {
    fn drop(&mut self) {
        let attachment = self.barrier.region.attachment().as_ref();
        let _ = self.barrier.words.meeting().give_up(self.phase, attachment);
    }
}
