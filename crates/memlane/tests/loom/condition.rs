//! Tickets: exactly as many go as were granted, the dead included, and nobody sleeps through its grant.

use crate::explore::{Cast, Run, explore, explore_deaths};
use crate::world::{ADA, BOB, CLEO, Deadline, Impatient, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use memlane::algorithms::claim::{self, Claim};
use memlane::algorithms::tickets::{Full, Place, Tickets};
use memlane::algorithms::waiter::{TimedOut, Wait};
use std::rc::Rc;

/// Somebody whose death lets a slice pass.
const NOBODY: Claim = Claim::new(3, 1).unwrap();

struct Scene {
    world: World,
    /// Never freed, so that a place can be taken in one thread and waited at in another.
    tickets: Tickets<'static>,
    /// A lock, for those who use tickets as a condition does.
    lock: AtomicU32,
    /// What the granter did before; loom objects to a look that nothing orders with it.
    done: Cell<bool>,
}

impl Scene {
    /// With room for two.
    fn new(slices: Slices) -> Rc<Self> {
        Self::with_room::<2>(slices)
    }

    fn with_room<const ENTRIES: usize>(slices: Slices) -> Rc<Self> {
        Rc::new(Self {
            world: World::new(slices),
            tickets: Tickets {
                drawn: Box::leak(Box::new(AtomicU64::new(0))),
                entries: Box::leak(Box::new([(); ENTRIES].map(|()| AtomicU64::new(0)))),
            },
            lock: AtomicU32::new(0),
            done: Cell::new(false),
        })
    }

    fn enter(&self, me: Claim) -> Place<'static> {
        self.tickets.enter(me, &self.world).expect("there is room")
    }

    fn wait(&self, place: Place<'static>) {
        let waited = self.tickets.wait(place, &self.world, &mut Wait::FOREVER.clone());
        assert_eq!(waited, Ok(()), "a wait for ever does not time out");
    }

    fn wait_hastily(&self, place: Place<'static>, deadline: Deadline) -> Result<(), TimedOut> {
        let peers = Impatient { world: &self.world, deadline };
        self.tickets.wait(place, &peers, &mut Wait::FOREVER.clone())
    }

    fn grant(&self, count: usize) -> usize {
        self.tickets.grant(count, &self.world)
    }

    fn lock(&self, me: Claim) {
        let _ = claim::acquire(&self.lock, me, &self.world, &mut Wait::FOREVER.clone());
    }

    fn unlock(&self) {
        claim::release(&self.lock, &self.world);
    }

    /// Waits under the lock until the deed is done.
    fn wait_until_done(&self, me: Claim) {
        self.lock(me);
        while !self.done.get() {
            let place = self.enter(me);
            self.unlock();
            self.wait(place);
            self.lock(me);
        }
        self.unlock();
    }

    /// Grants that nobody has taken.
    fn grants_left(&self) -> usize {
        self.tickets.entries.iter().filter(|entry| entry.load(Relaxed) & 3 == 3).count()
    }

    fn mortal<T>(&self, me: Claim, run: &Run, life: impl FnOnce() -> T) -> Option<T> {
        let outcome = run.live(life);
        if outcome.is_none() {
            self.world.bury(me);
        }
        outcome
    }
}

#[test]
fn nobody_under_a_lock_misses_the_deed() {
    explore("condition, one waits under a lock", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.wait_until_done(ADA));
        cast.part(|scene| {
            scene.lock(BOB);
            scene.done.set(true);
            scene.grant(1);
            scene.unlock();
        });
        cast.perform(run);
        assert_eq!(scene.grants_left(), 0);
    });
}

#[test]
fn two_under_a_lock_are_both_let_go() {
    explore("condition, two wait under a lock", 1, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.wait_until_done(ADA));
        cast.part(|scene| {
            scene.lock(BOB);
            scene.done.set(true);
            scene.unlock();
            scene.grant(usize::MAX);
        });
        cast.part(|scene| scene.wait_until_done(CLEO));
        cast.perform(run);
        assert_eq!(scene.grants_left(), 0);
    });
}

#[test]
fn two_that_come_at_once_get_two_entries_and_two_tickets() {
    explore("condition, two enter", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(|scene| scene.enter(ADA));
        let bob = cast.part(|scene| scene.enter(BOB));
        cast.perform(run);
        assert_eq!(scene.tickets.drawn.load(Relaxed), 2);
        assert_eq!(scene.tickets.enter(CLEO, &scene.world).err(), Some(Full));
        assert_eq!(scene.grant(usize::MAX), 2);
        scene.wait(ada.get());
        scene.wait(bob.get());
        assert!(scene.tickets.entries.iter().all(|entry| entry.load(Relaxed) == 0));
    });
}

#[test]
fn who_goes_sees_what_the_granter_did() {
    explore("condition, granted while it waits", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let place = scene.enter(ADA);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(move |scene| {
            scene.wait(place);
            scene.done.get()
        });
        cast.part(|scene| {
            scene.done.set(true);
            assert_eq!(scene.grant(1), 1);
        });
        cast.perform(run);
        assert!(ada.get());
        assert_eq!(scene.grants_left(), 0);
    });
}

#[test]
fn who_leaves_with_a_grant_sees_what_the_granter_did() {
    for deadline in [Deadline::BeforeSleep, Deadline::WithTheWake] {
        explore("condition, granted as it leaves", 3, move |run| {
            let scene = Scene::new(Slices::Never);
            let place = scene.enter(ADA);
            let mut cast = Cast::new(&scene);
            let ada = cast.part(move |scene| {
                let waited = scene.wait_hastily(place, deadline);
                assert!(waited.is_err() || scene.done.get());
                waited
            });
            let bob = cast.part(|scene| {
                scene.done.set(true);
                scene.grant(1)
            });
            cast.perform(run);
            assert_eq!(usize::from(ada.get().is_ok()), bob.get(), "as many go as were granted");
            assert_eq!(scene.grants_left(), 0);
        });
    }
}

#[test]
fn the_oldest_goes_and_nobody_else() {
    explore("condition, one of two is granted", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let (first, second) = (scene.enter(ADA), scene.enter(CLEO));
        let mut cast = Cast::new(&scene);
        cast.part(move |scene| scene.wait(first));
        let granted = cast.part(|scene| scene.grant(1));
        let second = cast.part(move |scene| scene.wait_hastily(second, Deadline::BeforeSleep));
        cast.perform(run);
        assert_eq!((granted.get(), second.get()), (1, Err(TimedOut)));
        assert_eq!(scene.grants_left(), 0);
    });
}

#[test]
fn the_next_goes_when_the_oldest_has_left() {
    explore("condition, the oldest leaves", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let (first, second) = (scene.enter(ADA), scene.enter(CLEO));
        let mut cast = Cast::new(&scene);
        let first = cast.part(move |scene| {
            let waited = scene.wait_hastily(first, Deadline::BeforeSleep);
            if waited.is_ok() {
                assert_eq!(scene.grant(1), 1);
            }
        });
        let granted = cast.part(|scene| scene.grant(1));
        cast.part(move |scene| scene.wait(second));
        cast.perform(run);
        first.get();
        assert_eq!((granted.get(), scene.grants_left()), (1, 0));
    });
}

#[test]
fn who_goes_and_comes_back_is_not_let_go_twice() {
    explore("condition, one goes and comes back during a grant for two", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let place = scene.enter(ADA);
        let mut cast = Cast::new(&scene);
        let again = cast.part(move |scene| {
            scene.wait(place);
            let place = scene.enter(ADA);
            scene.wait_hastily(place, Deadline::BeforeSleep)
        });
        let granted = cast.part(|scene| scene.grant(2));
        cast.perform(run);
        assert_eq!((granted.get(), again.get()), (1, Err(TimedOut)));
        assert_eq!(scene.grants_left(), 0);
    });
}

#[test]
fn a_granter_may_die() {
    explore_deaths("condition, the granter dies", 3, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let place = scene.enter(BOB);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if scene.mortal(ADA, &mortal, || scene.grant(1)).is_none() {
                // Perhaps it was granted, and nobody woken.
                scene.grant(1);
            }
        });
        cast.part(move |scene| scene.wait(place));
        cast.perform(run);
        assert_eq!(scene.grants_left(), 0);
    });
}

#[test]
fn the_grant_of_the_dead_goes_to_the_next() {
    explore_deaths("condition, the granted one dies", 1, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let (first, second) = (scene.enter(ADA), scene.enter(CLEO));
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if scene.mortal(ADA, &mortal, || scene.wait(first)).is_some() {
                assert_eq!(scene.grant(1), 1);
            }
        });
        cast.part(|scene| {
            scene.done.set(true);
            assert_eq!(scene.grant(1), 1);
            // It may be granted to somebody whose death we have not heard of: then the next slice is what helps.
            scene.world.bury(NOBODY);
        });
        let saw = cast.part(move |scene| {
            scene.wait(second);
            scene.done.get()
        });
        cast.perform(run);
        assert!(saw.get());
        assert_eq!(scene.grants_left(), 0);
    });
}

#[test]
fn a_grant_of_the_dead_and_one_of_its_own_are_two() {
    explore_deaths("condition, two grants for one, which dies", 3, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let (_, place) = (scene.enter(BOB), scene.enter(ADA));
        assert_eq!(scene.grant(1), 1);
        scene.world.bury(BOB);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        let went = cast.part(move |scene| scene.mortal(ADA, &mortal, || scene.wait(place)));
        let granted = cast.part(|scene| scene.grant(1));
        cast.perform(run);
        let went = usize::from(went.get().is_some());
        assert_eq!(went + scene.grants_left(), 1 + granted.get(), "a grant is lost, or there is one more");
    });
}

#[test]
fn who_came_after_a_grant_of_the_dead_does_not_get_it() {
    explore("condition, one enters after a grant of the dead", 3, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let (place, _) = (scene.enter(ADA), scene.enter(BOB));
        assert_eq!(scene.grant(2), 2);
        scene.wait(place);
        let place = scene.enter(CLEO);
        scene.world.bury(BOB);
        let mut cast = Cast::new(&scene);
        // Who came after it was granted has no right to it.
        let cleo = cast.part(move |scene| scene.wait_hastily(place, Deadline::BeforeSleep));
        cast.perform(run);
        assert_eq!((cleo.get(), scene.grants_left()), (Err(TimedOut), 1));
        // But its entry can be had when nobody waits for it.
        let (ada, cleo) = (scene.enter(ADA), scene.enter(CLEO));
        assert_eq!(scene.grant(usize::MAX), 2);
        scene.wait(ada);
        scene.wait(cleo);
    });
}

#[test]
fn a_full_room_loses_no_grant_of_the_dead() {
    explore("condition, one enters a full room with a grant of the dead", 3, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let (_, second) = (scene.enter(ADA), scene.enter(BOB));
        assert_eq!(scene.grant(1), 1);
        scene.world.bury(ADA);
        let mut cast = Cast::new(&scene);
        cast.part(move |scene| scene.wait(second));
        cast.part(|scene| {
            if let Ok(place) = scene.tickets.enter(CLEO, &scene.world) {
                assert_eq!(scene.wait_hastily(place, Deadline::BeforeSleep), Err(TimedOut));
            }
        });
        cast.perform(run);
        assert_eq!(scene.grants_left(), 0);
    });
}

#[test]
fn the_dead_who_wait_are_passed_over_and_their_entries_had_again() {
    explore_deaths("condition, one dies as it enters", 2, |run| {
        let scene = Scene::with_room::<3>(Slices::Never);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        let ada = cast.part(move |scene| scene.mortal(ADA, &mortal, || scene.enter(ADA)));
        let bob = cast.part(|scene| scene.enter(BOB));
        cast.perform(run);
        if ada.get().is_some() {
            scene.world.bury(ADA);
        }
        let cleo = scene.enter(CLEO);
        assert_eq!(scene.grant(usize::MAX), 2);
        scene.wait(bob.get());
        scene.wait(cleo);
        assert_eq!(scene.grants_left(), 0);
        for me in [ADA, BOB, CLEO] {
            let _ = scene.enter(me);
        }
    });
}

#[test]
fn one_of_two_takes_a_grant_of_the_dead_over() {
    explore("condition, two after a grant of the dead", 2, |run| {
        let scene = Scene::with_room::<3>(Slices::Never);
        let _ = scene.enter(BOB);
        let places = [ADA, CLEO].map(|me| scene.enter(me));
        assert_eq!(scene.grant(1), 1);
        scene.world.bury(BOB);
        let mut cast = Cast::new(&scene);
        let outcomes =
            places.map(|place| cast.part(move |scene| scene.wait_hastily(place, Deadline::BeforeSleep)));
        cast.perform(run);
        let went = outcomes.iter().filter(|outcome| outcome.get().is_ok()).count();
        assert_eq!(went + scene.grants_left(), 1, "a grant is for one");
    });
}
