//! Eventcounts: what was written before a change is seen after it, no sleeper misses one, and a writer that
//! dies between the change and its wake costs the sleepers a slice.

use crate::explore::{Cast, explore, explore_deaths};
use crate::world::{ADA, BOB, Deadline, Impatient, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU64, Ordering::Relaxed};
use memlane::algorithms::version::{advance, commit, count, wait_until};
use memlane::algorithms::waiter::{Peers, TimedOut, Wait};
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
