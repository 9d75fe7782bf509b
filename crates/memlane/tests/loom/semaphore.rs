//! Semaphores: never more permits than there are, each token once, no lost wake-up; what the dead held is free, and
//! what they took of tokens is gone.

use crate::explore::{Cast, Run, explore, explore_deaths};
use crate::world::{ADA, BOB, CLEO, Deadline, Impatient, PatientAtGates, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use memlane::algorithms::claim::Claim;
use memlane::algorithms::permits::Permits;
use memlane::algorithms::tokens;
use memlane::algorithms::version::pass_on;
use memlane::algorithms::waiter::{Expired, Peers, TimedOut, Wait};
use std::rc::Rc;

/// Slices that the heirs of a dead one sleep through at most: on the gatekeeper's word and on the permits'.
const SLICES: Slices = Slices::ForEachDeath(4);

struct Scene {
    world: World,
    gatekeeper: AtomicU32,
    reach: AtomicU32,
    changes: AtomicU64,
    held: [AtomicU64; 3],
    total: u32,
    /// What a single permit protects; loom objects to accesses that nothing orders.
    visits: Cell<u32>,
    /// Permits in use. No part of the model.
    used: std::cell::Cell<u32>,
}

impl Scene {
    fn new(total: u32, slices: Slices) -> Rc<Self> {
        Rc::new(Self {
            world: World::new(slices),
            gatekeeper: AtomicU32::new(0),
            reach: AtomicU32::new(0),
            changes: AtomicU64::new(0),
            held: [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)],
            total,
            visits: Cell::new(0),
            used: std::cell::Cell::new(0),
        })
    }

    fn permits(&self) -> Permits<'_> {
        Permits {
            gatekeeper: &self.gatekeeper,
            reach: &self.reach,
            changes: &self.changes,
            held: &self.held,
            total: self.total,
        }
    }

    fn acquire(&self, me: Claim, count: u32, peers: &impl Peers) -> Result<(), TimedOut> {
        self.permits().acquire(count, me, peers, &mut Wait::FOREVER.clone())
    }

    fn release(&self, me: Claim, count: u32) {
        assert!(self.permits().release(count, me, &self.world));
    }

    /// Takes so many, and gives them back.
    fn use_some(&self, me: Claim, count: u32) {
        self.acquire(me, count, &self.world).expect("a wait for ever does not time out");
        self.used.set(self.used.get() + count);
        assert!(self.used.get() <= self.total, "more permits than there are");
        self.used.set(self.used.get() - count);
        self.release(me, count);
    }

    /// Does under the only permit what nobody else may do at the same time.
    fn visit(&self, me: Claim) {
        self.acquire(me, 1, &self.world).expect("a wait for ever does not time out");
        self.visits.set(self.visits.get() + 1);
        self.release(me, 1);
    }

    fn mortal_visit(&self, me: Claim, run: &Run) {
        if run.live(|| self.visit(me)).is_none() {
            self.world.bury(me);
        }
    }
}

#[test]
fn two_exclude_each_other_by_one_permit() {
    explore("permits, two and one permit", 2, |run| {
        let scene = Scene::new(1, Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.visit(ADA));
        cast.part(|scene| scene.visit(BOB));
        cast.perform(run);
        assert_eq!((scene.visits.get(), scene.permits().free(|_| false)), (2, 1));
    });
}

#[test]
fn three_share_two_permits() {
    explore("permits, three and two permits", 1, |run| {
        let scene = Scene::new(2, Slices::Never);
        let mut cast = Cast::new(&scene);
        for me in [ADA, BOB, CLEO] {
            cast.part(move |scene| scene.use_some(me, 1));
        }
        cast.perform(run);
        assert_eq!(scene.permits().free(|_| false), 2);
    });
}

#[test]
fn threads_of_one_process_have_one_share() {
    explore("permits, two threads of a process", 2, |run| {
        let scene = Scene::new(2, Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.use_some(BOB, 1));
        cast.part(|scene| scene.use_some(BOB, 2));
        cast.perform(run);
        assert_eq!(scene.permits().free(|_| false), 2);
    });
}

#[test]
fn two_permits_given_back_at_once_reach_two_sleepers() {
    explore("permits, two at once", 1, |run| {
        let scene = Scene::new(2, Slices::Never);
        scene.acquire(ADA, 2, &scene.world).expect("they are free");
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.release(ADA, 2));
        let sleepers = [BOB, CLEO].map(|me| cast.part(move |scene| scene.acquire(me, 1, &scene.world)));
        cast.perform(run);
        assert_eq!(sleepers.map(|sleeper| sleeper.get()), [Ok(()), Ok(())]);
    });
}

#[test]
fn who_wants_many_does_not_keep_the_wake_of_who_wants_few() {
    explore("permits, few and many", 1, |_| {
        let scene = Scene::new(2, Slices::Never);
        scene.acquire(ADA, 2, &scene.world).expect("they are free");
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.use_some(BOB, 2));
        cast.part(|scene| {
            scene.use_some(CLEO, 1);
            // A thread of Ada's.
            scene.release(ADA, 1);
        });
        cast.part(|scene| scene.release(ADA, 1));
        cast.perform_as_listed();
        assert_eq!(scene.permits().free(|_| false), 2);
    });
}

#[test]
fn a_deadline_does_not_keep_the_wake_of_another() {
    explore("permits, deadline with the wake", 1, |_| {
        let scene = Scene::new(1, Slices::Never);
        scene.acquire(ADA, 1, &scene.world).expect("it is free");
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            let hasty = Impatient { world: &scene.world, deadline: Deadline::WithTheWake };
            let peers = PatientAtGates(hasty);
            if scene.acquire(BOB, 1, &peers).is_ok() {
                scene.release(BOB, 1);
            }
        });
        cast.part(|scene| scene.use_some(CLEO, 1));
        cast.part(|scene| scene.release(ADA, 1));
        cast.perform_as_listed();
    });
}

#[test]
fn a_permit_of_the_dead_is_free() {
    explore_deaths("permits, two, one dies", 2, |run| {
        let scene = Scene::new(1, SLICES);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| scene.mortal_visit(ADA, &mortal));
        cast.part(|scene| scene.visit(BOB));
        cast.perform(run);
        assert!((1..=2).contains(&scene.visits.get()));
        assert!(scene.permits().try_acquire(1, BOB, &scene.world));
    });
}

#[test]
fn a_death_strands_nobody() {
    explore_deaths("permits, three, one dies", 1, |run| {
        let scene = Scene::new(2, SLICES);
        scene.acquire(ADA, 2, &scene.world).expect("they are free");
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.release(ADA, 2)).is_none() {
                scene.world.bury(ADA);
            }
        });
        let others = [BOB, CLEO].map(|me| cast.part(move |scene| scene.acquire(me, 1, &scene.world)));
        cast.perform_as_listed();
        assert_eq!(others.map(|other| other.get()), [Ok(()), Ok(())]);
        assert_eq!(scene.permits().free(|holder| holder == ADA), 0);
    });
}

#[test]
fn who_finds_the_dead_wakes_the_others() {
    explore("permits, two of the dead", 1, |run| {
        let scene = Scene::new(2, Slices::OneForEachDeath);
        scene.acquire(ADA, 2, &scene.world).expect("they are free");
        let mut cast = Cast::new(&scene);
        let sleepers = [BOB, CLEO].map(|me| cast.part(move |scene| scene.acquire(me, 1, &scene.world)));
        cast.part(|scene| scene.world.bury(ADA));
        cast.perform(run);
        assert_eq!(sleepers.map(|sleeper| sleeper.get()), [Ok(()), Ok(())]);
        assert_eq!(scene.permits().free(|_| false), 0);
    });
}

#[test]
fn what_was_given_back_before_a_death_is_not_freed_twice() {
    explore("permits, given back before the death", 1, |_| {
        let scene = Scene::new(1, SLICES);
        scene.acquire(ADA, 1, &scene.world).expect("it is free");
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            scene.release(ADA, 1);
            scene.world.bury(ADA);
        });
        cast.part(|scene| scene.visit(BOB));
        cast.part(|scene| {
            if scene.permits().try_acquire(1, CLEO, &scene.world) {
                scene.visits.set(scene.visits.get() + 1);
                scene.release(CLEO, 1);
            }
        });
        cast.perform_as_listed();
        assert_eq!(scene.permits().free(|_| false), 1);
    });
}

/// Tokens, and what comes with them.
struct Shop {
    world: World,
    word: AtomicU64,
    goods: [Cell<u32>; 2],
}

impl Shop {
    fn new(slices: Slices) -> Rc<Self> {
        let goods = [Cell::new(0), Cell::new(0)];
        Rc::new(Self { world: World::new(slices), word: AtomicU64::new(0), goods })
    }

    fn add(&self, count: u32) {
        assert_eq!(tokens::add(&self.word, count, tokens::MAX_TOKENS, &self.world), Ok(()));
    }

    fn take(&self) {
        self.take_as(&self.world).expect("a wait for ever does not time out");
    }

    fn take_as(&self, peers: &impl Peers) -> Result<(), TimedOut> {
        tokens::take(&self.word, peers, &mut Wait::FOREVER.clone())
    }

    fn value(&self) -> u32 {
        tokens::value(&self.word)
    }
}

#[test]
fn what_was_done_before_a_token_is_seen_with_it() {
    explore("tokens, one giver, one taker", 3, |run| {
        let shop = Shop::new(Slices::Never);
        let mut cast = Cast::new(&shop);
        cast.part(|shop| {
            for good in &shop.goods {
                good.set(1);
                shop.add(1);
            }
        });
        cast.part(|shop| {
            for good in &shop.goods {
                shop.take();
                assert_eq!(good.get(), 1);
            }
        });
        cast.perform(run);
        assert_eq!(shop.value(), 0);
    });
}

#[test]
fn tokens_added_one_by_one_reach_two_sleepers() {
    explore("tokens, two givers, two takers", 1, |run| {
        let shop = Shop::new(Slices::Never);
        let mut cast = Cast::new(&shop);
        cast.part(|shop| [shop.add(1), shop.add(1)]);
        cast.part(Shop::take);
        cast.part(Shop::take);
        cast.perform(run);
        assert_eq!(shop.value(), 0);
    });
}

#[test]
fn taking_forgets_nobody_whose_turn_is_to_come() {
    explore("tokens, taken while one goes", 2, |run| {
        let shop = Shop::new(Slices::Never);
        // Added when nobody was to be woken by it: whoever is about to go had just been.
        shop.add(1);
        let word = shop.word.load(Relaxed);
        let mut cast = Cast::new(&shop);
        // Has slept, took an earlier token, and goes.
        cast.part(|shop| pass_on(&shop.word, &shop.world, || shop.value() > 0));
        cast.part(|shop| {
            if tokens::try_take(&shop.word) {
                // Two, so that the word is not again what it was.
                shop.add(2);
            }
        });
        cast.part(move |shop| {
            // Asleep since before: it neither looks nor sets the flag any more.
            if shop.world.wait_u64(&shop.word, word, &mut Wait::FOREVER.clone()) == Expired::No {
                shop.take();
            }
        });
        cast.perform(run);
    });
}

#[test]
fn tokens_added_at_once_reach_two_sleepers() {
    explore("tokens, two at once", 1, |run| {
        let shop = Shop::new(Slices::Never);
        let mut cast = Cast::new(&shop);
        cast.part(|shop| shop.add(2));
        cast.part(Shop::take);
        cast.part(Shop::take);
        cast.perform(run);
        assert_eq!(shop.value(), 0);
    });
}

#[test]
fn a_deadline_does_not_keep_the_wake_for_a_token() {
    explore("tokens, deadline with the wake", 1, |run| {
        let shop = Shop::new(Slices::Never);
        let mut cast = Cast::new(&shop);
        let hasty = cast.part(|shop| {
            let peers = Impatient { world: &shop.world, deadline: Deadline::WithTheWake };
            shop.take_as(&peers).is_ok()
        });
        cast.part(Shop::take);
        cast.part(|shop| [shop.add(1), shop.add(1)]);
        cast.perform(run);
        assert_eq!(shop.value(), u32::from(!hasty.get()));
    });
}

#[test]
fn there_are_never_more_tokens_than_can_be() {
    explore("tokens, two givers, room for one", 3, |run| {
        let shop = Shop::new(Slices::Never);
        let mut cast = Cast::new(&shop);
        let givers = [(); 2].map(|()| cast.part(|shop| tokens::add(&shop.word, 1, 1, &shop.world)));
        cast.perform(run);
        let mut outcomes = givers.map(|giver| giver.get());
        outcomes.sort_by_key(Result::is_err);
        assert_eq!((outcomes, shop.value()), ([Ok(()), Err(1)], 1));
    });
}

#[test]
fn adding_nothing_forgets_nobody() {
    explore("tokens, nothing added", 2, |run| {
        let shop = Shop::new(Slices::Never);
        let mut cast = Cast::new(&shop);
        cast.part(|shop| [shop.add(0), shop.add(1)]);
        cast.part(Shop::take);
        cast.perform(run);
    });
}

#[test]
fn giving_nothing_back_forgets_nobody() {
    explore("permits, nothing given back", 2, |run| {
        let scene = Scene::new(1, Slices::Never);
        scene.acquire(ADA, 1, &scene.world).expect("it is free");
        let mut cast = Cast::new(&scene);
        cast.part(|scene| [scene.release(ADA, 0), scene.release(ADA, 1)]);
        cast.part(|scene| scene.acquire(BOB, 1, &scene.world));
        cast.perform(run);
    });
}

#[test]
fn a_giver_that_dies_before_its_wake_costs_a_slice() {
    explore_deaths("tokens, a giver dies", 2, |run| {
        let shop = Shop::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&shop);
        let mortal = run.clone();
        cast.part(move |shop| {
            if mortal.live(|| shop.add(1)).is_none() {
                let given = shop.word.load(Relaxed) >> 1 > 0;
                shop.world.bury(ADA);
                if !given {
                    shop.add(1);
                }
            }
        });
        cast.part(Shop::take);
        cast.perform_as_listed();
        assert_eq!(shop.value(), 0);
    });
}

#[test]
fn a_taker_takes_its_token_with_it() {
    explore_deaths("tokens, a taker dies", 1, |run| {
        let shop = Shop::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&shop);
        let mortal = run.clone();
        cast.part(move |shop| {
            if mortal.live(|| shop.take()).is_none() {
                shop.world.bury(ADA);
            }
        });
        cast.part(Shop::take);
        cast.part(|shop| shop.add(2));
        cast.perform_as_listed();
        assert!(shop.value() <= 1);
    });
}
