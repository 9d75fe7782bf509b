//! Uses a region in every way there is, as every kind there is, whatever its bytes say.
//!
//! Every call has a deadline or cannot wait. What is read is looked at whole, so that a wild pointer would
//! show.

use memlane::schema::Element;
use memlane::value::Number;
use memlane::{
    AnyArray, AnyValue, Array, FramePublisher, FrameSubscriber, Lock, Observer, Record, Region, Result,
    Space, Text, Value, doctor,
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
    let ways: [fn(&Space, &str) -> Result<()>; 14] = [
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
        lock,
        subscribe,
        publish,
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
    black_box(array.snapshot().is_ok());
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
    Ok(())
}
