//! A lock between processes that never lies about its owner.
//!
//! Use it to change several things as one. Every region carries one ([`Region::lock`](crate::Region::lock));
//! a region of kind `lock` is nothing but one. When the owner dies, the next locker gets the lock and is told
//! ([`LockGuard::owner_died`]); the region stays marked ([`LockGuard::is_inconsistent`]) until somebody has
//! put the data right and says so ([`LockGuard::make_consistent`]).
//!
//! The word is that of `sync/claim.rs`. Beside it, written by the owner alone while it holds the lock, stand its
//! thread, since when, and the mark:
//!
//! | mark | meaning |
//! |---|---|
//! | 0 | consistent |
//! | 1 | inconsistent: an owner died or abandoned it, and a later owner was told |
//! | 2 | abandoned: the next owner is told, and turns it into 1 |
//!
//! | killed | what remains | who repairs | what the next locker sees |
//! |---|---|---|---|
//! | before the compare-exchange | nothing | nobody | nothing |
//! | holding, at any instruction | its claim in the word | the next locker | `owner_died` |
//! | taken over, before the mark is set | its own claim in the word | the next locker | `owner_died` |
//! | releasing, owner cleared, word not | its claim in the word | the next locker | `owner_died` |
//! | after the swap | a free word | nobody | nothing |
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let arm = memlane::Lock::open_or_create(&space, "robot/arm")?;
//! let guard = arm.lock()?;
//! if guard.owner_died() {
//!     // … put right what the dead owner may have left half-done …
//!     guard.make_consistent();
//! }
//! drop(guard);
//! assert!(arm.state().holder.is_none());
//! # Ok(()) }
//! ```

use super::claim::{self, Acquired, Claim};
use super::condition::Relock;
use super::waiter::{Peers, TimedOut, Wait};
use crate::atomic::{AtomicU32, Ordering::Acquire, Ordering::Relaxed};
use crate::error::{Error, Result};
use crate::header::Blueprint;
use crate::kind::Kind;
use crate::layout::LockLine;
use crate::os::mapping::Shared;
use crate::os::{clock, fork, process};
use crate::participant::{Participant, WaitingFor};
use crate::region::{Attachment, Opening, Region};
use crate::space::Space;
use crate::wait_set::{Look, Sleep};
use std::marker::PhantomData;
use std::time::{Duration, Instant};

pub(super) const CONSISTENT: u32 = 0;
const INCONSISTENT: u32 = 1;
pub(super) const ABANDONED: u32 = 2;

/// A lock between processes.
#[derive(Debug, Clone)]
pub struct Lock {
    region: Region,
    /// The region's lock line: what every operation looks at first.
    line: Shared<LockLine>,
}

/// What anybody can read of a lock, without taking it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockState {
    /// Who holds it.
    pub holder: Option<Holder>,
    /// Participants with a thread that waits for it.
    pub waiters: Vec<Participant>,
    /// Whether an owner died or abandoned it and nobody has called [`LockGuard::make_consistent`] since.
    pub inconsistent: bool,
    /// How often it was taken from a dead owner.
    pub recoveries: u32,
    /// How often it was got only after waiting.
    pub contended: u64,
}

/// The holder of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The process; `alive` says whether the lock would be taken over.
    pub participant: Participant,
    /// Its thread's id in its own PID namespace; 0 when it is held [without a thread](Lock::detached), and in the
    /// instant between taking the lock and noting it.
    pub thread: u32,
    /// For how long, to the next timer tick.
    pub held_for: Duration,
    /// How often it holds the lock.
    pub depth: u32,
}

impl Lock {
    /// Opens the region `id`, which must be of kind `lock`, or makes it.
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
        let blueprint = Blueprint::plain(Kind::Lock, space.participants, [0; 8], 0);
        Region::obtain(space, id, opening, &blueprint).map(Self::of)
    }

    pub(crate) fn of(region: Region) -> Self {
        Self { line: region.attachment().lock.clone(), region }
    }

    /// The region whose lock this is.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Takes the lock, waiting as long as its owner lives. [`Error::WouldDeadlock`] when this thread holds it
    /// already.
    #[inline]
    pub fn lock(&self) -> Result<LockGuard<'_>> {
        self.acquire(None).map(|owner_died| LockGuard::new(self, owner_died))
    }

    /// Takes the lock within `timeout`, else [`Error::LockTimeout`], which names the owner. Taken at once
    /// from a dead owner even when the time is zero.
    pub fn lock_timeout(&self, timeout: Duration) -> Result<LockGuard<'_>> {
        self.acquire(Some(timeout)).map(|owner_died| LockGuard::new(self, owner_died))
    }

    /// Takes the lock if nobody living holds it.
    pub fn try_lock(&self) -> Result<Option<LockGuard<'_>>> {
        unless_timed_out(self.lock_timeout(Duration::ZERO))
    }

    /// [`Self::lock`] without a guard, for bindings whose guards live elsewhere. Says whether the previous
    /// owner died or abandoned it; to be paired with [`Self::release`] in the same thread.
    #[inline]
    pub fn acquire(&self, timeout: Option<Duration>) -> Result<OwnerDied> {
        let attachment = self.region.attachment().as_ref();
        let me = attachment.me()?;
        let acquired = match claim::try_acquire(&self.line.word, me) {
            Ok(acquired) => acquired,
            Err(found) => Self::acquire_contended(attachment, me, found, timeout)?,
        };
        Ok(note_owner(&self.line, acquired))
    }

    /// Gives the lock back; [`Error::NotOwner`] when this thread does not hold it.
    #[inline]
    pub fn release(&self) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        if !Self::is_mine(attachment)? {
            return Err(Self::not_owner(attachment));
        }
        self.release_held(attachment);
        Ok(())
    }

    /// Gives back what this thread is known to hold.
    #[inline]
    pub(super) fn release_held(&self, attachment: &Attachment) {
        // Before the word: a sibling thread that gets the word next must not be taken for this one.
        self.line.owner.store(0, Relaxed);
        claim::release(&self.line.word, attachment);
    }

    /// The guard of the lock that this thread took by [`Self::acquire`]; [`Error::NotOwner`] when it did not.
    pub fn adopt(&self) -> Result<LockGuard<'_>> {
        let attachment = self.region.attachment().as_ref();
        if !Self::is_mine(attachment)? {
            return Err(Self::not_owner(attachment));
        }
        Ok(LockGuard::new(self, OwnerDied(false)))
    }

    /// The lock as one that is held by a process instead of a thread, and that anybody may give back.
    pub fn detached(&self) -> Detached<'_> {
        Detached { lock: self }
    }

    /// Gives the lock back and marks the data as half-changed: the next owner is told as if this one had
    /// died.
    pub fn abandon(&self) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        if Self::is_mine(attachment)? {
            attachment.lock.mark.store(ABANDONED, Relaxed);
        }
        self.release()
    }

    /// Whether the mark of a dead or abandoning owner stands.
    pub fn is_inconsistent(&self) -> bool {
        self.region.attachment().lock.mark.load(Acquire) != CONSISTENT
    }

    /// Takes the mark away; [`Error::NotOwner`] when this thread does not hold the lock.
    pub fn make_consistent(&self) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        if !Self::is_mine(attachment)? {
            return Err(Self::not_owner(attachment));
        }
        attachment.lock.mark.store(CONSISTENT, Relaxed);
        Ok(())
    }

    /// Who holds it since when, who waits, how often it was recovered.
    pub fn state(&self) -> LockState {
        let attachment = self.region.attachment();
        read_state(&attachment.lock, || self.region.participants())
    }

    /// The region's lock line.
    #[inline]
    pub(super) fn line(&self) -> &LockLine {
        &self.line
    }

    /// Whether this thread holds the lock of a region.
    #[inline]
    pub(super) fn is_mine(attachment: &Attachment) -> Result<bool> {
        let line = &attachment.lock;
        let holder = Claim::in_word(line.word.load(Relaxed));
        Ok(holder == Some(attachment.me()?) && line.owner.load(Relaxed) == process::thread_key())
    }

    #[cold]
    pub(super) fn acquire_contended(
        attachment: &Attachment,
        me: Claim,
        found: u32,
        timeout: Option<Duration>,
    ) -> Result<Acquired> {
        if Self::is_mine(attachment)? {
            return Err(Error::WouldDeadlock { id: attachment.id().into() });
        }
        let start = Instant::now();
        let line = &attachment.lock;
        let acquired = if timeout == Some(Duration::ZERO) {
            claim::try_take_over(&line.word, me, attachment).map_err(|_| TimedOut)
        } else {
            let _waiting = attachment.blocked(me, WaitingFor::Lock);
            claim::acquire_contended(&line.word, me, attachment, &mut Wait::until(timeout), found)
        };
        let acquired = acquired.map_err(|TimedOut| Error::LockTimeout {
            id: attachment.id().into(),
            what: WaitingFor::Lock.words(),
            waited: start.elapsed(),
            holder: Self::holder_in_words(attachment),
        })?;
        // Only the owner writes it.
        line.contended.store(line.contended.load(Relaxed).wrapping_add(1), Relaxed);
        Ok(acquired)
    }

    #[cold]
    pub(super) fn not_owner(attachment: &Attachment) -> Error {
        Error::NotOwner { id: attachment.id().into(), holder: Self::holder_in_words(attachment) }
    }

    pub(super) fn holder_in_words(attachment: &Attachment) -> String {
        let line = &attachment.lock;
        match Claim::in_word(line.word.load(Relaxed)) {
            None => "nobody holds it".into(),
            Some(claim) => {
                let held_for = held_since(line.since.load(Relaxed));
                let state = if attachment.is_dead(claim) { "dead" } else { "alive" };
                let thread = process::thread_id_of(line.owner.load(Relaxed));
                format!("{}, thread {thread}, {state}, holds it for {held_for:.1?}", attachment.who(claim))
            }
        }
    }
}

/// Ready when nobody living holds it.
impl Sleep for Lock {
    fn id(&self) -> &str {
        self.region.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        let is_over = |holder| look == Look::Close && self.region.attachment().is_dead(holder);
        Claim::in_word(self.line.word.load(Relaxed)).is_none_or(is_over)
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        claim::arm(&self.line.word).map(|marked| (&self.line.word, marked))
    }

    fn pass_on(&self) {
        if Claim::in_word(self.line.word.load(Relaxed)).is_none() {
            self.region.attachment().wake_u32(&self.line.word, 1);
        }
    }
}

/// A lock without a thread: taken for the process, given back by any thread of any process, as Python's
/// `multiprocessing.Lock` is. Who takes it twice waits for somebody to give it back; when its process dies, the next
/// locker gets it and is told. A lock is used either so or by its threads, not both.
///
/// ```
/// # fn main() -> memlane::Result<()> {
/// # let directory = tempfile::tempdir().expect("a directory for the example");
/// # let space = memlane::Space::at(directory.path())?;
/// let turn = memlane::Lock::create(&space, "turn")?;
/// turn.detached().acquire(None)?;
/// std::thread::scope(|scope| scope.spawn(|| turn.detached().release()).join()).expect("no panic")?;
/// assert!(turn.state().holder.is_none());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Detached<'a> {
    lock: &'a Lock,
}

impl Detached<'_> {
    /// Takes the lock for this process, within `timeout`, else [`Error::LockTimeout`].
    #[inline]
    pub fn acquire(self, timeout: Option<Duration>) -> Result<OwnerDied> {
        let owner_died = self.lock.acquire(timeout)?;
        self.lock.line.owner.store(0, Relaxed);
        Ok(owner_died)
    }

    /// Gives it back, whoever took it; [`Error::NotOwner`] when nobody holds it, or a thread does.
    pub fn release(self) -> Result<()> {
        let attachment = self.lock.region.attachment().as_ref();
        // Registers the process if need be: it wakes others.
        attachment.me()?;
        match self.holder() {
            Some(holder) if claim::release_for(&self.lock.line.word, holder, attachment) => Ok(()),
            _ => Err(Lock::not_owner(attachment)),
        }
    }

    /// Gives it back and marks the data as half-changed: the next owner is told as if this one had died.
    pub fn abandon(self) -> Result<()> {
        self.mark(ABANDONED)?;
        self.release()
    }

    /// Says that the data is whole again; [`Error::NotOwner`] when nobody holds the lock, or a thread does.
    pub fn make_consistent(self) -> Result<()> {
        self.mark(CONSISTENT)
    }

    fn mark(self, mark: u32) -> Result<()> {
        match self.holder() {
            Some(_) => self.lock.line.mark.store(mark, Relaxed),
            None => return Err(Lock::not_owner(self.lock.region.attachment())),
        }
        Ok(())
    }

    /// The process that holds it without a thread.
    fn holder(self) -> Option<Claim> {
        let line = &self.lock.line;
        Claim::in_word(line.word.load(Relaxed)).filter(|_| line.owner.load(Relaxed) == 0)
    }
}

impl Relock for Detached<'_> {
    fn unlock(&mut self) -> Result<()> {
        self.release()
    }

    fn relock(&mut self) -> Result<()> {
        self.acquire(None).map(drop)
    }
}

/// What was to be had at once.
pub(super) fn unless_timed_out<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(guard) => Ok(Some(guard)),
        Err(Error::LockTimeout { .. } | Error::WouldDeadlock { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the previous owner of a lock died holding it, or abandoned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerDied(pub bool);

/// Writes down who has the lock now. Everything here is the owner's alone.
#[inline]
pub(super) fn note_owner(line: &LockLine, acquired: Acquired) -> OwnerDied {
    line.owner.store(process::thread_key(), Relaxed);
    line.since.store(clock::monotonic_coarse(), Relaxed);
    let abandoned = line.mark.load(Relaxed) == ABANDONED;
    if acquired == Acquired::Free && !abandoned {
        return OwnerDied(false);
    }
    note_recovery(line, acquired)
}

#[cold]
fn note_recovery(line: &LockLine, acquired: Acquired) -> OwnerDied {
    line.mark.store(INCONSISTENT, Relaxed);
    if acquired == Acquired::OwnerDied {
        line.recoveries.store(line.recoveries.load(Relaxed).wrapping_add(1), Relaxed);
    }
    OwnerDied(true)
}

/// A lock's state from its line and the region's participants, for members and observers alike.
pub(crate) fn read_state(line: &LockLine, list: impl Fn() -> Vec<Participant>) -> LockState {
    let (holder, participants) = find_holder(line, list);
    let holder = holder.map(|participant| Holder {
        participant,
        thread: process::thread_id_of(line.owner.load(Relaxed)),
        held_for: held_since(line.since.load(Relaxed)),
        // A lock that is no rlock has no depth of its own.
        depth: line.depth.load(Relaxed).max(1),
    });
    let is_for_it = |what| matches!(what, WaitingFor::Lock | WaitingFor::ReadLock | WaitingFor::Readers);
    let waits = |participant: &Participant| participant.waits.iter().any(|wait| is_for_it(wait.what));
    LockState {
        holder,
        waiters: participants
            .into_iter()
            .filter(|participant| participant.alive && waits(participant))
            .collect(),
        inconsistent: line.mark.load(Relaxed) != CONSISTENT,
        recoveries: line.recoveries.load(Relaxed),
        contended: line.contended.load(Relaxed),
    }
}

/// Who holds the lock, and everybody else.
fn find_holder(
    line: &LockLine,
    list: impl Fn() -> Vec<Participant>,
) -> (Option<Participant>, Vec<Participant>) {
    let mut holder = Claim::in_word(line.word.load(Acquire));
    loop {
        let participants = list();
        let Some(claim) = holder else { return (None, participants) };
        let holds = |participant: &&Participant| {
            (participant.slot, participant.generation) == (claim.slot(), claim.generation())
        };
        if let Some(participant) = participants.iter().find(holds) {
            return (Some(participant.clone()), participants);
        }
        // Dead for good, unless it gave the lock back and left while we looked.
        holder = Claim::in_word(line.word.load(Acquire));
        if holder == Some(claim) {
            return (Some(Participant::gone(claim)), participants);
        }
    }
}

fn held_since(since: u64) -> Duration {
    Duration::from_nanos(clock::monotonic_coarse().saturating_sub(since))
}

/// The lock, held by this thread until the guard is dropped. Dropped by a panic, it is abandoned: the next owner is
/// told.
#[derive(Debug)]
#[must_use = "the lock is given back when the guard is dropped"]
pub struct LockGuard<'a> {
    lock: &'a Lock,
    owner_died: bool,
    /// Not while a [`Condition`](crate::Condition) waits with it.
    held: bool,
    forks: u32,
    /// A lock belongs to a thread.
    _not_send: PhantomData<*const ()>,
}

impl<'a> LockGuard<'a> {
    #[inline]
    fn new(lock: &'a Lock, OwnerDied(owner_died): OwnerDied) -> Self {
        Self { lock, owner_died, held: true, forks: fork::count(), _not_send: PhantomData }
    }

    /// Whether the previous owner died holding the lock, or abandoned it: the data may be half-changed.
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// Whether the mark stands, now or since an earlier owner's death.
    pub fn is_inconsistent(&self) -> bool {
        self.lock.is_inconsistent()
    }

    /// Says that the data is whole again.
    pub fn make_consistent(&self) {
        self.lock.line.mark.store(CONSISTENT, Relaxed);
    }

    /// Gives the lock back and tells the next owner that the data is half-changed.
    pub fn abandon(self) {
        // The guard's drop would release a second time.
        let lock = std::mem::ManuallyDrop::new(self).lock;
        let _ = lock.abandon();
    }
}

impl Relock for LockGuard<'_> {
    fn unlock(&mut self) -> Result<()> {
        self.held = false;
        self.lock.release()
    }

    fn relock(&mut self) -> Result<()> {
        let OwnerDied(owner_died) = self.lock.acquire(None)?;
        self.held = true;
        self.owner_died |= owner_died;
        Ok(())
    }
}

impl Drop for LockGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // A guard does not leave its thread, so the thread holds the lock; but a forked child drops copies of
        // its parent's guards, and holds nothing.
        if self.held && self.forks == fork::count() {
            if process::is_panicking() {
                // Whatever the panic cut short is half-changed.
                self.lock.line.mark.store(ABANDONED, Relaxed);
            }
            self.lock.release_held(self.lock.region.attachment());
        }
    }
}
