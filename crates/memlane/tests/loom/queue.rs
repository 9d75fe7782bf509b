//! Queues: each message is taken once, whole and in order; nobody sleeps while there is something for it; and whoever
//! dies at whatever access, what was put stays, what was not is not seen, and what the dead had comes back.
//!
//! The rings have more units than messages are put, so that no place comes again: the kernel tells sleepers apart by
//! the low half, and one who is late by a whole ring sleeps a slice, which is not what these models are about.

use crate::explore::{Cast, explore, explore_deaths};
use crate::world::{ADA, BOB, CLEO, Deadline, Impatient, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::Release, fence};
use memlane::algorithms::claim::{self, Claim};
use memlane::algorithms::ends::{End, Ends, Refused};
use memlane::algorithms::lease::{Lease, Standing};
use memlane::algorithms::version;
use memlane::algorithms::waiter::{Peers, TimedOut, Wait};
use std::rc::Rc;

/// Every message is one unit.
const UNITS: u32 = 8;

/// There is no message, and none will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Drained;

struct Scene {
    world: World,
    tail: AtomicU64,
    head: AtomicU64,
    head_seen: AtomicU64,
    tail_seen: AtomicU64,
    producers: AtomicU32,
    consumers: AtomicU32,
    arrivals: AtomicU64,
    leases: Vec<AtomicU64>,
    /// The messages as plain memory; loom objects to accesses that nothing orders.
    messages: Vec<Cell<u64>>,
    most: u32,
    units: u32,
}

impl Scene {
    /// A queue with room for so many messages.
    fn new(slices: Slices, most: u32) -> Rc<Self> {
        Self::of(slices, most, UNITS)
    }

    fn of(slices: Slices, most: u32, units: u32) -> Rc<Self> {
        let word = || AtomicU64::new(0);
        Rc::new(Self {
            world: World::new(slices),
            tail: word(),
            head: word(),
            head_seen: word(),
            tail_seen: word(),
            producers: AtomicU32::new(0),
            consumers: AtomicU32::new(0),
            arrivals: word(),
            leases: (0..units).map(|_| word()).collect(),
            messages: (0..units).map(|_| Cell::new(0)).collect(),
            most,
            units,
        })
    }

    /// One with a message in it.
    fn with_one(slices: Slices, most: u32) -> Rc<Self> {
        let scene = Self::new(slices, most);
        scene.put(CLEO, &[1]).expect("there is room");
        scene
    }

    /// Says that somebody is dead, which costs a slice of a sleep on an end, and one of the sleep on a claim after it.
    fn bury(&self, claim: Claim) {
        self.world.bury(claim);
        self.world.bury(claim);
    }

    fn ends(&self) -> Ends<'_> {
        Ends {
            tail: &self.tail,
            head: &self.head,
            head_seen: &self.head_seen,
            tail_seen: &self.tail_seen,
            units: self.units,
            most: self.most,
        }
    }

    fn length(&self) -> u32 {
        Ends::length(self.ends().head(), self.ends().tail())
    }

    fn under<T>(&self, word: &AtomicU32, me: Claim, work: impl FnOnce() -> T) -> T {
        let _ = claim::acquire(word, me, &self.world, &mut Wait::FOREVER.clone()).expect("it waits for ever");
        let done = work();
        claim::release(word, &self.world);
        done
    }

    /// Puts all at once, if there is room for all.
    fn try_put(&self, me: Claim, contents: &[u64]) -> Result<(), Refused> {
        self.under(&self.producers, me, || {
            let (mut head, mut tail) = (self.ends().head_seen(), self.ends().tail());
            for content in contents {
                self.ends().find_room(&mut head, tail, 1)?;
                self.messages[tail.place as usize].set(*content);
                self.leases[tail.place as usize].store(0, Relaxed);
                tail = self.ends().behind(tail, 1);
            }
            let put = self.ends().put(tail, contents.len() as u32, &self.world);
            assert!(self.length() <= self.most);
            put
        })
    }

    fn put(&self, me: Claim, contents: &[u64]) -> Result<(), Refused> {
        let attempt = |_| Some(self.try_put(me, contents)).filter(|put| *put != Err(Refused::Full));
        let wait = &mut Wait::FOREVER.clone();
        version::sleep_until(&self.head, &self.world, wait, &mut false, attempt).expect("it waits for ever")
    }

    /// Up to `most` messages, if there is any; `None` when there is none yet.
    fn try_take(&self, me: Claim, most: usize) -> Option<Result<Vec<u64>, Drained>> {
        if !self.ends().seems_filled() {
            let tail = self.ends().tail();
            return (tail.closed && self.ends().head().count == tail.count).then_some(Err(Drained));
        }
        let taken = self.under(&self.consumers, me, || {
            let mut head = self.ends().head();
            let mut tail = head;
            let mut taken = Vec::new();
            while taken.len() < most {
                if head.count == tail.count {
                    tail = self.ends().tail_from(head);
                    if head.count == tail.count {
                        break;
                    }
                }
                taken.push(self.messages[head.place as usize].get());
                head = self.ends().behind(head, 1);
            }
            if !taken.is_empty() {
                self.ends().take(head, &self.world);
            }
            taken
        });
        (!taken.is_empty()).then_some(Ok(taken))
    }

    fn take_by(&self, me: Claim, peers: &impl Peers) -> Result<Result<u64, Drained>, TimedOut> {
        let attempt = |_| self.try_take(me, 1).map(|taken| taken.map(|taken| taken[0]));
        let is_left = || self.length() > 0;
        let wait = &mut Wait::FOREVER.clone();
        version::take_turn(&self.tail, peers, wait, attempt, is_left)
    }

    fn take(&self, me: Claim) -> Result<u64, Drained> {
        self.take_by(me, &self.world).expect("it waits for ever")
    }

    /// What is left, taken by one who is alone.
    fn drain(&self) -> Vec<u64> {
        std::iter::from_fn(|| self.try_take(CLEO, usize::MAX)?.ok()).flatten().collect()
    }

    /// The first message that is nobody's or a dead one's: where it is, what it is, how often it was handed out.
    fn try_lease(&self, me: Claim) -> Option<(End, u64, u32)> {
        self.under(&self.consumers, me, || {
            self.collect();
            let (mut at, tail) = (self.ends().head(), self.ends().tail());
            while at.count != tail.count {
                let lease = Lease(&self.leases[at.place as usize]);
                let is_wanted = match lease.standing().0 {
                    Standing::Ready => true,
                    Standing::Leased(holder) => self.world.is_dead(holder),
                    Standing::Done => false,
                };
                if is_wanted {
                    let times = lease.hand_out(me);
                    return Some((at, self.messages[at.place as usize].get(), times));
                }
                at = self.ends().behind(at, 1);
            }
            None
        })
    }

    fn lease(&self, me: Claim) -> (End, u64, u32) {
        let attempt = |_| self.try_lease(me);
        let wait = &mut Wait::FOREVER.clone();
        version::take_turn(&self.arrivals, &self.world, wait, attempt, || false).expect("it waits for ever")
    }

    /// Holding the consumers' claim: lets the head pass what is done.
    fn collect(&self) {
        let (start, tail) = (self.ends().head(), self.ends().tail());
        let mut head = start;
        while head.count != tail.count
            && Lease(&self.leases[head.place as usize]).standing().0 == Standing::Done
        {
            head = self.ends().behind(head, 1);
        }
        if head != start {
            self.ends().take(head, &self.world);
        }
    }

    fn acknowledge(&self, me: Claim, at: End) {
        Lease(&self.leases[at.place as usize]).acknowledge();
        self.under(&self.consumers, me, || self.collect());
    }

    fn give_back(&self, at: End) {
        Lease(&self.leases[at.place as usize]).give_back();
        version::advance_for(&self.arrivals, 1, &self.world);
    }
}

fn sorted<const N: usize>(mut contents: [u64; N]) -> [u64; N] {
    contents.sort_unstable();
    contents
}

#[test]
fn messages_arrive_whole_and_in_order() {
    explore("queue, one to one", 3, |run| {
        let scene = Scene::new(Slices::Never, 2);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| [1, 2].map(|content| scene.put(ADA, &[content])));
        let got = cast.part(|scene| [(); 2].map(|()| scene.take(BOB)));
        cast.perform(run);
        assert_eq!(got.get(), [Ok(1), Ok(2)]);
        assert_eq!(scene.drain(), []);
    });
}

#[test]
fn a_place_is_written_again_only_after_it_was_read() {
    explore("queue, a ring of one", 2, |run| {
        let scene = Scene::of(Slices::Never, 2, 1);
        scene.put(CLEO, &[1]).expect("there is room");
        let mut cast = Cast::new(&scene);
        let put = cast.part(|scene| scene.try_put(ADA, &[2]).is_ok());
        let got = cast.part(|scene| scene.try_take(BOB, 1).map(|taken| taken.expect("it is open")[0]));
        cast.perform(run);
        assert_eq!(got.get(), Some(1));
        assert_eq!(scene.drain(), if put.get() { vec![2] } else { vec![] });
    });
}

#[test]
fn two_producers_do_not_mix_their_messages() {
    explore("queue, two producers", 2, |run| {
        let scene = Scene::new(Slices::Never, 2);
        let mut cast = Cast::new(&scene);
        for (me, content) in [(ADA, 1), (BOB, 2)] {
            cast.part(move |scene| scene.put(me, &[content]));
        }
        cast.perform(run);
        let left = scene.drain();
        assert!(left == [1, 2] || left == [2, 1], "{left:?}");
    });
}

#[test]
fn two_consumers_do_not_get_the_same() {
    explore("queue, two consumers", 2, |run| {
        let scene = Scene::new(Slices::Never, 2);
        scene.put(ADA, &[1, 2]).expect("there is room");
        let mut cast = Cast::new(&scene);
        let got = [BOB, CLEO].map(|me| cast.part(move |scene| scene.take(me).expect("it is open")));
        cast.perform(run);
        assert_eq!(sorted(got.map(|got| got.get())), [1, 2]);
    });
}

#[test]
fn a_batch_wakes_as_many_as_it_has_messages() {
    explore("queue, a batch for two sleepers", 1, |_| {
        let scene = Scene::new(Slices::Never, 2);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.put(ADA, &[1, 2]));
        let got = [BOB, CLEO].map(|me| cast.part(move |scene| scene.take(me).expect("it is open")));
        cast.perform_as_listed();
        assert_eq!(sorted(got.map(|got| got.get())), [1, 2]);
    });
}

#[test]
fn messages_put_one_by_one_reach_two_sleepers() {
    explore("queue, one by one for two sleepers", 1, |_| {
        let scene = Scene::new(Slices::Never, 2);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| [1, 2].map(|content| scene.put(ADA, &[content])));
        let got = [BOB, CLEO].map(|me| cast.part(move |scene| scene.take(me).expect("it is open")));
        cast.perform_as_listed();
        assert_eq!(sorted(got.map(|got| got.get())), [1, 2]);
    });
}

#[test]
fn a_wake_at_the_deadline_is_passed_on() {
    explore("queue, deadline with the wake", 1, |_| {
        let scene = Scene::new(Slices::Never, 2);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| [1, 2].map(|content| scene.put(ADA, &[content])));
        let hasty = cast.part(|scene| {
            let hasty = Impatient { world: &scene.world, deadline: Deadline::WithTheWake };
            scene.take_by(BOB, &hasty).ok()
        });
        cast.part(|scene| scene.take(CLEO).expect("it is open"));
        cast.perform_as_listed();
        assert_eq!(scene.drain().len(), usize::from(hasty.get().is_none()));
    });
}

#[test]
fn whoever_waits_for_room_gets_it() {
    explore("queue, a wait for room", 3, |run| {
        let scene = Scene::with_one(Slices::Never, 1);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.take(CLEO).expect("it is open"));
        cast.part(|scene| scene.put(ADA, &[2]).expect("it is open"));
        cast.perform(run);
        assert_eq!(scene.drain(), [2]);
    });
}

/// Two taken at once make room for both.
#[test]
fn room_wakes_everybody_who_waits_for_it() {
    explore("queue, two wait for room", 1, |_| {
        let scene = Scene::new(Slices::Never, 2);
        scene.put(CLEO, &[1, 2]).expect("there is room");
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.try_take(CLEO, 2));
        for me in [ADA, BOB] {
            cast.part(move |scene| scene.put(me, &[3]).expect("it is open"));
        }
        cast.perform_as_listed();
        assert_eq!(scene.drain(), [3, 3]);
    });
}

#[test]
fn closing_wakes_who_waits_for_a_message() {
    explore("queue, closed on two getters", 1, |_| {
        let scene = Scene::new(Slices::Never, 2);
        let mut cast = Cast::new(&scene);
        let got = [BOB, CLEO].map(|me| cast.part(move |scene| scene.take(me)));
        cast.part(|scene| scene.ends().close(&scene.world));
        cast.perform_as_listed();
        assert_eq!(got.map(|got| got.get()), [Err(Drained); 2]);
    });
}

#[test]
fn closing_wakes_who_waits_for_room() {
    explore("queue, closed on two putters", 1, |_| {
        let scene = Scene::with_one(Slices::Never, 1);
        let mut cast = Cast::new(&scene);
        cast.part(|scene| scene.ends().close(&scene.world));
        let put = [ADA, BOB].map(|me| cast.part(move |scene| scene.put(me, &[2])));
        cast.perform_as_listed();
        assert_eq!(put.map(|put| put.get()), [Err(Refused::Closed); 2]);
        assert_eq!(scene.drain(), [1]);
    });
}

#[test]
fn nothing_is_put_once_it_is_closed() {
    explore("queue, put and close", 3, |run| {
        let scene = Scene::new(Slices::Never, 2);
        let mut cast = Cast::new(&scene);
        let put = cast.part(|scene| scene.put(ADA, &[1]).is_ok());
        let left = cast.part(|scene| {
            scene.ends().close(&scene.world);
            scene.length() == 1
        });
        cast.perform(run);
        assert_eq!(put.get(), left.get());
        assert_eq!(scene.take(BOB).is_ok(), put.get());
        assert_eq!((scene.take(BOB), scene.put(ADA, &[2])), (Err(Drained), Err(Refused::Closed)));
    });
}

/// A message goes, and its only place is written again, while somebody copies it.
#[test]
fn what_was_peeked_is_whole_or_gone() {
    explore("queue, a peek", 3, |run| {
        let scene = Scene::of(Slices::Never, 1, 1);
        scene.put(CLEO, &[0]).expect("there is room");
        // Nothing orders what an observer copies, so here the message is an atomic.
        let bytes = Rc::new(AtomicU64::new(1));
        let mut cast = Cast::new(&scene);
        let written = Rc::clone(&bytes);
        cast.part(move |scene| {
            let head = scene.ends().behind(scene.ends().head(), 1);
            scene.ends().take(head, &scene.world);
            let (mut head, tail) = (scene.ends().head(), scene.ends().tail());
            scene.ends().check_room(&mut head, tail, 1).expect("it was just taken");
            // As a producer does before it writes.
            fence(Release);
            written.store(2, Relaxed);
            scene.ends().put(scene.ends().behind(tail, 1), 1, &scene.world)
        });
        cast.part(move |scene| {
            let (head, tail) = (scene.ends().head(), scene.ends().tail());
            if head.count == 0 && tail.count == 1 {
                let copy = bytes.load(Relaxed);
                if scene.ends().head_after_reading() == head {
                    assert_eq!(copy, 1, "another message in its place");
                }
            }
        });
        cast.perform(run);
    });
}

#[test]
fn a_dead_producers_batch_was_put_whole_or_not_at_all() {
    explore_deaths("queue, a producer dies", 2, |run| {
        let scene = Scene::new(Slices::OneForEachDeath, 3);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.put(ADA, &[1, 2])).is_none() {
                scene.bury(ADA);
            }
        });
        cast.part(|scene| scene.put(BOB, &[3]).expect("it is open"));
        cast.perform(run);
        let left = scene.drain();
        assert!([&[3][..], &[1, 2, 3], &[3, 1, 2]].contains(&&left[..]), "{left:?}");
    });
}

/// In a ring that has come round: the next producer starts from what the dead one saw, not from before it.
#[test]
fn what_a_dead_producer_saw_of_the_head_is_not_forgotten() {
    explore_deaths("queue, the producer dies after it saw the head", 2, |run| {
        let scene = Scene::of(Slices::OneForEachDeath, 8, 2);
        scene.put(CLEO, &[1, 2]).expect("there is room");
        assert_eq!(scene.take(CLEO), Ok(1));
        let lived = run.live(|| scene.try_put(ADA, &[3]));
        if lived.is_none() {
            scene.bury(ADA);
        }
        let was_put = scene.length() == 2;
        assert_eq!(scene.try_put(BOB, &[4]), if was_put { Err(Refused::Full) } else { Ok(()) });
        assert_eq!(scene.drain(), [2, if was_put { 3 } else { 4 }]);
    });
}

#[test]
fn a_producers_death_delays_a_sleeper_by_a_slice() {
    explore_deaths("queue, a producer dies, a sleeper", 2, |run| {
        let scene = Scene::new(Slices::OneForEachDeath, 2);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.put(ADA, &[1])).is_none() {
                let was_put = scene.ends().tail().count == 1;
                scene.bury(ADA);
                if !was_put {
                    let taken = claim::try_take_over(&scene.producers, BOB, &scene.world);
                    let _ = taken.expect("its holder is dead");
                    claim::release(&scene.producers, &scene.world);
                    scene.put(BOB, &[1]).expect("there is room");
                }
            }
        });
        let got = cast.part(|scene| scene.take(CLEO));
        cast.perform(run);
        assert_eq!((got.get(), scene.drain()), (Ok(1), vec![]));
    });
}

#[test]
fn a_consumers_death_costs_one_message_at_most() {
    explore_deaths("queue, a consumer dies", 2, |run| {
        let scene = Scene::new(Slices::OneForEachDeath, 2);
        scene.put(ADA, &[1, 2]).expect("there is room");
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        let lived = cast.part(move |scene| {
            let life = mortal.live(|| scene.take(BOB).expect("it is open"));
            if life.is_none() {
                scene.bury(BOB);
            }
            life
        });
        let got = cast.part(|scene| scene.take(CLEO).expect("it is open"));
        cast.perform(run);
        let rest = scene.drain();
        match (lived.get(), got.get()) {
            (Some(other), got) => assert!(rest.is_empty() && sorted([other, got]) == [1, 2]),
            (None, got) => {
                assert!(got == 2 && rest.is_empty() || got == 1 && rest.len() <= 1, "{got} {rest:?}")
            }
        }
    });
}

#[test]
fn a_sleeping_consumers_death_costs_the_others_nothing() {
    explore_deaths("queue, a sleeping consumer dies", 1, |run| {
        let scene = Scene::new(Slices::OneForEachDeath, 2);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.take(BOB)).is_none() {
                scene.bury(BOB);
            }
        });
        cast.part(|scene| scene.take(CLEO).expect("it is open"));
        cast.part(|scene| scene.put(ADA, &[1, 2]));
        cast.perform_as_listed();
    });
}

#[test]
fn a_queue_is_closed_for_good_when_its_closer_dies() {
    explore_deaths("queue, the closer dies", 2, |run| {
        let scene = Scene::with_one(Slices::OneForEachDeath, 1);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            if mortal.live(|| scene.ends().close(&scene.world)).is_none() {
                let closed = scene.ends().tail().closed;
                scene.bury(ADA);
                if !closed {
                    scene.ends().close(&scene.world);
                }
            }
        });
        let put = cast.part(|scene| scene.put(BOB, &[2]));
        cast.perform(run);
        assert_eq!(put.get(), Err(Refused::Closed));
        assert_eq!((scene.drain(), scene.take(BOB)), (vec![1], Err(Drained)));
    });
}

#[test]
fn what_is_leased_is_nobody_elses_and_goes_when_it_is_acknowledged() {
    explore("queue, two lease", 2, |run| {
        let scene = Scene::new(Slices::Never, 2);
        scene.put(ADA, &[1, 2]).expect("there is room");
        let mut cast = Cast::new(&scene);
        let got = [BOB, CLEO].map(|me| {
            cast.part(move |scene| {
                let (at, content, times) = scene.try_lease(me).expect("there are two");
                assert_eq!(times, 0);
                scene.acknowledge(me, at);
                content
            })
        });
        cast.perform(run);
        assert_eq!(sorted(got.map(|got| got.get())), [1, 2]);
        assert_eq!(scene.length(), 0);
    });
}

/// One leases, looks and acknowledges; another collects for it, and its place is written again.
#[test]
fn a_leased_place_is_written_again_only_after_it_was_read() {
    explore("queue, a lease in a ring of one", 3, |run| {
        let scene = Scene::of(Slices::Never, 1, 1);
        scene.put(CLEO, &[1]).expect("there is room");
        let mut cast = Cast::new(&scene);
        cast.part(|scene| {
            let (at, content, _) = scene.try_lease(BOB).expect("there is one");
            assert_eq!((content, scene.messages[at.place as usize].get()), (1, 1));
            Lease(&scene.leases[at.place as usize]).acknowledge();
        });
        cast.part(|scene| {
            scene.under(&scene.consumers, CLEO, || scene.collect());
            scene.try_put(ADA, &[2])
        });
        cast.perform(run);
    });
}

#[test]
fn what_is_given_back_wakes_a_sleeper() {
    explore("queue, given back", 3, |run| {
        let scene = Scene::with_one(Slices::Never, 1);
        let (at, ..) = scene.try_lease(ADA).expect("there is one");
        let mut cast = Cast::new(&scene);
        cast.part(move |scene| scene.give_back(at));
        let got = cast.part(|scene| scene.lease(BOB));
        cast.perform(run);
        assert_eq!(got.get(), (at, 1, 1));
    });
}

#[test]
fn a_dead_ones_lease_comes_back() {
    explore_deaths("queue, a lessee dies", 2, |run| {
        let scene = Scene::with_one(Slices::OneForEachDeath, 1);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        let lived = cast.part(move |scene| {
            let life = mortal.live(|| {
                let leased = scene.try_lease(BOB);
                if let Some((at, ..)) = leased {
                    scene.acknowledge(BOB, at);
                }
            });
            if life.is_none() {
                scene.bury(BOB);
            }
            life.is_some()
        });
        let other = cast.part(|scene| {
            let leased = scene.try_lease(CLEO);
            if let Some((at, ..)) = leased {
                scene.acknowledge(CLEO, at);
            }
            leased.is_some()
        });
        cast.perform(run);
        let again = scene.try_lease(CLEO);
        if let Some((at, content, times)) = again {
            assert!(!lived.get() && !other.get() && content == 1 && times <= 1, "{again:?}");
            scene.acknowledge(CLEO, at);
        }
        assert_eq!(scene.length(), 0, "it is done with, and holds its room");
    });
}

#[test]
fn whoever_dies_giving_back_loses_nothing() {
    explore_deaths("queue, dies giving back", 2, |run| {
        let scene = Scene::with_one(Slices::OneForEachDeath, 1);
        let mut cast = Cast::new(&scene);
        let mortal = run.clone();
        cast.part(move |scene| {
            let life = mortal.live(|| {
                if let Some((at, ..)) = scene.try_lease(BOB) {
                    scene.give_back(at);
                }
            });
            if life.is_none() {
                scene.bury(BOB);
            }
        });
        let got = cast.part(|scene| scene.lease(CLEO));
        cast.perform(run);
        let (at, content, times) = got.get();
        assert!(content == 1 && times <= 1);
        scene.acknowledge(CLEO, at);
        assert_eq!(scene.length(), 0);
    });
}
