//! Who waits for whom. In each round of a pair everybody waits for somebody; nobody's wait has a deadline.

use crate::Score;
use memlane::{
    Barrier, Condition, Event, FramePublisher, FrameSpec, FrameSubscriber, Lock, PipeEnd, PipeSpec, Queue,
    QueueSpec, RLock, Result, RwLock, Semaphore, Side, SignalSemaphore, Space, StreamPublisher, StreamSpec,
    StreamSubscriber, Value, WaitSet,
};

/// Processes that wait for each other.
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    pub(crate) players: usize,
    /// Makes what must be there before the first plays.
    pub(crate) prepare: fn(&Space) -> Result<()>,
    pub(crate) play: fn(&Space, u64, &Score) -> Result<()>,
}

const fn pair(name: &'static str, play: fn(&Space, u64, &Score) -> Result<()>) -> Pair {
    Pair { name, players: 2, prepare: |_| Ok(()), play }
}

const fn crowd(name: &'static str, players: usize, play: fn(&Space, u64, &Score) -> Result<()>) -> Pair {
    Pair { name, players, prepare: |_| Ok(()), play }
}

pub(crate) const PAIRS: &[Pair] = &[
    pair("value", value),
    pair("frames", frames),
    crowd("lock, three processes", 3, lock),
    crowd("rlock, three processes", 3, rlock),
    crowd("rwlock, two readers and a writer", 3, rwlock),
    crowd("semaphore, three processes for two permits", 3, semaphore),
    pair("signal semaphores", signal),
    crowd("signal semaphore, two takers", 3, signal_crowd),
    pair("events, auto-reset", event),
    pair("event, manual", manual_event),
    pair("condition", condition),
    crowd("barrier, three processes", 3, barrier),
    pair("queues", queue),
    crowd("queue, two producers and two consumers", 4, queue_crowd),
    crowd("queue, acknowledged, two consumers", 3, tasks),
    pair("pipe", pipe),
    pair("streams", stream),
    Pair { name: "stream, lossless", players: 2, prepare: make_lossless, play: lossless },
    pair("wait sets", wait_set),
];

fn value(space: &Space, player: u64, score: &Score) -> Result<()> {
    let turn = Value::<u64>::open_or_create(space, "turn", 0)?;
    for _ in score.rounds() {
        loop {
            let seen = turn.read();
            if seen.value % 2 == player {
                break;
            }
            turn.wait_newer(&seen, None)?;
        }
        turn.add(1);
    }
    Ok(())
}

fn frames(space: &Space, player: u64, score: &Score) -> Result<()> {
    let spec = FrameSpec::bytes(8);
    let names = ["there", "back"];
    let mut publisher = FramePublisher::open_or_create(space, names[player as usize], &spec)?;
    space.wait_for(names[1 - player as usize], None)?;
    let subscriber = FrameSubscriber::open(space, names[1 - player as usize])?.history(1);
    for _ in score.rounds() {
        if player == 0 {
            publisher.loan()?.publish();
        }
        drop(subscriber.next(None)?);
        if player == 1 {
            publisher.loan()?.publish();
        }
    }
    Ok(())
}

/// Everybody counts in turn under the lock: who is not next has to come again.
fn lock(space: &Space, _: u64, score: &Score) -> Result<()> {
    let lock = Lock::open_or_create(space, "lock")?;
    for _ in score.rounds() {
        drop(lock.lock()?);
    }
    Ok(())
}

fn rlock(space: &Space, _: u64, score: &Score) -> Result<()> {
    let lock = RLock::open_or_create(space, "rlock")?;
    for _ in score.rounds() {
        let outer = lock.lock()?;
        drop(lock.lock()?);
        drop(outer);
    }
    Ok(())
}

fn rwlock(space: &Space, player: u64, score: &Score) -> Result<()> {
    let lock = RwLock::open_or_create(space, "rwlock")?;
    for _ in score.rounds() {
        if player == 0 {
            drop(lock.write(None)?);
        } else {
            drop(lock.read(None)?);
        }
    }
    Ok(())
}

fn semaphore(space: &Space, player: u64, score: &Score) -> Result<()> {
    let semaphore = Semaphore::open_or_create(space, "semaphore", 2)?;
    for round in score.rounds() {
        // Now and then both, for which one that comes back is not enough.
        let count = if (round + player).is_multiple_of(5) { 2 } else { 1 };
        drop(semaphore.acquire(count, None)?);
    }
    Ok(())
}

fn signal(space: &Space, player: u64, score: &Score) -> Result<()> {
    let there = SignalSemaphore::open_or_create(space, "there", 0)?;
    let back = SignalSemaphore::open_or_create(space, "back", 0)?;
    let (mine, other) = if player == 0 { (&there, &back) } else { (&back, &there) };
    for round in score.rounds() {
        if player == 0 || round > 0 {
            other.release(1)?;
        }
        mine.acquire(None)?;
    }
    Ok(())
}

/// One gives two at a time, to two who take one each.
fn signal_crowd(space: &Space, player: u64, score: &Score) -> Result<()> {
    let given = SignalSemaphore::open_or_create(space, "given", 0)?;
    let taken = SignalSemaphore::open_or_create(space, "taken", 0)?;
    for _ in score.rounds() {
        if player == 0 {
            given.release(2)?;
            taken.acquire(None)?;
            taken.acquire(None)?;
        } else {
            given.acquire(None)?;
            taken.release(1)?;
        }
    }
    Ok(())
}

fn event(space: &Space, player: u64, score: &Score) -> Result<()> {
    let there = Event::open_or_create_auto_reset(space, "there")?;
    let back = Event::open_or_create_auto_reset(space, "back")?;
    for _ in score.rounds() {
        if player == 0 {
            there.set();
            back.wait(None)?;
        } else {
            there.wait(None)?;
            back.set();
        }
    }
    Ok(())
}

fn manual_event(space: &Space, player: u64, score: &Score) -> Result<()> {
    let there = Event::open_or_create(space, "there")?;
    let back = Event::open_or_create(space, "back")?;
    for _ in score.rounds() {
        if player == 0 {
            there.set();
            back.wait(None)?;
            back.clear();
        } else {
            there.wait(None)?;
            there.clear();
            back.set();
        }
    }
    Ok(())
}

fn condition(space: &Space, player: u64, score: &Score) -> Result<()> {
    let lock = Lock::open_or_create(space, "lock")?;
    let changed = Condition::open_or_create(space, "changed")?;
    let turn = Value::<u64>::open_or_create(space, "turn", 0)?;
    let mut guard = lock.lock()?;
    for _ in score.rounds() {
        changed.wait_for(&mut guard, None, || turn.load() % 2 == player)?;
        turn.add(1);
        changed.notify(1);
    }
    Ok(())
}

fn barrier(space: &Space, _: u64, score: &Score) -> Result<()> {
    let barrier = Barrier::open_or_create(space, "barrier", 3)?;
    for _ in score.rounds() {
        barrier.wait(None)?;
    }
    Ok(())
}

fn queue(space: &Space, player: u64, score: &Score) -> Result<()> {
    let spec = QueueSpec::bytes(64).messages(1);
    let there = Queue::open_or_create(space, "there", &spec)?;
    let back = Queue::open_or_create(space, "back", &spec)?;
    for _ in score.rounds() {
        if player == 0 {
            there.put(b"there", None)?;
            back.get(None)?;
        } else {
            there.get(None)?;
            back.put(b"back", None)?;
        }
    }
    Ok(())
}

fn queue_crowd(space: &Space, player: u64, score: &Score) -> Result<()> {
    let queue = Queue::open_or_create(space, "queue", &QueueSpec::bytes(64).messages(2))?;
    let mut bytes = Vec::new();
    for _ in score.rounds() {
        if player < 2 {
            queue.put(b"message", None)?;
        } else {
            queue.get_into(&mut bytes, None)?;
        }
    }
    Ok(())
}

fn tasks(space: &Space, player: u64, score: &Score) -> Result<()> {
    let spec = QueueSpec::bytes(64).messages(2).acknowledged();
    let queue = Queue::open_or_create(space, "tasks", &spec)?;
    for round in score.rounds() {
        if player == 0 {
            queue.put(b"task", None)?;
            queue.put(b"task", None)?;
        } else {
            let lease = queue.lease(None)?;
            if round.is_multiple_of(3) {
                // For the other one, or for us again.
                drop(lease);
                queue.lease(None)?.acknowledge()?;
            } else {
                lease.acknowledge()?;
            }
        }
    }
    Ok(())
}

fn pipe(space: &Space, player: u64, score: &Score) -> Result<()> {
    let side = if player == 0 { Side::Left } else { Side::Right };
    let end = PipeEnd::open_or_create(space, "pipe", &PipeSpec::duplex(64), side)?;
    for _ in score.rounds() {
        if player == 0 {
            end.send(b"there", None)?;
            end.recv(None)?;
        } else {
            end.recv(None)?;
            end.send(b"back", None)?;
        }
    }
    Ok(())
}

fn stream(space: &Space, player: u64, score: &Score) -> Result<()> {
    let names = ["there", "back"];
    let mut publisher =
        StreamPublisher::open_or_create(space, names[player as usize], &StreamSpec::of("<u8"))?;
    space.wait_for(names[1 - player as usize], None)?;
    let subscriber = StreamSubscriber::open(space, names[1 - player as usize])?;
    subscriber.seek(0);
    let mut record = [0; 8];
    for _ in score.rounds() {
        if player == 0 {
            publisher.append(&record)?;
        }
        subscriber.next_into(&mut record, None)?;
        if player == 1 {
            publisher.append(&record)?;
        }
    }
    Ok(())
}

fn make_lossless(space: &Space) -> Result<()> {
    let spec = StreamSpec::of("[512]<u8").capacity(2).lossless();
    StreamPublisher::create(space, "stream", &spec).map(drop)
}

/// A ring of two records: the publisher waits for the reader all the time.
fn lossless(space: &Space, player: u64, score: &Score) -> Result<()> {
    let mut record = vec![0; 4096];
    let ready = Event::open_or_create(space, "ready")?;
    if player == 0 {
        ready.wait(None)?;
        let mut publisher = StreamPublisher::open(space, "stream")?;
        for _ in score.rounds() {
            publisher.append(&record)?;
        }
    } else {
        let subscriber = StreamSubscriber::open(space, "stream")?;
        ready.set();
        for round in score.rounds() {
            let sequence = subscriber.next_into(&mut record, None)?;
            assert_eq!(sequence, round, "a record was lost");
        }
    }
    Ok(())
}

fn wait_set(space: &Space, player: u64, score: &Score) -> Result<()> {
    let there = Queue::open_or_create(space, "there", &QueueSpec::bytes(64))?;
    let back = Event::open_or_create_auto_reset(space, "back")?;
    let never = Lock::open_or_create(space, "never")?;
    let held = if player == 0 { Some(never.lock()?) } else { None };
    let mut set = WaitSet::new();
    if player == 0 {
        set.add(&back)?;
    } else {
        set.add(&there)?;
    }
    for _ in score.rounds() {
        if player == 0 {
            there.put(b"there", None)?;
            assert!(!set.wait(None).is_empty());
            assert!(back.try_wait());
        } else {
            assert!(!set.wait(None).is_empty());
            there.get(None)?;
            back.set();
        }
    }
    drop(held);
    Ok(())
}
