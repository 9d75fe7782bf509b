//! Barriers: nobody goes on before all have come and what they did is seen, all agree how a phase ended, and nobody
//! waits for the dead.

use crate::explore::{Cast, explore, explore_deaths};
use crate::world::{ADA, BOB, CLEO, Deadline, Impatient, PatientAtGates, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, AtomicU64};
use memlane::algorithms::claim::Claim;
use memlane::algorithms::meeting::{Arrival, Broken, Meeting, State};
use memlane::algorithms::waiter::{Peers, TimedOut, Wait};
use std::rc::Rc;

/// Slices that who waits for the dead sleeps through at most: on the gatekeeper's word and on the state.
const SLICES: Slices = Slices::ForEachDeath(8);

struct Scene {
    world: World,
    state: AtomicU64,
    gatekeeper: AtomicU32,
    members: [AtomicU64; 3],
    arrivals: [AtomicU64; 3],
    parties: u32,
    /// What each does before it comes; loom objects to accesses that nothing orders.
    deeds: [Cell<u32>; 3],
    /// What the last to come does.
    action: Cell<u32>,
}

/// How a wait ended.
type Ended = Result<u32, Failure>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Broken,
    TimedOut,
}

impl Scene {
    /// A meeting in which these take part.
    fn new(parties: u32, members: &[Claim], slices: Slices) -> Rc<Self> {
        let zeroes = || [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];
        let scene = Rc::new(Self {
            world: World::new(slices),
            state: AtomicU64::new(0),
            gatekeeper: AtomicU32::new(0),
            members: zeroes(),
            arrivals: zeroes(),
            parties,
            deeds: [Cell::new(0), Cell::new(0), Cell::new(0)],
            action: Cell::new(0),
        });
        for member in members {
            scene.meeting().join(*member, &scene.world);
        }
        scene
    }

    fn meeting(&self) -> Meeting<'_> {
        Meeting {
            state: &self.state,
            gatekeeper: &self.gatekeeper,
            members: &self.members,
            arrivals: &self.arrivals,
            parties: self.parties,
        }
    }

    fn state(&self) -> State {
        self.meeting().state()
    }

    /// As the handle does it.
    fn meet_as(&self, me: Claim, has_action: bool, peers: &impl Peers) -> Ended {
        let meeting = self.meeting();
        loop {
            let arrival = meeting.arrive(me, has_action, peers).map_err(|Broken| Failure::Broken)?;
            let mut wait = Wait::FOREVER.clone();
            match arrival {
                Arrival::Over => return Ok(self.parties - 1),
                Arrival::Last(phase) => {
                    self.action.set(self.action.get() + 1);
                    let ended = meeting.end(phase, peers);
                    return ended.map(|()| self.parties - 1).map_err(|Broken| Failure::Broken);
                }
                Arrival::Early(phase, index) => {
                    return match meeting.wait(phase, peers, &mut wait) {
                        Ok(Ok(())) => Ok(index),
                        Ok(Err(Broken)) => Err(Failure::Broken),
                        Err(TimedOut) => Err(Failure::TimedOut),
                    };
                }
                Arrival::TooMany(phase) => {
                    meeting.wait_for_next(phase, peers, &mut wait).map_err(|TimedOut| Failure::TimedOut)?;
                }
            }
        }
    }

    fn meet(&self, me: Claim) -> Ended {
        self.meet_as(me, false, &self.world)
    }

    fn meet_with_action(&self, me: Claim) -> Ended {
        self.meet_as(me, true, &self.world)
    }

    /// Does its deed, meets, and sees what the others did.
    fn do_and_meet(&self, me: Claim, others: &[Claim]) -> Ended {
        self.deeds[usize::from(me.slot())].set(1);
        let ended = self.meet(me);
        if ended.is_ok() {
            for other in others {
                assert_eq!(self.deeds[usize::from(other.slot())].get(), 1, "met before all had come");
            }
        }
        ended
    }
}

fn sorted<const N: usize>(mut ended: [Ended; N]) -> [Ended; N] {
    ended.sort_by_key(|ended| ended.ok());
    ended
}

#[test]
fn two_meet_and_see_what_the_other_did() {
    explore("meeting, two", 2, |run| {
        let scene = Scene::new(2, &[ADA, BOB], Slices::Never);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(|scene| scene.do_and_meet(ADA, &[BOB]));
        let bob = cast.part(|scene| scene.do_and_meet(BOB, &[ADA]));
        cast.perform(run);
        assert_eq!(sorted([ada.get(), bob.get()]), [Ok(0), Ok(1)]);
    });
}

#[test]
fn two_meet_again_and_again() {
    explore("meeting, two, three times", 1, |run| {
        let scene = Scene::new(2, &[ADA, BOB], Slices::Never);
        let mut cast = Cast::new(&scene);
        for me in [ADA, BOB] {
            cast.part(move |scene| [(); 3].map(|()| assert!(scene.meet(me).is_ok())));
        }
        cast.perform(run);
        assert_eq!(scene.state().phase, 3);
    });
}

#[test]
fn three_meet_each_with_a_number_of_its_own() {
    explore("meeting, three", 1, |run| {
        let scene = Scene::new(3, &[ADA, BOB, CLEO], Slices::Never);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(|scene| scene.do_and_meet(ADA, &[BOB, CLEO]));
        let bob = cast.part(|scene| scene.do_and_meet(BOB, &[ADA, CLEO]));
        let cleo = cast.part(|scene| scene.do_and_meet(CLEO, &[ADA, BOB]));
        cast.perform(run);
        assert_eq!(sorted([ada.get(), bob.get(), cleo.get()]), [Ok(0), Ok(1), Ok(2)]);
    });
}

#[test]
fn threads_of_one_process_are_parties() {
    explore("meeting, two threads of a process", 2, |run| {
        let scene = Scene::new(2, &[ADA], Slices::Never);
        let mut cast = Cast::new(&scene);
        let threads = [(); 2].map(|()| cast.part(|scene| scene.meet(ADA)));
        cast.perform(run);
        assert_eq!(sorted(threads.map(|thread| thread.get())), [Ok(0), Ok(1)]);
    });
}

#[test]
fn the_last_one_acts_before_anybody_goes_on() {
    explore("meeting, action", 2, |run| {
        let scene = Scene::new(2, &[ADA, BOB], Slices::Never);
        let mut cast = Cast::new(&scene);
        for me in [ADA, BOB] {
            cast.part(move |scene| {
                assert!(scene.meet_with_action(me).is_ok());
                assert_eq!(scene.action.get(), 1);
            });
        }
        cast.perform(run);
    });
}

#[test]
fn who_comes_too_late_meets_next_time() {
    explore("meeting, too late", 2, |run| {
        let scene = Scene::new(1, &[ADA, BOB], Slices::Never);
        let mut cast = Cast::new(&scene);
        let parts = [ADA, BOB].map(|me| cast.part(move |scene| scene.meet_with_action(me)));
        cast.perform(run);
        assert_eq!(parts.map(|part| part.get()), [Ok(0), Ok(0)]);
        assert_eq!((scene.action.get(), scene.state().phase), (2, 2));
    });
}

#[test]
fn who_comes_too_late_and_gives_up_breaks_nothing() {
    explore("meeting, too late and hasty", 2, |run| {
        let scene = Scene::new(1, &[ADA, BOB], Slices::Never);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(|scene| scene.meet_with_action(ADA));
        cast.part(|scene| {
            let hasty = Impatient { world: &scene.world, deadline: Deadline::BeforeSleep };
            let peers = PatientAtGates(hasty);
            scene.meet_as(BOB, true, &peers)
        });
        cast.perform(run);
        assert_eq!((ada.get(), scene.state().broken), (Ok(0), false));
    });
}

#[test]
fn nobody_waits_for_the_dead() {
    explore_deaths("meeting, two, one dies", 2, |run| {
        let scene = Scene::new(2, &[ADA, BOB], SLICES);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        let ada = cast.part(move |scene| {
            let ended = mortal.live(|| scene.do_and_meet(ADA, &[BOB]));
            if ended.is_none() {
                scene.world.bury(ADA);
            }
            ended
        });
        let bob = cast.part(|scene| scene.do_and_meet(BOB, &[ADA]));
        cast.perform(run);
        if let Some(ended) = ada.get() {
            assert_eq!(sorted([ended, bob.get()]), [Ok(0), Ok(1)]);
        }
        assert_eq!(scene.state().broken, bob.get().is_err());
    });
}

#[test]
fn all_who_wait_for_the_dead_are_told() {
    explore_deaths("meeting, three, one dies", 1, |run| {
        let scene = Scene::new(3, &[ADA, BOB, CLEO], SLICES);
        for (index, me) in (0..).zip([BOB, CLEO]) {
            assert_eq!(scene.meeting().arrive(me, false, &scene.world), Ok(Arrival::Early(0, index)));
        }
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.meet(ADA)).is_none() {
                scene.world.bury(ADA);
            }
        });
        let wait = |scene: &Scene| scene.meeting().wait(0, &scene.world, &mut Wait::FOREVER.clone());
        let others = [(); 2].map(|()| cast.part(wait));
        cast.perform_as_listed();
        let [bob, cleo] = others.map(|other| other.get().expect("a wait for ever does not time out"));
        assert_eq!(bob, cleo, "they do not agree");
        assert_eq!(scene.state().broken, bob.is_err());
    });
}

#[test]
fn a_death_in_the_action_breaks() {
    explore_deaths("meeting, death in the action", 2, |run| {
        let scene = Scene::new(2, &[ADA, BOB], SLICES);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.meet_with_action(ADA)).is_none() {
                scene.world.bury(ADA);
            }
        });
        let bob = cast.part(|scene| scene.meet_with_action(BOB));
        cast.perform_as_listed();
        if bob.get().is_ok() {
            assert_eq!(scene.action.get(), 1);
        }
        assert_eq!(scene.state().broken, bob.get().is_err());
    });
}

#[test]
fn who_left_in_peace_may_die() {
    explore("meeting, left in peace", 1, |run| {
        let scene = Scene::new(2, &[ADA, BOB, CLEO], SLICES);
        let mut cast = Cast::new(&scene);
        let bob = cast.part(|scene| scene.meet(BOB));
        cast.part(|scene| {
            scene.meeting().leave(ADA);
            scene.world.bury(ADA);
        });
        let cleo = cast.part(|scene| scene.meet(CLEO));
        cast.perform(run);
        assert_eq!(sorted([bob.get(), cleo.get()]), [Ok(0), Ok(1)]);
    });
}

#[test]
fn who_left_in_peace_is_not_taken_for_dead() {
    explore("meeting, a look at who leaves", 3, |run| {
        let scene = Scene::new(2, &[ADA, BOB], Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            scene.meeting().leave(ADA);
            scene.world.bury(ADA);
        });
        let found = cast.part(|scene| scene.meeting().dead_member(&scene.world));
        cast.perform(run);
        assert_eq!(found.get(), None);
    });
}

#[test]
fn all_agree_when_a_time_is_over() {
    for deadline in [Deadline::BeforeSleep, Deadline::WithTheWake] {
        explore("meeting, deadline", 2, move |run| {
            let scene = Scene::new(2, &[ADA, BOB], Slices::Never);
            let mut cast = Cast::new(&scene);
            let ada = cast.part(move |scene| {
                scene.meet_as(ADA, false, &PatientAtGates(Impatient { world: &scene.world, deadline }))
            });
            let bob = cast.part(|scene| scene.meet(BOB));
            cast.perform(run);
            match ada.get() {
                Ok(_) => assert!(bob.get().is_ok()),
                Err(failure) => assert_eq!((failure, bob.get()), (Failure::TimedOut, Err(Failure::Broken))),
            }
        });
    }
}

#[test]
fn an_abort_is_told_to_all() {
    explore("meeting, abort", 1, |run| {
        let scene = Scene::new(2, &[ADA, BOB, CLEO], Slices::Never);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.meeting().abort(&scene.world));
        let parts = [BOB, CLEO].map(|me| cast.part(move |scene| scene.meet(me)));
        cast.perform(run);
        let [bob, cleo] = parts.map(|part| part.get());
        assert_eq!(bob.is_ok(), cleo.is_ok(), "they do not agree");
        assert!(scene.state().broken);
    });
}

#[test]
fn who_arrives_after_an_abort_does_nothing() {
    explore("meeting, arrivals after an abort", 2, |run| {
        let scene = Scene::new(2, &[ADA, BOB], Slices::Never);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(|scene| {
            scene.meeting().abort(&scene.world);
            scene.meet_with_action(ADA)
        });
        let bob = cast.part(|scene| scene.meet_with_action(BOB));
        cast.perform(run);
        assert_eq!([ada.get(), bob.get()], [Err(Failure::Broken); 2]);
        assert_eq!(scene.action.get(), 0);
    });
}

#[test]
fn a_reset_is_told_to_who_waits_and_the_next_meeting_takes_place() {
    explore("meeting, reset", 2, |run| {
        let scene = Scene::new(2, &[ADA, BOB], Slices::Never);
        let mut cast = Cast::new(&scene);
        let ada = cast.part(|scene| {
            scene.meeting().reset(ADA, &scene.world);
            scene.meet(ADA)
        });
        let bob = cast.part(|scene| scene.meet(BOB).or_else(|_| scene.meet(BOB)));
        cast.perform(run);
        assert_eq!(sorted([ada.get(), bob.get()]), [Ok(0), Ok(1)]);
        assert_eq!(scene.state().phase, 2);
    });
}

#[test]
fn a_reset_that_dies_leaves_nobody_waiting() {
    explore_deaths("meeting, a reset dies", 1, |run| {
        let scene = Scene::new(2, &[ADA, BOB], SLICES);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.meeting().reset(ADA, &scene.world)).is_none() {
                scene.world.bury(ADA);
            } else {
                scene.meeting().abort(&scene.world);
            }
        });
        let bob = cast.part(|scene| scene.meet(BOB));
        cast.perform(run);
        assert_eq!(bob.get(), Err(Failure::Broken));
    });
}

#[test]
fn who_joins_among_the_dead_begins_anew() {
    explore("meeting, joined among the dead", 2, |run| {
        let scene = Scene::new(2, &[ADA], SLICES);
        scene.world.bury(ADA);
        let mut cast = Cast::new(&scene);
        let parts = [BOB, CLEO].map(|me| {
            cast.part(move |scene| {
                scene.meeting().join(me, &scene.world);
                scene.meet(me)
            })
        });
        cast.perform(run);
        assert_eq!(sorted(parts.map(|part| part.get())), [Ok(0), Ok(1)]);
    });
}
