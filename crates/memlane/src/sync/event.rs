//! A flag to wait for.
//!
//! Use it to say that something has happened: the model is loaded, the recording begins. A *manual* event stays set
//! until it is cleared, and lets everybody through who waited for it, also when it is cleared at once. An
//! *auto-reset* event lets one through for each time it is set. To wait for a condition of data, use a
//! [`Condition`](crate::Condition); to count, a [`SignalSemaphore`](crate::SignalSemaphore).
//!
//! The flag is the region's change counter, odd when it is set, so every tool sees it change. How it works, and what
//! a death leaves behind, is in `sync/flag.rs`.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let loaded = memlane::Event::open_or_create(&space, "model/loaded")?;
//! loaded.set();
//! loaded.wait(None)?; // in any process
//! assert!(loaded.is_set());
//! # Ok(()) }
//! ```

use super::flag;
use super::version::{self, count};
use super::waiter::{ALL, TimedOut, Wait};
use crate::atomic::{AtomicU32, AtomicU64, Ordering::Acquire};
use crate::error::Result;
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout::VersionLine;
use crate::os::mapping::Shared;
use crate::participant::WaitingFor;
use crate::region::{Opening, Region};
use crate::space::Space;
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::time::{Duration, Instant};

/// Where the parameter stands in the header.
const AUTO_RESET: usize = 0;
const PARAMETERS: [&str; 1] = ["auto-reset"];

/// A flag between processes.
#[derive(Debug, Clone)]
pub struct Event {
    region: Region,
    line: Shared<VersionLine>,
    auto_reset: bool,
}

impl Event {
    /// Opens the manual event `id`, or makes it, clear.
    pub fn open_or_create(space: &Space, id: &str) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, false)
    }

    /// Makes the manual event `id`, which must not exist.
    pub fn create(space: &Space, id: &str) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, false)
    }

    /// Opens the auto-reset event `id`, or makes it, clear.
    pub fn open_or_create_auto_reset(space: &Space, id: &str) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, true)
    }

    /// Makes the auto-reset event `id`, which must not exist.
    pub fn create_auto_reset(space: &Space, id: &str) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, true)
    }

    /// Opens the event `id`, which must exist, of either sort.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, auto_reset: bool) -> Result<Self> {
        let mut parameters = [0; 8];
        parameters[AUTO_RESET] = u64::from(auto_reset);
        let blueprint = Blueprint::plain(Kind::Event, space.participants, parameters, 0);
        let region = Region::obtain(space, id, opening, &blueprint)?;
        region.expect_parameters(&blueprint, &PARAMETERS)?;
        Self::of(region)
    }

    fn of(region: Region) -> Result<Self> {
        region.expect_kind(Kind::Event)?;
        let auto_reset = is_auto_reset(region.description());
        Ok(Self { line: region.attachment().version.clone(), region, auto_reset })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Whether each setting lets one through.
    pub fn is_auto_reset(&self) -> bool {
        self.auto_reset
    }

    #[inline]
    fn word(&self) -> &AtomicU64 {
        &self.line.version
    }

    /// Sets it; nothing happens when it is set already. No system call unless somebody sleeps.
    #[inline]
    pub fn set(&self) {
        let turns = if self.auto_reset { 1 } else { ALL };
        flag::set(self.word(), turns, self.region.attachment().as_ref());
    }

    /// Clears it; says whether it was set.
    #[inline]
    pub fn clear(&self) -> bool {
        flag::clear(self.word())
    }

    /// Whether it is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        flag::is_set(count(self.word().load(Acquire)))
    }

    /// Waits until it is set. An auto-reset event is cleared by that; if this process is killed right then, the
    /// signal is gone with it.
    #[inline]
    pub fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        let start = count(self.word().load(Acquire));
        let is_set = if self.auto_reset { self.clear() } else { flag::is_set(start) };
        if is_set { Ok(()) } else { self.wait_slow(start, timeout) }
    }

    /// What [`Self::wait`] would find at once.
    #[inline]
    pub fn try_wait(&self) -> bool {
        if self.auto_reset { self.clear() } else { self.is_set() }
    }

    #[cold]
    fn wait_slow(&self, seen: u64, timeout: Option<Duration>) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        let start = Instant::now();
        let _waiting = attachment.blocked(attachment.me()?, WaitingFor::Event);
        let mut wait = Wait::until(timeout);
        let waited = if self.auto_reset {
            flag::take(self.word(), attachment, &mut wait)
        } else {
            flag::wait(self.word(), seen, attachment, &mut wait)
        };
        waited.map_err(|TimedOut| self.region.timed_out(WaitingFor::Event.words(), start))
    }
}

/// Whether an event lets one through for each setting.
pub(crate) fn is_auto_reset(description: &Description) -> bool {
    description.parameters[AUTO_RESET] != 0
}

/// Ready when it is set.
impl Sleep for Event {
    fn id(&self) -> &str {
        self.region.id()
    }

    fn is_ready(&self, _: Look) -> bool {
        self.is_set()
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.word(), flag::is_set)
    }

    fn pass_on(&self) {
        version::pass_on(self.word(), self.region.attachment().as_ref(), || self.is_set());
    }
}
