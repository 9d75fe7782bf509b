//! What one process does with a region, with nobody in its way or with somebody on the other core.

use super::figures::{Figures, always, time};
use super::ground::{Follow, Ground, Lead};
use super::passing::queue;
use super::ways::{once_there, publisher};
use super::yardsticks::{self, Mapping, refused};
use crate::failure::Outcome;
use memlane::{
    FramePublisher, FrameSubscriber, Lock, RwLock, Semaphore, SignalSemaphore, StreamPublisher, StreamSpec,
    StreamSubscriber, Timestamp, Value,
};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

const COUNT: u32 = 100_000;

/// A picture of 640 x 404 x 3.
pub(super) const PICTURE: usize = 404 * 640 * 3;
const PICTURES: u32 = 50;

pub(super) fn lock(ground: &Ground) -> Outcome<Figures> {
    lock_beside(ground, false)
}

pub(super) fn lock_beside_robust(ground: &Ground) -> Outcome<Figures> {
    lock_beside(ground, true)
}

fn lock_beside(ground: &Ground, robust: bool) -> Outcome<Figures> {
    let lock = Lock::create(&ground.space, "lock")?;
    let mutex = yardsticks::Mutex::create(&ground.space, "mutex", robust)?;
    Figures::alternate(
        ground.rounds,
        || time(COUNT, || lock.lock().map(|guard| drop(black_box(guard)))),
        || time(COUNT, always(|| mutex.lock_and_unlock())),
    )
}

const POSIX_LOCK: &str = "pthread-rwlock";

pub(super) fn read_lock(ground: &Ground) -> Outcome<Figures> {
    let lock = RwLock::create(&ground.space, "rwlock")?;
    let posix = yardsticks::RwLock::create(&ground.space, POSIX_LOCK)?;
    Figures::alternate(
        ground.rounds,
        || time(COUNT, || lock.read(None).map(|guard| drop(black_box(guard)))),
        || time(COUNT, always(|| posix.read_and_unlock())),
    )
}

/// Another process reads all the time on the other core.
pub(super) fn read_lock_in_company(ground: &Ground) -> Outcome<Figures> {
    let lock = RwLock::open_or_create(&ground.space, "rwlock")?;
    let posix = yardsticks::RwLock::create(&ground.space, POSIX_LOCK)?;
    let ours: Lead =
        &mut |turn| turn.in_company(|| time(COUNT, || lock.read(None).map(|guard| drop(black_box(guard)))));
    let theirs: Lead = &mut |turn| turn.in_company(|| time(COUNT, always(|| posix.read_and_unlock())));
    ground.lead(ours, Some(theirs))
}

pub(super) fn read_lock_as_company(ground: &Ground) -> Outcome {
    let lock = RwLock::open_or_create(&ground.space, "rwlock")?;
    let posix = once_there(|| yardsticks::RwLock::open(&ground.space, POSIX_LOCK))?;
    let ours: Follow = &mut |turn| turn.keep_company(|| lock.read(None).map(drop));
    let theirs: Follow = &mut |turn| turn.keep_company(always(|| posix.read_and_unlock()));
    ground.follow(ours, Some(theirs))
}

pub(super) fn permit(ground: &Ground) -> Outcome<Figures> {
    let semaphore = Semaphore::create(&ground.space, "permits", 3)?;
    let posix = yardsticks::Semaphore::create(&ground.space, "sem_t")?;
    Figures::alternate(
        ground.rounds,
        || time(COUNT, || semaphore.acquire(1, None).map(|permit| drop(black_box(permit)))),
        || time(COUNT, always(|| posix.post_and_wait())),
    )
}

pub(super) fn token(ground: &Ground) -> Outcome<Figures> {
    let semaphore = SignalSemaphore::create(&ground.space, "tokens", 0)?;
    let posix = yardsticks::Semaphore::create(&ground.space, "sem_t")?;
    Figures::alternate(
        ground.rounds,
        || {
            time(COUNT, || {
                semaphore.release(1)?;
                semaphore.acquire(None)
            })
        },
        || time(COUNT, always(|| posix.post_and_wait())),
    )
}

pub(super) fn put_and_get(ground: &Ground) -> Outcome<Figures> {
    let queue = queue(&ground.space, "queue")?;
    let mut bytes = Vec::with_capacity(64);
    Figures::alone(ground.rounds, || {
        time(COUNT, || {
            queue.put(black_box(&[7; 64]), None)?;
            queue.get_into(black_box(&mut bytes), None).map(drop)
        })
    })
}

/// As it is published, with the time of its capture given: the clock is the kernel's.
fn publish(publisher: &mut FramePublisher, captured: Timestamp) -> Outcome {
    black_box(publisher.loan()?.publish_captured(captured));
    Ok(())
}

pub(super) fn publish_small(ground: &Ground) -> Outcome<Figures> {
    let mut publisher = publisher(&ground.space, "small", 64)?;
    let captured = Timestamp::now();
    Figures::alone(ground.rounds, || time(COUNT, || publish(&mut publisher, captured)))
}

/// Without a copy its size does not matter.
pub(super) fn publish_in_place(ground: &Ground) -> Outcome<Figures> {
    let mut large = publisher(&ground.space, "large", PICTURE)?;
    let mut small = publisher(&ground.space, "small", 8)?;
    let captured = Timestamp::now();
    Figures::alternate(
        ground.rounds,
        || time(COUNT, || publish(&mut large, captured)),
        || time(COUNT, || publish(&mut small, captured)),
    )
}

pub(super) fn borrow(ground: &Ground) -> Outcome<Figures> {
    let mut publisher = publisher(&ground.space, "small", 64)?;
    let subscriber = FrameSubscriber::open(&ground.space, "small")?;
    publish(&mut publisher, Timestamp::now())?;
    Figures::alone(ground.rounds, || time(COUNT, || subscriber.latest().map(|frame| drop(black_box(frame)))))
}

/// Both copy from one picture into as many places as the pool uses in turn, so that neither has the better cache.
pub(super) fn copy_and_publish(ground: &Ground) -> Outcome<Figures> {
    let mut publisher = publisher(&ground.space, "picture", PICTURE)?;
    let subscriber = FrameSubscriber::open(&ground.space, "picture")?;
    let picture = vec![7_u8; PICTURE];
    let mut places = BTreeSet::new();
    for _ in 0..20 {
        let mut loan = publisher.loan()?;
        places.insert(loan.as_ptr());
        loan.copy_from_slice(&picture);
        loan.publish();
    }
    drop(subscriber);
    let mut copies = vec![vec![0_u8; PICTURE]; places.len()];
    let mut turn = 0;
    Figures::alternate(
        ground.rounds,
        || {
            time(PICTURES, || {
                let mut loan = publisher.loan()?;
                loan.copy_from_slice(black_box(&picture));
                loan.publish();
                Ok::<_, memlane::Error>(())
            })
        },
        || {
            let copy = || {
                turn = (turn + 1) % copies.len();
                copies[turn].copy_from_slice(black_box(&picture));
                black_box(&mut copies[turn]);
            };
            time(PICTURES, always(copy))
        },
    )
}

const RECORD: [u8; 16] = [7; 16];
const STREAM: &str = "stream";

fn stream(ground: &Ground) -> Outcome<StreamPublisher> {
    let spec = StreamSpec::of("[2]<u8").capacity(16 * 1024);
    Ok(StreamPublisher::open_or_create(&ground.space, STREAM, &spec)?)
}

pub(super) fn append(ground: &Ground) -> Outcome<Figures> {
    let mut publisher = stream(ground)?;
    Figures::alone(ground.rounds, || time(COUNT, || publisher.append(black_box(&RECORD)).map(drop)))
}

/// While eight others look on the other core, and then while nobody does.
pub(super) fn append_with_readers(ground: &Ground) -> Outcome<Figures> {
    let publisher = std::cell::RefCell::new(stream(ground)?);
    let append = || time(COUNT, || publisher.borrow_mut().append(black_box(&RECORD)).map(drop));
    let ours: Lead = &mut |turn| turn.in_company(append);
    let theirs: Lead = &mut |turn| {
        turn.await_end();
        append()
    };
    ground.lead(ours, Some(theirs))
}

/// Looks some ten thousand times a second and copies up to a thousand records. (A reader that looks all the time takes
/// the tail's cache line from the publisher for each record.)
pub(super) fn read_stream(ground: &Ground) -> Outcome {
    let subscriber = once_there(|| StreamSubscriber::open(&ground.space, STREAM))?;
    let ours: Follow = &mut |turn| {
        turn.keep_company(|| {
            black_box(subscriber.try_next_many(1000));
            std::thread::sleep(Duration::from_micros(50));
            Ok::<_, memlane::Error>(())
        })
    };
    let theirs: Follow = &mut |_| Ok(());
    ground.follow(ours, Some(theirs))
}

const ATTACHMENTS: u32 = 200;

/// What a process does once for each region; beside it the least that mapping a file takes.
pub(super) fn attach(ground: &Ground) -> Outcome<Figures> {
    const SIZE: usize = 4096;
    let region = || -> Outcome<_> { Ok(Value::<f64>::open(&ground.space, "folder/value")?) };
    drop(Value::create(&ground.space, "folder/value", 1.0)?);
    let path = ground.directory.join(".file");
    let file = File::create_new(&path).map_err(refused)?;
    file.set_len(SIZE as u64).map_err(refused)?;
    let map = || {
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(refused)?;
        Mapping::of(&file, SIZE)
    };
    Figures::alternate(ground.rounds, || time_making(region), || time_making(map))
}

/// Of making alone: what was made goes when the clock stands.
fn time_making<T>(make: impl Fn() -> Outcome<T>) -> Outcome<f64> {
    let mut taken = Duration::ZERO;
    for _ in 0..ATTACHMENTS {
        let start = Instant::now();
        let made = make()?;
        taken += start.elapsed();
        drop(made);
    }
    Ok(taken.as_nanos() as f64 / f64::from(ATTACHMENTS))
}

/// Bytes of memory that the file of a value takes, whatever its length says.
pub(super) fn memory(ground: &Ground) -> Outcome<Figures> {
    const BLOCK: u64 = 512;
    let _value = Value::create(&ground.space, "value", 1.0)?;
    let file = ground.directory.join("value").metadata().map_err(refused)?;
    Ok(Figures { ours: vec![(file.blocks() * BLOCK) as f64], theirs: Vec::new() })
}
