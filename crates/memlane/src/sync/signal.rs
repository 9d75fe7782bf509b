//! A counter that anybody may raise, and that is waited on until there is something to take.
//!
//! Use it where one gives what another takes: work that is there, buffers that are free. Nobody owns a token, so one
//! that was taken by a process that is then killed is gone with it. Where whoever takes also gives back, use a
//! [`Semaphore`](crate::Semaphore), which gets it back from the dead.
//!
//! How it works, and what a death leaves behind, is in `sync/tokens.rs`.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let ready = memlane::SignalSemaphore::open_or_create(&space, "ready", 0)?;
//! ready.release(2)?; // by anybody
//! ready.acquire(None)?; // by anybody
//! assert_eq!(ready.value(), 1);
//! # Ok(()) }
//! ```

use super::semaphore::{self, SemaphoreState, Words};
use super::tokens::{self, MAX_TOKENS};
use super::version;
use super::waiter::{TimedOut, Wait};
use crate::atomic::{AtomicU32, AtomicU64};
use crate::error::{Error, Result};
use crate::layout::semaphore::TOKENS_OFFSET;
use crate::participant::WaitingFor;
use crate::region::{Opening, Region};
use crate::space::Space;
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::time::{Duration, Instant};

/// The mode of a semaphore whose tokens nobody owns.
const MODE_SIGNAL: u64 = 1;
/// The parameters' names, in their order.
const PARAMETERS: [&str; 2] = ["mode (0 owned, 1 signal)", "maximum"];

/// A counter that anybody may raise and lower.
#[derive(Debug, Clone)]
pub struct SignalSemaphore {
    region: Region,
    words: Words,
}

impl SignalSemaphore {
    /// Opens the semaphore `id`, or makes it with `initial` tokens; there can be 2³¹−1.
    pub fn open_or_create(space: &Space, id: &str, initial: u32) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, initial, MAX_TOKENS)
    }

    /// Makes the semaphore `id`, which must not exist, with `initial` tokens.
    pub fn create(space: &Space, id: &str, initial: u32) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, initial, MAX_TOKENS)
    }

    /// Opens the semaphore `id`, which must have this maximum, or makes it with `initial` tokens. Releasing more than
    /// the maximum is an error: somebody has released twice.
    pub fn open_or_create_bounded(space: &Space, id: &str, initial: u32, maximum: u32) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, initial, maximum)
    }

    /// Makes the semaphore `id`, which must not exist, with `initial` tokens and so many at most.
    pub fn create_bounded(space: &Space, id: &str, initial: u32, maximum: u32) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, initial, maximum)
    }

    /// Opens the semaphore `id`, which must exist.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, initial: u32, maximum: u32) -> Result<Self> {
        let bad = |parameter, limit, found| {
            let id = id.into();
            Err(Error::BadParameter { id, parameter, limit, found: u64::from(found) })
        };
        if !(1..=MAX_TOKENS).contains(&maximum) {
            return bad("the maximum", format!("1 to {MAX_TOKENS}"), maximum);
        }
        if initial > maximum {
            return bad("the initial value", format!("at most {maximum}"), initial);
        }
        let mut blueprint = semaphore::blueprint(space, [MODE_SIGNAL, u64::from(maximum)]);
        let body = crate::layout::body_offset(space.participants);
        let word = u64::from(initial) << 1;
        blueprint.initial = vec![(body + TOKENS_OFFSET, word.to_le_bytes().to_vec())];
        let region = Region::obtain(space, id, opening, &blueprint)?;
        region.expect_parameters(&blueprint, &PARAMETERS)?;
        Self::of(region)
    }

    fn of(region: Region) -> Result<Self> {
        semaphore::expect_mode(&region, MODE_SIGNAL)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        Ok(Self { region, words })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    #[inline]
    fn word(&self) -> &AtomicU64 {
        &self.words.line.tokens
    }

    /// Tokens there are.
    #[inline]
    pub fn value(&self) -> u32 {
        tokens::value(self.word())
    }

    /// Most tokens there can be.
    pub fn maximum(&self) -> u32 {
        self.words.total()
    }

    /// Adds `count` tokens and wakes as many who wait; [`Error::Overflow`] when they would be more than the maximum,
    /// and then nothing was added.
    #[inline]
    pub fn release(&self, count: u32) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        tokens::add(self.word(), count, self.maximum(), attachment)
            .map_err(|value| self.overflow(value, count))
    }

    /// Takes a token; waits for one.
    #[inline]
    pub fn acquire(&self, timeout: Option<Duration>) -> Result<()> {
        if self.try_acquire() { Ok(()) } else { self.acquire_slow(timeout) }
    }

    /// Takes a token if there is one; says whether there was.
    #[inline]
    pub fn try_acquire(&self) -> bool {
        tokens::try_take(self.word())
    }

    /// How many there are, and can be.
    pub fn state(&self) -> SemaphoreState {
        self.words.tokens()
    }

    #[cold]
    fn acquire_slow(&self, timeout: Option<Duration>) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        let start = Instant::now();
        let _waiting = attachment.blocked(attachment.me()?, WaitingFor::Token);
        let taken = tokens::take(self.word(), attachment, &mut Wait::until(timeout));
        taken.map_err(|TimedOut| self.region.timed_out(WaitingFor::Token.words(), start))
    }

    #[cold]
    fn overflow(&self, value: u32, count: u32) -> Error {
        Error::Overflow { id: self.region.id().into(), value, maximum: self.maximum(), count }
    }
}

/// Ready when there is a token.
impl Sleep for SignalSemaphore {
    fn id(&self) -> &str {
        self.region.id()
    }

    fn is_ready(&self, _: Look) -> bool {
        self.value() > 0
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.word(), |value| value > 0)
    }

    fn pass_on(&self) {
        version::pass_on(self.word(), self.region.attachment().as_ref(), || self.value() > 0);
    }
}
