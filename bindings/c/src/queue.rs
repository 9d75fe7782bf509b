//! Queues: messages, each taken once.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{
    Opening, bad, bytes, copy_out, give_optional, memlane_opening, number, options, out, pointer_out, text,
};
use crate::handle::{self, Object, get};
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status, memlane_status::MEMLANE_NOT_OWNER};
use crate::wait::wait;
use memlane::queue::{Lease, Reservation};
use memlane::{Error, Queue, QueueSpec, Tag};
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::thread::ThreadId;

/// Messages of any size between any number of processes, each taken once.
pub struct memlane_queue {
    _opaque: [u8; 0],
}

/// A message that was handed out and waits to be acknowledged.
pub struct memlane_lease {
    _opaque: [u8; 0],
}

/// Room for a message that is written where it will lie.
pub struct memlane_reservation {
    _opaque: [u8; 0],
}

/// What a message's bytes are said to be.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum memlane_tag {
    /// Bytes.
    MEMLANE_BYTES = 0,
    /// UTF-8 text.
    MEMLANE_UTF8 = 1,
    /// JSON text.
    MEMLANE_JSON = 2,
    /// A Python pickle.
    MEMLANE_PICKLE = 3,
}

/// A tag that C gives.
pub(crate) fn tag(given: MaybeUninit<memlane_tag>) -> Result<Tag, Failure> {
    match number(given) {
        number @ 0..=3 => Ok(Tag::from_number(number as u8)),
        other => Err(bad(format!("{other} is not a memlane_tag"))),
    }
}

/// A tag for C.
pub(crate) fn tagged(tag: Tag) -> memlane_tag {
    match tag {
        Tag::Utf8 => memlane_tag::MEMLANE_UTF8,
        Tag::Json => memlane_tag::MEMLANE_JSON,
        Tag::Pickle => memlane_tag::MEMLANE_PICKLE,
        _ => memlane_tag::MEMLANE_BYTES,
    }
}

/// How a queue is made; begin with MEMLANE_QUEUE_DEFAULTS.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct memlane_queue_options {
    /// Room for one message of so many bytes, or for as many as fit with 8 bytes more for each.
    pub capacity: usize,
    /// The most messages at once; 0 for no limit of their number.
    pub messages: u32,
    /// Messages are kept until whoever took them acknowledges; those of the dead are handed out again.
    pub acknowledged: bool,
}

const DEFAULTS: memlane_queue_options =
    memlane_queue_options { capacity: 16 << 20, messages: 0, acknowledged: false };

self_cell::self_cell!(
    pub(crate) struct LeaseCell {
        owner: Arc<Queue>,
        #[not_covariant]
        dependent: HeldLease,
    }
);

struct HeldLease<'a>(Option<Lease<'a>>);

self_cell::self_cell!(
    pub(crate) struct ReservationCell {
        owner: (Arc<Queue>, ThreadId),
        #[not_covariant]
        dependent: HeldReservation,
    }
);

struct HeldReservation<'a>(Option<Reservation<'a>>);

/// Opens the queue `id`, or makes it. `options` may be NULL. With MEMLANE_OPEN they are not looked at.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_queue_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    options: *const memlane_queue_options,
    queue: *mut *mut memlane_queue,
) -> memlane_status {
    call(|| {
        let to = pointer_out(queue, "queue")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        let options = self::options(options).unwrap_or(DEFAULTS);
        let mut spec = QueueSpec::bytes(options.capacity).messages(options.messages);
        if options.acknowledged {
            spec = spec.acknowledged();
        }
        to.give(handle::open(Arc::new(match Opening::of(opening)? {
            Opening::OpenOrCreate => Queue::open_or_create(&space, id, &spec)?,
            Opening::Create => Queue::create(&space, id, &spec)?,
            Opening::Open => Queue::open(&space, id)?,
        })));
        Ok(())
    })
}

/// Puts a message of `size` bytes; waits for room. It is done when it returns. MEMLANE_TOO_LARGE when there never
/// will be room enough, MEMLANE_CLOSED when the queue is closed.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_queue_put(
    queue: *const memlane_queue,
    tag: MaybeUninit<memlane_tag>,
    message: *const c_void,
    size: usize,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let (queue, tag, message) = (get(queue)?, self::tag(tag)?, bytes(message, size, "message")?);
        wait(timeout, |timeout| queue.put_tagged(tag, message, timeout))
    })
}

/// Takes the oldest message into a buffer; waits for one. `size` is how long it is; MEMLANE_SHORT_BUFFER when it is
/// longer than the buffer, and then it stays. Where messages are acknowledged, this acknowledges at once. `tag` may
/// be NULL. MEMLANE_CLOSED when the queue is closed and there is none left.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_queue_get(
    queue: *const memlane_queue,
    buffer: *mut c_void,
    capacity: usize,
    size: *mut usize,
    tag: *mut memlane_tag,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let queue = get(queue)?;
        if size.is_null() {
            return Err(crate::argument::null("size"));
        }
        if queue.is_acknowledged() {
            let lease = wait(timeout, |timeout| queue.lease(timeout))?;
            copy_out(lease.bytes(), buffer, capacity, size)?;
            give_optional(tag, tagged(lease.tag()));
            return Ok(lease.acknowledge()?);
        }
        let reading = wait(timeout, |timeout| queue.read(timeout))?;
        copy_out(&reading, buffer, capacity, size)?;
        give_optional(tag, tagged(reading.tag()));
        reading.done();
        Ok(())
    })
}

/// Nothing can be put from now on; what is in it can be taken still. For all, and for good; to close this handle
/// alone is `memlane_close()`.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_queue_shut_down(queue: *const memlane_queue) -> memlane_status {
    call(|| {
        get(queue)?.close();
        Ok(())
    })
}

/// Messages in it, the bytes of the longest one that it takes, and whether it was shut down. Each may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_queue_state(
    queue: *const memlane_queue,
    length: *mut usize,
    capacity: *mut usize,
    shut_down: *mut bool,
) -> memlane_status {
    call(|| {
        let queue = get(queue)?;
        give_optional(length, queue.len());
        give_optional(capacity, queue.capacity());
        give_optional(shut_down, queue.is_closed());
        Ok(())
    })
}

/// Takes the next message to be acknowledged; waits for one. Only where the queue was made so. It is handed out again
/// when this process dies, or when the lease is closed unacknowledged. End it with `memlane_lease_acknowledge()`, or
/// give the message back with `memlane_close()`.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_queue_lease(
    queue: *const memlane_queue,
    timeout: i64,
    lease: *mut *mut memlane_lease,
) -> memlane_status {
    call(|| {
        let to = pointer_out(lease, "lease")?;
        let queue = get(queue)?.clone();
        let lease = LeaseCell::try_new(queue, |queue| {
            wait(timeout, |timeout| queue.lease(timeout)).map(|held| HeldLease(Some(held)))
        })?;
        to.give(handle::open(lease));
        Ok(())
    })
}

/// The message of a lease, where it lies: good until the lease ends. `tag` and `redelivered`, how often it was handed
/// out before, may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lease_message(
    lease: *const memlane_lease,
    data: *mut *const c_void,
    size: *mut usize,
    tag: *mut memlane_tag,
    redelivered: *mut u32,
) -> memlane_status {
    call(|| {
        let (data, size) = (pointer_out(data.cast::<*mut c_void>(), "data")?, out(size, "size")?);
        get(lease)?.with_dependent(|_, HeldLease(lease)| {
            let Some(lease) = lease else { return };
            data.give(lease.bytes().as_ptr().cast_mut().cast());
            size.give(lease.bytes().len());
            give_optional(tag, tagged(lease.tag()));
            give_optional(redelivered, lease.redelivered());
        });
        Ok(())
    })
}

/// Done with it: the message will not be handed out again. Closes the lease, whatever it returns.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lease_acknowledge(lease: *mut memlane_lease) -> memlane_status {
    call(|| {
        let Object::Lease(mut lease) = handle::take(lease.cast_const())? else { return Ok(()) };
        lease.with_dependent_mut(|_, HeldLease(lease)| {
            lease.take().map_or(Ok(()), |lease| Ok(lease.acknowledge()?))
        })
    })
}

/// Room for a message of `size` bytes, to be written where it will lie; waits for it. Until it is sent or given up
/// nobody else can put anything: fill it at once. It belongs to this thread. End it with
/// `memlane_reservation_commit()`, or give it up with `memlane_close()`.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_queue_reserve(
    queue: *const memlane_queue,
    size: usize,
    timeout: i64,
    reservation: *mut *mut memlane_reservation,
    data: *mut *mut c_void,
) -> memlane_status {
    call(|| {
        let (to, data) = (pointer_out(reservation, "reservation")?, pointer_out(data, "data")?);
        let queue = get(queue)?.clone();
        let mut made = ReservationCell::try_new((queue, std::thread::current().id()), |(queue, _)| {
            wait(timeout, |timeout| queue.reserve(size, timeout)).map(|held| HeldReservation(Some(held)))
        })?;
        let address = made.with_dependent_mut(|_, HeldReservation(held)| {
            held.as_mut().map_or(std::ptr::null_mut(), |held| held.as_mut_ptr())
        });
        data.give(address.cast());
        to.give(handle::open(made));
        Ok(())
    })
}

/// Sends the message, its first `size` bytes. MEMLANE_TOO_LARGE when so many were not reserved: nothing is sent then.
/// Closes the reservation, whatever it returns, except MEMLANE_NOT_OWNER: that it is another thread's.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_reservation_commit(
    reservation: *mut memlane_reservation,
    tag: MaybeUninit<memlane_tag>,
    size: usize,
) -> memlane_status {
    call(|| {
        let (_, thread) = get(reservation.cast_const())?.borrow_owner();
        if *thread != std::thread::current().id() {
            return Err(Failure::new(MEMLANE_NOT_OWNER, "the reservation is another thread's"));
        }
        let Object::Reservation(mut made) = handle::take(reservation.cast_const())? else { return Ok(()) };
        made.with_dependent_mut(|(queue, _), HeldReservation(held)| {
            let Some(mut held) = held.take() else { return Ok(()) };
            let (tag, capacity) = (self::tag(tag)?, held.len());
            if size > capacity {
                return Err(Error::TooLarge { id: queue.region().id().into(), size, capacity }.into());
            }
            held.truncate(size);
            Ok(held.tag(tag).commit()?)
        })
    })
}
