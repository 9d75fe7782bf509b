//! Streams: what a reader takes for whole is whole, what it gets and what it lost add up, a lossless publisher
//! overtakes no reader, and whoever dies at whatever access, the others go on.

use crate::explore::{Cast, Run, explore, explore_deaths};
use crate::world::{ADA, BOB, Slices, World};
use loom::cell::Cell;
use memlane::algorithms::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use memlane::algorithms::claim::{Claim, release, try_take_over};
use memlane::algorithms::log::Log;
use memlane::algorithms::readers::{Entry, slowest};
use memlane::algorithms::version::{advance, wait_until};
use memlane::algorithms::waiter::{Peers, Wait};
use std::rc::Rc;

/// A stream whose readers are on their own: what they copy may be torn.
struct Stream {
    world: World,
    tail: AtomicU64,
    intent: AtomicU64,
    number: AtomicU64,
    copy: [AtomicU64; 2],
    slots: Vec<[AtomicU64; 2]>,
}

/// What a record's words are.
fn record(number: u64, author: u64) -> u64 {
    number * 10 + author
}

fn fill(words: &[AtomicU64], content: u64) {
    words.iter().for_each(|word| word.store(content, Relaxed));
}

impl Stream {
    /// A ring of so many slots, filled once.
    fn new(capacity: usize, slices: Slices) -> Rc<Self> {
        let stream = Self {
            world: World::new(slices),
            tail: AtomicU64::new(0),
            intent: AtomicU64::new(0),
            number: AtomicU64::new(0),
            copy: [0; 2].map(AtomicU64::new),
            slots: (0..capacity).map(|_| [0; 2].map(AtomicU64::new)).collect(),
        };
        stream.publish(capacity as u64, 0);
        Rc::new(stream)
    }

    fn log(&self) -> Log<'_> {
        Log {
            tail: &self.tail,
            intent: &self.intent,
            capacity: self.slots.len() as u64,
            number: &self.number,
            copy: &self.copy,
        }
    }

    fn slot(&self, number: u64) -> &[AtomicU64; 2] {
        &self.slots[number as usize % self.slots.len()]
    }

    /// Publishes records as one change.
    fn publish(&self, count: u64, author: u64) {
        let mut progress = self.log().progress();
        let first = self.log().begin(&mut progress, count);
        if count == 1 {
            self.log().copy_beside(first, |copy| fill(copy, record(first, author)));
        }
        for number in first..first + count {
            fill(self.slot(number), record(number, author));
        }
        self.log().publish(&mut progress, first + count, &self.world);
    }

    /// A record, if it was whole all the time; else the oldest that was.
    fn copy(&self, number: u64) -> Result<u64, u64> {
        let [one, other] = self.slot(number).each_ref().map(|word| word.load(Relaxed));
        let whole = self.log().oldest_whole();
        if whole > number {
            return Err(whole);
        }
        assert_eq!(one, other, "record {number} is torn");
        assert_eq!(one / 10, number, "another record");
        Ok(one)
    }

    /// The newest record, from beside the tail if it is there.
    fn copy_beside(&self) -> Option<u64> {
        let published = self.log().published();
        let mut words = [0; 2];
        self.log()
            .read_beside(published, |copy| words = std::array::from_fn(|index| copy[index].load(Relaxed)))?;
        assert_eq!(words[0], words[1], "the copy of record {} is torn", published - 1);
        assert_eq!(words[0] / 10, published - 1, "the copy of another record");
        Some(words[0])
    }

    fn await_more_than(&self, number: u64) {
        let arrived = |published| published > number;
        wait_until(&self.tail, &self.world, &mut Wait::FOREVER.clone(), arrived)
            .expect("a wait for ever does not time out");
    }

    /// Reads on from `cursor` up to `end` as a subscriber does; how many it got and how many it lost.
    fn read(&self, cursor: u64, end: u64) -> (u64, u64) {
        let (mut next, mut got, mut lost) = (cursor, 0, 0);
        while next < end {
            self.await_more_than(next);
            match self.copy(next) {
                Ok(_) => {
                    got += 1;
                    next += 1;
                }
                Err(whole) => {
                    lost += whole - next;
                    next = whole;
                }
            }
        }
        (got, lost)
    }
}

#[test]
fn what_a_reader_takes_for_whole_is_whole() {
    explore("stream, a reader", 3, |run| {
        let stream = Stream::new(2, Slices::Never);
        let mut cast = Cast::new(&stream);
        cast.part(|stream| (0..2).for_each(|_| stream.publish(1, 1)));
        cast.part(|stream| {
            let newest = stream.log().published() - 1;
            let _ = stream.copy(newest - 1);
            let _ = stream.copy(newest);
        });
        cast.perform(run);
        assert_eq!((stream.copy(1), stream.copy(2), stream.copy(3)), (Err(2), Ok(21), Ok(31)));
    });
}

#[test]
fn what_is_copied_beside_the_tail_is_whole_and_the_newest() {
    explore("stream, the copy beside the tail", 3, |run| {
        let stream = Stream::new(4, Slices::Never);
        let mut cast = Cast::new(&stream);
        cast.part(|stream| {
            stream.publish(1, 1);
            stream.publish(2, 1);
            stream.publish(1, 1);
        });
        cast.part(|stream| _ = stream.copy_beside());
        cast.perform(run);
        assert_eq!(stream.copy_beside(), Some(record(7, 1)));
    });
}

#[test]
fn what_a_dead_publisher_was_copying_beside_the_tail_is_never_read() {
    explore_deaths("stream, the publisher dies at the copy", 2, |run| {
        let stream = Stream::new(4, Slices::Never);
        let mut cast = Cast::new(&stream);
        let mortal = run.clone();
        let left = cast.part(move |stream| {
            stream.publish(1, 1);
            let _ = mortal.live(|| stream.publish(1, 1));
            let left = stream.log().published();
            stream.publish(1, 2);
            left
        });
        let reader = cast.part(|stream| stream.copy_beside());
        cast.perform_as_listed();
        if let Some(seen) = reader.get() {
            let author = if seen / 10 < left.get() { 1 } else { 2 };
            assert_eq!(seen % 10, author, "a record that was never published");
        }
        assert_eq!(stream.copy_beside(), Some(record(stream.log().published() - 1, 2)));
    });
}

#[test]
fn what_is_got_and_what_is_lost_add_up() {
    explore("stream, a reader asleep", 2, |run| {
        let stream = Stream::new(1, Slices::Never);
        let mut cast = Cast::new(&stream);
        cast.part(|stream| (0..2).for_each(|_| stream.publish(1, 1)));
        let reader = cast.part(|stream| stream.read(1, 3));
        cast.perform(run);
        let (got, lost) = reader.get();
        assert_eq!(got + lost, 2);
        assert!(got > 0, "the last record stays");
    });
}

#[test]
fn a_dead_publishers_torn_records_are_never_read() {
    explore_deaths("stream, the publisher dies", 2, |run| {
        let stream = Stream::new(4, Slices::Never);
        let mut cast = Cast::new(&stream);
        let mortal = run.clone();
        let left = cast.part(move |stream| {
            let _ = mortal.live(|| stream.publish(2, 1));
            let left = stream.log().published();
            stream.publish(1, 2);
            left
        });
        let reader = cast.part(|stream| {
            let newest = stream.log().published() - 1;
            [stream.copy(1).ok(), stream.copy(newest).ok()]
        });
        cast.perform_as_listed();
        let left = left.get();
        assert!(left == 4 || left == 6);
        let author = |number| {
            if number < 4 {
                0
            } else if number < left {
                1
            } else {
                2
            }
        };
        let copies = (0..=left).map(|number| stream.copy(number).ok());
        for copy in copies.chain(reader.get()).flatten() {
            assert_eq!(copy % 10, author(copy / 10), "a record that was never published");
        }
        assert_eq!(stream.copy(left), Ok(record(left, 2)), "the newest record stays");
    });
}

#[test]
fn a_publishers_death_delays_the_readers_by_a_slice() {
    explore_deaths("stream, the publisher dies, a reader asleep", 2, |run| {
        let stream = Stream::new(1, Slices::AllAtEachDeath);
        let mut cast = Cast::new(&stream);
        let mortal = run.clone();
        cast.part(move |stream| {
            if mortal.live(|| stream.publish(1, 1)).is_none() {
                stream.world.bury(ADA);
                if stream.log().published() == 1 {
                    stream.publish(1, 2);
                }
            }
        });
        let reader = cast.part(|stream| stream.read(1, 2));
        cast.perform(run);
        assert_eq!(reader.get(), (1, 0));
    });
}

/// A stream whose publisher waits for its readers.
struct Lossless {
    world: World,
    tail: AtomicU64,
    intent: AtomicU64,
    drain: AtomicU64,
    claims: Vec<AtomicU32>,
    cursors: Vec<AtomicU64>,
    /// Plain memory; loom objects to accesses that nothing orders.
    slots: Vec<Cell<u64>>,
}

impl Lossless {
    fn new(capacity: usize, readers: usize, slices: Slices) -> Rc<Self> {
        Rc::new(Self {
            world: World::new(slices),
            tail: AtomicU64::new(0),
            intent: AtomicU64::new(0),
            drain: AtomicU64::new(0),
            claims: (0..readers).map(|_| AtomicU32::new(0)).collect(),
            cursors: (0..readers).map(|_| AtomicU64::new(0)).collect(),
            slots: (0..capacity).map(|_| Cell::new(0)).collect(),
        })
    }

    fn log(&self) -> Log<'_> {
        Log {
            tail: &self.tail,
            intent: &self.intent,
            capacity: self.slots.len() as u64,
            // Its records are larger.
            number: &self.intent,
            copy: &[],
        }
    }

    fn slot(&self, number: u64) -> &Cell<u64> {
        &self.slots[number as usize % self.slots.len()]
    }

    fn entry(&self, index: usize) -> Entry<'_> {
        Entry { claim: &self.claims[index], cursor: &self.cursors[index] }
    }

    /// The limit, if it is at least `end`.
    fn limit(&self, end: u64, is_dead: impl Fn(Claim) -> bool) -> Option<u64> {
        let entries = (0..self.claims.len()).map(|index| self.entry(index));
        let limit = slowest(&self.log(), entries, is_dead).cursor + self.slots.len() as u64;
        (limit >= end).then_some(limit)
    }

    /// Publishes records up to number `end` as a publisher does.
    fn publish_to(&self, end: u64) {
        let mut limit = 0;
        let mut progress = self.log().progress();
        for number in progress.published..end {
            if number + 1 > limit {
                limit = self.make_room(number + 1);
            }
            assert_eq!(self.log().begin(&mut progress, 1), number);
            self.slot(number).set(number + 1);
            self.log().publish(&mut progress, number + 1, &self.world);
        }
    }

    fn make_room(&self, end: u64) -> u64 {
        if let Some(limit) = self.limit(end, |_| false) {
            return limit;
        }
        let mut found = None;
        let has_room = |_| {
            found = self.limit(end, |reader| self.world.is_dead(reader));
            found.is_some()
        };
        wait_until(&self.drain, &self.world, &mut Wait::FOREVER.clone(), has_room)
            .expect("a wait for ever does not time out");
        found.expect("the last look said so")
    }

    /// Claims the entry, if nobody living has it, and begins.
    fn join(&self, index: usize, me: Claim) -> u64 {
        let _ = try_take_over(&self.claims[index], me, &self.world).expect("its holder is dead or has left");
        self.entry(index).join(&self.log(), &self.drain, &self.world)
    }

    /// Reads up to number `end`; no record is lost.
    fn read_to(&self, index: usize, first: u64, end: u64) {
        for number in first..end {
            let arrived = |published| published > number;
            wait_until(&self.tail, &self.world, &mut Wait::FOREVER.clone(), arrived)
                .expect("a wait for ever does not time out");
            assert_eq!(self.slot(number).get(), number + 1, "record {number} is overwritten");
            assert!(self.log().oldest_whole() <= number);
            self.entry(index).go_on(number + 1, &self.drain, &self.world);
        }
    }

    fn leave(&self, index: usize) {
        release(&self.claims[index], &self.world);
        advance(&self.drain, &self.world);
    }
}

#[test]
fn a_reader_that_joins_loses_nothing() {
    explore("stream, a reader joins", 2, |run| {
        let stream = Lossless::new(1, 1, Slices::Never);
        let mut cast = Cast::new(&stream);
        cast.part(|stream| stream.publish_to(2));
        cast.part(|stream| {
            let first = stream.join(0, BOB);
            stream.read_to(0, first, 2);
        });
        cast.perform(run);
        assert_eq!(stream.log().published(), 2);
    });
}

#[test]
fn a_reader_can_leave_what_it_has_not_read() {
    explore("stream, a reader leaves", 2, |run| {
        let stream = Lossless::new(1, 1, Slices::Never);
        stream.join(0, BOB);
        let mut cast = Cast::new(&stream);
        cast.part(|stream| stream.publish_to(2));
        cast.part(|stream| {
            if stream.log().published() > 0 {
                assert_eq!(stream.slot(0).get(), 1);
            }
            stream.leave(0);
        });
        cast.perform(run);
        assert_eq!(stream.log().published(), 2);
    });
}

#[test]
fn a_publisher_waits_for_the_slowest() {
    explore("stream, two readers", 1, |run| {
        let stream = Lossless::new(1, 2, Slices::Never);
        let first = [stream.join(0, ADA), stream.join(1, BOB)];
        stream.publish_to(1);
        let mut cast = Cast::new(&stream);
        cast.part(|stream| stream.publish_to(2));
        for (index, first) in first.into_iter().enumerate() {
            cast.part(move |stream| stream.read_to(index, first, 1));
        }
        cast.perform(run);
        assert_eq!(stream.log().published(), 2);
    });
}

/// A reader that may die, one that has its entry after it, and a publisher all the while.
fn succession(run: &Run) {
    let stream = Lossless::new(1, 1, Slices::OneForEachDeath);
    let mut cast = Cast::new(&stream);
    cast.part(|stream| stream.publish_to(2));
    let mortal = run.clone();
    cast.part(move |stream| {
        let life = mortal.live(|| {
            let first = stream.join(0, ADA);
            stream.read_to(0, first, 1.max(first));
            stream.leave(0);
        });
        if life.is_none() {
            stream.world.bury(ADA);
        }
        let first = stream.join(0, BOB);
        stream.read_to(0, first, 2);
        stream.leave(0);
    });
    cast.perform_as_listed();
    assert_eq!(stream.log().published(), 2);
}

#[test]
fn who_has_a_dead_readers_entry_next_loses_nothing() {
    explore_deaths("stream, a reader dies", 1, succession);
}

#[test]
fn a_readers_death_holds_nobody_up() {
    explore_deaths("stream, a reader dies and none follows", 2, |run| {
        let stream = Lossless::new(1, 1, Slices::OneForEachDeath);
        let mut cast = Cast::new(&stream);
        cast.part(|stream| stream.publish_to(2));
        let mortal = run.clone();
        cast.part(move |stream| {
            let life = mortal.live(|| {
                stream.join(0, ADA);
                stream.leave(0);
            });
            if life.is_none() {
                stream.world.bury(ADA);
            }
        });
        cast.perform(run);
        assert_eq!(stream.log().published(), 2);
    });
}

#[test]
fn the_next_publisher_overtakes_no_reader() {
    explore_deaths("stream, a lossless publisher dies", 1, |run| {
        let stream = Lossless::new(1, 1, Slices::AllAtEachDeath);
        let first = stream.join(0, BOB);
        let mut cast = Cast::new(&stream);
        let mortal = run.clone();
        cast.part(move |stream| {
            if mortal.live(|| stream.publish_to(2)).is_none() {
                stream.world.bury(ADA);
                stream.publish_to(2);
            }
        });
        cast.part(move |stream| stream.read_to(0, first, 2));
        cast.perform(run);
    });
}
