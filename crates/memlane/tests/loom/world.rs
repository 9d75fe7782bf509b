//! The world of a model: participants, and a kernel that lets them sleep, wakes as many as it is told to and
//! knows who is dead.
//!
//! Sleeping and waking order nothing by themselves, so an algorithm that relied on that would be caught. A
//! sleep ends by a wake and by nothing else: a lost wake-up is a deadlock, which loom reports. Only a death
//! lets slices pass, as few as [`Slices`] says, because the algorithms promise to lose no more to a death.

use loom::sync::atomic::AtomicU32 as Word;
use loom::thread::{self, Thread};
use memlane::algorithms::atomic::Ordering::{Acquire, Relaxed, Release};
use memlane::algorithms::atomic::{AtomicU32, AtomicU64};
use memlane::algorithms::claim::Claim;
use memlane::algorithms::waiter::{Expired, Peers, Wait};
use std::cell::{Cell, RefCell};

/// The participants of the models.
pub(crate) const ADA: Claim = Claim::new(0, 1).unwrap();
pub(crate) const BOB: Claim = Claim::new(1, 1).unwrap();
pub(crate) const CLEO: Claim = Claim::new(2, 1).unwrap();

/// Whose sleep ends without a wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slices {
    /// Nobody's.
    Never,
    /// For each death that of one sleeper: the first there is, or the next to come.
    OneForEachDeath,
    /// For each death those of as many sleepers, for algorithms that sleep on one word after the other. None is
    /// spent on a claim word whose holder lives and wakes.
    ForEachDeath(u32),
    /// At each death that of everybody who sleeps.
    AllAtEachDeath,
}

#[derive(Debug)]
pub(crate) struct World {
    /// Bit `n`: the participant in slot `n` is dead.
    dead: Word,
    /// The same, for the world itself. No part of the model.
    buried: Cell<u32>,
    /// Who sleeps, oldest first. No part of the model: it is touched only between two scheduling points,
    /// which stands for the kernel's lock on it.
    sleepers: RefCell<Vec<Sleeper>>,
    slices: Slices,
    /// Slices that nobody has slept through yet.
    due: Cell<u32>,
}

#[derive(Debug)]
struct Sleeper {
    address: usize,
    thread: Thread,
}

impl World {
    pub(crate) fn new(slices: Slices) -> Self {
        Self {
            dead: Word::new(0),
            buried: Cell::new(0),
            sleepers: RefCell::default(),
            slices,
            due: Cell::new(0),
        }
    }

    /// Says that a participant is dead. Nothing it did comes after this.
    pub(crate) fn bury(&self, claim: Claim) {
        self.dead.fetch_or(1 << claim.slot(), Release);
        self.buried.set(self.buried.get() | 1 << claim.slot());
        match self.slices {
            Slices::Never => {}
            Slices::OneForEachDeath => self.due.set(self.due.get() + 1 - self.rouse(1, |_| true)),
            Slices::ForEachDeath(count) => {
                self.due.set(self.due.get() + count - self.rouse(count, |_| true));
            }
            Slices::AllAtEachDeath => {
                self.rouse(u32::MAX, |_| true);
            }
        }
    }

    /// `is_unchanged` was found just now, without a scheduling point since; `holder` is who has to wake.
    fn sleep(&self, address: usize, is_unchanged: bool, holder: Option<Claim>) {
        if !is_unchanged {
            return;
        }
        let is_spared = matches!(self.slices, Slices::ForEachDeath(_))
            && holder.is_some_and(|holder| self.buried.get() >> holder.slot() & 1 == 0);
        if self.due.get() > 0 && !is_spared {
            self.due.set(self.due.get() - 1);
            // What was before the death is before the end of the slice.
            let _ = self.newest_dead();
            return;
        }
        self.sleepers.borrow_mut().push(Sleeper { address, thread: thread::current() });
        thread::park();
    }

    /// Ends the sleep of the first `count` of those who are `meant`; gives back of how many.
    fn rouse(&self, count: u32, meant: impl Fn(&Sleeper) -> bool) -> u32 {
        let mut roused = 0;
        self.sleepers.borrow_mut().retain(|sleeper| {
            let stays = roused == count || !meant(sleeper);
            if !stays {
                sleeper.thread.unpark();
                roused += 1;
            }
            stays
        });
        roused
    }

    /// A read-modify-write that fails: unlike a load it cannot be stale.
    fn newest_dead(&self) -> Result<u32, u32> {
        self.dead.compare_exchange(u32::MAX, u32::MAX, Relaxed, Acquire)
    }
}

/// Of a 64-bit word the kernel sees the low half.
impl Peers for World {
    fn wait_u32(&self, word: &AtomicU32, expected: u32, _wait: &mut Wait) -> Expired {
        let found = word.compare_exchange(!expected, !expected, Relaxed, Relaxed);
        let holder = Claim::in_word(expected);
        self.sleep(std::ptr::from_ref(word).addr(), found == Err(expected), holder);
        Expired::No
    }

    fn wait_u64(&self, word: &AtomicU64, expected: u64, _wait: &mut Wait) -> Expired {
        let found = word.compare_exchange(!expected, !expected, Relaxed, Relaxed);
        self.sleep(
            std::ptr::from_ref(word).addr(),
            found.is_err_and(|found| found as u32 == expected as u32),
            None,
        );
        Expired::No
    }

    fn wake_u32(&self, word: &AtomicU32, count: u32) {
        // So that loom knows that this and falling asleep do not commute; and a crash point.
        let _ = word.compare_exchange(u32::MAX, u32::MAX, Relaxed, Relaxed);
        self.rouse(count, |sleeper| sleeper.address == std::ptr::from_ref(word).addr());
    }

    fn wake_u64(&self, word: &AtomicU64, count: u32) {
        let _ = word.compare_exchange(u64::MAX, u64::MAX, Relaxed, Relaxed);
        self.rouse(count, |sleeper| sleeper.address == std::ptr::from_ref(word).addr());
    }

    fn is_dead(&self, claim: Claim) -> bool {
        self.dead.load(Acquire) >> claim.slot() & 1 == 1
    }
}

/// When the deadline of an [`Impatient`] one passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// Before it falls asleep.
    BeforeSleep,
    /// Together with the wake that ends its sleep: nobody else gets that wake.
    WithTheWake,
}

/// An [`Impatient`] one who has patience with private locks, which nobody keeps for long.
#[derive(Debug)]
pub(crate) struct PatientAtGates<'a>(pub(crate) Impatient<'a>);

impl Peers for PatientAtGates<'_> {
    fn wait_u32(&self, word: &AtomicU32, expected: u32, wait: &mut Wait) -> Expired {
        self.0.world.wait_u32(word, expected, wait)
    }

    fn wait_u64(&self, word: &AtomicU64, expected: u64, wait: &mut Wait) -> Expired {
        self.0.wait_u64(word, expected, wait)
    }

    fn wake_u32(&self, word: &AtomicU32, count: u32) {
        self.0.wake_u32(word, count);
    }

    fn wake_u64(&self, word: &AtomicU64, count: u32) {
        self.0.wake_u64(word, count);
    }

    fn is_dead(&self, claim: Claim) -> bool {
        self.0.is_dead(claim)
    }
}

/// The world as somebody sees it whose deadline passes at the first sleep.
#[derive(Debug)]
pub(crate) struct Impatient<'a> {
    pub(crate) world: &'a World,
    pub(crate) deadline: Deadline,
}

impl Peers for Impatient<'_> {
    fn wait_u32(&self, word: &AtomicU32, expected: u32, wait: &mut Wait) -> Expired {
        if self.deadline == Deadline::WithTheWake {
            let _ = self.world.wait_u32(word, expected, wait);
        }
        Expired::Yes
    }

    fn wait_u64(&self, word: &AtomicU64, expected: u64, wait: &mut Wait) -> Expired {
        if self.deadline == Deadline::WithTheWake {
            let _ = self.world.wait_u64(word, expected, wait);
        }
        Expired::Yes
    }

    fn wake_u32(&self, word: &AtomicU32, count: u32) {
        self.world.wake_u32(word, count);
    }

    fn wake_u64(&self, word: &AtomicU64, count: u32) {
        self.world.wake_u64(word, count);
    }

    fn is_dead(&self, claim: Claim) -> bool {
        self.world.is_dead(claim)
    }
}
