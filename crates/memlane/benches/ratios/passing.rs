//! The rows of the kinds that synchronise and pass on.
#![allow(unsafe_code)] // The yardsticks are POSIX objects.

use crate::yardsticks::{Descriptors, Vyukov, posix_rwlock, posix_semaphore};
use crate::{ROUNDS, alternate, fork, futex, pin, reap, shared_memory, sleep_until, time, wait_for};
use memlane::{
    Event, PipeEnd, PipeSpec, Queue, QueueSpec, RwLock, Semaphore, Side, SignalSemaphore, Space,
    StreamPublisher, StreamSpec, StreamSubscriber,
};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const COUNT: u32 = 200_000;
const MESSAGE: [u8; 64] = [7; 64];

pub(crate) fn read_lock(space: &Space) -> (f64, f64) {
    let lock = RwLock::open_or_create(space, "rwlock").expect("a lock");
    let posix = posix_rwlock();
    alternate(
        || time(COUNT, || drop(black_box(lock.read(None).expect("the lock")))),
        || {
            time(COUNT, || {
                // SAFETY: the lock was initialised and lives to the end.
                let _ = unsafe { (libc::pthread_rwlock_rdlock(posix), libc::pthread_rwlock_unlock(posix)) };
            })
        },
    )
}

/// Another process reads all the time on the other core.
pub(crate) fn read_lock_in_company(space: &Space) -> (f64, f64) {
    let lock = RwLock::open_or_create(space, "rwlock").expect("a lock");
    let posix = posix_rwlock();
    let words = shared_memory::<[AtomicU64; 64]>();
    // SAFETY: shared memory of atomics, alive to the end; the two are on lines of their own.
    let (phase, resting) = unsafe { (&(*words)[0], &(*words)[32]) };
    let read_posix = || {
        // SAFETY: the lock was initialised and lives to the end.
        let _ = unsafe { (libc::pthread_rwlock_rdlock(posix), libc::pthread_rwlock_unlock(posix)) };
    };
    let child = fork(|| {
        pin(1);
        let lock = RwLock::open_or_create(space, "rwlock").expect("a lock");
        // Ours in odd phases, theirs in even ones.
        for turn in 1..=2 * ROUNDS as u64 {
            wait_for(phase, turn);
            while phase.load(Ordering::Relaxed) == turn {
                if turn % 2 == 1 {
                    drop(lock.read(None).expect("the lock"));
                } else {
                    read_posix();
                }
                resting.store(turn, Ordering::Relaxed);
            }
        }
    });
    let mut turn = 0;
    let mut in_company = |read: &dyn Fn()| {
        turn += 1;
        phase.store(turn, Ordering::Release);
        wait_for(resting, turn);
        time(COUNT, read)
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(in_company(&|| drop(black_box(lock.read(None).expect("the lock")))));
        theirs.push(in_company(&read_posix));
    }
    phase.store(u64::MAX, Ordering::Release);
    reap(child);
    (crate::median(&mut ours), crate::median(&mut theirs))
}

pub(crate) fn permit(space: &Space) -> (f64, f64) {
    let semaphore = Semaphore::open_or_create(space, "permits", 3).expect("a semaphore");
    alternate(
        || time(COUNT, || drop(black_box(semaphore.acquire(1, None).expect("a permit")))),
        posix_pairs(),
    )
}

pub(crate) fn token(space: &Space) -> (f64, f64) {
    let semaphore = SignalSemaphore::open_or_create(space, "tokens", 0).expect("a semaphore");
    let ours = || {
        time(COUNT, || {
            semaphore.release(1).expect("room");
            semaphore.acquire(None).expect("a token");
        })
    };
    alternate(ours, posix_pairs())
}

fn posix_pairs() -> impl FnMut() -> f64 {
    let semaphore = posix_semaphore(0);
    move || {
        time(COUNT, || {
            // SAFETY: the semaphore was initialised and lives to the end.
            let _ = unsafe { (libc::sem_post(semaphore), libc::sem_wait(semaphore)) };
        })
    }
}

/// Each waits for the other in turn, asleep.
pub(crate) fn event_round_trip(space: &Space) -> (f64, f64) {
    const COUNT: u64 = 200;
    let events = || {
        ["event-there", "event-back"].map(|id| Event::open_or_create_auto_reset(space, id).expect("an event"))
    };
    let [there, back] = events();
    let words = shared_memory::<[AtomicU64; 64]>();
    // SAFETY: shared memory of atomics, alive to the end; the two are on lines of their own.
    let (ping, pong) = unsafe { (&(*words)[0], &(*words)[32]) };
    let answer = |word: &AtomicU64, turn: u64| {
        word.store(turn, Ordering::Release);
        futex(word, libc::FUTEX_WAKE, 1);
    };
    let child = fork(|| {
        pin(1);
        let [there, back] = events();
        for round in 0..ROUNDS as u64 {
            for _ in 0..COUNT {
                there.wait(None).expect("it is set");
                back.set();
            }
            for turn in round * COUNT + 1..=(round + 1) * COUNT {
                sleep_until(ping, turn);
                answer(pong, turn);
            }
        }
    });
    let asleep = |mut round_trip: Box<dyn FnMut() + '_>| {
        let one = |_| {
            // Long enough for the other side to fall asleep: without this the two find each other awake.
            std::thread::sleep(Duration::from_micros(300));
            time(1, &mut round_trip)
        };
        crate::median(&mut (0..COUNT).map(one).collect::<Vec<_>>())
    };
    let mut turn = 0;
    let outcome = alternate(
        || {
            asleep(Box::new(|| {
                there.set();
                back.wait(None).expect("it is set");
            }))
        },
        || {
            asleep(Box::new(|| {
                turn += 1;
                answer(ping, turn);
                sleep_until(pong, turn);
            }))
        },
    );
    reap(child);
    outcome
}

pub(crate) fn put_and_get(space: &Space) -> (f64, f64) {
    let queue = Queue::open_or_create(space, "queue", &QueueSpec::bytes(64 * 1024)).expect("a queue");
    let mut bytes = Vec::with_capacity(MESSAGE.len());
    let ours = || {
        time(COUNT, || {
            queue.put(black_box(&MESSAGE), None).expect("room");
            queue.get_into(black_box(&mut bytes), None).expect("a message");
        })
    };
    alternate(ours, || 1.0)
}

/// A way to pass messages of 64 bytes: puts and takes so many.
pub(crate) struct Yardstick {
    put: Box<dyn Fn(u32)>,
    get: Box<dyn Fn(u32)>,
}

pub(crate) fn vyukov() -> Yardstick {
    let (queue, other) = {
        let queue = std::rc::Rc::new(Vyukov::new());
        (std::rc::Rc::clone(&queue), queue)
    };
    Yardstick {
        put: Box::new(move |count| (0..count).for_each(|_| queue.put(black_box(&MESSAGE)))),
        get: Box::new(move |count| (0..count).for_each(|_| _ = black_box(other.get()))),
    }
}

pub(crate) fn socket() -> Yardstick {
    descriptors(Descriptors::socket())
}

pub(crate) fn kernel_pipe() -> Yardstick {
    descriptors(Descriptors::pipe())
}

fn descriptors(ends: Descriptors) -> Yardstick {
    Yardstick {
        put: Box::new(move |count| (0..count).for_each(|_| ends.put(black_box(&MESSAGE)))),
        get: Box::new(move |count| (0..count).for_each(|_| _ = black_box(ends.get()))),
    }
}

/// As fast as it goes from one process to another, in batches of `batch`.
pub(crate) fn queue(space: &Space, batch: usize, yardstick: Option<fn() -> Yardstick>) -> (f64, f64) {
    let id = format!("queue-{batch}");
    let open = || Queue::open_or_create(space, &id, &QueueSpec::bytes(64 * 1024)).expect("a queue");
    drop(open());
    let messages = vec![MESSAGE; batch];
    let put = |count: u32| {
        let queue = open();
        if batch == 1 {
            return (0..count).for_each(|_| queue.put(black_box(&MESSAGE), None).expect("room"));
        }
        (0..count as usize / batch)
            .for_each(|_| _ = queue.put_many(black_box(&messages), None).expect("room"));
    };
    let get = |count: u32| {
        let queue = open();
        let mut bytes = Vec::with_capacity(MESSAGE.len());
        let mut left = count as usize;
        while left > 0 {
            if batch == 1 {
                queue.get_into(&mut bytes, None).expect("a message");
                left -= 1;
            } else {
                let take = |_, message: &[u8]| bytes.clear_and_take(message);
                left -= queue.get_each(batch, None, take).expect("a message");
            }
        }
    };
    pass(&put, &get, yardstick.map(|make| make()).as_ref())
}

trait ClearAndTake {
    fn clear_and_take(&mut self, message: &[u8]);
}

impl ClearAndTake for Vec<u8> {
    fn clear_and_take(&mut self, message: &[u8]) {
        self.clear();
        self.extend_from_slice(black_box(message));
    }
}

pub(crate) fn pipe(space: &Space) -> (f64, f64) {
    let spec = PipeSpec::one_way(64 * 1024);
    let put = |count: u32| {
        let end = PipeEnd::open_or_create(space, "pipe", &spec, Side::Left).expect("an end");
        (0..count).for_each(|_| end.send(black_box(&MESSAGE), None).expect("room"));
        // A new conversation each time: it is over when the other end has read everything.
        drop(end);
    };
    let get = |count: u32| {
        let end = PipeEnd::open_or_create(space, "pipe", &spec, Side::Right).expect("an end");
        let mut bytes = Vec::with_capacity(MESSAGE.len());
        (0..count).for_each(|_| _ = end.recv_into(&mut bytes, None).expect("a message"));
    };
    pass(&put, &get, Some(&kernel_pipe()))
}

/// Nanoseconds a message, of ours and of the yardstick: this process puts, another one takes.
fn pass(put: &dyn Fn(u32), get: &dyn Fn(u32), yardstick: Option<&Yardstick>) -> (f64, f64) {
    let words = shared_memory::<[AtomicU64; 64]>();
    // SAFETY: shared memory of atomics, alive to the end.
    let (begun, done) = unsafe { (&(*words)[0], &(*words)[32]) };
    let child = fork(|| {
        pin(1);
        for round in 0..ROUNDS as u64 {
            let parts: [&dyn Fn(u32); 2] = match yardstick {
                Some(yardstick) => [get, &*yardstick.get],
                None => [get, &|_| ()],
            };
            for (part, turn) in parts.iter().zip(2 * round + 1..) {
                wait_for(begun, turn);
                part(COUNT);
                done.store(turn, Ordering::Release);
            }
        }
    });
    let mut turn = 0;
    let mut timed = |put: &dyn Fn(u32)| {
        turn += 1;
        let start = Instant::now();
        begun.store(turn, Ordering::Release);
        put(COUNT);
        wait_for(done, turn);
        start.elapsed().as_nanos() as f64 / f64::from(COUNT)
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(timed(put));
        theirs.push(timed(match yardstick {
            Some(yardstick) => &*yardstick.put,
            None => &|_| (),
        }));
    }
    reap(child);
    let theirs = if yardstick.is_some() { crate::median(&mut theirs) } else { 1.0 };
    (crate::median(&mut ours), theirs)
}

pub(crate) fn append(space: &Space) -> (f64, f64) {
    let mut publisher = stream(space, "stream");
    alternate(|| time(COUNT, || _ = publisher.append(black_box(&[7; 16])).expect("a record")), || 1.0)
}

fn stream(space: &Space, id: &str) -> StreamPublisher {
    StreamPublisher::open_or_create(space, id, &StreamSpec::of("[2]<u8").capacity(16 * 1024))
        .expect("a publisher")
}

/// Eight processes, each of which looks some ten thousand times a second and copies up to a thousand records, on the
/// other core while this one appends as fast as it goes; and then none does. (A reader that looks all the time takes
/// the tail's cache line from the publisher for each record.)
pub(crate) fn append_with_readers(space: &Space) -> (f64, f64) {
    const READERS: usize = 8;
    let id = "fan-out";
    let mut publisher = stream(space, id);
    let words = shared_memory::<[AtomicU64; 64]>();
    // SAFETY: shared memory of atomics, alive to the end.
    let (phase, resting) = unsafe { (&(*words)[0], &(*words)[32]) };
    let children: Vec<_> = (0..READERS)
        .map(|_| {
            fork(|| {
                pin(1);
                let subscriber = StreamSubscriber::open(space, id).expect("a subscriber");
                for turn in (1..=2 * ROUNDS as u64).step_by(2) {
                    sleep_until_at_least(phase, turn);
                    while phase.load(Ordering::Acquire) == turn {
                        black_box(subscriber.try_next_many(1000));
                        std::thread::sleep(Duration::from_micros(50));
                    }
                    resting.fetch_add(1, Ordering::AcqRel);
                }
            })
        })
        .collect();
    let mut turn = 0;
    let mut measured = |readers_work: bool| {
        if readers_work {
            turn += 1;
            phase.store(turn, Ordering::Release);
            futex(phase, libc::FUTEX_WAKE, i32::MAX as u32);
        }
        let taken = time(COUNT, || _ = publisher.append(black_box(&[7; 16])).expect("a record"));
        if readers_work {
            turn += 1;
            phase.store(turn, Ordering::Release);
            wait_for(resting, turn / 2 * READERS as u64);
        }
        taken
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(measured(true));
        theirs.push(measured(false));
    }
    children.into_iter().for_each(reap);
    (crate::median(&mut ours), crate::median(&mut theirs))
}

fn sleep_until_at_least(word: &AtomicU64, value: u64) {
    loop {
        let seen = word.load(Ordering::Acquire);
        if seen >= value {
            return;
        }
        futex(word, libc::FUTEX_WAIT, seen as u32);
    }
}
