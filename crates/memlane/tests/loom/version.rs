//! Eventcounts: what was written before a change is seen after it, no sleeper misses one, and a writer that
//! dies between the change and its wake costs the sleepers a slice.

use crate::explore::{Cast, explore, explore_deaths};
use crate::world::{ADA, BOB, CLEO, Deadline, Impatient, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use memlane::algorithms::claim::Claim;
use memlane::algorithms::version::{
    advance, advance_for, commit, commit_if, count, pass_on, take_turn, wait_until,
};
use memlane::algorithms::waiter::{Expired, Peers, TimedOut, Wait};
use std::cell::Cell as StdCell;
use std::rc::Rc;

struct Scene {
    world: World,
    word: AtomicU64,
    /// What is written before each change; loom objects to accesses that nothing orders.
    contents: [Cell<u64>; 2],
}

impl Scene {
    fn new(slices: Slices) -> Rc<Self> {
        let contents = [Cell::new(0), Cell::new(0)];
        Rc::new(Self { world: World::new(slices), word: AtomicU64::new(0), contents })
    }

    /// The one writer's change `number`.
    fn write(&self, number: u64) {
        self.contents[number as usize - 1].set(number);
        commit(&self.word, number, &self.world);
    }

    /// One of several writers' change.
    fn contribute(&self, writer: usize) -> u64 {
        self.contents[writer].set(1);
        advance(&self.word, &self.world)
    }

    fn wait_for(&self, number: u64, peers: &impl Peers) -> Result<u64, TimedOut> {
        wait_until(&self.word, peers, &mut Wait::FOREVER.clone(), |count| count >= number)
    }

    /// A wait by somebody whose deadline passes at the first sleep.
    fn wait_hastily_for(&self, number: u64, deadline: Deadline) -> Result<u64, TimedOut> {
        self.wait_for(number, &Impatient { world: &self.world, deadline })
    }

    fn await_change(&self, number: u64) -> u64 {
        self.wait_for(number, &self.world).expect("a wait for ever does not time out")
    }

    /// Waits for a change of the one writer and reads what came with it.
    fn await_content(&self, number: u64) {
        let seen = self.await_change(number);
        assert!((number..=2).contains(&seen));
        assert_eq!(self.contents[number as usize - 1].get(), number);
    }

    /// Waits for a change by writer 0 and reads what came with it.
    fn await_contribution(&self) {
        assert_eq!(self.await_change(1), 1);
        assert_eq!(self.contents[0].get(), 1);
    }
}

#[test]
fn a_sleeper_sees_each_commit_and_what_came_before_it() {
    explore("version, commits", 4, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| [1, 2].map(|number| scene.write(number)));
        cast.part(|scene| [1, 2].map(|number| scene.await_content(number)));
        cast.perform(run);
    });
}

#[test]
fn a_commit_wakes_everybody() {
    explore("version, commit to two sleepers", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.write(1));
        cast.part(|scene| scene.await_content(1));
        cast.part(|scene| scene.await_content(1));
        cast.perform(run);
    });
}

#[test]
fn an_advance_wakes_everybody() {
    explore("version, advance to two sleepers", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.contribute(0));
        cast.part(Scene::await_contribution);
        cast.part(Scene::await_contribution);
        cast.perform(run);
    });
}

/// The second time it is the flag that it set itself, after the first change's wake.
#[test]
fn a_sleeper_sees_each_advance() {
    explore("version, advances", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| [0, 1].map(|number| scene.contribute(number)));
        cast.part(|scene| [1, 2].map(|number| scene.await_change(number)));
        cast.perform(run);
    });
}

#[test]
fn two_writers_count_every_change() {
    explore("version, two writers", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let writers = [0, 1].map(|writer| cast.part(move |scene| scene.contribute(writer)));
        cast.part(|scene| {
            assert_eq!(scene.await_change(2), 2);
            assert_eq!(scene.contents.each_ref().map(Cell::get), [1, 1]);
        });
        cast.perform(run);
        let mut counts = writers.map(|writer| writer.get());
        counts.sort_unstable();
        assert_eq!(counts, [1, 2]);
    });
}

#[test]
fn a_writers_death_delays_the_sleepers_by_a_slice() {
    explore_deaths("version, a writer dies", 2, |run| {
        let scene = Scene::new(Slices::AllAtEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.contribute(0)).is_none() {
                let changed = count(scene.word.load(Relaxed)) == 1;
                scene.world.bury(ADA);
                if !changed {
                    scene.contribute(0);
                }
            }
        });
        cast.part(Scene::await_contribution);
        cast.part(Scene::await_contribution);
        cast.perform(run);
    });
}

#[test]
fn a_commit_that_died_before_its_wake_is_seen_after_a_slice() {
    explore_deaths("version, the writer dies", 4, |run| {
        let scene = Scene::new(Slices::AllAtEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.write(1)).is_none() {
                let committed = count(scene.word.load(Relaxed)) == 1;
                scene.world.bury(ADA);
                if !committed {
                    scene.write(1);
                }
            }
        });
        cast.part(|scene| scene.await_content(1));
        cast.perform(run);
    });
}

#[test]
fn a_sleepers_death_harms_nobody() {
    explore_deaths("version, a sleeper dies", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.write(1));
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.await_content(1)).is_none() {
                scene.world.bury(BOB);
            }
        });
        cast.part(|scene| scene.await_content(1));
        cast.perform(run);
    });
}

#[test]
fn a_change_at_the_deadline_is_no_timeout() {
    explore("version, deadline with the wake", 4, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.write(1));
        cast.part(|scene| {
            assert_eq!(scene.wait_hastily_for(1, Deadline::WithTheWake), Ok(1));
            assert_eq!(scene.contents[0].get(), 1);
        });
        cast.perform(run);
    });
}

#[test]
fn a_deadline_without_a_change_is_a_timeout() {
    explore("version, deadline before sleep", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| [1, 2].map(|number| scene.write(number)));
        cast.part(|scene| {
            if let Ok(seen) = scene.wait_hastily_for(2, Deadline::BeforeSleep) {
                assert_eq!((seen, scene.contents.each_ref().map(Cell::get)), (2, [1, 2]));
            }
        });
        cast.part(|scene| scene.await_content(2));
        cast.perform(run);
    });
}

/// A heap of things of which each is for one taker, and the word that counts what was added.
struct Heap {
    world: World,
    word: AtomicU64,
    things: AtomicU64,
}

impl Heap {
    fn new(slices: Slices) -> Rc<Self> {
        Rc::new(Self { world: World::new(slices), word: AtomicU64::new(0), things: AtomicU64::new(0) })
    }

    fn add(&self, things: u32) {
        let mut seen = self.things.load(Relaxed);
        while let Err(changed) =
            self.things.compare_exchange(seen, seen + u64::from(things), Relaxed, Relaxed)
        {
            seen = changed;
        }
        advance_for(&self.word, things, &self.world);
    }

    /// Takes one thing, if there is one.
    fn try_take(&self) -> Option<u64> {
        let mut seen = self.things.load(Relaxed);
        while seen > 0 {
            match self.things.compare_exchange(seen, seen - 1, Relaxed, Relaxed) {
                Ok(_) => return Some(seen),
                Err(changed) => seen = changed,
            }
        }
        None
    }

    fn take(&self) -> u64 {
        let is_left = || self.things.load(Relaxed) > 0;
        let taken =
            take_turn(&self.word, &self.world, &mut Wait::FOREVER.clone(), |_| self.try_take(), is_left);
        taken.expect("a wait for ever does not time out")
    }
}

/// Somebody whose deadline passes together with the first wake, and who then has no use for what is there.
struct Hasty<'a> {
    world: &'a World,
    /// No part of the model.
    woken: StdCell<bool>,
}

impl Peers for Hasty<'_> {
    fn wait_u32(&self, word: &AtomicU32, expected: u32, wait: &mut Wait) -> Expired {
        let _ = self.world.wait_u32(word, expected, wait);
        self.woken.set(true);
        Expired::Yes
    }

    fn wait_u64(&self, word: &AtomicU64, expected: u64, wait: &mut Wait) -> Expired {
        let _ = self.world.wait_u64(word, expected, wait);
        self.woken.set(true);
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

#[test]
fn two_things_added_one_by_one_reach_two_sleepers() {
    explore("turns, two adders, two takers", 1, |run| {
        let heap = Heap::new(Slices::Never);
        let mut cast = Cast::new(&heap);
        cast.part(|heap| [heap.add(1), heap.add(1)]);
        cast.part(Heap::take);
        cast.part(Heap::take);
        cast.perform(run);
        assert_eq!(heap.things.load(Relaxed), 0);
    });
}

#[test]
fn two_things_added_at_once_wake_two_sleepers() {
    explore("turns, two at once", 1, |run| {
        let heap = Heap::new(Slices::Never);
        let mut cast = Cast::new(&heap);
        cast.part(|heap| heap.add(2));
        cast.part(Heap::take);
        cast.part(Heap::take);
        cast.perform(run);
        assert_eq!(heap.things.load(Relaxed), 0);
    });
}

#[test]
fn a_deadline_does_not_swallow_the_turn_of_another() {
    explore("turns, deadline with the wake", 1, |run| {
        let heap = Heap::new(Slices::Never);
        let mut cast = Cast::new(&heap);
        cast.part(|heap| [heap.add(1), heap.add(1)]);
        cast.part(|heap| {
            let hasty = Hasty { world: &heap.world, woken: StdCell::new(false) };
            let attempt = |_| if hasty.woken.get() { None } else { heap.try_take() };
            let is_left = || heap.things.load(Relaxed) > 0;
            take_turn(&heap.word, &hasty, &mut Wait::FOREVER.clone(), attempt, is_left)
        });
        cast.part(Heap::take);
        cast.perform(run);
    });
}

#[test]
fn whoever_leaves_sees_what_came_without_a_wake() {
    explore("turns, a change without a wake", 2, |run| {
        let heap = Heap::new(Slices::Never);
        heap.things.store(1, Relaxed);
        let mut cast = Cast::new(&heap);
        // Has slept, was woken, and goes: the flag was cleared for it.
        cast.part(|heap| {
            assert!(heap.try_take().is_some());
            pass_on(&heap.word, &heap.world, || heap.things.load(Relaxed) > 0);
        });
        cast.part(|heap| heap.add(1));
        cast.part(|heap| {
            // Asleep since before: it neither looks nor sets the flag any more.
            let word = &heap.word;
            if heap.world.wait_u64(word, 0, &mut Wait::FOREVER.clone()) == Expired::No {
                heap.take();
            }
        });
        cast.perform(run);
    });
}

#[test]
fn a_taker_that_dies_with_its_turn_costs_the_next_a_slice() {
    explore_deaths("turns, a taker dies", 1, |run| {
        let heap = Heap::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&heap);
        let mortal = run.clone();
        cast.part(move |heap| {
            if mortal.live(|| heap.take()).is_none() {
                let taken = heap.things.load(Relaxed) == 0;
                heap.world.bury(BOB);
                // What the dead took is gone with it.
                if taken {
                    heap.add(1);
                }
            }
        });
        cast.part(Heap::take);
        cast.part(|heap| heap.add(2));
        cast.perform_as_listed();
    });
}

#[test]
fn an_adder_that_dies_before_its_wake_costs_a_slice() {
    explore_deaths("turns, an adder dies", 2, |run| {
        let heap = Heap::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&heap);
        let mortal = run.clone();
        cast.part(move |heap| {
            if mortal.live(|| heap.add(1)).is_none() {
                let added = heap.things.load(Relaxed) > 0;
                heap.world.bury(CLEO);
                if !added {
                    heap.add(1);
                }
            }
        });
        cast.part(Heap::take);
        cast.perform(run);
    });
}

#[test]
fn a_word_that_moved_on_is_not_committed() {
    explore("commit if, two writers", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let parts = [0, 1].map(|writer| {
            cast.part(move |scene| {
                let seen = scene.word.load(Relaxed);
                scene.contents[writer].set(1);
                commit_if(&scene.word, seen, count(seen) + 1, 1, &scene.world).is_ok()
            })
        });
        cast.perform(run);
        let commits = parts.iter().filter(|part| part.get()).count() as u64;
        assert_eq!(count(scene.word.load(Relaxed)), commits);
        assert!(commits > 0);
    });
}
