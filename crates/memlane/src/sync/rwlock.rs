//! Many readers or one writer.
//!
//! Use it where many look and few change. A waiting writer keeps new readers out, so it gets its turn; a thread must
//! not take a second read lock, nor the write lock, while it has a read lock. Readers of different processes do not
//! touch a common cache line, so they do not slow each other.
//!
//! A reader that dies is not waited for, and a writer that dies waiting for readers has changed nothing, so nobody is
//! told. A writer that dies while it is inside leaves what a dead owner of a
//! [`Lock`](crate::Lock) leaves: whoever comes next is told, and the region is marked until somebody makes it
//! consistent. How it works is in `sync/sharing.rs`.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let map = memlane::RwLock::open_or_create(&space, "robot/map")?;
//! let (one, other) = (map.read(None)?, map.read(None)?);
//! assert!(map.try_write()?.is_none());
//! drop((one, other));
//! let guard = map.write(None)?;
//! if guard.owner_died() {
//!     // … put right what the dead writer may have left half-done …
//!     guard.make_consistent();
//! }
//! # Ok(()) }
//! ```

use super::claim::{self, Acquired, Claim};
use super::condition::Relock;
use super::lock::{
    ABANDONED, CONSISTENT, Lock, LockState, OwnerDied, note_owner, read_state, unless_timed_out,
};
use super::sharing::{DeadWriter, Sharing};
use super::waiter::{Peers, TimedOut, Wait};
use crate::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout::rwlock::{self as layout, RwLockLines, SHARE_STRIDE};
use crate::layout::{LOCK_OFFSET, LockLine};
use crate::os::mapping::{Mapping, Shared};
use crate::os::{fork, process};
use crate::participant::{Participant, WaitingFor};
use crate::region::{Opening, Region};
use crate::space::Space;
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A readers-writer lock between processes.
#[derive(Debug, Clone)]
pub struct RwLock {
    region: Region,
    words: Words,
}

/// What anybody can read of a readers-writer lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RwLockState {
    /// The writer, who may still be waiting for readers, and who waits for either side.
    pub lock: LockState,
    /// Who reads, and with how many read locks.
    pub readers: Vec<(Participant, u32)>,
}

/// Typed views of a readers-writer lock's words.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    line: Shared<LockLine>,
    lines: Shared<RwLockLines>,
    shares: Shared<[AtomicU64]>,
}

impl Words {
    /// Lays them over a mapping; the error says what is wrong with the header.
    pub(crate) fn new(description: &Description, mapping: &Arc<Mapping>) -> Result<Self, String> {
        let (body, slots) = (description.body_offset, usize::from(description.participants));
        let views = || {
            Some(Self {
                line: mapping.shared(LOCK_OFFSET)?,
                lines: mapping.shared(body)?,
                shares: mapping.shared_slice(body + layout::SHARES_OFFSET, slots * SHARE_STRIDE)?,
            })
        };
        views().ok_or_else(|| "its body is too short".to_owned())
    }

    #[inline]
    fn sharing(&self) -> Sharing<'_> {
        Sharing {
            word: &self.line.word,
            gate: &self.lines.gate,
            drain: &self.lines.drain,
            reach: &self.lines.reach,
            shares: &self.shares,
            stride: SHARE_STRIDE,
        }
    }

    /// Who reads and lives; `describe` is what the table knows of a claim.
    pub(crate) fn readers(&self, describe: impl Fn(Claim) -> Option<Participant>) -> Vec<(Participant, u32)> {
        let readers = self.sharing().readers();
        let known = readers.filter_map(|(claim, count)| Some((describe(claim)?, count)));
        known.filter(|(reader, _)| reader.alive).collect()
    }
}

impl RwLock {
    /// Opens the region `id`, which must be of kind `rwlock`, or makes it.
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
        let slots = space.participants;
        let blueprint = Blueprint::plain(Kind::Rwlock, slots, [0; 8], layout::body_size(slots));
        let region = Region::obtain(space, id, opening, &blueprint)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        Ok(Self { region, words })
    }

    /// The region whose lock this is.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Becomes a reader; waits for a living writer, also for one that itself waits for readers. When time is up,
    /// [`Error::LockTimeout`] names it.
    #[inline]
    pub fn read(&self, timeout: Option<Duration>) -> Result<ReadGuard<'_>> {
        self.acquire_read(timeout).map(|owner_died| ReadGuard::new(self, owner_died))
    }

    /// Becomes a reader if nobody living writes or waits to.
    pub fn try_read(&self) -> Result<Option<ReadGuard<'_>>> {
        unless_timed_out(self.read(Some(Duration::ZERO)))
    }

    /// Becomes the writer; waits for the one before, then for the readers. When time is up, [`Error::LockTimeout`]
    /// names them. [`Error::WouldDeadlock`] when this thread is the writer already.
    #[inline]
    pub fn write(&self, timeout: Option<Duration>) -> Result<WriteGuard<'_>> {
        self.acquire_write(timeout).map(|owner_died| WriteGuard::new(self, owner_died))
    }

    /// Becomes the writer if nobody living reads or writes.
    pub fn try_write(&self) -> Result<Option<WriteGuard<'_>>> {
        unless_timed_out(self.write(Some(Duration::ZERO)))
    }

    /// [`Self::read`] without a guard, for bindings whose guards live elsewhere; to be paired with
    /// [`Self::release_read`]. Read locks are the process's: any of its threads may give them back.
    #[inline]
    pub fn acquire_read(&self, timeout: Option<Duration>) -> Result<OwnerDied> {
        let attachment = self.region.attachment().as_ref();
        let me = attachment.me()?;
        if self.words.sharing().try_read(me, attachment) {
            return Ok(OwnerDied(false));
        }
        self.acquire_read_slow(me, timeout)
    }

    /// Gives a read lock back; [`Error::NotOwner`] when this process has none.
    #[inline]
    pub fn release_read(&self) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        if self.words.sharing().leave(attachment.me()?, attachment) {
            return Ok(());
        }
        Err(Error::NotOwner { id: self.region.id().into(), holder: self.holders_in_words() })
    }

    /// [`Self::write`] without a guard; to be paired with [`Self::release_write`] in the same thread.
    #[inline]
    pub fn acquire_write(&self, timeout: Option<Duration>) -> Result<OwnerDied> {
        let attachment = self.region.attachment().as_ref();
        let sharing = self.words.sharing();
        let me = attachment.me()?;
        match claim::try_acquire(sharing.word, me) {
            Ok(_) if sharing.is_drained_now() => Ok(self.inside()),
            Ok(_) => self.drain(me, &mut Wait::until(timeout), Instant::now()),
            Err(_) => self.acquire_write_slow(me, timeout),
        }
    }

    /// Gives the write lock back; [`Error::NotOwner`] when this thread is not the writer.
    #[inline]
    pub fn release_write(&self) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        if !Lock::is_mine(attachment)? {
            return Err(Lock::not_owner(attachment));
        }
        self.release_held();
        Ok(())
    }

    /// Gives the write lock back and marks the data as half-changed, as [`WriteGuard::abandon`] does.
    pub fn abandon_write(&self) -> Result<()> {
        if Lock::is_mine(self.region.attachment())? {
            self.words.line.mark.store(ABANDONED, Relaxed);
        }
        self.release_write()
    }

    /// Says that the data is whole again; [`Error::NotOwner`] when this thread is not the writer.
    pub fn make_consistent(&self) -> Result<()> {
        self.region.lock().make_consistent()
    }

    #[inline]
    fn release_held(&self) {
        // Before the word: who dies after this has changed nothing more, and no thread takes itself for the owner.
        self.words.line.owner.store(0, Relaxed);
        self.words.sharing().end_write(self.region.attachment().as_ref());
    }

    /// Whether the mark of a dead or abandoning writer stands.
    pub fn is_inconsistent(&self) -> bool {
        self.region.lock().is_inconsistent()
    }

    /// Who writes, who reads, who waits.
    pub fn state(&self) -> RwLockState {
        let attachment = self.region.attachment();
        RwLockState {
            lock: read_state(&self.words.line, || self.region.participants()),
            readers: self.words.readers(|claim| attachment.describe(claim)),
        }
    }

    #[cold]
    fn acquire_read_slow(&self, me: Claim, timeout: Option<Duration>) -> Result<OwnerDied> {
        let attachment = self.region.attachment().as_ref();
        if Lock::is_mine(attachment)? {
            return Err(Error::WouldDeadlock { id: self.region.id().into() });
        }
        let start = Instant::now();
        let sharing = self.words.sharing();
        let mut wait = Wait::until(timeout);
        let _waiting = attachment.blocked(me, WaitingFor::ReadLock);
        loop {
            match sharing.read(me, attachment, &mut wait) {
                Ok(Ok(())) => return Ok(OwnerDied(false)),
                Ok(Err(DeadWriter)) => {}
                // A dead writer is no reason to end in vain.
                Err(TimedOut) if self.is_writer_dead() => {}
                Err(TimedOut) => return Err(self.timed_out(WaitingFor::ReadLock, start)),
            }
            if let Ok(acquired) = claim::try_take_over(sharing.word, me, attachment) {
                self.inherit(acquired);
                let is_told = self.words.line.mark.load(Relaxed) == ABANDONED;
                // Noted as a writer it has to be told of in its turn, should it die here: so only where there is
                // something to tell.
                let owner_died = if is_told { self.inside() } else { OwnerDied(false) };
                sharing.enter(me);
                self.release_held();
                return Ok(owner_died);
            }
        }
    }

    #[cold]
    fn acquire_write_slow(&self, me: Claim, timeout: Option<Duration>) -> Result<OwnerDied> {
        let attachment = self.region.attachment().as_ref();
        if Lock::is_mine(attachment)? {
            return Err(Error::WouldDeadlock { id: self.region.id().into() });
        }
        let start = Instant::now();
        let word = self.words.sharing().word;
        let mut wait = Wait::until(timeout);
        let acquired = {
            let _waiting = attachment.blocked(me, WaitingFor::Lock);
            let taken = match timeout {
                Some(Duration::ZERO) => claim::try_take_over(word, me, attachment).map_err(|_| TimedOut),
                _ => claim::acquire(word, me, attachment, &mut wait),
            };
            taken.map_err(|TimedOut| self.timed_out(WaitingFor::Lock, start))?
        };
        self.inherit(acquired);
        self.drain(me, &mut wait, start)
    }

    /// Waits for the readers, having the word.
    #[cold]
    fn drain(&self, me: Claim, wait: &mut Wait, start: Instant) -> Result<OwnerDied> {
        let attachment = self.region.attachment().as_ref();
        let sharing = self.words.sharing();
        let _waiting = attachment.blocked(me, WaitingFor::Readers);
        if let Err(TimedOut) = sharing.drained(attachment, wait) {
            let error = self.timed_out(WaitingFor::Readers, start);
            sharing.end_write(attachment);
            return Err(error);
        }
        let contended = &self.words.line.contended;
        contended.store(contended.load(Relaxed).wrapping_add(1), Relaxed);
        Ok(self.inside())
    }

    /// Notes that the writer before died inside. Who drains in vain gives the word back without having been inside, so
    /// the mark has to stand before that: for readers, who look at nothing else, and for the next writer.
    fn inherit(&self, acquired: Acquired) {
        let line = &self.words.line;
        // One that died before it noted itself, or when it was done, left nothing half-done.
        if acquired == Acquired::OwnerDied && line.owner.load(Relaxed) != 0 {
            line.mark.store(ABANDONED, Relaxed);
            line.recoveries.store(line.recoveries.load(Relaxed).wrapping_add(1), Relaxed);
            line.owner.store(0, Relaxed);
        }
    }

    /// Notes who writes now.
    #[inline]
    fn inside(&self) -> OwnerDied {
        note_owner(&self.words.line, Acquired::Free)
    }

    fn is_writer_dead(&self) -> bool {
        let writer = Claim::in_word(self.words.line.word.load(Relaxed));
        writer.is_none_or(|writer| self.region.attachment().is_dead(writer))
    }

    #[cold]
    fn timed_out(&self, what: WaitingFor, start: Instant) -> Error {
        self.region.timed_out_by(self.holders_in_words(), what.words(), start)
    }

    fn holders_in_words(&self) -> String {
        let attachment = self.region.attachment();
        let readers = self.words.readers(|claim| attachment.describe(claim));
        if readers.is_empty() {
            return Lock::holder_in_words(attachment);
        }
        let in_words = |(reader, count): &(Participant, u32)| format!("{} reads ({count})", reader.who());
        readers.iter().map(in_words).collect::<Vec<_>>().join(", ")
    }
}

/// Ready when it can be read: nobody living writes or waits to.
impl Sleep for RwLock {
    fn id(&self) -> &str {
        self.region.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        let writer = Claim::in_word(self.words.line.word.load(Relaxed));
        let is_over = |writer| look == Look::Close && self.region.attachment().is_dead(writer);
        writer.is_none_or(is_over)
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(&self.words.lines.gate, |_| self.is_ready(Look::Glance))
    }

    /// Writers that leave wake all readers.
    fn pass_on(&self) {}
}

/// A read lock, until the guard is dropped.
#[derive(Debug)]
#[must_use = "the lock is given back when the guard is dropped"]
pub struct ReadGuard<'a> {
    lock: &'a RwLock,
    owner_died: bool,
    forks: u32,
}

impl<'a> ReadGuard<'a> {
    #[inline]
    fn new(lock: &'a RwLock, OwnerDied(owner_died): OwnerDied) -> Self {
        Self { lock, owner_died, forks: fork::count() }
    }

    /// Whether a writer died inside and this reader was the first to come after it: the data may be half-changed.
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// Whether the data may be half-changed since a writer's death.
    pub fn is_inconsistent(&self) -> bool {
        self.lock.is_inconsistent()
    }
}

impl Drop for ReadGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // A forked child's copy holds nothing.
        if self.forks == fork::count() {
            let _ = self.lock.release_read();
        }
    }
}

/// The write lock, held by this thread until the guard is dropped. Dropped by a panic, it is abandoned: the next one is
/// told.
#[derive(Debug)]
#[must_use = "the lock is given back when the guard is dropped"]
pub struct WriteGuard<'a> {
    lock: &'a RwLock,
    owner_died: bool,
    /// Not while a [`Condition`](crate::Condition) waits with it.
    held: bool,
    forks: u32,
    /// A lock belongs to a thread.
    _not_send: PhantomData<*const ()>,
}

impl<'a> WriteGuard<'a> {
    #[inline]
    fn new(lock: &'a RwLock, OwnerDied(owner_died): OwnerDied) -> Self {
        Self { lock, owner_died, held: true, forks: fork::count(), _not_send: PhantomData }
    }

    /// Whether the writer before died inside, or abandoned the lock: the data may be half-changed.
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// Whether the mark stands, now or since an earlier writer's death.
    pub fn is_inconsistent(&self) -> bool {
        self.lock.is_inconsistent()
    }

    /// Says that the data is whole again.
    pub fn make_consistent(&self) {
        self.lock.words.line.mark.store(CONSISTENT, Relaxed);
    }

    /// Gives the lock back and tells the next writer that the data is half-changed.
    pub fn abandon(self) {
        self.lock.words.line.mark.store(ABANDONED, Relaxed);
    }
}

impl Relock for WriteGuard<'_> {
    fn unlock(&mut self) -> Result<()> {
        self.held = false;
        self.lock.release_write()
    }

    fn relock(&mut self) -> Result<()> {
        let OwnerDied(owner_died) = self.lock.acquire_write(None)?;
        self.held = true;
        self.owner_died |= owner_died;
        Ok(())
    }
}

impl Drop for WriteGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // A forked child's copy holds nothing.
        if self.held && self.forks == fork::count() {
            if process::is_panicking() {
                // Whatever the panic cut short is half-changed.
                self.lock.words.line.mark.store(ABANDONED, Relaxed);
            }
            self.lock.release_held();
        }
    }
}
