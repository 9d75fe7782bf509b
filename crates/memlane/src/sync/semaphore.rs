//! A number of permits, held by participants and returned by their death.
//!
//! Use it to let so many, and no more, do something at once: connections, workers on a device. Whoever holds permits
//! is known, and what a dead process held is free again. Where somebody else gives back than took, as when one
//! signals another, use a [`SignalSemaphore`](crate::SignalSemaphore).
//!
//! How it works, and what a death leaves behind, is in `sync/permits.rs`.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let cameras = memlane::Semaphore::open_or_create(&space, "cameras", 2)?;
//! let permit = cameras.acquire(1, None)?;
//! assert_eq!(cameras.free(), 1);
//! drop(permit); // or the process is killed
//! assert_eq!(cameras.free(), 2);
//! # Ok(()) }
//! ```

use super::permits::Permits;
use super::waiter::{Peers, TimedOut, Wait};
use crate::atomic::{AtomicU32, AtomicU64};
use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout::semaphore::{self as layout, SemaphoreLine};
use crate::os::fork;
use crate::os::mapping::{Mapping, Shared};
use crate::participant::{Participant, WaitingFor};
use crate::region::{Opening, Region};
use crate::space::Space;
use crate::sync::claim::Claim;
use crate::sync::version;
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the parameters stand in the header.
const MODE: usize = 0;
const TOTAL: usize = 1;
/// The mode of a semaphore whose permits are held.
pub(super) const MODE_OWNED: u64 = 0;
/// The parameters' names, in their order.
const PARAMETERS: [&str; 2] = ["mode (0 owned, 1 signal)", "permits"];

/// Most permits.
const MAX_PERMITS: u32 = i32::MAX as u32;

/// Permits that participants hold.
#[derive(Debug, Clone)]
pub struct Semaphore {
    region: Region,
    words: Words,
}

/// What anybody can read of a semaphore.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreState {
    /// Permits in all; the most tokens there can be, of a signal semaphore.
    pub total: u32,
    /// Permits or tokens that are there to be taken.
    pub free: u32,
    /// Whether permits are held, rather than tokens passed.
    pub owned: bool,
    /// Who holds how many permits.
    pub holders: Vec<(Participant, u32)>,
}

/// Typed views of a semaphore's body.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    pub(super) line: Shared<SemaphoreLine>,
    held: Shared<[AtomicU64]>,
    total: u32,
}

impl Words {
    /// Lays them over a mapping; the error says what is wrong with the header.
    pub(crate) fn new(description: &Description, mapping: &Arc<Mapping>) -> Result<Self, String> {
        let body = description.body_offset;
        let total = description.parameters[TOTAL];
        let total = u32::try_from(total).ok().filter(|total| *total <= MAX_PERMITS);
        let total = total.ok_or("its number of permits makes no sense")?;
        let slots = usize::from(description.participants);
        let views = || {
            Some(Self {
                line: mapping.shared(body)?,
                held: mapping.shared_slice(body + layout::HELD_OFFSET, slots)?,
                total,
            })
        };
        views().ok_or_else(|| "its body is too short".to_owned())
    }

    fn permits(&self) -> Permits<'_> {
        Permits {
            gatekeeper: &self.line.gatekeeper,
            reach: &self.line.reach,
            changes: &self.line.changes,
            held: &self.held,
            total: self.total,
        }
    }

    /// Permits in all, or most tokens.
    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// What there is to see of tokens.
    pub(crate) fn tokens(&self) -> SemaphoreState {
        let free = super::tokens::value(&self.line.tokens);
        SemaphoreState { total: self.total, free, owned: false, holders: Vec::new() }
    }

    /// What there is to see of permits; `describe` is what the table knows of a claim.
    pub(crate) fn state(&self, describe: impl Fn(Claim) -> Option<Participant>) -> SemaphoreState {
        let permits = self.permits();
        let known = permits.holders().filter_map(|(claim, count)| Some((describe(claim)?, count)));
        let holders: Vec<_> = known.filter(|(holder, _)| holder.alive).collect();
        let free = holders.iter().fold(self.total, |free, (_, count)| free.saturating_sub(*count));
        SemaphoreState { total: self.total, free, owned: true, holders }
    }
}

impl Semaphore {
    /// Opens the semaphore `id`, which must have so many permits, or makes it.
    pub fn open_or_create(space: &Space, id: &str, permits: u32) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, permits)
    }

    /// Makes the semaphore `id`, which must not exist, with 1 to 2³¹−1 permits.
    pub fn create(space: &Space, id: &str, permits: u32) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, permits)
    }

    /// Opens the semaphore `id`, which must exist, however many permits it has.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, permits: u32) -> Result<Self> {
        if !(1..=MAX_PERMITS).contains(&permits) {
            return Err(Error::BadParameter {
                id: id.into(),
                parameter: "the number of permits",
                limit: format!("1 to {MAX_PERMITS}"),
                found: u64::from(permits),
            });
        }
        let blueprint = blueprint(space, [MODE_OWNED, u64::from(permits)]);
        let region = Region::obtain(space, id, opening, &blueprint)?;
        region.expect_parameters(&blueprint, &PARAMETERS)?;
        Self::of(region)
    }

    fn of(region: Region) -> Result<Self> {
        expect_mode(&region, MODE_OWNED)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        Ok(Self { region, words })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Permits in all.
    pub fn total(&self) -> u32 {
        self.words.total
    }

    /// Permits that are free now.
    pub fn free(&self) -> u32 {
        let attachment = self.region.attachment();
        self.words.permits().free(|holder| attachment.is_dead(holder))
    }

    /// Takes `count` permits, waiting for them; they are given back when the result is dropped. When time is up,
    /// [`Error::LockTimeout`] names who holds them; more than there are is [`Error::TooMany`].
    #[inline]
    pub fn acquire(&self, count: u32, timeout: Option<Duration>) -> Result<Permit<'_>> {
        self.take(count, timeout)?;
        Ok(Permit { semaphore: self, count, forks: fork::count() })
    }

    /// Takes `count` permits if they are free.
    #[inline]
    pub fn try_acquire(&self, count: u32) -> Result<Option<Permit<'_>>> {
        let taken = self.try_take(count)?;
        Ok(taken.then(|| Permit { semaphore: self, count, forks: fork::count() }))
    }

    /// [`Self::acquire`] without a guard, for bindings whose guards live elsewhere. Permits are the process's: any of
    /// its threads may [`release`](Self::release) them.
    #[inline]
    pub fn take(&self, count: u32, timeout: Option<Duration>) -> Result<()> {
        if self.try_take(count)? { Ok(()) } else { self.take_slow(count, timeout) }
    }

    /// [`Self::take`] of what is free at once; says whether it was.
    #[inline]
    pub fn try_take(&self, count: u32) -> Result<bool> {
        let attachment = self.region.attachment().as_ref();
        if count > self.words.total {
            return Err(self.too_many(count));
        }
        Ok(self.words.permits().try_acquire(count, attachment.me()?, attachment))
    }

    #[cold]
    fn take_slow(&self, count: u32, timeout: Option<Duration>) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        let me = attachment.me()?;
        let start = Instant::now();
        let _waiting = attachment.blocked(me, WaitingFor::Permit);
        let taken = self.words.permits().acquire(count, me, attachment, &mut Wait::until(timeout));
        taken.map_err(|TimedOut| {
            self.region.timed_out_by(self.holders_in_words(), WaitingFor::Permit.words(), start)
        })
    }

    /// Gives `count` permits back; [`Error::NotOwner`] when this process does not hold as many.
    #[inline]
    pub fn release(&self, count: u32) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        if self.words.permits().release(count, attachment.me()?, attachment) {
            return Ok(());
        }
        Err(Error::NotOwner { id: self.region.id().into(), holder: self.holders_in_words() })
    }

    /// As many free permits, to wait for among other things: where more than one is wanted, the semaphore itself is
    /// ready too early. [`Error::TooMany`] when there never are as many.
    pub fn enough(&self, count: u32) -> Result<Enough> {
        if count > self.words.total {
            return Err(self.too_many(count));
        }
        Ok(Enough { semaphore: self.clone(), count })
    }

    /// How many there are, how many are free, who holds the others.
    pub fn state(&self) -> SemaphoreState {
        let attachment = self.region.attachment();
        self.words.state(|claim| attachment.describe(claim))
    }

    fn free_now(&self, look: Look) -> u32 {
        let attachment = self.region.attachment();
        self.words.permits().free(|holder| look == Look::Close && attachment.is_dead(holder))
    }

    #[cold]
    fn too_many(&self, count: u32) -> Error {
        Error::TooMany {
            id: self.region.id().into(),
            what: "permits",
            asked: u64::from(count),
            most: u64::from(self.words.total),
        }
    }

    fn holders_in_words(&self) -> String {
        let holders = self.state().holders;
        if holders.is_empty() {
            return "nobody holds any".to_owned();
        }
        let in_words = |(holder, count): &(Participant, u32)| format!("{} holds {count}", holder.who());
        holders.iter().map(in_words).collect::<Vec<_>>().join(", ")
    }
}

/// Ready when a permit is free.
impl Sleep for Semaphore {
    fn id(&self) -> &str {
        self.region.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        self.free_now(look) > 0
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(&self.words.line.changes, |_| self.is_ready(Look::Glance))
    }

    fn pass_on(&self) {
        let attachment = self.region.attachment().as_ref();
        version::pass_on(&self.words.line.changes, attachment, || self.is_ready(Look::Glance));
    }
}

/// A number of free permits, to be waited for.
#[derive(Debug, Clone)]
pub struct Enough {
    semaphore: Semaphore,
    count: u32,
}

/// Ready when as many permits are free.
impl Sleep for Enough {
    fn id(&self) -> &str {
        self.semaphore.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        self.semaphore.free_now(look) >= self.count
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(&self.semaphore.words.line.changes, |_| self.is_ready(Look::Glance))
    }

    fn pass_on(&self) {
        self.semaphore.pass_on();
    }
}

/// Permits held, given back when dropped.
#[derive(Debug)]
#[must_use = "permits are given back when this is dropped"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    count: u32,
    forks: u32,
}

impl Permit<'_> {
    /// How many.
    pub fn count(&self) -> u32 {
        self.count
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        // A forked child's copy holds nothing.
        if self.forks == fork::count() {
            let _ = self.semaphore.release(self.count);
        }
    }
}

/// A new semaphore of either sort.
pub(super) fn blueprint(space: &Space, parameters: [u64; 2]) -> Blueprint {
    let mut all = [0; 8];
    all[..parameters.len()].copy_from_slice(&parameters);
    Blueprint::plain(Kind::Semaphore, space.participants, all, layout::body_size(space.participants))
}

/// Checks that a region is a semaphore of this sort.
pub(super) fn expect_mode(region: &Region, mode: u64) -> Result<()> {
    region.expect_kind(Kind::Semaphore)?;
    let found = region.description().parameters[MODE];
    if found == mode {
        return Ok(());
    }
    let id = region.id().into();
    Err(Error::ParameterMismatch { id, parameter: PARAMETERS[MODE], expected: mode, found })
}

/// Whether a semaphore's permits are held.
pub(crate) fn is_owned(description: &Description) -> bool {
    description.parameters[MODE] == MODE_OWNED
}
