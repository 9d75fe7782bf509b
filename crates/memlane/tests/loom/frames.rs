//! Frame channels: a frame that is held does not change, the pool always has a free slot, and whoever dies at
//! whatever access, the frames on offer stand and the sequence goes on.

use crate::explore::{Cast, Run, explore, explore_deaths};
use crate::world::{ADA, BOB, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, pause};
use memlane::algorithms::claim::{Claim, release, try_take_over};
use memlane::algorithms::pool::{Gone, Located, Pool};
use memlane::algorithms::version::wait_until;
use memlane::algorithms::waiter::Wait;
use std::rc::Rc;

/// What a publisher writes into a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Picture {
    sequence: u64,
    /// Which publisher made it.
    author: u64,
}

struct Channel {
    world: World,
    history: u64,
    head: AtomicU64,
    sequences: Vec<AtomicU64>,
    ring: Vec<AtomicU64>,
    borrows: Vec<AtomicU32>,
    /// Whose each borrow entry is.
    claims: Vec<AtomicU32>,
    /// Plain memory, as readers see it; loom objects to accesses that nothing orders.
    pictures: Vec<Cell<Picture>>,
    /// The same as words, as observers see it: what they copy may be torn.
    words: Vec<[AtomicU64; 2]>,
}

impl Channel {
    /// Of the dimensions that `layout` gives a channel.
    fn new(entries: usize, history: usize) -> Rc<Self> {
        let slots = entries + history + 1;
        let ring = (history + 1).next_power_of_two();
        Rc::new(Self {
            world: World::new(Slices::Never),
            history: history as u64,
            head: AtomicU64::new(0),
            sequences: zeroed(slots, AtomicU64::new),
            ring: zeroed(ring, AtomicU64::new),
            borrows: zeroed(entries, AtomicU32::new),
            claims: zeroed(entries, AtomicU32::new),
            pictures: (0..slots).map(|_| Cell::default()).collect(),
            words: (0..slots).map(|_| [0; 2].map(AtomicU64::new)).collect(),
        })
    }

    fn pool(&self) -> Pool<'_> {
        Pool {
            head: &self.head,
            sequences: &self.sequences,
            borrows: &self.borrows,
            ring: &self.ring,
            history: self.history,
        }
    }

    fn newest(&self) -> u64 {
        self.pool().newest().sequence
    }

    /// Borrows the newest frame and looks at it; `None` when there is none.
    fn see_newest(&self, entry: usize) -> Option<Picture> {
        loop {
            let newest = self.pool().newest();
            if newest.sequence == 0 {
                return None;
            }
            if let Ok(frame) = self.pool().borrow(&self.borrows[entry], newest) {
                return Some(self.look_and_release(entry, frame));
            }
            pause();
        }
    }

    fn see(&self, entry: usize, sequence: u64) -> Result<Picture, Gone> {
        let frame = self.pool().borrow_sequence(&self.borrows[entry], sequence)?;
        Ok(self.look_and_release(entry, frame))
    }

    fn look_and_release(&self, entry: usize, frame: Located) -> Picture {
        let picture = self.pictures[frame.slot].get();
        assert_eq!(picture.sequence, frame.sequence);
        self.pool().release(&self.borrows[entry]);
        picture
    }

    /// What an observer gets of a frame; `None` when it went off the offer meanwhile.
    fn observe(&self, frame: Located) -> Option<[u64; 2]> {
        let copy = self.words[frame.slot].each_ref().map(|word| word.load(Relaxed));
        self.pool().still_offers(frame).then_some(copy)
    }

    /// With nobody publishing, the last frames are on offer and no others.
    fn check_offer(&self, entry: usize) {
        let newest = self.newest();
        for sequence in 1..=newest {
            let seen = self.see(entry, sequence);
            assert_eq!(seen.is_ok(), sequence + self.history > newest, "frame {sequence} of {newest}");
        }
        assert_eq!(self.see_newest(entry).map_or(0, |picture| picture.sequence), newest);
    }
}

fn zeroed<Word, Integer: Default>(count: usize, word: fn(Integer) -> Word) -> Vec<Word> {
    (0..count).map(|_| word(Integer::default())).collect()
}

/// One life in the role of the publisher: the next slot is chosen ahead.
struct Publisher<'a> {
    channel: &'a Channel,
    author: u64,
    next: Located,
}

impl<'a> Publisher<'a> {
    fn new(channel: &'a Channel, author: u64) -> Self {
        let next = channel.pool().begin().expect("a pool has a free slot");
        Self { channel, author, next }
    }

    fn publish(&mut self) {
        let (channel, frame) = (self.channel, self.next);
        channel.pictures[frame.slot].set(Picture { sequence: frame.sequence, author: self.author });
        self.offer(frame);
    }

    /// [`Self::publish`] for observers.
    fn publish_words(&mut self) {
        let frame = self.next;
        for word in &self.channel.words[frame.slot] {
            word.store(frame.sequence, Relaxed);
        }
        self.offer(frame);
    }

    fn publish_many(&mut self, count: usize) {
        (0..count).for_each(|_| self.publish());
    }

    fn offer(&mut self, frame: Located) {
        self.channel.pool().publish(frame, &self.channel.world);
        self.next = self.channel.pool().begin_after(frame).expect("a pool has a free slot");
    }
}

/// A channel whose publisher has published already.
fn channel_with(frames: usize, entries: usize, history: usize) -> Rc<Channel> {
    let channel = Channel::new(entries, history);
    Publisher::new(&channel, 1).publish_many(frames);
    channel
}

#[test]
fn a_held_frame_does_not_change() {
    explore("frames, one reader", 3, |_| {
        let channel = channel_with(1, 1, 1);
        let mut cast = Cast::new(&channel);
        cast.part(|channel| Publisher::new(channel, 1).publish_many(2));
        cast.part(|channel| {
            let seen = [channel.see_newest(0), channel.see_newest(0)];
            let seen = seen.map(|picture| picture.expect("a first frame").sequence);
            assert!(seen.is_sorted(), "{seen:?}");
        });
        cast.perform_as_listed();
        channel.check_offer(0);
    });
}

#[test]
fn frames_before_the_newest_can_be_held() {
    explore("frames, history of two", 3, |_| {
        let channel = channel_with(2, 1, 2);
        let mut cast = Cast::new(&channel);
        cast.part(|channel| Publisher::new(channel, 1).publish_many(2));
        cast.part(|channel| {
            let before = channel.newest() - 1;
            let _ = channel.see(0, before);
            channel.see_newest(0).expect("a first frame");
        });
        cast.perform_as_listed();
        channel.check_offer(0);
    });
}

#[test]
fn two_readers_do_not_disturb_each_other() {
    explore("frames, two readers", 2, |_| {
        let channel = channel_with(1, 2, 1);
        let mut cast = Cast::new(&channel);
        cast.part(|channel| Publisher::new(channel, 1).publish_many(2));
        for entry in [0, 1] {
            cast.part(move |channel| channel.see_newest(entry).expect("a first frame"));
        }
        cast.perform_as_listed();
        channel.check_offer(1);
    });
}

#[test]
fn a_reader_sleeps_until_a_frame_comes() {
    explore("frames, a sleeper", 3, |run| {
        let channel = Channel::new(1, 1);
        let mut cast = Cast::new(&channel);
        cast.part(|channel| Publisher::new(channel, 1).publish_many(2));
        let reader = cast.part(|channel| {
            let arrived = |count| Located::unpack(count).sequence == 2;
            let head = wait_until(&channel.head, &channel.world, &mut Wait::FOREVER.clone(), arrived);
            let frame = Located::unpack(head.expect("a wait for ever does not time out"));
            // Nothing follows frame 2, so it is on offer.
            let frame = channel.pool().borrow(&channel.borrows[0], frame).expect("frame 2 is on offer");
            channel.look_and_release(0, frame)
        });
        cast.perform(run);
        assert_eq!(reader.get(), Picture { sequence: 2, author: 1 });
    });
}

#[test]
fn what_an_observer_gets_is_whole() {
    explore("frames, an observer", 3, |run| {
        let channel = Channel::new(1, 1);
        let mut cast = Cast::new(&channel);
        cast.part(|channel| {
            let mut publisher = Publisher::new(channel, 1);
            (0..3).for_each(|_| publisher.publish_words());
        });
        cast.part(|channel| {
            let newest = channel.pool().newest();
            if newest.sequence > 0 {
                let copy = channel.observe(newest);
                assert!(copy.is_none_or(|copy| copy == [newest.sequence; 2]), "{newest:?} is {copy:?}");
            }
        });
        cast.perform(run);
        let newest = channel.pool().newest();
        assert_eq!((newest.sequence, channel.observe(newest)), (3, Some([3; 2])));
    });
}

#[test]
fn an_observer_finds_the_frames_before_the_newest() {
    explore("frames, an observer of history", 3, |run| {
        let channel = Channel::new(1, 2);
        let mut cast = Cast::new(&channel);
        cast.part(|channel| {
            let mut publisher = Publisher::new(channel, 1);
            (0..3).for_each(|_| publisher.publish_words());
        });
        cast.part(|channel| {
            if let Some(frame) = channel.pool().locate(1) {
                let copy = channel.observe(frame);
                assert!(copy.is_none_or(|copy| copy == [1; 2]), "{copy:?}");
            }
        });
        cast.perform(run);
        assert_eq!([1, 2, 3].map(|sequence| channel.pool().locate(sequence).is_some()), [false, true, true]);
    });
}

/// A publisher that may die, one that follows it, and a reader all the while.
fn succession<const HISTORY: usize>(run: &Run) {
    let channel = channel_with(HISTORY, 1, HISTORY);
    let mut cast = Cast::new(&channel);
    let mortal = run.clone();
    let publishers = cast.part(move |channel| {
        let _ = mortal.live(|| Publisher::new(channel, 1).publish());
        let left = channel.newest();
        Publisher::new(channel, 2).publish();
        assert_eq!(channel.newest(), left + 1);
        left
    });
    let reader = cast.part(|channel| {
        let oldest = channel.newest() + 1 - HISTORY as u64;
        [channel.see(0, oldest).ok(), channel.see_newest(0)]
    });
    cast.perform_as_listed();
    for picture in reader.get().into_iter().flatten() {
        let author = if picture.sequence <= publishers.get() { 1 } else { 2 };
        assert_eq!(picture.author, author, "a frame that was never published");
    }
    channel.check_offer(0);
}

#[test]
fn the_next_publisher_goes_on_where_a_dead_one_stopped() {
    explore_deaths("frames, the publisher dies", 2, succession::<1>);
}

#[test]
fn the_next_publisher_goes_on_with_the_history_of_a_dead_one() {
    explore_deaths("frames, the publisher of a history dies", 2, succession::<2>);
}

#[test]
fn a_dead_publisher_leaves_the_last_frames_on_offer() {
    explore_deaths("frames, nobody follows the publisher", 2, |run| {
        let channel = channel_with(2, 1, 2);
        let _ = run.live(|| Publisher::new(&channel, 1).publish_many(2));
        let newest = channel.newest();
        assert!(channel.see(0, newest).is_ok());
        assert_eq!(channel.see_newest(0).expect("frames").sequence, newest);
    });
}

/// Claims entry 0 as a subscriber does; `None` when its holder lives.
fn subscribe(channel: &Channel, me: Claim) -> Option<()> {
    let _ = try_take_over(&channel.claims[0], me, &channel.world).ok()?;
    channel.pool().release(&channel.borrows[0]);
    Some(())
}

#[test]
fn a_readers_death_costs_nobody_a_frame() {
    explore_deaths("frames, a reader dies", 2, |run| {
        let channel = channel_with(1, 1, 1);
        let mut cast = Cast::new(&channel);
        cast.part(|channel| Publisher::new(channel, 1).publish_many(2));
        let mortal = run.clone();
        cast.part(move |channel| {
            let life = mortal.live(|| {
                subscribe(channel, ADA)?;
                channel.see_newest(0)?;
                release(&channel.claims[0], &channel.world);
                Some(())
            });
            if life.is_none() {
                channel.world.bury(ADA);
            }
            subscribe(channel, BOB).expect("who held the entry is dead or has left");
            channel.see_newest(0).expect("a first frame");
        });
        cast.perform_as_listed();
        channel.check_offer(0);
    });
}
