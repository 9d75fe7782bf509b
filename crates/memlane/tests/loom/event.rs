//! Events: a flag that is set is seen with what came before it, also when it is cleared at once; each setting of one
//! that resets itself lets one through; no lost wake-up.

use crate::explore::{Cast, explore, explore_deaths};
use crate::world::{ADA, Deadline, Impatient, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use memlane::algorithms::flag::{clear, is_set, set, take, wait};
use memlane::algorithms::version::{count, pass_on};
use memlane::algorithms::waiter::{ALL, Expired, Peers, TimedOut, Wait};
use std::rc::Rc;

struct Scene {
    world: World,
    word: AtomicU64,
    /// What comes with the flag; loom objects to accesses that nothing orders.
    content: Cell<u32>,
}

impl Scene {
    fn new(slices: Slices) -> Rc<Self> {
        Rc::new(Self { world: World::new(slices), word: AtomicU64::new(0), content: Cell::new(0) })
    }

    fn set(&self, turns: u32) {
        set(&self.word, turns, &self.world);
    }

    /// Waits from the beginning of the model on.
    fn await_set(&self) {
        wait(&self.word, 0, &self.world, &mut Wait::FOREVER.clone())
            .expect("a wait for ever does not time out");
        assert_eq!(self.content.get(), 1);
    }

    fn take_as(&self, peers: &impl Peers) -> Result<(), TimedOut> {
        take(&self.word, peers, &mut Wait::FOREVER.clone())
    }

    /// Does what is one's alone who was let through, and lets the next one through.
    fn pass(&self) {
        self.take_as(&self.world).expect("a wait for ever does not time out");
        self.content.set(self.content.get() + 1);
        self.set(1);
    }
}

#[test]
fn a_set_flag_wakes_everybody() {
    explore("flag, two sleepers", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            scene.content.set(1);
            scene.set(ALL);
        });
        cast.part(Scene::await_set);
        cast.part(Scene::await_set);
        cast.perform(run);
    });
}

#[test]
fn a_flag_that_is_cleared_at_once_was_set() {
    explore("flag, set and cleared", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            scene.content.set(1);
            scene.set(ALL);
            assert!(clear(&scene.word));
        });
        cast.part(Scene::await_set);
        cast.perform(run);
        assert_eq!(count(scene.word.load(Relaxed)), 2);
    });
}

#[test]
fn clearing_wakes_nobody_and_forgets_nobody() {
    explore("flag, cleared by another", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            scene.content.set(1);
            scene.set(ALL);
        });
        cast.part(|scene| clear(&scene.word));
        cast.part(Scene::await_set);
        cast.perform(run);
    });
}

#[test]
fn clearing_is_an_answer() {
    explore("flag, clearing answers", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            scene.content.set(1);
            scene.set(ALL);
            if !is_set(count(scene.word.load(Acquire))) {
                scene.content.set(2);
            }
        });
        cast.part(|scene| {
            scene.await_set();
            assert!(clear(&scene.word));
        });
        cast.perform(run);
    });
}

#[test]
fn two_setters_set_it_once() {
    explore("flag, two setters", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.set(ALL));
        cast.part(|scene| scene.set(ALL));
        cast.perform(run);
        assert_eq!(count(scene.word.load(Relaxed)), 1);
    });
}

#[test]
fn each_setting_lets_one_through() {
    explore("flag, that resets itself", 1, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.set(1));
        cast.part(Scene::pass);
        cast.part(Scene::pass);
        cast.perform(run);
        assert_eq!((scene.content.get(), is_set(count(scene.word.load(Relaxed)))), (2, true));
    });
}

#[test]
fn what_is_set_while_one_goes_is_the_next_ones() {
    explore("flag, set while one goes", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            scene.set(1);
            // So that loom takes the next look for one that may come at any time.
            let _ = scene.word.compare_exchange(u64::MAX, u64::MAX, Relaxed, Relaxed);
            scene.set(1);
        });
        for _ in 0..2 {
            cast.part(|scene| {
                scene.take_as(&scene.world).expect("a wait for ever does not time out");
                scene.set(1);
            });
        }
        cast.perform(run);
        assert!(is_set(count(scene.word.load(Relaxed))));
    });
}

#[test]
fn clearing_forgets_nobody_whose_turn_is_to_come() {
    explore("flag, cleared while one goes", 2, |run| {
        let scene = Scene::new(Slices::Never);
        // Set when nobody was to be woken by it: whoever is about to go had just been.
        scene.set(1);
        let word = scene.word.load(Relaxed);
        let mut cast = Cast::new(&scene);
        // Has slept, took an earlier setting, and goes.
        cast.part(|scene| {
            pass_on(&scene.word, &scene.world, || is_set(count(scene.word.load(Acquire))));
        });
        cast.part(|scene| {
            if clear(&scene.word) {
                scene.set(1);
            }
        });
        cast.part(move |scene| {
            // Asleep since before: it neither looks nor sets the flag any more.
            if scene.world.wait_u64(&scene.word, word, &mut Wait::FOREVER.clone()) == Expired::No {
                scene.take_as(&scene.world).expect("a wait for ever does not time out");
            }
        });
        cast.perform(run);
    });
}

#[test]
fn a_flag_that_is_set_at_the_deadline_is_the_next_ones() {
    explore("flag, deadline with the wake", 1, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            let peers = Impatient { world: &scene.world, deadline: Deadline::WithTheWake };
            if scene.take_as(&peers).is_ok() {
                scene.set(1);
            }
        });
        cast.part(Scene::pass);
        cast.part(|scene| scene.set(1));
        cast.perform(run);
        assert_eq!(scene.content.get(), 1);
    });
}

#[test]
fn a_setter_that_dies_before_its_wake_costs_a_slice() {
    explore_deaths("flag, the setter dies", 3, |run| {
        let scene = Scene::new(Slices::AllAtEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            scene.content.set(1);
            if mortal.live(|| scene.set(ALL)).is_none() {
                let done = is_set(count(scene.word.load(Relaxed)));
                scene.world.bury(ADA);
                if !done {
                    scene.set(ALL);
                }
            }
        });
        cast.part(Scene::await_set);
        cast.perform(run);
    });
}

#[test]
fn a_taker_that_dies_strands_nobody() {
    explore_deaths("flag, a taker dies", 1, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.pass()).is_none() {
                scene.world.bury(ADA);
                // What it took is gone with it.
                scene.set(1);
            }
        });
        cast.part(Scene::pass);
        cast.part(|scene| scene.set(1));
        cast.perform_as_listed();
    });
}
