//! Uses a region in every way there is, as every kind there is, whatever its bytes say.
//!
//! Every call has a deadline or cannot wait. What is read is looked at whole, so that a wild pointer would
//! show.

use memlane::schema::Element;
use memlane::value::Number;
use memlane::{
    AnyArray, AnyValue, Array, Barrier, Condition, Event, FramePublisher, FrameSubscriber, Lock, Observer,
    PipeEnd, Queue, RLock, Raw, Record, Region, Result, RwLock, Semaphore, Side, SignalSemaphore, Space,
    StreamPublisher, StreamSubscriber, Text, Value, WaitGraph, doctor,
};
use std::hint::black_box;
use std::time::Duration;

/// Long enough to sleep at all.
const GLANCE: Duration = Duration::from_micros(50);

/// Opens the region `id` in every way and uses it as what it says it is. Gives back how many ways were open;
/// a use that ends in an error is fine.
pub(crate) fn exercise(space: &Space, id: &str) -> usize {
    // Holds the slot all the time, so that one participant does all this.
    let region = Region::open(space, id);
    if let Ok(region) = &region {
        black_box((region.description(), region.version(), region.participants(), region.unlinked()));
    }
    // Whoever looks before whoever changes, and so mends.
    let ways: [fn(&Space, &str) -> Result<()>; 26] = [
        observe,
        value::<f64>,
        value::<u8>,
        any_value,
        record,
        array::<f32>,
        array::<u8>,
        array::<u16>,
        array::<u64>,
        any_array,
        text,
        raw,
        lock,
        subscribe,
        publish,
        rlock,
        rwlock,
        semaphore,
        signal,
        event,
        condition,
        barrier,
        queue,
        pipe,
        read_stream,
        append,
    ];
    let open = ways.iter().filter(|way| way(space, id).is_ok()).count();
    black_box((doctor::examine(space).is_ok(), doctor::fix(space).is_ok()));
    open
}

fn value<T: Number>(space: &Space, id: &str) -> Result<()> {
    let value = Value::<T>::open(space, id)?;
    let seen = value.read();
    value.store(seen.value);
    value.add(seen.value);
    value.update(|value| value);
    let _ = value.compare_exchange(seen.value, value.load());
    let _ = value.wait_newer(&value.read(), Some(GLANCE));
    Ok(())
}

fn any_value(space: &Space, id: &str) -> Result<()> {
    let value = AnyValue::open(space, id)?;
    let seen = value.read();
    black_box(seen.value.to_string());
    black_box(value.add(&seen.value).is_ok());
    let _ = (value.store(&seen.value), value.compare_exchange(&seen.value, &value.load()));
    let _ = value.wait_newer(&value.read(), Some(GLANCE));
    Ok(())
}

fn record(space: &Space, id: &str) -> Result<()> {
    let record = Record::open(space, id)?;
    for name in ["on", "x", "point", "name", ""] {
        if let Ok(field) = record.read_field(name) {
            let _ = record.write_field(name, &field);
        }
    }
    if let Ok((datum, _)) = record.read() {
        black_box(datum.to_string());
        let _ = record.write(&datum);
    }
    if let Ok((bytes, version)) = record.read_bytes() {
        let _ =
            (record.write_if(version, &bytes), record.write_if(version, &bytes), record.write_bytes(&bytes));
        let _ = record.wait_newer(record.version(), Some(GLANCE));
    }
    Ok(())
}

fn array<T: Element>(space: &Space, id: &str) -> Result<()> {
    let array = Array::<T>::open(space, id)?;
    let last = array.len().saturating_sub(1);
    for index in [0, last, last + 1, usize::MAX] {
        if let Ok(element) = array.load(index) {
            let _ = (array.store(index, element), array.update(index, |element| element));
        }
    }
    if let Ok(all) = array.snapshot() {
        let _ = array.lock().and_then(|guard| guard.write(0, &all));
    }
    let _ =
        array.lock().map(|guard| (guard.read(last, 2).is_ok(), guard.read(usize::MAX, usize::MAX).is_ok()));
    let _ = array.wait_newer(array.region().version(), Some(GLANCE));
    Ok(())
}

fn any_array(space: &Space, id: &str) -> Result<()> {
    let array = AnyArray::open(space, id)?;
    for index in [0, array.len().wrapping_sub(1), array.len()] {
        if let Ok(element) = array.load(index) {
            let _ = array.store(index, &element);
        }
    }
    black_box((array.snapshot().is_ok(), array.as_mut_ptr()));
    array.changed();
    Ok(())
}

fn raw(space: &Space, id: &str) -> Result<()> {
    let raw = Raw::open(space, id)?;
    let mut bytes = [0; 21];
    for offset in [0, 3, raw.len().wrapping_sub(21), raw.len(), usize::MAX] {
        if raw.read(offset, &mut bytes).is_ok() {
            let _ = raw.write(offset, &bytes);
        }
    }
    black_box((bytes, raw.as_mut_ptr()));
    raw.changed();
    let _ = raw.wait_newer(raw.region().version(), Some(GLANCE));
    Ok(())
}

fn text(space: &Space, id: &str) -> Result<()> {
    let text = Text::open(space, id)?;
    let _ = text.read().map(|(content, version)| text.write_if(version, &content));
    let _ = (
        text.write_if(0, "of version 0"),
        text.write("short"),
        text.write(&"x".repeat(text.capacity().min(9999))),
    );
    let _ = text.wait_newer(text.version(), Some(GLANCE));
    black_box(text.read().is_ok());
    Ok(())
}

fn lock(space: &Space, id: &str) -> Result<()> {
    let lock = Lock::open(space, id)?;
    for _ in 0..2 {
        if let Ok(guard) = lock.lock_timeout(GLANCE) {
            black_box((lock.state(), lock.try_lock().is_ok()));
            guard.make_consistent();
            guard.abandon();
        }
    }
    let _ = (lock.release(), lock.make_consistent(), lock.is_inconsistent());
    Ok(())
}

fn subscribe(space: &Space, id: &str) -> Result<()> {
    let subscriber = FrameSubscriber::open_with(space, id, 3)?.history(4);
    let sum = |bytes: &[u8]| bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    for _ in 0..4 {
        if let Ok(frame) = subscriber.next(Some(GLANCE)) {
            black_box((sum(&frame), frame.sequence(), frame.age()));
        }
    }
    if let Ok(Some(frame)) = subscriber.latest() {
        black_box(sum(&frame));
    }
    for frame in subscriber.last(3).into_iter().flatten() {
        black_box(sum(&frame));
    }
    black_box((subscriber.publisher(), subscriber.missed()));
    Ok(())
}

fn publish(space: &Space, id: &str) -> Result<()> {
    let mut publisher = FramePublisher::open(space, id)?;
    for number in 0..5 {
        if let Ok(mut loan) = publisher.loan() {
            loan.fill(number);
            let _ = loan.set_len(usize::from(number));
            loan.publish();
        }
        let _ = subscribe(space, id);
    }
    Ok(())
}

fn observe(space: &Space, id: &str) -> Result<()> {
    let observer = Observer::open(space, id)?;
    black_box((observer.version(), observer.participants(), observer.lock(), observer.unlinked()));
    black_box(observer.read().map(|observation| observation.content.to_string()).is_ok());
    black_box((observer.frames().is_ok(), observer.latest_frame().is_ok()));
    black_box((observer.rwlock().is_ok(), observer.semaphore().is_ok(), observer.event().is_ok()));
    black_box((observer.condition().is_ok(), observer.barrier().is_ok(), observer.pipe().is_ok()));
    black_box((observer.queue().is_ok(), observer.peek(9).is_ok()));
    black_box((
        observer.stream().is_ok(),
        observer.records(0, 99).is_ok(),
        observer.records(u64::MAX, 9).is_ok(),
    ));
    black_box(WaitGraph::of(space).map(|graph| graph.deadlocks().len()).is_ok());
    Ok(())
}

fn rlock(space: &Space, id: &str) -> Result<()> {
    let lock = RLock::open(space, id)?;
    if let Ok(outer) = lock.lock_timeout(GLANCE) {
        black_box((lock.lock_timeout(GLANCE).is_ok(), lock.state()));
        outer.make_consistent();
    }
    let _ = (lock.release(), lock.abandon());
    Ok(())
}

fn rwlock(space: &Space, id: &str) -> Result<()> {
    let lock = RwLock::open(space, id)?;
    if let Ok(guard) = lock.read(Some(GLANCE)) {
        black_box((lock.try_read().is_ok(), lock.try_write().is_ok(), guard.owner_died(), lock.state()));
    }
    if let Ok(guard) = lock.write(Some(GLANCE)) {
        guard.make_consistent();
    }
    let _ = (lock.release_read(), lock.release_write());
    Ok(())
}

fn semaphore(space: &Space, id: &str) -> Result<()> {
    let semaphore = Semaphore::open(space, id)?;
    for count in [1, 2, semaphore.total(), u32::MAX] {
        black_box(semaphore.acquire(count, Some(GLANCE)).is_ok());
    }
    black_box((semaphore.free(), semaphore.state(), semaphore.release(1).is_ok()));
    Ok(())
}

fn signal(space: &Space, id: &str) -> Result<()> {
    let semaphore = SignalSemaphore::open(space, id)?;
    black_box((semaphore.release(1).is_ok(), semaphore.release(u32::MAX).is_ok()));
    black_box((semaphore.acquire(Some(GLANCE)).is_ok(), semaphore.try_acquire(), semaphore.state()));
    Ok(())
}

fn event(space: &Space, id: &str) -> Result<()> {
    let event = Event::open(space, id)?;
    event.set();
    black_box((event.wait(Some(GLANCE)).is_ok(), event.clear(), event.wait(Some(GLANCE)).is_ok()));
    Ok(())
}

fn condition(space: &Space, id: &str) -> Result<()> {
    let condition = Condition::open(space, id)?;
    let lock = condition.region().lock();
    if let Ok(mut guard) = lock.lock_timeout(GLANCE) {
        black_box((
            condition.notify(1),
            condition.wait(&mut guard, Some(GLANCE)).is_ok(),
            condition.notify_all(),
        ));
        guard.make_consistent();
    }
    black_box(condition.waiters());
    Ok(())
}

fn barrier(space: &Space, id: &str) -> Result<()> {
    let barrier = Barrier::open(space, id)?;
    black_box((barrier.wait(Some(GLANCE)).is_ok(), barrier.wait_with(Some(GLANCE), || ()).is_ok()));
    barrier.abort();
    black_box((barrier.reset().is_ok(), barrier.state(), barrier.waiting()));
    Ok(())
}

fn queue(space: &Space, id: &str) -> Result<()> {
    let queue = Queue::open(space, id)?;
    black_box((queue.len(), queue.state(), queue.peek(3)));
    let sum = |bytes: &[u8]| bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    for length in [0, 9, queue.capacity(), queue.capacity().saturating_add(1)] {
        black_box(queue.put(&vec![7; length.min(99_999)], Some(GLANCE)).is_ok());
        if let Ok(lease) = queue.lease(Some(GLANCE)) {
            black_box((sum(lease.bytes()), lease.redelivered()));
        }
        if let Ok(message) = queue.read(Some(GLANCE)) {
            black_box(sum(&message));
        }
        black_box(queue.reserve(length, Some(GLANCE)).and_then(memlane::queue::Reservation::commit).is_ok());
        black_box((queue.get(Some(GLANCE)).is_ok(), queue.get_many(3, Some(GLANCE)).is_ok()));
    }
    queue.close();
    black_box(queue.try_get().is_ok());
    Ok(())
}

fn pipe(space: &Space, id: &str) -> Result<()> {
    let left = PipeEnd::open(space, id, Side::Left);
    let right = PipeEnd::open(space, id, Side::Right);
    for end in [&left, &right].into_iter().flatten() {
        black_box((end.send(&[7; 99], Some(GLANCE)).is_ok(), end.state()));
    }
    for end in [&right, &left].into_iter().flatten() {
        black_box((end.poll(Some(GLANCE)).is_ok(), end.recv(Some(GLANCE)).is_ok(), end.try_recv().is_ok()));
    }
    left.and(right).map(drop)
}

fn read_stream(space: &Space, id: &str) -> Result<()> {
    let subscriber = StreamSubscriber::open(space, id)?;
    black_box((
        subscriber.latest(),
        subscriber.last(5).is_ok(),
        subscriber.since(0).is_ok(),
        subscriber.state(),
    ));
    for sequence in [0, subscriber.published().saturating_sub(1), u64::MAX - 9] {
        subscriber.seek(sequence);
        black_box((subscriber.next(Some(GLANCE)).is_ok(), subscriber.try_next_many(99).len()));
    }
    Ok(())
}

fn append(space: &Space, id: &str) -> Result<()> {
    let mut publisher = StreamPublisher::open(space, id)?.patience(Some(GLANCE));
    let record = vec![7; publisher.schema().size()];
    black_box((publisher.append(&record).is_ok(), publisher.append_many(&record.repeat(3)).is_ok()));
    if let Ok(mut batch) = publisher.batch(1) {
        let _ = batch.set(0, &record);
        batch.publish(1);
    }
    read_stream(space, id)
}
