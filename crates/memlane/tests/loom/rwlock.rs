//! Readers and a writer: they exclude each other, nobody sleeps for ever, and the dead are not waited for.

use crate::explore::{Cast, Run, explore, explore_deaths};
use crate::world::{ADA, BOB, CLEO, Deadline, Impatient, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use memlane::algorithms::claim::{self, Claim};
use memlane::algorithms::sharing::{DeadWriter, Sharing};
use memlane::algorithms::waiter::{Peers, TimedOut, Wait};
use std::rc::Rc;

struct Scene {
    world: World,
    word: AtomicU32,
    gate: AtomicU64,
    drain: AtomicU64,
    reach: AtomicU32,
    shares: [AtomicU64; 3],
    /// What the lock protects; loom objects to a look that nothing orders with a change.
    changes: Cell<u32>,
}

impl Scene {
    fn new(slices: Slices) -> Rc<Self> {
        Rc::new(Self {
            world: World::new(slices),
            word: AtomicU32::new(0),
            gate: AtomicU64::new(0),
            drain: AtomicU64::new(0),
            reach: AtomicU32::new(0),
            shares: [(); 3].map(|()| AtomicU64::new(0)),
            changes: Cell::new(0),
        })
    }

    fn sharing(&self) -> Sharing<'_> {
        Sharing {
            word: &self.word,
            gate: &self.gate,
            drain: &self.drain,
            reach: &self.reach,
            shares: &self.shares,
            stride: 1,
        }
    }

    /// Looks as a reader that is inside, and leaves.
    fn look_and_leave(&self, me: Claim, peers: &impl Peers) -> u32 {
        let changes = self.changes.get();
        assert!(self.sharing().leave(me, peers), "it has a read lock");
        changes
    }

    /// Looks as a reader; gives back how many changes there were.
    fn look(&self, me: Claim) -> u32 {
        self.try_look(me, &self.world).expect("a wait for ever does not time out")
    }

    fn try_look(&self, me: Claim, peers: &impl Peers) -> Result<u32, TimedOut> {
        let sharing = self.sharing();
        while let Err(DeadWriter) = sharing.read(me, peers, &mut Wait::FOREVER.clone())? {
            if claim::try_take_over(&self.word, me, peers).is_ok() {
                sharing.enter(me);
                sharing.end_write(peers);
                break;
            }
        }
        Ok(self.look_and_leave(me, peers))
    }

    fn change(&self, me: Claim) {
        self.try_change(me, &self.world).expect("a wait for ever does not time out");
    }

    fn try_change(&self, me: Claim, peers: &impl Peers) -> Result<(), TimedOut> {
        let sharing = self.sharing();
        let _ = claim::acquire(&self.word, me, &self.world, &mut Wait::FOREVER.clone())?;
        let drained = sharing.drained(peers, &mut Wait::FOREVER.clone());
        if drained.is_ok() {
            self.changes.set(self.changes.get() + 1);
        }
        sharing.end_write(peers);
        drained
    }

    /// What ends by death, perhaps.
    fn mortal<T>(&self, me: Claim, run: &Run, life: impl FnOnce() -> T) -> Option<T> {
        let outcome = run.live(life);
        if outcome.is_none() {
            self.world.bury(me);
        }
        outcome
    }

    /// Nobody has it, and nobody was forgotten.
    fn assert_left(&self) {
        assert_eq!(Claim::in_word(self.word.load(Relaxed)), None);
        assert!(self.sharing().is_drained(|reader| self.world.is_dead(reader)));
    }
}

#[test]
fn a_reader_and_a_writer_exclude_each_other() {
    explore("rwlock, reader and writer", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(|scene| scene.look(ADA));
        cast.part(|scene| scene.change(BOB));
        cast.perform(run);
        assert!(ada.get() <= 1);
        scene.assert_left();
    });
}

#[test]
fn a_reader_that_comes_back_sees_no_less() {
    explore("rwlock, reader twice and writer", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(|scene| [scene.look(ADA), scene.look(ADA)]);
        cast.part(|scene| scene.change(BOB));
        cast.perform(run);
        let [first, second] = ada.get();
        assert!(first <= second && second <= 1);
        scene.assert_left();
    });
}

#[test]
fn two_readers_do_not_keep_a_writer_out_for_ever() {
    explore("rwlock, two readers and a writer", 1, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.look(ADA));
        cast.part(|scene| scene.change(BOB));
        cast.part(|scene| scene.look(CLEO));
        cast.perform(run);
        scene.assert_left();
        assert_eq!(scene.changes.get(), 1);
    });
}

#[test]
fn a_writer_waits_for_the_last_reader() {
    explore("rwlock, two readers inside and a writer", 1, |run| {
        let scene = Scene::new(Slices::Never);
        [ADA, CLEO].iter().for_each(|me| scene.sharing().enter(*me));
        let mut cast = Cast::new(&scene);
        let [ada, cleo] =
            [ADA, CLEO].map(|me| cast.part(move |scene| scene.look_and_leave(me, &scene.world)));
        cast.part(|scene| scene.change(BOB));
        cast.perform(run);
        assert_eq!((ada.get(), cleo.get(), scene.changes.get()), (0, 0, 1));
        scene.assert_left();
    });
}

#[test]
fn two_threads_have_one_share_between_them() {
    explore("rwlock, two threads of a reader and a writer", 1, |_| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.look(ADA));
        cast.part(|scene| scene.change(BOB));
        cast.part(|scene| scene.look(ADA));
        cast.perform_as_listed();
        scene.assert_left();
    });
}

#[test]
fn two_threads_give_their_share_back_at_once() {
    explore("rwlock, two threads of a reader leave", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        for _ in 0..2 {
            scene.sharing().enter(ADA);
            cast.part(|scene| scene.look_and_leave(ADA, &scene.world));
        }
        cast.perform(run);
        scene.assert_left();
    });
}

#[test]
fn two_writers_and_a_reader_all_get_on() {
    explore("rwlock, two writers and a reader", 1, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.change(ADA));
        cast.part(|scene| scene.look(BOB));
        cast.part(|scene| scene.change(CLEO));
        cast.perform(run);
        scene.assert_left();
        assert_eq!(scene.changes.get(), 2);
    });
}

#[test]
fn a_dead_reader_is_waited_for_a_slice() {
    explore_deaths("rwlock, the reader dies", 2, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| scene.mortal(ADA, &mortal, || scene.look(ADA)));
        cast.part(|scene| scene.change(BOB));
        cast.perform(run);
        assert_eq!(scene.changes.get(), 1);
        scene.assert_left();
    });
}

#[test]
fn a_dead_writer_is_followed_by_a_reader() {
    explore_deaths("rwlock, the writer dies", 2, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| scene.mortal(ADA, &mortal, || scene.change(ADA)));
        cast.part(|scene| scene.look(BOB));
        cast.perform(run);
        scene.change(CLEO);
        scene.assert_left();
    });
}

#[test]
fn a_dead_writer_strands_neither_reader_nor_writer() {
    explore_deaths("rwlock, the writer dies before both", 1, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| scene.mortal(ADA, &mortal, || scene.change(ADA)));
        cast.part(|scene| scene.look(BOB));
        cast.part(|scene| scene.change(CLEO));
        cast.perform_as_listed();
        scene.assert_left();
    });
}

#[test]
fn a_reader_may_die_while_it_replaces_a_dead_writer() {
    explore_deaths("rwlock, the reader dies replacing the writer", 2, |run| {
        let scene = Scene::new(Slices::OneForEachDeath);
        assert!(claim::try_acquire(&scene.word, CLEO).is_ok());
        scene.world.bury(CLEO);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| scene.mortal(ADA, &mortal, || scene.look(ADA)));
        cast.perform(run);
        // Its slice: the world gives one for each death.
        scene.world.bury(CLEO);
        scene.change(BOB);
        scene.assert_left();
    });
}

#[test]
fn a_writer_in_vain_lets_readers_in_again() {
    explore("rwlock, the writer's deadline passes", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        let impatient = |scene: &Scene| {
            let peers = Impatient { world: &scene.world, deadline: Deadline::BeforeSleep };
            scene.try_change(BOB, &peers)
        };
        let ada = cast.part(|scene| [scene.look(ADA), scene.look(ADA)]);
        let bob = cast.part(impatient);
        cast.perform(run);
        assert!(ada.get()[1] <= u32::from(bob.get().is_ok()));
        assert_eq!(scene.changes.get(), u32::from(bob.get().is_ok()));
        scene.assert_left();
    });
}

#[test]
fn a_reader_in_vain_leaves_no_share() {
    explore("rwlock, the reader's deadline passes", 3, |run| {
        let scene = Scene::new(Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            let peers = Impatient { world: &scene.world, deadline: Deadline::BeforeSleep };
            scene.try_look(ADA, &peers)
        });
        cast.part(|scene| scene.change(BOB));
        cast.perform(run);
        assert_eq!(scene.changes.get(), 1);
        scene.assert_left();
    });
}

#[test]
fn what_a_slot_had_before_counts_no_more() {
    explore("rwlock, a share of another generation", 2, |run| {
        let scene = Scene::new(Slices::Never);
        let heir = Claim::new(ADA.slot(), ADA.generation() + 1).expect("a generation");
        scene.sharing().enter(ADA);
        scene.sharing().enter(ADA);
        let mut cast = Cast::new(&scene);
        cast.part(move |scene| scene.look(heir));
        cast.part(move |scene| assert!(!scene.sharing().leave(BOB, &scene.world), "it has none"));
        cast.perform(run);
        assert!(scene.sharing().is_drained(|_| false));
    });
}
