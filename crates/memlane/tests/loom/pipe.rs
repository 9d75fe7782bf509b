//! Pipes: every message arrives once, whole and in order, nobody sleeps for ever, and whoever closes or dies at
//! whatever access, all it sent arrives before its end is known.

use crate::explore::{Cast, explore, explore_deaths};
use crate::world::{ADA, BOB, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use memlane::algorithms::claim::{Claim, try_acquire};
use memlane::algorithms::direction::{Direction, Role, close, role};
use memlane::algorithms::version::sleep_until;
use memlane::algorithms::waiter::{Peers, Wait};
use std::rc::Rc;

/// A one-way pipe with messages of one unit.
struct Pipe {
    world: World,
    /// Of who sends and who receives.
    roles: [AtomicU32; 2],
    tail: AtomicU64,
    head: AtomicU64,
    /// Plain memory; loom objects to accesses that nothing orders.
    ring: Vec<Cell<u64>>,
}

const SENDER: usize = 0;
const RECEIVER: usize = 1;

/// The other end is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Departed;

impl Pipe {
    /// A pipe whose ends are had: by Ada, who sends, and Bob, who receives.
    fn new(units: usize, slices: Slices) -> Rc<Self> {
        let pipe = Self::fresh(units, slices);
        pipe.open(SENDER, ADA);
        pipe.open(RECEIVER, BOB);
        pipe
    }

    fn fresh(units: usize, slices: Slices) -> Rc<Self> {
        Rc::new(Self {
            world: World::new(slices),
            roles: [0; 2].map(AtomicU32::new),
            tail: AtomicU64::new(0),
            head: AtomicU64::new(0),
            ring: (0..units).map(|_| Cell::new(0)).collect(),
        })
    }

    fn direction(&self) -> Direction<'_> {
        Direction { tail: &self.tail, head: &self.head, units: self.ring.len() as u32 }
    }

    /// Who has the gatekeeper's lock takes an end that is nobody's.
    fn open(&self, end: usize, me: Claim) {
        self.roles[end].store(0, Relaxed);
        let _ = try_acquire(&self.roles[end], me).expect("nobody has it");
    }

    /// Gives an end up as its drop does.
    fn close(&self, end: usize) {
        close(&self.roles[end]);
        self.direction().rouse(&self.world);
    }

    fn is_gone(&self, end: usize) -> bool {
        match role(&self.roles[end]) {
            Role::Fresh => false,
            Role::Closed => true,
            Role::Had(claim) => self.world.is_dead(claim),
        }
    }

    fn try_send(&self, message: u64) -> Option<Result<(), Departed>> {
        if self.is_gone(RECEIVER) {
            return Some(Err(Departed));
        }
        let direction = self.direction();
        let sent = direction.sent();
        if direction.used(direction.received(), sent) == direction.units {
            return None;
        }
        self.ring[direction.place(sent) as usize].set(message);
        direction.send(sent + 1, &self.world);
        Some(Ok(()))
    }

    fn try_receive(&self) -> Option<Result<u64, Departed>> {
        let direction = self.direction();
        let received = direction.received();
        if direction.sent() == received {
            let is_gone = self.is_gone(SENDER);
            if direction.sent() == received {
                return is_gone.then_some(Err(Departed));
            }
        }
        let message = self.ring[direction.place(received) as usize].get();
        direction.receive(received + 1, &self.world);
        Some(Ok(message))
    }

    fn send(&self, message: u64) -> Result<(), Departed> {
        sleep_until(&self.head, &self.world, &mut Wait::FOREVER.clone(), &mut false, |_| {
            self.try_send(message)
        })
        .expect("a wait for ever does not time out")
    }

    fn receive(&self) -> Result<u64, Departed> {
        sleep_until(&self.tail, &self.world, &mut Wait::FOREVER.clone(), &mut false, |_| self.try_receive())
            .expect("a wait for ever does not time out")
    }

    /// Receives messages from number `first` on until the end; how many there were.
    fn receive_all(&self, first: u64) -> u64 {
        let mut next = first;
        while let Ok(message) = self.receive() {
            assert_eq!(message, next, "out of order");
            next += 1;
        }
        assert_eq!(self.receive(), Err(Departed), "the end stays");
        next - first
    }
}

#[test]
fn every_message_arrives_once_and_in_order() {
    explore("pipe, three messages", 1, |run| {
        let pipe = Pipe::new(2, Slices::Never);
        let mut cast = Cast::new(&pipe);
        cast.part(|pipe| (1..=3).for_each(|message| pipe.send(message).expect("a receiver")));
        cast.part(|pipe| (1..=3).for_each(|message| assert_eq!(pipe.receive(), Ok(message))));
        cast.perform(run);
    });
}

#[test]
fn both_sleep_for_each_other() {
    explore("pipe, a ring of one message", 3, |run| {
        let pipe = Pipe::new(1, Slices::Never);
        let mut cast = Cast::new(&pipe);
        cast.part(|pipe| (1..=2).for_each(|message| pipe.send(message).expect("a receiver")));
        cast.part(|pipe| (1..=2).for_each(|message| assert_eq!(pipe.receive(), Ok(message))));
        cast.perform(run);
    });
}

#[test]
fn what_was_sent_before_the_end_was_closed_arrives() {
    explore("pipe, the sender closes", 2, |run| {
        let pipe = Pipe::new(2, Slices::Never);
        let mut cast = Cast::new(&pipe);
        cast.part(|pipe| {
            (1..=2).for_each(|message| pipe.send(message).expect("a receiver"));
            pipe.close(SENDER);
        });
        let received = cast.part(|pipe| pipe.receive_all(1));
        cast.perform(run);
        assert_eq!(received.get(), 2);
    });
}

#[test]
fn a_sender_learns_that_the_receiver_has_closed() {
    explore("pipe, the receiver closes", 2, |run| {
        let pipe = Pipe::new(1, Slices::Never);
        let mut cast = Cast::new(&pipe);
        let refused = cast.part(|pipe| (1..=3).map_while(|message| pipe.send(message).ok()).count());
        cast.part(|pipe| {
            assert_eq!(pipe.receive(), Ok(1));
            pipe.close(RECEIVER);
        });
        cast.perform(run);
        assert!((1..=2).contains(&refused.get()));
    });
}

#[test]
fn an_end_that_is_closed_again_wakes_again() {
    explore("pipe, closed twice", 3, |run| {
        let pipe = Pipe::fresh(1, Slices::Never);
        pipe.open(SENDER, ADA);
        pipe.close(SENDER);
        // Nobody has had the other end yet: the conversation is the same.
        pipe.open(SENDER, ADA);
        pipe.open(RECEIVER, BOB);
        let mut cast = Cast::new(&pipe);
        cast.part(|pipe| pipe.close(SENDER));
        let received = cast.part(|pipe| pipe.receive_all(1));
        cast.perform(run);
        assert_eq!(received.get(), 0);
    });
}

#[test]
fn all_that_a_dead_sender_sent_arrives_and_then_the_end() {
    explore_deaths("pipe, the sender dies", 1, |run| {
        let pipe = Pipe::new(2, Slices::OneForEachDeath);
        pipe.send(1).expect("a receiver");
        let mut cast = Cast::new(&pipe);
        let mortal = run.clone();
        let sent = cast.part(move |pipe| {
            let mut sent = 1;
            let life = mortal.live(|| {
                pipe.send(2).expect("a receiver");
                sent = 2;
                pipe.close(SENDER);
            });
            if life.is_none() {
                pipe.world.bury(ADA);
            }
            (sent, life.is_some())
        });
        let received = cast.part(|pipe| pipe.receive_all(1));
        cast.perform(run);
        let ((sent, lived), received) = (sent.get(), received.get());
        assert_eq!(received, pipe.direction().sent(), "all that was committed");
        assert!(received == sent || !lived && received == sent + 1);
    });
}

#[test]
fn a_dead_receiver_breaks_the_pipe() {
    explore_deaths("pipe, the receiver dies", 1, |run| {
        let pipe = Pipe::new(1, Slices::OneForEachDeath);
        let mut cast = Cast::new(&pipe);
        let sender = cast.part(|pipe| (1..=3).map_while(|message| pipe.send(message).ok()).count());
        let mortal = run.clone();
        cast.part(move |pipe| {
            let life = mortal.live(|| {
                assert_eq!(pipe.receive(), Ok(1));
                pipe.close(RECEIVER);
            });
            if life.is_none() {
                pipe.world.bury(BOB);
            }
        });
        cast.perform(run);
        assert!((0..=2).contains(&sender.get()));
        let left = pipe.direction().used(pipe.direction().received(), pipe.direction().sent());
        assert!(left <= 1);
    });
}

#[test]
fn a_new_conversation_begins_empty() {
    explore("pipe, a new conversation", 2, |run| {
        let pipe = Pipe::new(2, Slices::Never);
        (1..=2).for_each(|message| pipe.send(message).expect("a receiver"));
        pipe.close(SENDER);
        pipe.close(RECEIVER);
        pipe.direction().reset();
        pipe.open(SENDER, ADA);
        pipe.open(RECEIVER, BOB);
        let mut cast = Cast::new(&pipe);
        cast.part(|pipe| {
            pipe.send(3).expect("a receiver");
            pipe.close(SENDER);
        });
        let received = cast.part(|pipe| pipe.receive_all(3));
        cast.perform(run);
        assert_eq!(received.get(), 1);
    });
}
