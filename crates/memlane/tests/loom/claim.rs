//! Claim words: one holder at a time, no lost wake-up, and a death that costs one slice and is told once.

use crate::explore::{Cast, Run, explore, explore_deaths};
use crate::world::{ADA, BOB, CLEO, Deadline, Impatient, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, Ordering::Relaxed};
use memlane::algorithms::claim::{
    Acquired, Claim, acquire, release, release_for, try_acquire, try_take_over,
};
use memlane::algorithms::waiter::{Peers, TimedOut, Wait};
use std::rc::Rc;

struct Scene {
    world: World,
    word: AtomicU32,
    /// What the word protects; loom objects to accesses that nothing orders.
    visits: Cell<u32>,
}

impl Scene {
    fn new(slices: Slices) -> Rc<Self> {
        Rc::new(Self { world: World::new(slices), word: AtomicU32::new(0), visits: Cell::new(0) })
    }

    fn visit(&self, me: Claim) -> Acquired {
        self.try_visit(me, &self.world).expect("a wait for ever does not time out")
    }

    /// A visit by somebody whose deadline passes at the first sleep.
    fn hasty_visit(&self, me: Claim, deadline: Deadline) -> Result<Acquired, TimedOut> {
        self.try_visit(me, &Impatient { world: &self.world, deadline })
    }

    fn try_visit(&self, me: Claim, peers: &impl Peers) -> Result<Acquired, TimedOut> {
        let acquired = acquire(&self.word, me, peers, &mut Wait::FOREVER.clone())?;
        self.leave();
        Ok(acquired)
    }

    /// What its holder does.
    fn leave(&self) {
        self.visits.set(self.visits.get() + 1);
        release(&self.word, &self.world);
    }

    /// A visit that may end by death; says whether that was inside.
    fn mortal_visit(&self, me: Claim, run: &Run) -> Acquired {
        run.live(|| self.visit(me)).unwrap_or_else(|| {
            // Until it is buried nobody takes the word from it.
            let inside = Claim::in_word(self.word.load(Relaxed)) == Some(me);
            self.world.bury(me);
            if inside { Acquired::OwnerDied } else { Acquired::Free }
        })
    }

    /// A visit that certainly ended inside.
    fn hold_and_die(&self, me: Claim) {
        assert_eq!(try_acquire(&self.word, me), Ok(Acquired::Free));
        self.visits.set(1);
        self.world.bury(me);
    }
}

fn tellings(acquired: &[Acquired]) -> usize {
    acquired.iter().filter(|acquired| **acquired == Acquired::OwnerDied).count()
}

#[test]
fn two_exclude_each_other() {
    explore("claim, two", 4, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(|scene| [scene.visit(ADA), scene.visit(ADA)]);
        let bob = cast.part(|scene| [scene.visit(BOB), scene.visit(BOB)]);
        cast.perform(run);
        assert_eq!((ada.get(), bob.get()), ([Acquired::Free; 2], [Acquired::Free; 2]));
        assert_eq!(scene.visits.get(), 4);
    });
}

#[test]
fn three_exclude_each_other_and_all_get_on() {
    explore("claim, three", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let parts = [ADA, BOB, CLEO].map(|me| cast.part(move |scene| scene.visit(me)));
        cast.perform(run);
        assert_eq!(parts.map(|part| part.get()), [Acquired::Free; 3]);
        assert_eq!(scene.visits.get(), 3);
    });
}

#[test]
fn a_death_among_two_is_told_exactly_when_it_was_inside() {
    explore_deaths("claim, two, one dies", 4, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        let ada = cast.part(move |scene| scene.mortal_visit(ADA, &mortal));
        let bob = cast.part(|scene| [scene.visit(BOB), scene.visit(BOB)]);
        cast.perform(run);
        // Whoever came before the death was not told.
        let [first, second] = bob.get();
        assert_eq!(tellings(&[first, second, scene.visit(BOB)]), tellings(&[ada.get()]));
    });
}

#[test]
fn a_death_among_three_is_told_once_and_strands_nobody() {
    explore_deaths("claim, three, one dies", 2, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        let ada = cast.part(move |scene| scene.mortal_visit(ADA, &mortal));
        let bob = cast.part(|scene| scene.visit(BOB));
        let cleo = cast.part(|scene| scene.visit(CLEO));
        cast.perform(run);
        assert_eq!(tellings(&[bob.get(), cleo.get(), scene.visit(CLEO)]), tellings(&[ada.get()]));
    });
}

#[test]
fn what_another_gives_back_for_the_holder_is_given_back_once_and_passed_on() {
    explore("claim, given back by another", 4, |run| {
        let scene = Scene::new(Slices::Never);
        assert_eq!(try_acquire(&scene.word, ADA), Ok(Acquired::Free));
        let mut cast = Cast::new(&scene);
        let bob = cast.part(|scene| {
            scene.visits.set(1);
            release_for(&scene.word, ADA, &scene.world)
        });
        let cleo = cast.part(|scene| scene.visit(CLEO));
        cast.perform(run);
        assert_eq!((bob.get(), cleo.get()), (true, Acquired::Free));
        assert_eq!(scene.visits.get(), 2);
        assert!(!release_for(&scene.word, ADA, &scene.world), "it was given back already");
    });
}

#[test]
fn who_dies_giving_back_for_the_holder_has_done_it_or_not() {
    explore_deaths("claim, dies giving back for another", 4, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        assert_eq!(try_acquire(&scene.word, ADA), Ok(Acquired::Free));
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        let bob = cast.part(move |scene| {
            let given_back = mortal.live(|| release_for(&scene.word, ADA, &scene.world));
            given_back.unwrap_or_else(|| {
                scene.world.bury(BOB);
                // Nobody else gives it back: what the dead did not do, the holder does.
                release_for(&scene.word, ADA, &scene.world)
            })
        });
        let cleo = cast.part(|scene| scene.visit(CLEO));
        cast.perform(run);
        assert_eq!(cleo.get(), Acquired::Free);
        drop(bob);
    });
}

#[test]
fn a_dead_holder_is_followed_by_one() {
    explore("claim, two take over", 4, |run| {
        let scene = Scene::new(Slices::Never);
        scene.hold_and_die(ADA);
        let mut cast = Cast::new(&scene);
        let [bob, cleo] =
            [BOB, CLEO].map(|me| cast.part(move |scene| try_take_over(&scene.word, me, &scene.world)));
        cast.perform(run);
        let outcome = (bob.get(), cleo.get());
        let expected = [(Ok(Acquired::OwnerDied), Err(BOB)), (Err(CLEO), Ok(Acquired::OwnerDied))];
        assert!(expected.contains(&outcome), "{outcome:?}");
    });
}

#[test]
fn who_takes_over_without_waiting_wakes_those_who_wait() {
    explore("claim, taken over past a sleeper", 4, |run| {
        let scene = Scene::new(Slices::Never);
        scene.hold_and_die(ADA);
        let mut cast = Cast::new(&scene);
        let bob = cast.part(|scene| {
            let taken = try_take_over(&scene.word, BOB, &scene.world);
            scene.leave();
            taken
        });
        let cleo = cast.part(|scene| scene.visit(CLEO));
        cast.perform(run);
        assert_eq!((bob.get(), cleo.get()), (Ok(Acquired::OwnerDied), Acquired::Free));
    });
}

#[test]
fn a_living_holder_is_named_and_left_alone() {
    explore("claim, not taken over from the living", 4, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.visit(ADA));
        cast.part(|scene| match try_take_over(&scene.word, BOB, &scene.world) {
            Ok(acquired) => {
                assert_eq!(acquired, Acquired::Free);
                scene.leave();
            }
            Err(holder) => assert_eq!(holder, ADA),
        });
        cast.perform(run);
        assert_eq!(scene.word.load(Relaxed), 0);
    });
}

#[test]
fn a_deadline_leaves_nothing_behind() {
    explore("claim, deadline before sleep", 4, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.visit(ADA));
        let bob = cast.part(|scene| scene.hasty_visit(BOB, Deadline::BeforeSleep));
        cast.perform(run);
        let visits = 1 + u32::from(bob.get().is_ok());
        assert_eq!((scene.word.load(Relaxed), scene.visits.get()), (0, visits));
    });
}

#[test]
fn a_free_word_is_taken_at_the_deadline() {
    explore("claim, deadline with the wake", 4, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.visit(ADA));
        let bob = cast.part(|scene| scene.hasty_visit(BOB, Deadline::WithTheWake));
        cast.perform(run);
        assert_eq!(bob.get(), Ok(Acquired::Free));
    });
}

#[test]
fn a_deadline_does_not_swallow_the_wake_of_another() {
    explore("claim, deadline with the wake, another waits", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.visit(ADA));
        cast.part(|scene| scene.hasty_visit(BOB, Deadline::WithTheWake));
        let cleo = cast.part(|scene| scene.visit(CLEO));
        cast.perform(run);
        assert_eq!(cleo.get(), Acquired::Free);
    });
}
