//! The regions of the kinds that synchronise and pass on, and the books that are kept of what was passed.

use crate::ground::{Count, Ground, PARTICIPANTS};
use memlane::{
    Array, Barrier, Condition, Event, Lock, Queue, QueueSpec, RLock, Region, Result, RwLock, Semaphore,
    SignalSemaphore, Space, StreamSpec,
};

/// Processes that work with them.
pub(crate) const WORKERS: usize = 2;
/// Most messages of each into each queue.
const MOST: usize = 1 << 21;
/// Bytes of the longest message.
pub(crate) const MESSAGE: usize = 2000;
/// Bytes of a record.
pub(crate) const RECORD: usize = 64;

/// Everything a worker has in its hands.
#[derive(Debug)]
pub(crate) struct Works {
    pub(crate) jobs: Queue,
    pub(crate) jobs_book: Book,
    pub(crate) tasks: Queue,
    pub(crate) tasks_book: Book,
    pub(crate) permit: Semaphore,
    pub(crate) inside: Array<u64>,
    pub(crate) tokens: SignalSemaphore,
    pub(crate) event: Event,
    pub(crate) rlock: RLock,
    pub(crate) rwlock: RwLock,
    pub(crate) pair: Array<u64>,
    pub(crate) lock: Lock,
    pub(crate) condition: Condition,
    pub(crate) barrier: Barrier,
}

/// What was put into a queue and taken out of it, by worker and number.
#[derive(Debug)]
pub(crate) struct Book {
    /// The number that each worker put last for certain, and the one that it is putting; 0: none.
    put: Array<u64>,
    /// How many each worker is taking.
    taking: Array<u64>,
    /// How often each message was taken.
    taken: Array<u8>,
    puts_cut_short: Count,
    gets_cut_short: Count,
}

impl Works {
    pub(crate) fn open(space: &Space) -> Result<Self> {
        let space = &space.clone().participants(PARTICIPANTS);
        let book = |name, puts, gets| Book::open(space, name, puts, gets);
        Ok(Self {
            jobs: Queue::open_or_create(space, "works/jobs", &QueueSpec::bytes(16 * 1024).messages(40))?,
            jobs_book: book("works/jobs-book", Count::PutsCutShort, Count::GetsCutShort)?,
            tasks: Queue::open_or_create(space, "works/tasks", &QueueSpec::bytes(16 * 1024).acknowledged())?,
            tasks_book: book("works/tasks-book", Count::LeasesCutShort, Count::GetsCutShort)?,
            permit: Semaphore::open_or_create(space, "works/permit", 1)?,
            inside: Array::open_or_create(space, "works/inside", &[1])?,
            tokens: SignalSemaphore::open_or_create(space, "works/tokens", 0)?,
            event: Event::open_or_create_auto_reset(space, "works/event")?,
            rlock: RLock::open_or_create(space, "works/rlock")?,
            rwlock: RwLock::open_or_create(space, "works/rwlock")?,
            pair: Array::open_or_create(space, "works/pair", &[2])?,
            lock: Lock::open_or_create(space, "works/lock")?,
            condition: Condition::open_or_create(space, "works/condition")?,
            barrier: Barrier::open_or_create(space, "works/barrier", WORKERS as u32)?,
        })
    }

    /// Those of which the parent must be the only one attached in the end.
    pub(crate) fn regions(&self) -> [&Region; 8] {
        [
            self.jobs.region(),
            self.tasks.region(),
            self.permit.region(),
            self.tokens.region(),
            self.event.region(),
            self.rwlock.region(),
            self.condition.region(),
            self.barrier.region(),
        ]
    }

    /// Every message put was taken once, or is accounted for.
    pub(crate) fn check(&self, ground: &Ground) -> Result<(), String> {
        let in_words = |error: memlane::Error| error.to_string();
        while let Some(message) = self.jobs.try_get().map_err(in_words)? {
            self.jobs_book.note_taken(crate::worker::number_of(&message.bytes));
        }
        while let Some(lease) = self.tasks.try_lease().map_err(in_words)? {
            self.tasks_book.note_taken(crate::worker::number_of(lease.bytes()));
            lease.acknowledge().map_err(in_words)?;
        }
        if !(self.jobs.is_empty() && self.tasks.is_empty()) {
            return Err(format!("{} and {} messages are left", self.jobs.len(), self.tasks.len()));
        }
        let (jobs, tasks) = (self.jobs_book.missing(), self.tasks_book.missing());
        let in_doubt = ground.total(Count::PutsCutShort) + ground.total(Count::GetsCutShort);
        if jobs > in_doubt {
            return Err(format!("{jobs} messages are missing, and {in_doubt} are in doubt"));
        }
        let in_doubt = ground.total(Count::LeasesCutShort);
        if tasks > in_doubt {
            return Err(format!(
                "{tasks} messages to be acknowledged are missing, and {in_doubt} are in doubt"
            ));
        }
        if self.permit.free() != 1 {
            return Err(format!("the permit of the dead does not return: {:?}", self.permit.state()));
        }
        if self.rwlock.try_write().map_err(in_words)?.is_none() {
            return Err(format!("the dead hold the readers-writer lock: {:?}", self.rwlock.state()));
        }
        Ok(())
    }
}

impl Book {
    fn open(space: &Space, name: &str, puts_cut_short: Count, gets_cut_short: Count) -> Result<Self> {
        Ok(Self {
            put: Array::open_or_create(space, &format!("{name}/put"), &[WORKERS, 2])?,
            taking: Array::open_or_create(space, &format!("{name}/taking"), &[WORKERS])?,
            taken: Array::open_or_create(space, &format!("{name}/taken"), &[WORKERS, MOST])?,
            puts_cut_short,
            gets_cut_short,
        })
    }

    /// A new process takes a place over: what the one before it was at is in doubt. Gives back the number of its first
    /// message.
    pub(crate) fn take_over(&self, worker: usize, ground: &Ground) -> Result<u64> {
        let (last, putting) = (self.put.load(2 * worker)?, self.put.load(2 * worker + 1)?);
        let taking = self.taking.load(worker)?;
        ground.add_many(self.gets_cut_short, taking);
        self.taking.store(worker, 0)?;
        if putting == last || putting == 0 {
            return Ok(last + 1);
        }
        ground.add(self.puts_cut_short);
        self.put.store(2 * worker, putting)?;
        Ok(putting + 1)
    }

    /// Runs `put` of message `number`, if there is a line for it in the book; says whether it was put.
    pub(crate) fn put(&self, worker: usize, number: u64, put: impl FnOnce() -> Result<bool>) -> Result<bool> {
        if number >= MOST as u64 {
            return Ok(false);
        }
        self.put.store(2 * worker + 1, number)?;
        let done = put()?;
        // Of a message that is not put the number is used again.
        self.put.store(2 * worker + usize::from(!done), if done { number } else { number - 1 })?;
        Ok(done)
    }

    /// Runs `take`, which takes up to `most` messages and notes each.
    pub(crate) fn take<T>(&self, worker: usize, most: u64, take: impl FnOnce() -> Result<T>) -> Result<T> {
        self.taking.store(worker, most)?;
        let taken = take()?;
        self.taking.store(worker, 0)?;
        Ok(taken)
    }

    /// Notes that a message was taken; how often it was before.
    pub(crate) fn note_taken(&self, number: u64) -> u8 {
        let (worker, number) = (number as usize % WORKERS, number as usize / WORKERS);
        let index = worker * MOST + number;
        self.taken.update(index, |count| count.saturating_add(1)).expect("it has a line in the book") - 1
    }

    /// Messages that were put, or may have been, and never taken.
    fn missing(&self) -> u64 {
        let mut missing = 0;
        for worker in 0..WORKERS {
            let last = self.put.load(2 * worker).expect("every worker has its line") as usize;
            let taken = |number: usize| self.taken.load(worker * MOST + number).expect("it has a line");
            missing += (1..=last).filter(|number| taken(*number) == 0).count() as u64;
        }
        missing
    }
}

/// The stream that whoever comes first publishes.
pub(crate) fn stream() -> StreamSpec {
    StreamSpec::of(format!("[{RECORD}]|u1").as_str()).capacity(1024)
}
