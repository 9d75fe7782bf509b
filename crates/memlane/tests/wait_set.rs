//! Sets of things to wait for: what is ready is told at once, what becomes ready ends the sleep, nothing is taken, and
//! nobody else loses a wake by it.

mod patience;
mod role;
mod scratch;

use memlane::wait_set::MAX_WAITABLES;
use memlane::{
    Array, Error, Event, FramePublisher, FrameSpec, FrameSubscriber, Lock, PipeEnd, PipeSpec, Queue,
    QueueSpec, RLock, Record, Result, RwLock, Semaphore, Side, SignalSemaphore, Space, StreamPublisher,
    StreamSpec, StreamSubscriber, Text, Value, WaitSet, Waitable,
};
use patience::{DEADLINE, assert_woken, await_that, measured};
use role::{Role, listen, say};
use scratch::Scratch;
use std::thread;
use std::time::Duration;

const LOCK: &str = "robot/arm";

/// A little longer than several slices of a wait.
const TIMEOUT: Duration = Duration::from_millis(90);

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let lock = Lock::open(&space, LOCK).expect("the parent made the lock");
        let _guard = lock.lock().expect("it is free");
        say("held");
        listen();
    });
}

#[test]
fn a_change_of_any_content_is_told() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let value = Value::create(&space, "value", 0.5_f64)?;
    let record = Record::create(&space, "record", "{x:f8}")?;
    let text = Text::create(&space, "text", 100)?;
    let array = Array::<u8>::create(&space, "array", &[4])?;
    for (number, change) in (0..).zip([
        (|value: &Value<f64>, _: &Record, _: &Text, _: &Array<u8>| {
            value.store(1.0);
            Ok(())
        }) as fn(&Value<f64>, &Record, &Text, &Array<u8>) -> Result<()>,
        |_, record, _, _| record.write_bytes(&[1; 8]).map(drop),
        |_, _, text, _| text.write("new").map(drop),
        |_, _, _, array| array.store(3, 1),
    ]) {
        let newer = (
            value.newer(value.read()),
            record.newer(record.version()),
            text.newer(text.version()),
            array.newer(array.region().version()),
        );
        let mut set = WaitSet::new();
        for thing in [&newer.0, &newer.1, &newer.2, &newer.3] {
            set.add(thing)?;
        }
        assert!(set.poll().is_empty());
        thread::scope(|scope| {
            let changer = scope.spawn(|| change(&value, &record, &text, &array));
            let ready = set.wait(Some(DEADLINE));
            assert_eq!(ready.iter().collect::<Vec<_>>(), [number]);
            changer.join().expect("a change does not panic")
        })?;
        assert!(set.poll().contains(number), "nothing is taken");
    }
    Ok(())
}

#[test]
fn a_wait_in_vain_takes_its_time_and_tells_nothing() -> Result<()> {
    let scratch = Scratch::new();
    let value = Value::create(&scratch.space(), "value", 1_u8)?;
    let newer = value.newer(value.read());
    for set in [WaitSet::new(), WaitSet::new().polling()] {
        let mut set = set;
        set.add(&newer)?;
        for timeout in [Duration::ZERO, TIMEOUT] {
            let (ready, elapsed) = measured(|| set.wait(Some(timeout)));
            assert!(
                ready.is_empty() && (timeout..DEADLINE).contains(&elapsed),
                "{ready:?} after {elapsed:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_waker_ends_a_wait_once_also_one_to_come() {
    let set = WaitSet::new();
    let waker = set.waker();
    waker.wake();
    assert!(set.wait(None).is_empty());
    thread::scope(|scope| {
        let waiter = scope.spawn(|| WaitSet::new().wait(Some(TIMEOUT)));
        assert!(waiter.join().expect("it ends").is_empty());
    });
    let (_, elapsed) = measured(|| set.wait(Some(TIMEOUT)));
    assert!(elapsed >= TIMEOUT, "woken twice by one wake, after {elapsed:?}");
    thread::scope(|scope| {
        scope.spawn(|| waker.wake());
        assert!(set.wait(None).is_empty());
    });
}

#[test]
fn two_sets_play_ping_pong_without_a_slice_lost() -> Result<()> {
    const ROUNDS: u64 = 200;
    let scratch = Scratch::new();
    let space = scratch.space();
    let there = Value::create(&space, "there", 0_u64)?;
    let back = Value::create(&space, "back", 0_u64)?;
    let await_number = |value: &Value<u64>, number: u64| -> Result<()> {
        while value.load() < number {
            let newer = value.newer(value.read());
            if value.load() < number {
                let mut set = WaitSet::new();
                set.add(&newer)?;
                assert!(!set.wait(Some(DEADLINE)).is_empty());
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            (1..=ROUNDS).try_for_each(|round| {
                await_number(&there, round)?;
                back.store(round);
                Ok::<_, Error>(())
            })
        });
        assert_woken(ROUNDS, || {
            (1..=ROUNDS).try_for_each(|round| {
                there.store(round);
                await_number(&back, round)
            })
        })
    })
}

#[test]
fn a_lock_is_ready_when_it_is_free_and_who_waits_beside_the_set_gets_it() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = Lock::create(&space, LOCK)?;
    let guard = lock.lock()?;
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut set = WaitSet::new();
            set.add(&lock).expect("there is room");
            // Takes nothing: the wake that ends this sleep belongs to the locker.
            set.wait(Some(DEADLINE))
        });
        let locker = scope.spawn(|| lock.lock_timeout(DEADLINE).map(drop));
        await_that(|| !lock.state().waiters.is_empty(), "waiter");
        drop(guard);
        assert!(watcher.join().expect("it ends").contains(0));
        locker.join().expect("it ends")
    })
}

#[test]
fn a_lock_of_the_dead_is_ready() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), LOCK)?;
    for polls in [false, true] {
        let mut holder = Role::start("holder", scratch.path(), &[]);
        holder.expect("held");
        let mut set = if polls { WaitSet::new().polling() } else { WaitSet::new() };
        set.add(&lock)?;
        assert!(set.wait(Some(TIMEOUT)).is_empty(), "it lives");
        holder.kill_and_wait();
        assert!(set.wait(Some(DEADLINE)).contains(0));
        let guard = lock.try_lock()?.expect("its owner is dead");
        assert!(guard.owner_died());
        guard.make_consistent();
    }
    Ok(())
}

#[test]
fn a_frame_is_ready_until_it_is_read() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut publisher = FramePublisher::create(&space, "camera", &FrameSpec::bytes(100))?;
    let subscriber = FrameSubscriber::open(&space, "camera")?;
    let mut set = WaitSet::new();
    set.add(&subscriber)?;
    assert!(set.poll().is_empty());
    thread::scope(|scope| {
        scope.spawn(move || publisher.loan().expect("a loan").publish());
        assert!(set.wait(Some(DEADLINE)).contains(0));
    });
    assert_eq!(subscriber.next(Some(Duration::ZERO))?.sequence(), 1);
    assert!(set.poll().is_empty());
    Ok(())
}

#[test]
fn a_set_is_full_at_its_limit_and_the_kernel_waits_for_all_of_it() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let values: Vec<_> = (0..=MAX_WAITABLES)
        .map(|number| Value::create(&space, &format!("v{number}"), 0_u8))
        .collect::<Result<_>>()?;
    let newer: Vec<_> = values.iter().map(|value| value.newer(value.read())).collect();
    let mut set = WaitSet::new();
    for thing in &newer[..MAX_WAITABLES] {
        set.add(thing)?;
    }
    let error = set.add(&newer[MAX_WAITABLES]).expect_err("it is full");
    assert!(error.to_string().contains("127"), "{error}");
    thread::scope(|scope| {
        scope.spawn(|| values[MAX_WAITABLES - 1].store(1));
        assert_eq!(set.wait(Some(DEADLINE)).iter().collect::<Vec<_>>(), [MAX_WAITABLES - 1]);
    });
    Ok(())
}

/// What each kind is ready for, and what makes it so.
#[test]
fn every_kind_that_is_waited_for_can_be_in_a_set() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let rlock = RLock::create(&space, "rlock")?;
    let rwlock = RwLock::create(&space, "rwlock")?;
    let semaphore = Semaphore::create(&space, "semaphore", 1)?;
    let signal = SignalSemaphore::create(&space, "signal", 0)?;
    let event = Event::create(&space, "event")?;
    let auto = Event::create_auto_reset(&space, "auto")?;
    let queue = Queue::create(&space, "queue", &QueueSpec::bytes(100))?;
    let tasks = Queue::create(&space, "tasks", &QueueSpec::bytes(100).acknowledged())?;
    let left = PipeEnd::create(&space, "pipe", &PipeSpec::duplex(100), Side::Left)?;
    let right = PipeEnd::open(&space, "pipe", Side::Right)?;
    let mut publisher = StreamPublisher::create(&space, "stream", &StreamSpec::of("<u8"))?;
    let subscriber = StreamSubscriber::open(&space, "stream")?;
    let held = (rlock.lock()?, rwlock.write(None)?, semaphore.acquire(1, None)?);
    let mut set = WaitSet::new();
    let things: [&dyn Waitable; 10] =
        [&rlock, &rwlock, &semaphore, &signal, &event, &auto, &queue, &tasks, &left, &subscriber];
    for thing in things {
        set.add(thing)?;
    }
    assert!(set.poll().is_empty(), "{:?}", set.poll());
    // One after the other becomes ready while the set sleeps; those before it stay so, since nothing is taken.
    let (rlock_guard, write_guard, permit) = held;
    drop(rlock_guard);
    assert!(set.wait(Some(DEADLINE)).contains(0));
    drop(write_guard);
    assert!(set.poll().contains(1));
    drop(permit);
    assert!(set.poll().contains(2));
    let rest = &things[3..];
    let mut set = WaitSet::new();
    for thing in rest {
        set.add(*thing)?;
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            let wakes: [&(dyn Fn() -> Result<()> + Sync); 6] = [
                &|| signal.release(1),
                &|| {
                    event.set();
                    Ok(())
                },
                &|| {
                    auto.set();
                    Ok(())
                },
                &|| queue.put(b"message", None),
                &|| tasks.put(b"task", None),
                &|| Ok(()),
            ];
            wakes.iter().try_for_each(|wake| wake())
        });
        await_that(|| set.wait(Some(DEADLINE)).iter().count() == 5, "readiness");
    });
    right.send(b"there", None)?;
    publisher.append(&[0; 8])?;
    assert_eq!(set.wait(Some(DEADLINE)).iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    assert!(auto.try_wait() && signal.try_acquire() && event.is_set());
    queue.get(None)?;
    let lease = tasks.lease(None)?;
    left.recv(None)?;
    subscriber.next(None)?;
    event.clear();
    assert!(set.poll().is_empty(), "{:?}", set.poll());
    // A lease that comes back, an end that is gone, a queue that is closed.
    drop(lease);
    drop(right);
    queue.close();
    assert_eq!(set.wait(Some(DEADLINE)).iter().collect::<Vec<_>>(), [3, 4, 5]);
    Ok(())
}

/// A message wakes one of those who sleep. Had it woken the set, which takes nothing, the consumer beside it would
/// sleep on.
#[test]
fn a_set_takes_no_message_from_a_consumer_beside_it() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), "queue", &QueueSpec::bytes(100))?;
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut set = WaitSet::new();
            set.add(&queue).expect("there is room");
            set.wait(Some(DEADLINE))
        });
        let consumer = scope.spawn(|| queue.get(Some(DEADLINE)).map(|message| message.bytes));
        let waits = || queue.region().participants().iter().any(|participant| !participant.waits.is_empty());
        await_that(waits, "waiter");
        queue.put(b"first", None)?;
        assert_eq!(consumer.join().expect("it ends")?, b"first");
        // The set may have slept through it, or seen it.
        queue.put(b"second", None)?;
        assert!(watcher.join().expect("it ends").contains(0));
        Ok(())
    })
}

#[test]
fn room_and_enough_permits_are_waited_for() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let queue = std::sync::Arc::new(Queue::create(&space, "queue", &QueueSpec::bytes(4096).messages(1))?);
    let left = PipeEnd::create(&space, "pipe", &PipeSpec::one_way(4096), Side::Left)?;
    let right = PipeEnd::open(&space, "pipe", Side::Right)?;
    let semaphore = Semaphore::create(&space, "permits", 3)?;
    let (sender, _) = left.split();
    let sender = sender.expect("the left end sends");
    assert!(matches!(queue.room(1 << 20), Err(Error::TooLarge { .. })));
    assert!(matches!(semaphore.enough(4), Err(Error::TooMany { .. })));
    let (in_queue, in_pipe, permits) = (queue.room(8)?, sender.room(4000)?, semaphore.enough(2)?);
    let mut set = WaitSet::new();
    let numbers = (set.add(&in_queue)?, set.add(&in_pipe)?, set.add(&permits)?);
    assert_eq!(set.poll().iter().count(), 3);
    queue.put(b"full", None)?;
    while sender.try_send(&[0; 4000])? {}
    let two = semaphore.acquire(2, None)?;
    assert!(set.wait(Some(TIMEOUT)).is_empty(), "one permit is not enough");
    thread::scope(|scope| {
        scope.spawn(|| queue.get(None));
        assert!(set.wait(Some(DEADLINE)).contains(numbers.0), "it wakes who sleeps");
    });
    right.recv(None)?;
    assert!(set.poll().contains(numbers.1));
    drop(two);
    assert!(set.poll().contains(numbers.2));
    right.close();
    queue.put(b"full", None)?;
    queue.close();
    assert!(set.poll().contains(numbers.0) && set.poll().contains(numbers.1), "there never will be any");
    Ok(())
}
