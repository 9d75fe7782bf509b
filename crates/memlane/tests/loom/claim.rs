//! Claim words: one holder at a time, no lost wake-up, and a death that costs one slice and is told once.

use crate::explore::{Fate, explore, explore_deaths};
use crate::world::{ADA, BOB, CLEO, Deadline, Impatient, Slices, World, act};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, Ordering::Relaxed};
use memlane::algorithms::claim::{Acquired, Claim, acquire, release, try_acquire, try_take_over};
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
    fn mortal_visit(&self, me: Claim, fate: &Fate) -> Acquired {
        fate.live(|| self.visit(me)).unwrap_or_else(|| {
            // Until it is buried nobody takes the word from it.
            let inside = Claim::in_word(self.word.load(Relaxed)) == Some(me);
            self.world.bury(me);
            if inside { Acquired::OwnerDied } else { Acquired::Free }
        })
    }
}

#[test]
fn two_exclude_each_other() {
    explore("claim, two", 4, || {
        let scene = Scene::new(Slices::Never);
        let ada = act(&scene, |scene| [scene.visit(ADA), scene.visit(ADA)]);
        assert_eq!(scene.visit(BOB), Acquired::Free);
        assert_eq!(ada.join().unwrap(), [Acquired::Free; 2]);
        assert_eq!(scene.visits.get(), 3);
    });
}

#[test]
fn three_exclude_each_other_and_all_get_on() {
    explore("claim, three", 3, || {
        let scene = Scene::new(Slices::Never);
        let others = [ADA, BOB].map(|me| act(&scene, move |scene| scene.visit(me)));
        scene.visit(CLEO);
        others.map(|other| other.join().unwrap());
        assert_eq!(scene.visits.get(), 3);
    });
}

#[test]
fn a_death_among_two_is_told_exactly_when_it_was_inside() {
    explore_deaths("claim, two, one dies", 4, |fate| {
        let (scene, fate) = (Scene::new(Slices::OneForEachDeath), fate.clone());
        let ada = act(&scene, move |scene| scene.mortal_visit(ADA, &fate));
        let told = scene.visit(BOB);
        // Whoever came before the death was not told.
        let again = scene.visit(BOB);
        let died = ada.join().unwrap();
        let last = scene.visit(BOB);
        let tellings = [told, again, last].iter().filter(|acquired| **acquired == Acquired::OwnerDied).count();
        assert_eq!(tellings, usize::from(died == Acquired::OwnerDied));
    });
}

#[test]
fn a_death_among_three_is_told_once_and_strands_nobody() {
    explore_deaths("claim, three, one dies", 2, |fate| {
        let (scene, fate) = (Scene::new(Slices::OneForEachDeath), fate.clone());
        let ada = act(&scene, move |scene| scene.mortal_visit(ADA, &fate));
        let bob = act(&scene, |scene| scene.visit(BOB));
        let mut acquired = vec![scene.visit(CLEO), bob.join().unwrap()];
        let died = ada.join().unwrap();
        acquired.push(scene.visit(CLEO));
        let tellings = acquired.iter().filter(|acquired| **acquired == Acquired::OwnerDied).count();
        assert_eq!(tellings, usize::from(died == Acquired::OwnerDied));
    });
}

#[test]
fn a_dead_holder_is_followed_by_one() {
    explore("claim, two take over", 4, || {
        let scene = Scene::new(Slices::Never);
        assert_eq!(try_acquire(&scene.word, ADA), Ok(Acquired::Free));
        scene.visits.set(1);
        scene.world.bury(ADA);
        let bob = act(&scene, |scene| try_take_over(&scene.word, BOB, &scene.world));
        let cleo = try_take_over(&scene.word, CLEO, &scene.world);
        let outcome = (bob.join().unwrap(), cleo);
        let expected = [(Ok(Acquired::OwnerDied), Err(BOB)), (Err(CLEO), Ok(Acquired::OwnerDied))];
        assert!(expected.contains(&outcome), "{outcome:?}");
    });
}

#[test]
fn who_takes_over_without_waiting_wakes_those_who_wait() {
    explore("claim, taken over past a sleeper", 4, || {
        let scene = Scene::new(Slices::Never);
        assert_eq!(try_acquire(&scene.word, ADA), Ok(Acquired::Free));
        let cleo = act(&scene, |scene| scene.visit(CLEO));
        scene.world.bury(ADA);
        assert_eq!(try_take_over(&scene.word, BOB, &scene.world), Ok(Acquired::OwnerDied));
        scene.leave();
        assert_eq!(cleo.join().unwrap(), Acquired::Free);
    });
}

#[test]
fn a_living_holder_is_named_and_left_alone() {
    explore("claim, not taken over from the living", 4, || {
        let scene = Scene::new(Slices::Never);
        let ada = act(&scene, |scene| scene.visit(ADA));
        match try_take_over(&scene.word, BOB, &scene.world) {
            Ok(acquired) => {
                assert_eq!(acquired, Acquired::Free);
                scene.leave();
            }
            Err(holder) => assert_eq!(holder, ADA),
        }
        ada.join().unwrap();
        assert_eq!(scene.word.load(Relaxed), 0);
    });
}

#[test]
fn a_deadline_leaves_nothing_behind() {
    explore("claim, deadline before sleep", 4, || {
        let scene = Scene::new(Slices::Never);
        let ada = act(&scene, |scene| scene.visit(ADA));
        let impatient = Impatient { world: &scene.world, deadline: Deadline::BeforeSleep };
        let visits = 1 + u32::from(scene.try_visit(BOB, &impatient).is_ok());
        ada.join().unwrap();
        assert_eq!((scene.word.load(Relaxed), scene.visits.get()), (0, visits));
    });
}

#[test]
fn a_free_word_is_taken_at_the_deadline() {
    explore("claim, deadline with the wake", 4, || {
        let scene = Scene::new(Slices::Never);
        let ada = act(&scene, |scene| scene.visit(ADA));
        let impatient = Impatient { world: &scene.world, deadline: Deadline::WithTheWake };
        assert_eq!(scene.try_visit(BOB, &impatient), Ok(Acquired::Free));
        ada.join().unwrap();
    });
}

#[test]
fn a_deadline_does_not_swallow_the_wake_of_another() {
    explore("claim, deadline with the wake, another waits", 3, || {
        let scene = Scene::new(Slices::Never);
        let bob = act(&scene, |scene| {
            let impatient = Impatient { world: &scene.world, deadline: Deadline::WithTheWake };
            scene.try_visit(BOB, &impatient)
        });
        let cleo = act(&scene, |scene| scene.visit(CLEO));
        scene.visit(ADA);
        let _ = bob.join().unwrap();
        assert_eq!(cleo.join().unwrap(), Acquired::Free);
    });
}
