//! Streams: records of fixed size, kept for a while.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{
    Opening, bytes, bytes_mut, copy_out, give_optional, memlane_opening, null, options, out, pointer_out,
    short_buffer, text,
};
use crate::handle::{self, Alone, get};
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status, memlane_status::MEMLANE_EMPTY};
use crate::wait::{timeout, wait};
use memlane::stream::{Arrival, Records};
use memlane::{Region, StreamPublisher, StreamSpec, StreamSubscriber};
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::time::Duration;

/// The one who publishes records. When its process dies, the next one takes over and the numbers go on.
pub struct memlane_stream_publisher {
    _opaque: [u8; 0],
}

/// One reader of a stream.
pub struct memlane_stream_subscriber {
    _opaque: [u8; 0],
}

/// What a stream is made for; begin with MEMLANE_STREAM_DEFAULTS and say `schema`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct memlane_stream_options {
    /// What a record is: `{emg:[8]|i1,t:<f8}`.
    pub schema: *const c_char,
    /// How many records are kept at least.
    pub capacity: u64,
    /// 0, or for how many readers the publisher waits as long as they live, up to 1024: a lossless stream.
    pub readers: u32,
    /// How many nanoseconds an append to a lossless stream waits for a reader that does not read; MEMLANE_FOREVER for
    /// ever.
    pub patience: i64,
}

/// A publisher's handle.
pub(crate) struct Publisher {
    pub(crate) region: Region,
    inner: Alone<StreamPublisher>,
}

/// A subscriber's handle.
pub(crate) struct Subscriber {
    pub(crate) region: Region,
    inner: Alone<StreamSubscriber>,
}

impl Subscriber {
    /// A record that is not there yet, to wait for.
    pub(crate) fn arrival(&self) -> Result<Arrival, Failure> {
        self.inner.with(|subscriber| Ok(subscriber.arrival()))
    }
}

/// Opens the stream `id`, or makes it, and becomes its publisher. MEMLANE_PUBLISHER_EXISTS when somebody living
/// publishes there. `options` may be NULL with MEMLANE_OPEN.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_stream_publisher_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    options: *const memlane_stream_options,
    publisher: *mut *mut memlane_stream_publisher,
) -> memlane_status {
    call(|| {
        let to = pointer_out(publisher, "publisher")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        let options = self::options(options);
        let spec = || {
            let options = options.ok_or_else(|| null("options"))?;
            let spec = StreamSpec::of(text(options.schema, "schema")?).capacity(options.capacity);
            Ok::<_, Failure>(if options.readers == 0 { spec } else { spec.lossless_for(options.readers) })
        };
        let publisher = match Opening::of(opening)? {
            Opening::OpenOrCreate => StreamPublisher::open_or_create(&space, id, &spec()?)?,
            Opening::Create => StreamPublisher::create(&space, id, &spec()?)?,
            Opening::Open => StreamPublisher::open(&space, id)?,
        };
        let patience = options.and_then(|options| timeout(options.patience));
        let publisher = publisher.patience(patience);
        let region = publisher.region().clone();
        to.give(handle::open(Publisher { region, inner: Alone::new(publisher) }));
        Ok(())
    })
}

/// Publishes records that lie one behind the other, `size` bytes in all, as one change as long as an eighth of the
/// ring is enough. `sequence` (NULL: not wanted) is the number of the first, from 0. No system call unless somebody
/// sleeps, or a lossless stream is full.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_stream_publisher_append(
    publisher: *const memlane_stream_publisher,
    records: *const c_void,
    size: usize,
    sequence: *mut u64,
) -> memlane_status {
    call(|| {
        let records = bytes(records, size, "records")?;
        get(publisher)?.inner.with(|publisher| {
            let first = publisher.append_many(records)?;
            give_optional(sequence, first);
            Ok(())
        })
    })
}

/// Subscribes to the stream `id`, which must exist, from the next record on, or from up to `history` records before
/// that.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_stream_subscriber_open(
    space: *const memlane_space,
    id: *const c_char,
    history: u64,
    spin: u64,
    subscriber: *mut *mut memlane_stream_subscriber,
) -> memlane_status {
    call(|| {
        let to = pointer_out(subscriber, "subscriber")?;
        let made = StreamSubscriber::open(&space::of(space)?, text(id, "id")?)?;
        let mut made = made.spin(Duration::from_nanos(spin));
        if history > 0 {
            made = made.history(history);
        }
        let region = made.region().clone();
        to.give(handle::open(Subscriber { region, inner: Alone::new(made) }));
        Ok(())
    })
}

/// The next record, into a buffer of its size, which `memlane_stream_subscriber_state()` says; waits for one.
/// MEMLANE_SHORT_BUFFER when the buffer is shorter, MEMLANE_TOO_LARGE when it is longer: that is another type.
/// `sequence` (NULL: not wanted) is its number.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_stream_subscriber_next(
    subscriber: *const memlane_stream_subscriber,
    buffer: *mut c_void,
    size: usize,
    sequence: *mut u64,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let buffer = bytes_mut(buffer, size, "buffer")?;
        get(subscriber)?.inner.with(|subscriber| {
            fitting(buffer.len(), subscriber)?;
            let found = wait(timeout, |timeout| subscriber.next_into(buffer, timeout))?;
            give_optional(sequence, found);
            Ok(())
        })
    })
}

/// Up to as many records as fit a buffer of `capacity` bytes, as many as there are; waits for one when there is none.
/// MEMLANE_SHORT_BUFFER when not even one fits.
/// `count` is how many, `sequence` (NULL: not wanted) the number of the first.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_stream_subscriber_next_many(
    subscriber: *const memlane_stream_subscriber,
    buffer: *mut c_void,
    capacity: usize,
    count: *mut usize,
    sequence: *mut u64,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let count = out(count, "count")?;
        get(subscriber)?.inner.with(|subscriber| {
            let most = fitting(capacity, subscriber)?;
            let found = wait(timeout, |timeout| subscriber.next_many(most, timeout))?;
            give(&found, buffer, capacity, sequence)?;
            count.give(found.len());
            Ok(())
        })
    })
}

/// The newest records, oldest first, as many as fit a buffer of `capacity` bytes and there are. Does not move the
/// subscriber's place. `count` is how many, `sequence` (NULL: not wanted) the number of the first. MEMLANE_EMPTY when
/// there never was one, MEMLANE_SHORT_BUFFER when not even one fits.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_stream_subscriber_last(
    subscriber: *const memlane_stream_subscriber,
    buffer: *mut c_void,
    capacity: usize,
    count: *mut usize,
    sequence: *mut u64,
) -> memlane_status {
    call(|| {
        let count = out(count, "count")?;
        get(subscriber)?.inner.with(|subscriber| {
            let found = subscriber.last(fitting(capacity, subscriber)?)?;
            if found.is_empty() {
                return Err(Failure::new(MEMLANE_EMPTY, "no record was published yet"));
            }
            give(&found, buffer, capacity, sequence)?;
            count.give(found.len());
            Ok(())
        })
    })
}

/// How many records fit a buffer: one at least.
#[inline]
fn fitting(capacity: usize, subscriber: &StreamSubscriber) -> Result<usize, Failure> {
    let size = subscriber.schema().size();
    match capacity / size {
        0 => Err(short_buffer(size, capacity)),
        most => Ok(most),
    }
}

fn give(found: &Records, buffer: *mut c_void, capacity: usize, sequence: *mut u64) -> Result<(), Failure> {
    copy_out(&found.bytes, buffer, capacity, std::ptr::null_mut())?;
    give_optional(sequence, found.first);
    Ok(())
}

/// How many records were overwritten before this subscriber had read them, how many were ever published, and the
/// bytes of a record. Each may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_stream_subscriber_state(
    subscriber: *const memlane_stream_subscriber,
    lost: *mut u64,
    published: *mut u64,
    record_size: *mut usize,
) -> memlane_status {
    call(|| {
        get(subscriber)?.inner.with(|subscriber| {
            give_optional(lost, subscriber.lost());
            give_optional(published, subscriber.published());
            give_optional(record_size, subscriber.schema().size());
            Ok(())
        })
    })
}
