//! A lock that its holder may take again.
//!
//! Use it where code that holds the lock calls code that takes it, too; otherwise a [`Lock`] says
//! [`Error::WouldDeadlock`] instead of hiding that. It is given back when it was given back as often as it was taken.
//! Everything else, also what a death leaves behind, is as of a [`Lock`]: how often it was taken dies with its owner.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let arm = memlane::RLock::open_or_create(&space, "robot/arm")?;
//! let outer = arm.lock()?;
//! let inner = arm.lock()?; // the same thread
//! assert_eq!(arm.state().holder.map(|holder| holder.depth), Some(2));
//! # drop((inner, outer));
//! # Ok(()) }
//! ```

use super::claim;
use super::condition::Relock;
use super::lock::{ABANDONED, CONSISTENT, Lock, LockState, OwnerDied, note_owner, unless_timed_out};
use crate::atomic::{AtomicU32, Ordering::Relaxed};
use crate::error::{Error, Result};
use crate::header::Blueprint;
use crate::kind::Kind;
use crate::os::{fork, process};
use crate::region::{Opening, Region};
use crate::space::Space;
use crate::wait_set::{Look, Sleep};
use std::marker::PhantomData;
use std::time::Duration;

/// A re-entrant lock between processes.
#[derive(Debug, Clone)]
pub struct RLock {
    lock: Lock,
}

impl RLock {
    /// Opens the region `id`, which must be of kind `rlock`, or makes it.
    pub fn open_or_create(space: &Space, id: &str) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate)
    }

    /// Makes the lock `id`, which must not exist.
    pub fn create(space: &Space, id: &str) -> Result<Self> {
        Self::obtain(space, id, Opening::Create)
    }

    /// Opens the lock `id`, which must exist.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::obtain(space, id, Opening::Open)
    }

    fn obtain(space: &Space, id: &str, opening: Opening) -> Result<Self> {
        let blueprint = Blueprint::plain(Kind::Rlock, space.participants, [0; 8], 0);
        Region::obtain(space, id, opening, &blueprint).map(|region| Self { lock: region.lock() })
    }

    /// The region whose lock this is.
    pub fn region(&self) -> &Region {
        self.lock.region()
    }

    /// Takes the lock, once more if this thread holds it, waiting as long as another owner lives.
    #[inline]
    pub fn lock(&self) -> Result<RLockGuard<'_>> {
        self.acquire(None).map(|owner_died| RLockGuard::new(self, owner_died))
    }

    /// Takes the lock within `timeout`, else [`Error::LockTimeout`], which names the owner.
    pub fn lock_timeout(&self, timeout: Duration) -> Result<RLockGuard<'_>> {
        self.acquire(Some(timeout)).map(|owner_died| RLockGuard::new(self, owner_died))
    }

    /// Takes the lock if nobody else living holds it.
    pub fn try_lock(&self) -> Result<Option<RLockGuard<'_>>> {
        unless_timed_out(self.lock_timeout(Duration::ZERO))
    }

    /// [`Self::lock`] without a guard, for bindings whose guards live elsewhere. Says whether the previous owner died
    /// or abandoned it; to be paired with [`Self::release`] in the same thread.
    #[inline]
    pub fn acquire(&self, timeout: Option<Duration>) -> Result<OwnerDied> {
        let attachment = self.region().attachment().as_ref();
        let line = self.lock.line();
        let me = attachment.me()?;
        let acquired = match claim::try_acquire(&line.word, me) {
            Ok(acquired) => acquired,
            Err(_) if Lock::is_mine(attachment)? => return self.enter_again(),
            Err(found) => Lock::acquire_contended(attachment, me, found, timeout)?,
        };
        line.depth.store(1, Relaxed);
        Ok(note_owner(line, acquired))
    }

    fn enter_again(&self) -> Result<OwnerDied> {
        let depth = &self.lock.line().depth;
        let deeper = depth.load(Relaxed).checked_add(1).ok_or_else(|| Error::TooMany {
            id: self.region().id().into(),
            what: "holds",
            asked: 1 << u32::BITS,
            most: u64::from(u32::MAX),
        })?;
        depth.store(deeper, Relaxed);
        Ok(OwnerDied(false))
    }

    /// Gives the lock back once; [`Error::NotOwner`] when this thread does not hold it.
    #[inline]
    pub fn release(&self) -> Result<()> {
        let attachment = self.region().attachment().as_ref();
        if !Lock::is_mine(attachment)? {
            return Err(Lock::not_owner(attachment));
        }
        self.release_once();
        Ok(())
    }

    #[inline]
    fn release_once(&self) {
        let depth = &self.lock.line().depth;
        match depth.load(Relaxed) {
            0 | 1 => {
                depth.store(0, Relaxed);
                self.lock.release_held(self.region().attachment());
            }
            deeper => depth.store(deeper - 1, Relaxed),
        }
    }

    /// The guard of one of the holds that this thread took by [`Self::acquire`]; [`Error::NotOwner`] when it has none.
    pub fn adopt(&self) -> Result<RLockGuard<'_>> {
        let attachment = self.region().attachment().as_ref();
        if !Lock::is_mine(attachment)? {
            return Err(Lock::not_owner(attachment));
        }
        Ok(RLockGuard::new(self, OwnerDied(false)))
    }

    /// Marks the data as half-changed and gives the lock back once: who owns it next is told as if this owner had
    /// died.
    pub fn abandon(&self) -> Result<()> {
        if Lock::is_mine(self.region().attachment())? {
            self.lock.line().mark.store(ABANDONED, Relaxed);
        }
        self.release()
    }

    /// Whether the mark of a dead or abandoning owner stands.
    pub fn is_inconsistent(&self) -> bool {
        self.lock.is_inconsistent()
    }

    /// Takes the mark away; [`Error::NotOwner`] when this thread does not hold the lock.
    pub fn make_consistent(&self) -> Result<()> {
        self.lock.make_consistent()
    }

    /// Who holds it since when and how often, who waits, how often it was recovered.
    pub fn state(&self) -> LockState {
        self.lock.state()
    }
}

/// Ready when nobody living holds it.
impl Sleep for RLock {
    fn id(&self) -> &str {
        self.lock.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        self.lock.is_ready(look)
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        self.lock.arm()
    }

    fn pass_on(&self) {
        self.lock.pass_on();
    }
}

/// The lock, held by this thread once more until the guard is dropped. Dropped by a panic, it is abandoned.
#[derive(Debug)]
#[must_use = "the lock is given back when the guard is dropped"]
pub struct RLockGuard<'a> {
    lock: &'a RLock,
    owner_died: bool,
    /// How often it was held before a [`Condition`](crate::Condition) waits with it; 0 while it does not.
    suspended: u32,
    forks: u32,
    /// A lock belongs to a thread.
    _not_send: PhantomData<*const ()>,
}

impl<'a> RLockGuard<'a> {
    #[inline]
    fn new(lock: &'a RLock, OwnerDied(owner_died): OwnerDied) -> Self {
        Self { lock, owner_died, suspended: 0, forks: fork::count(), _not_send: PhantomData }
    }

    /// Whether the previous owner died holding the lock, or abandoned it, of the guard that took it first.
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// Whether the mark stands, now or since an earlier owner's death.
    pub fn is_inconsistent(&self) -> bool {
        self.lock.is_inconsistent()
    }

    /// Says that the data is whole again.
    pub fn make_consistent(&self) {
        self.lock.lock.line().mark.store(CONSISTENT, Relaxed);
    }

    /// Gives the lock back once and tells who owns it next that the data is half-changed.
    pub fn abandon(self) {
        // The guard's drop would release a second time.
        let lock = std::mem::ManuallyDrop::new(self).lock;
        let _ = lock.abandon();
    }
}

/// Given back as often as it is held, and taken as often again.
impl Relock for RLockGuard<'_> {
    fn unlock(&mut self) -> Result<()> {
        let depth = &self.lock.lock.line().depth;
        self.suspended = depth.load(Relaxed).max(1);
        depth.store(1, Relaxed);
        self.lock.release()
    }

    fn relock(&mut self) -> Result<()> {
        let OwnerDied(owner_died) = self.lock.acquire(None)?;
        self.lock.lock.line().depth.store(self.suspended, Relaxed);
        self.suspended = 0;
        self.owner_died |= owner_died;
        Ok(())
    }
}

impl Drop for RLockGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // A forked child's copy holds nothing.
        if self.suspended == 0 && self.forks == fork::count() {
            if process::is_panicking() {
                // Whatever the panic cut short is half-changed.
                self.lock.lock.line().mark.store(ABANDONED, Relaxed);
            }
            self.lock.release_once();
        }
    }
}
