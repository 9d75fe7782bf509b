//! Works with every kind that synchronises or passes something on, one after the other at random. Nothing waits for
//! longer than the others may be gone.

use crate::ground::{Count, Ground};
use crate::random::Random;
use crate::sealed;
use crate::works::{self, MESSAGE, RECORD, WORKERS, Works};
use memlane::{Error, Result, Space, StreamPublisher, StreamSubscriber};
use std::time::Duration;

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_millis(100);
/// A wait for somebody who may not come.
const MOMENT: Duration = Duration::from_millis(3);
/// Messages taken at once.
const BATCH: usize = 5;
/// Tokens at most, about.
const TOKENS: u32 = 10;

pub(crate) fn perform(space: &Space, member: u64) -> Result<()> {
    let ground = Ground::open(space)?;
    let works = Works::open(space)?;
    let worker = member as usize % WORKERS;
    let mut at_work = AtWork {
        next_job: works.jobs_book.take_over(worker, &ground)?,
        next_task: works.tasks_book.take_over(worker, &ground)?,
        random: Random::new(u64::from(std::process::id())),
        space,
        ground: &ground,
        works: &works,
        worker,
        publisher: None,
        subscriber: None,
    };
    while !ground.is_over() {
        at_work.step()?;
        ground.go_on(member);
    }
    Ok(())
}

/// The number sealed into a message: which one of which worker.
pub(crate) fn number_of(bytes: &[u8]) -> u64 {
    sealed::unseal(bytes).unwrap_or_else(|why| panic!("a message is torn: {why}"))
}

struct AtWork<'a> {
    space: &'a Space,
    ground: &'a Ground,
    works: &'a Works,
    worker: usize,
    random: Random,
    next_job: u64,
    next_task: u64,
    publisher: Option<StreamPublisher>,
    subscriber: Option<StreamSubscriber>,
}

impl AtWork<'_> {
    fn step(&mut self) -> Result<()> {
        match self.random.below(11) {
            0 | 1 => self.put_job(),
            2 => self.get_jobs(),
            3 => self.put_task(),
            4 => self.do_task(),
            5 => self.hold_permit(),
            6 => self.write_or_read(),
            7 => self.wait_for_something(),
            8 => self.meet(),
            _ => self.publish_and_read(),
        }
    }

    /// A message that says which it is, of any length.
    fn message(&mut self, number: u64) -> Vec<u8> {
        let mut bytes = vec![0; sealed::HEADER + self.random.index(MESSAGE - sealed::HEADER)];
        sealed::seal(&mut bytes, number * WORKERS as u64 + self.worker as u64);
        bytes
    }

    fn put_job(&mut self) -> Result<()> {
        let number = self.next_job;
        let message = self.message(number);
        let (queue, in_place) = (&self.works.jobs, self.random.chance(30));
        let put = self.works.jobs_book.put(self.worker, number, || {
            if !in_place {
                return in_time(queue.put(&message, Some(MOMENT)));
            }
            let reserved = queue.reserve(message.len(), Some(MOMENT));
            in_time(reserved.and_then(|mut room| {
                room.copy_from_slice(&message);
                room.commit()
            }))
        })?;
        if put {
            self.next_job += 1;
            self.ground.add(Count::Puts);
        }
        Ok(())
    }

    fn get_jobs(&mut self) -> Result<()> {
        let (book, queue) = (&self.works.jobs_book, &self.works.jobs);
        let most = 1 + self.random.index(BATCH);
        let in_place = self.random.chance(30);
        let note = |bytes: &[u8]| {
            assert_eq!(book.note_taken(number_of(bytes)), 0, "a message was taken twice");
            self.ground.add(Count::Gets);
        };
        let taken = book.take(self.worker, most as u64, || {
            if in_place {
                return in_time(queue.read(Some(MOMENT)).map(|message| {
                    let copy = message.to_vec();
                    message.done();
                    note(&copy);
                }));
            }
            in_time(queue.get_many(most, Some(MOMENT)).map(|messages| {
                for message in messages {
                    note(&message.bytes);
                }
            }))
        });
        taken.map(drop)
    }

    fn put_task(&mut self) -> Result<()> {
        let number = self.next_task;
        let message = self.message(number);
        let queue = &self.works.tasks;
        let put = || in_time(queue.put(&message, Some(MOMENT)));
        if self.works.tasks_book.put(self.worker, number, put)? {
            self.next_task += 1;
        }
        Ok(())
    }

    fn do_task(&mut self) -> Result<()> {
        let lease = match self.works.tasks.lease(Some(MOMENT)) {
            Ok(lease) => lease,
            Err(Error::Timeout { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let number = number_of(lease.bytes());
        if self.random.chance(10) {
            // Somebody else shall do it.
            drop(lease);
            return Ok(());
        }
        let before = self.works.tasks_book.note_taken(number);
        assert!(before == 0 || lease.redelivered() > 0, "a message was handed out twice, and nobody died");
        if lease.redelivered() > 0 {
            self.ground.add(Count::LeasesRedelivered);
        }
        lease.acknowledge()?;
        self.ground.add(Count::Leases);
        Ok(())
    }

    fn hold_permit(&mut self) -> Result<()> {
        let Ok(permit) = self.works.permit.acquire(1, Some(PATIENCE)) else { return Ok(()) };
        let me = u64::from(std::process::id());
        self.works.inside.store(0, me)?;
        std::thread::yield_now();
        assert_eq!(self.works.inside.load(0)?, me, "two hold one permit");
        drop(permit);
        self.ground.add(Count::Permits);
        Ok(())
    }

    fn write_or_read(&mut self) -> Result<()> {
        let pair = &self.works.pair;
        if self.random.chance(70) {
            let Ok(guard) = self.works.rwlock.read(Some(PATIENCE)) else { return Ok(()) };
            let whole = pair.load(0)? == pair.load(1)?;
            std::thread::yield_now();
            assert!(guard.is_inconsistent() || (whole && pair.load(0)? == pair.load(1)?), "half a change");
            self.ground.add(if guard.owner_died() { Count::WriterDeaths } else { Count::ReadLocks });
            return Ok(());
        }
        let Ok(guard) = self.works.rwlock.write(Some(PATIENCE)) else { return Ok(()) };
        if guard.owner_died() {
            self.ground.add(Count::WriterDeaths);
        }
        if guard.is_inconsistent() {
            pair.store(1, pair.load(0)?)?;
            guard.make_consistent();
        }
        let next = pair.load(0)? + 1;
        assert_eq!(next, pair.load(1)? + 1, "half a change, and no writer died");
        pair.store(0, next)?;
        std::thread::yield_now();
        pair.store(1, next)?;
        self.ground.add(Count::WriteLocks);
        Ok(())
    }

    fn wait_for_something(&mut self) -> Result<()> {
        let works = self.works;
        match self.random.below(6) {
            0 => works.event.set(),
            1 => _ = in_time(works.event.wait(Some(MOMENT)))?,
            2 if works.tokens.value() < TOKENS => works.tokens.release(1)?,
            2 | 3 => _ = in_time(works.tokens.acquire(Some(MOMENT)))?,
            4 => {
                let Ok(outer) = works.rlock.lock_timeout(PATIENCE) else { return Ok(()) };
                let inner = works.rlock.lock()?;
                assert!(!inner.owner_died(), "a lock was lost while it was held");
                outer.make_consistent();
            }
            _ => {
                let Ok(mut guard) = works.lock.lock_timeout(PATIENCE) else { return Ok(()) };
                if self.random.chance(50) {
                    works.condition.notify(1);
                } else {
                    works.condition.wait(&mut guard, Some(MOMENT))?;
                }
                guard.make_consistent();
            }
        }
        self.ground.add(Count::Waits);
        Ok(())
    }

    fn meet(&mut self) -> Result<()> {
        match self.works.barrier.wait(Some(MOMENT)) {
            Ok(_) => self.ground.add(Count::Meetings),
            Err(Error::Timeout { .. } | Error::BrokenBarrier { .. }) => {
                self.ground.add(Count::MeetingsBroken);
                self.works.barrier.reset()?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn publish_and_read(&mut self) -> Result<()> {
        let id = "works/stream";
        if self.publisher.is_none() {
            match StreamPublisher::open_or_create(self.space, id, &works::stream()) {
                Ok(publisher) => self.publisher = Some(publisher),
                Err(Error::PublisherExists { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(publisher) = &mut self.publisher {
            let mut record = [0; RECORD];
            for _ in 0..self.random.below(200) {
                sealed::seal(&mut record, publisher.published());
                publisher.append(&record)?;
            }
        }
        if self.subscriber.is_none() {
            self.subscriber = Some(StreamSubscriber::open(self.space, id)?);
        }
        if let Some(subscriber) = &self.subscriber {
            let (start, lost) = (subscriber.cursor(), subscriber.lost());
            let records = subscriber.try_next_many(1000);
            for (sequence, bytes) in records.iter() {
                assert_eq!(number_of(bytes), sequence, "a record is another's");
            }
            let passed = records.len() as u64 + subscriber.lost() - lost;
            assert_eq!(start + passed, subscriber.cursor(), "a record was neither read nor lost");
            self.ground.add_many(Count::Records, records.len() as u64);
            self.ground.add_many(Count::RecordsLost, subscriber.lost() - lost);
        }
        Ok(())
    }
}

/// Whether it was done in time.
fn in_time(outcome: Result<()>) -> Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(Error::Timeout { .. } | Error::LockTimeout { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
