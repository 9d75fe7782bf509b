//! Waiting, under a lock, for something that the lock protects.
//!
//! Use it where a state has to be looked at under a lock, and waited for until it is right: room in a table of one's
//! own, a command in a record. Any memlane lock will do, of any region: [`Lock`](crate::Lock), [`RLock`](crate::RLock),
//! the write lock of a [`RwLock`](crate::RwLock). A wait gives it back, and takes it again before it returns.
//!
//! [`Condition::notify`] lets exactly as many go as it says, those who wait longest; one that is killed before it went
//! leaves its place to the next. Nobody returns without having been notified. How it works is in `sync/tickets.rs`.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! use memlane::{Condition, Lock, Value};
//! let lock = Lock::open_or_create(&space, "orders/lock")?;
//! let changed = Condition::open_or_create(&space, "orders/changed")?;
//! let orders = Value::<u32>::open_or_create(&space, "orders/count", 0)?;
//! std::thread::scope(|scope| {
//!     scope.spawn(|| {
//!         let _guard = lock.lock().expect("the lock");
//!         orders.add(1);
//!         changed.notify_all();
//!     });
//!     let mut guard = lock.lock()?;
//!     assert!(changed.wait_for(&mut guard, None, || orders.load() > 0)?);
//!     Ok(())
//! })
//! # }
//! ```

use super::tickets::{Full, Tickets};
use super::waiter::{TimedOut, Wait};
use crate::atomic::AtomicU64;
use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout::condition::{self as layout, ConditionLine};
use crate::os::mapping::{Mapping, Shared};
use crate::participant::{Participant, WaitingFor};
use crate::region::{Opening, Region};
use crate::space::Space;
use crate::sync::claim::Claim;
use std::sync::Arc;
use std::time::Duration;

/// Where the parameter stands in the header.
const ENTRIES: usize = 0;
const PARAMETERS: [&str; 1] = ["entries"];
/// Threads that can wait at once, unless asked otherwise.
const DEFAULT_ENTRIES: u32 = 128;
const MAX_ENTRIES: u32 = 1 << 16;

/// A guard of a lock that a condition can wait with: those of this crate.
pub trait Guard: Relock {}

impl<T: Relock> Guard for T {}

pub(crate) use sealed::Relock;

mod sealed {
    use crate::error::Result;

    /// A lock that is given back for a while.
    pub trait Relock {
        /// Gives it back, however often it is held.
        fn unlock(&mut self) -> Result<()>;
        /// Takes it again, as often.
        fn relock(&mut self) -> Result<()>;
    }
}

/// Something to wait for under a lock.
#[derive(Debug, Clone)]
pub struct Condition {
    region: Region,
    words: Words,
}

/// Typed views of a condition's body.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    line: Shared<ConditionLine>,
    entries: Shared<[AtomicU64]>,
}

impl Words {
    /// Lays them over a mapping; the error says what is wrong with the header.
    pub(crate) fn new(description: &Description, mapping: &Arc<Mapping>) -> Result<Self, String> {
        let entries = description.parameters[ENTRIES];
        if !(1..=u64::from(MAX_ENTRIES)).contains(&entries) {
            return Err(format!("its {entries} entries make no sense"));
        }
        let body = description.body_offset;
        let views = || {
            Some(Self {
                line: mapping.shared(body)?,
                entries: mapping.shared_slice(body + layout::ENTRIES_OFFSET, entries as usize)?,
            })
        };
        views().ok_or_else(|| "its body is too short".to_owned())
    }

    fn tickets(&self) -> Tickets<'_> {
        Tickets { drawn: &self.line.tickets, entries: &self.entries }
    }

    /// Who waits, one item a thread; `describe` is what the table knows of a claim.
    pub(crate) fn waiters(&self, describe: impl Fn(Claim) -> Option<Participant>) -> Vec<Participant> {
        self.tickets().waiting().filter_map(describe).filter(|waiter| waiter.alive).collect()
    }
}

impl Condition {
    /// Opens the condition `id`, or makes it, for 128 threads at once.
    pub fn open_or_create(space: &Space, id: &str) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, DEFAULT_ENTRIES)
    }

    /// Makes the condition `id`, which must not exist, for `threads` threads at once (1 to 65536).
    pub fn create(space: &Space, id: &str, threads: u32) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, threads)
    }

    /// Opens the condition `id`, which must exist.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, entries: u32) -> Result<Self> {
        if !(1..=MAX_ENTRIES).contains(&entries) {
            return Err(Error::BadParameter {
                id: id.into(),
                parameter: "the number of threads that can wait",
                limit: format!("1 to {MAX_ENTRIES}"),
                found: u64::from(entries),
            });
        }
        let mut parameters = [0; 8];
        parameters[ENTRIES] = u64::from(entries);
        let size = layout::body_size(entries as usize);
        let blueprint = Blueprint::plain(Kind::Condition, space.participants, parameters, size);
        let region = Region::obtain(space, id, opening, &blueprint)?;
        region.expect_parameters(&blueprint, &PARAMETERS)?;
        Self::of(region)
    }

    fn of(region: Region) -> Result<Self> {
        region.expect_kind(Kind::Condition)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        Ok(Self { region, words })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Gives the lock of `guard` back, waits until notified, and takes it again, however long that takes. `false` when
    /// time was up. If the lock's owner died meanwhile, the guard says so. [`Error::TooManyWaiters`] when as many
    /// threads wait as the condition was made for.
    pub fn wait(&self, guard: &mut impl Guard, timeout: Option<Duration>) -> Result<bool> {
        self.wait_until(guard, &mut Wait::until(timeout))
    }

    /// Waits until `is_right`, which is asked under the lock, at first and after each notification. `false` when time
    /// was up and it still was not.
    pub fn wait_for(
        &self,
        guard: &mut impl Guard,
        timeout: Option<Duration>,
        mut is_right: impl FnMut() -> bool,
    ) -> Result<bool> {
        let mut wait = Wait::until(timeout);
        while !is_right() {
            if !self.wait_until(guard, &mut wait)? {
                return Ok(is_right());
            }
        }
        Ok(true)
    }

    /// Lets those `count` go who wait longest; gives back how many there were.
    pub fn notify(&self, count: usize) -> usize {
        self.words.tickets().grant(count, self.region.attachment().as_ref())
    }

    /// Lets everybody go who waits; gives back how many there were.
    pub fn notify_all(&self) -> usize {
        self.notify(usize::MAX)
    }

    /// Who waits, one item a thread.
    pub fn waiters(&self) -> Vec<Participant> {
        let attachment = self.region.attachment();
        self.words.waiters(|claim| attachment.describe(claim))
    }

    fn wait_until(&self, guard: &mut impl Guard, wait: &mut Wait) -> Result<bool> {
        let attachment = self.region.attachment().as_ref();
        let me = attachment.me()?;
        let tickets = self.words.tickets();
        let place = tickets.enter(me, attachment).map_err(|Full| self.too_many())?;
        if let Err(error) = guard.unlock() {
            if place.leave().is_ok() {
                // It was granted meanwhile, and is for the next.
                self.notify(1);
            }
            return Err(error);
        }
        let waited = {
            let _waiting = attachment.blocked(me, WaitingFor::Notification);
            tickets.wait(place, attachment, wait)
        };
        guard.relock()?;
        Ok(waited != Err(TimedOut))
    }

    #[cold]
    fn too_many(&self) -> Error {
        Error::TooManyWaiters { id: self.region.id().into(), entries: self.words.entries.len() as u32 }
    }
}
