//! The ground that both processes of a row stand on: the space of their regions, and how they take turns.
//!
//! A row's rounds are parts, ours and the yardstick's in turn. The leader begins each, and the followers do their side
//! of it and say when they are done:
//!
//! ```text
//! line 0  turn   the part that is on, counted from 1; the leader's
//! line 1  done   parts that followers have ended, all of them together
//! line 2  busy   not 0 while the leader measures and wants company; the leader's
//! line 3  heard  the newest turn in which a follower keeps company
//! ```

use super::figures::Figures;
use super::yardsticks::Lines;
use crate::failure::{Failure, Outcome};
use memlane::Space;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

const LINES: usize = 4;
/// Looks at a word before the core is left to somebody else: a core may have several followers.
const LOOKS: u32 = 10_000;

/// One side's view of it.
pub(super) struct Ground {
    pub(super) space: Space,
    pub(super) directory: PathBuf,
    pub(super) rounds: usize,
    /// How many processes follow the leader in this row.
    followers: u64,
    lines: Lines,
}

/// The leader's side of a part: nanoseconds of whatever it measures.
pub(super) type Lead<'a> = &'a mut dyn FnMut(&Turn) -> Outcome<f64>;
/// A follower's side of a part.
pub(super) type Follow<'a> = &'a mut dyn FnMut(&Turn) -> Outcome;

/// A part that is on.
pub(super) struct Turn<'a> {
    ground: &'a Ground,
    number: u64,
}

impl Ground {
    pub(super) fn new(directory: PathBuf, rounds: usize, followers: u32) -> Outcome<Self> {
        let space = Space::at(&directory)?;
        let lines = Lines::open(&space, "ground", LINES)?;
        Ok(Self { space, directory, rounds, followers: followers.into(), lines })
    }

    pub(super) fn lead(&self, ours: Lead, mut theirs: Option<Lead>) -> Outcome<Figures> {
        let mut number = 0;
        let mut begin = |part: &mut dyn FnMut(&Turn) -> Outcome<f64>| {
            number += 1;
            let turn = Turn { ground: self, number };
            self.turn().store(number, Ordering::Release);
            let figure = part(&turn)?;
            turn.await_end();
            Ok::<_, Failure>(figure)
        };
        let mut figures = Figures::default();
        for _ in 0..self.rounds {
            figures.ours.push(begin(ours)?);
            if let Some(theirs) = &mut theirs {
                figures.theirs.push(begin(&mut **theirs)?);
            }
        }
        Ok(figures)
    }

    pub(super) fn follow(&self, ours: Follow, mut theirs: Option<Follow>) -> Outcome {
        let mut number = 0;
        let mut join = |part: &mut dyn FnMut(&Turn) -> Outcome| {
            number += 1;
            wait_for(self.turn(), |turn| turn >= number);
            part(&Turn { ground: self, number })?;
            self.done().fetch_add(1, Ordering::AcqRel);
            Ok::<_, Failure>(())
        };
        for _ in 0..self.rounds {
            join(ours)?;
            if let Some(theirs) = &mut theirs {
                join(&mut **theirs)?;
            }
        }
        Ok(())
    }

    fn turn(&self) -> &AtomicU64 {
        self.lines.word(0)
    }

    fn done(&self) -> &AtomicU64 {
        self.lines.word(1)
    }

    fn busy(&self) -> &AtomicU64 {
        self.lines.word(2)
    }

    fn heard(&self) -> &AtomicU64 {
        self.lines.word(3)
    }
}

impl Turn<'_> {
    /// Waits until every follower has done its side; for a leader that measures until then.
    pub(super) fn await_end(&self) {
        let all = self.number * self.ground.followers;
        wait_for(self.ground.done(), |done| done >= all);
    }

    /// The leader's: does the work while a follower keeps company.
    pub(super) fn in_company<T>(&self, work: impl FnOnce() -> T) -> T {
        self.ground.busy().store(self.number, Ordering::Release);
        wait_for(self.ground.heard(), |heard| heard >= self.number);
        let result = work();
        self.ground.busy().store(0, Ordering::Release);
        result
    }

    /// A follower's: does the work again and again until the leader's is done.
    pub(super) fn keep_company<E>(&self, mut work: impl FnMut() -> Result<(), E>) -> Outcome
    where
        Failure: From<E>,
    {
        // Or is over, when another follower came first.
        let has_begun =
            |busy| busy == self.number || self.ground.heard().load(Ordering::Acquire) >= self.number;
        wait_for(self.ground.busy(), has_begun);
        loop {
            work()?;
            self.ground.heard().fetch_max(self.number, Ordering::AcqRel);
            if self.ground.busy().load(Ordering::Relaxed) != self.number {
                return Ok(());
            }
        }
    }
}

/// Looks until the word is as wanted.
fn wait_for(word: &AtomicU64, wanted: impl Fn(u64) -> bool) {
    let mut looks = 0;
    while !wanted(word.load(Ordering::Acquire)) {
        looks += 1;
        if looks % LOOKS == 0 { std::thread::yield_now() } else { std::hint::spin_loop() }
    }
}
