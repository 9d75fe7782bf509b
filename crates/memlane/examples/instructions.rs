//! Does one operation so many times and nothing else, for `cargo xtask ratchet` to count its machine instructions under
//! callgrind: of N and of 2 N repetitions, so that the difference is N operations (and the two or three instructions of
//! the loop around each) without any start-up.
//!
//! `instructions --list` names the operations, `instructions OPERATION COUNT` does one of them. Each is done by one
//! process in which nobody contends, sleeps or waits: that is what its count is about.
#![forbid(unsafe_code)]

use memlane::schema::{Primitive, Schema};
use memlane::{
    Array, Event, FramePublisher, FrameSpec, FrameSubscriber, Lock, PipeEnd, PipeSpec, Queue, QueueSpec,
    RLock, Record, Result, RwLock, Semaphore, Side, SignalSemaphore, Space, StreamPublisher, StreamSpec,
    StreamSubscriber, Text, Timestamp, Value,
};
use std::hint::black_box;
use std::process::ExitCode;

/// Does the operation so many times.
type Operation = fn(&Space, u64) -> Result<()>;

const OPERATIONS: &[(&str, Operation)] = &[
    ("value: load", value_load),
    ("value: store", value_store),
    ("value: add", value_add),
    ("array: load", array_load),
    ("array: store", array_store),
    ("record: write 16 B", record_write),
    ("record: read 16 B", record_read),
    ("text: write 16 B", text_write),
    ("text: read 16 B", text_read),
    ("lock: lock, unlock", lock),
    ("rlock: lock, unlock", rlock),
    ("rwlock: read, unlock", rwlock_read),
    ("rwlock: write, unlock", rwlock_write),
    ("semaphore: acquire, release", semaphore),
    ("signal semaphore: release, acquire", signal_semaphore),
    ("event: set when set", event_set),
    ("event: wait when set", event_wait),
    ("event, auto-reset: set, wait", event_auto_reset),
    ("queue: put and get 8 B", |space, count| queue(space, count, 8)),
    ("queue: put and get 64 B", |space, count| queue(space, count, 64)),
    ("pipe: send and receive 8 B", |space, count| pipe(space, count, 8)),
    ("pipe: send and receive 64 B", |space, count| pipe(space, count, 64)),
    ("stream: append 16 B", stream_append),
    ("stream: append and next 16 B", stream_next),
    ("frames: loan, publish", frames_publish),
    ("frames: latest, release", frames_latest),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["--list"] => {
            for (name, _) in OPERATIONS {
                println!("{name}");
            }
            return ExitCode::SUCCESS;
        }
        [name, count] => repeat(name, count),
        _ => Err("expected --list, or an operation and a count; `cargo xtask ratchet` gives both".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("instructions: {message}");
            ExitCode::FAILURE
        }
    }
}

fn repeat(name: &str, count: &str) -> std::result::Result<(), String> {
    let count = count.parse().map_err(|_| format!("expected a count, found `{count}`"))?;
    let operation = OPERATIONS.iter().find(|(known, _)| *known == name);
    let (_, operation) =
        operation.ok_or_else(|| format!("no operation `{name}`; --list names those there are"))?;
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let space = Space::at(directory.path()).map_err(|error| error.to_string())?;
    operation(&space, count).map_err(|error| error.to_string())
}

fn value_load(space: &Space, count: u64) -> Result<()> {
    let value = Value::create(space, "value", 0_u64)?;
    (0..count).for_each(|_| _ = black_box(value.load()));
    Ok(())
}

fn value_store(space: &Space, count: u64) -> Result<()> {
    let value = Value::create(space, "value", 0_u64)?;
    (0..count).for_each(|number| value.store(black_box(number)));
    Ok(())
}

fn value_add(space: &Space, count: u64) -> Result<()> {
    let value = Value::create(space, "value", 0_u64)?;
    (0..count).for_each(|_| _ = black_box(value.add(black_box(1))));
    Ok(())
}

fn array_load(space: &Space, count: u64) -> Result<()> {
    let array = Array::<f64>::create(space, "array", &[8])?;
    (0..count).try_for_each(|_| array.load(black_box(3)).map(|element| _ = black_box(element)))
}

fn array_store(space: &Space, count: u64) -> Result<()> {
    let array = Array::<f64>::create(space, "array", &[8])?;
    (0..count).try_for_each(|_| array.store(black_box(3), black_box(1.5)))
}

fn record(space: &Space) -> Result<Record> {
    Record::create(space, "record", "{x:<f8,y:<f8}")
}

fn record_write(space: &Space, count: u64) -> Result<()> {
    let record = record(space)?;
    (0..count).try_for_each(|_| record.write_bytes(black_box(&[7; 16])).map(drop))
}

fn record_read(space: &Space, count: u64) -> Result<()> {
    let record = record(space)?;
    (0..count).try_for_each(|_| record.read_bytes().map(|content| drop(black_box(content))))
}

fn text_write(space: &Space, count: u64) -> Result<()> {
    let text = Text::create(space, "text", 64)?;
    (0..count).try_for_each(|_| text.write(black_box("sixteen letters!")).map(drop))
}

fn text_read(space: &Space, count: u64) -> Result<()> {
    let text = Text::create(space, "text", 64)?;
    text.write("sixteen letters!")?;
    (0..count).try_for_each(|_| text.read().map(|content| drop(black_box(content))))
}

fn lock(space: &Space, count: u64) -> Result<()> {
    let lock = Lock::create(space, "lock")?;
    (0..count).try_for_each(|_| lock.lock().map(|guard| drop(black_box(guard))))
}

fn rlock(space: &Space, count: u64) -> Result<()> {
    let lock = RLock::create(space, "lock")?;
    (0..count).try_for_each(|_| lock.lock().map(|guard| drop(black_box(guard))))
}

fn rwlock_read(space: &Space, count: u64) -> Result<()> {
    let lock = RwLock::create(space, "lock")?;
    (0..count).try_for_each(|_| lock.read(None).map(|guard| drop(black_box(guard))))
}

fn rwlock_write(space: &Space, count: u64) -> Result<()> {
    let lock = RwLock::create(space, "lock")?;
    (0..count).try_for_each(|_| lock.write(None).map(|guard| drop(black_box(guard))))
}

fn semaphore(space: &Space, count: u64) -> Result<()> {
    let semaphore = Semaphore::create(space, "semaphore", 3)?;
    (0..count).try_for_each(|_| semaphore.acquire(1, None).map(|permit| drop(black_box(permit))))
}

fn signal_semaphore(space: &Space, count: u64) -> Result<()> {
    let semaphore = SignalSemaphore::create(space, "semaphore", 0)?;
    (0..count).try_for_each(|_| semaphore.release(1).and_then(|()| semaphore.acquire(None)))
}

fn event_set(space: &Space, count: u64) -> Result<()> {
    let event = Event::create(space, "event")?;
    (0..count).for_each(|_| black_box(&event).set());
    Ok(())
}

fn event_wait(space: &Space, count: u64) -> Result<()> {
    let event = Event::create(space, "event")?;
    event.set();
    (0..count).try_for_each(|_| black_box(&event).wait(None))
}

fn event_auto_reset(space: &Space, count: u64) -> Result<()> {
    let event = Event::create_auto_reset(space, "event")?;
    (0..count).try_for_each(|_| {
        event.set();
        event.wait(None)
    })
}

fn queue(space: &Space, count: u64, size: usize) -> Result<()> {
    let queue = Queue::create(space, "queue", &QueueSpec::bytes(64 * 1024))?;
    let message = vec![7; size];
    let mut bytes = Vec::with_capacity(size);
    (0..count).try_for_each(|_| {
        queue.put(black_box(&message), None)?;
        queue.get_into(black_box(&mut bytes), None).map(drop)
    })
}

fn pipe(space: &Space, count: u64, size: usize) -> Result<()> {
    let spec = PipeSpec::one_way(64 * 1024);
    let left = PipeEnd::create(space, "pipe", &spec, Side::Left)?;
    let right = PipeEnd::open(space, "pipe", Side::Right)?;
    let message = vec![7; size];
    let mut bytes = Vec::with_capacity(size);
    (0..count).try_for_each(|_| {
        left.send(black_box(&message), None)?;
        right.recv_into(black_box(&mut bytes), None).map(drop)
    })
}

fn stream(space: &Space) -> Result<StreamPublisher> {
    StreamPublisher::create(space, "stream", &StreamSpec::of("[2]<f8").capacity(1024))
}

fn stream_append(space: &Space, count: u64) -> Result<()> {
    let mut publisher = stream(space)?;
    (0..count).try_for_each(|_| publisher.append(black_box(&[7; 16])).map(drop))
}

fn stream_next(space: &Space, count: u64) -> Result<()> {
    let mut publisher = stream(space)?;
    let subscriber = StreamSubscriber::open(space, "stream")?;
    let mut record = [0; 16];
    (0..count).try_for_each(|_| {
        publisher.append(black_box(&[7; 16]))?;
        subscriber.next_into(black_box(&mut record), None).map(drop)
    })
}

fn frames(space: &Space) -> Result<FramePublisher> {
    FramePublisher::create(space, "frames", &FrameSpec::of(Schema::new(Primitive::U64)).history(1))
}

fn publish(publisher: &mut FramePublisher) -> Result<()> {
    // With the time given: the clock's own instructions are the kernel's.
    publisher.loan().map(|loan| _ = loan.publish_captured(black_box(Timestamp { monotonic: 0, wall: 0 })))
}

fn frames_publish(space: &Space, count: u64) -> Result<()> {
    let mut publisher = frames(space)?;
    (0..count).try_for_each(|_| publish(&mut publisher))
}

fn frames_latest(space: &Space, count: u64) -> Result<()> {
    let mut publisher = frames(space)?;
    let subscriber = FrameSubscriber::open(space, "frames")?;
    publish(&mut publisher)?;
    (0..count).try_for_each(|_| subscriber.latest().map(|frame| drop(black_box(frame))))
}
