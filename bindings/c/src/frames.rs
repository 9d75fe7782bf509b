//! Frames: pictures and other large things, written and read in place.
#![allow(unsafe_code)] // Functions that C finds by their names, and frames that are given back by number.

use crate::argument::{
    Opening, bad, give_optional, lent, memlane_opening, null, optional_text, options, out, pointer_out, text,
};
use crate::array::schema;
use crate::handle::{self, Alone, get};
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status, memlane_status::*};
use crate::wait::wait;
use memlane::frames::{Arrival, Frame, OnPublisherDeath, Seat};
use memlane::{FramePublisher, FrameSpec, FrameSubscriber, Region, Timestamp};
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

/// The one who publishes frames. When its process dies, the next one takes over and the sequence goes on.
pub struct memlane_frame_publisher {
    _opaque: [u8; 0],
}

/// One reader of a frame channel.
pub struct memlane_frame_subscriber {
    _opaque: [u8; 0],
}

/// What a frame channel is made for; begin with MEMLANE_FRAME_DEFAULTS and say either `schema` or `capacity`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct memlane_frame_options {
    /// What a frame is: `[404,640,3]|u1` are 404 rows of 640 pixels with 3 samples of 8 bits; NULL for frames of any
    /// length.
    pub schema: *const c_char,
    /// How the bytes are to be understood: "bgr8", "rgb8", "mono8", "jpeg" …; NULL says nothing.
    pub encoding: *const c_char,
    /// The most bytes of a frame, where they vary in length.
    pub capacity: usize,
    /// How many frames stay on offer, 1 to 2048.
    pub history: u32,
    /// How many frames all subscribers together can hold, 1 to 1024.
    pub borrows: u32,
}

/// How a subscriber reads; begin with MEMLANE_SUBSCRIBER_DEFAULTS.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct memlane_subscriber_options {
    /// How many frames it can hold at once, 1 to 64: a loop holds the one before while it takes the next.
    pub borrows: u32,
    /// Begins with up to so many frames that were published before.
    pub history: u64,
    /// Nanoseconds to look before sleeping: costs a processor, wakes in well under a microsecond.
    pub spin: u64,
    /// Ends with MEMLANE_PUBLISHER_DIED, once for each death, instead of waiting for the next publisher.
    pub report_death: bool,
}

const SUBSCRIBER_DEFAULTS: memlane_subscriber_options =
    memlane_subscriber_options { borrows: 2, history: 0, spin: 0, report_death: false };

/// A frame that is being written in place. It holds what some earlier frame left there.
#[repr(C)]
pub struct memlane_loan {
    /// Where the frame lies: plain memory that nobody else looks at until it is published.
    pub data: *mut c_void,
    /// Bytes of the frame; the most there can be when their length varies.
    pub size: usize,
    /// The number that it will have, from 1, going on across publishers.
    pub sequence: u64,
}

const NO_LOAN: memlane_loan = memlane_loan { data: std::ptr::null_mut(), size: 0, sequence: 0 };

/// A frame that is read where it lies. It does not change until it is given back with `memlane_frame_release()`,
/// whatever becomes of its publisher, and also when its subscriber is closed.
#[repr(C)]
pub struct memlane_frame {
    /// Where it lies.
    pub data: *const c_void,
    /// Its bytes.
    pub size: usize,
    /// Its number, from 1, going on across publishers.
    pub sequence: u64,
    /// When it was captured, in nanoseconds of CLOCK_MONOTONIC.
    pub captured: u64,
    /// When it was captured, in nanoseconds since the Unix epoch.
    pub captured_wall: u64,
    /// Of memlane alone; NULL when there is no frame: it was given back, or none was had.
    pub owner: *const memlane_frame_subscriber,
    /// Of memlane alone.
    pub entry: usize,
}

const NO_FRAME: memlane_frame = memlane_frame {
    data: std::ptr::null(),
    size: 0,
    sequence: 0,
    captured: 0,
    captured_wall: 0,
    owner: std::ptr::null(),
    entry: 0,
};

/// A publisher's handle.
pub(crate) struct Publisher {
    pub(crate) region: Region,
    inner: Alone<Lending>,
}

/// A publisher, and whether it has a frame on loan. What C wrote stays in the slot, which is the same when it is lent
/// again to be published.
struct Lending {
    publisher: FramePublisher,
    on_loan: bool,
}

/// A subscriber's handle. The seat outlives the subscriber as long as frames are held.
pub(crate) struct Subscriber {
    pub(crate) region: Region,
    pub(crate) seat: Arc<Seat>,
    inner: Alone<Option<FrameSubscriber>>,
}

impl Subscriber {
    /// The subscriber is closed; its frames may still be held.
    pub(crate) fn depart(&self) {
        let departed = self.inner.with(|inner| Ok(inner.take()));
        drop(departed);
    }

    fn with<R>(&self, body: impl FnOnce(&FrameSubscriber) -> Result<R, Failure>) -> Result<R, Failure> {
        self.inner.with(|inner| match inner {
            Some(subscriber) => body(subscriber),
            None => Err(Failure::new(MEMLANE_CLOSED_HANDLE, "this subscriber was closed")),
        })
    }

    /// A frame that is not there yet, to wait for.
    pub(crate) fn arrival(&self) -> Result<Arrival, Failure> {
        self.with(|subscriber| Ok(subscriber.arrival()))
    }
}

fn spec(options: &memlane_frame_options) -> Result<FrameSpec, Failure> {
    let spec = match (options.schema.is_null(), options.capacity) {
        (false, 0) => FrameSpec::of(schema(options.schema)?),
        (true, capacity @ 1..) => FrameSpec::bytes(capacity),
        _ => return Err(bad("what is a frame? say either `schema` or `capacity`")),
    };
    let encoding = optional_text(options.encoding, "encoding")?;
    let spec = encoding.into_iter().fold(spec, FrameSpec::encoding);
    Ok(spec.history(options.history).borrows(options.borrows))
}

/// Opens the channel `id`, or makes it, and becomes its publisher. MEMLANE_PUBLISHER_EXISTS when somebody living
/// publishes there. `options` may be NULL with MEMLANE_OPEN.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_publisher_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    options: *const memlane_frame_options,
    publisher: *mut *mut memlane_frame_publisher,
) -> memlane_status {
    call(|| {
        let to = pointer_out(publisher, "publisher")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        let options = || spec(&self::options(options).ok_or_else(|| null("options"))?);
        let publisher = match Opening::of(opening)? {
            Opening::OpenOrCreate => FramePublisher::open_or_create(&space, id, &options()?)?,
            Opening::Create => FramePublisher::create(&space, id, &options()?)?,
            Opening::Open => FramePublisher::open(&space, id)?,
        };
        let region = publisher.region().clone();
        to.give(handle::open(Publisher { region, inner: Alone::new(Lending { publisher, on_loan: false }) }));
        Ok(())
    })
}

/// Lends a frame to write in place; one at a time: MEMLANE_ON_LOAN until it is published or discarded. Good until
/// then, or until the publisher is closed. After an error `loan->data` is NULL. No system call, no allocation.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_publisher_loan(
    publisher: *const memlane_frame_publisher,
    loan: *mut memlane_loan,
) -> memlane_status {
    call(|| {
        let to = out(loan, "loan")?;
        to.write(NO_LOAN);
        get(publisher)?.inner.with(|lending| {
            if lending.on_loan {
                return Err(on_loan(lending.publisher.region().id()));
            }
            let mut loan = lending.publisher.loan()?;
            to.give(memlane_loan {
                data: loan.as_mut_ptr().cast(),
                size: loan.len(),
                sequence: loan.sequence(),
            });
            lending.on_loan = true;
            Ok(())
        })
    })
}

/// Makes the frame on loan visible, captured now. `sequence` (NULL: not wanted) is its number. MEMLANE_NO_LOAN when
/// there is none. No system call unless somebody sleeps.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_publisher_publish(
    publisher: *const memlane_frame_publisher,
    sequence: *mut u64,
) -> memlane_status {
    call(|| get(publisher)?.publish(None, None, sequence))
}

/// `memlane_frame_publisher_publish` with what a camera knows: `captured`, when, in nanoseconds since the Unix epoch
/// (0: now), and `size`, how many bytes the frame has where they vary in length (SIZE_MAX: all). After an error the
/// frame is still on loan.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_publisher_publish_captured(
    publisher: *const memlane_frame_publisher,
    captured: u64,
    size: usize,
    sequence: *mut u64,
) -> memlane_status {
    call(|| {
        let captured = (captured != 0).then(|| captured_at(captured));
        get(publisher)?.publish(captured, (size != usize::MAX).then_some(size), sequence)
    })
}

/// A time of capture on both clocks from one on the wall's.
fn captured_at(wall: u64) -> Timestamp {
    let now = Timestamp::now();
    Timestamp { monotonic: now.monotonic.saturating_sub(now.wall.saturating_sub(wall)), wall }
}

impl Publisher {
    #[inline]
    fn publish(
        &self,
        captured: Option<Timestamp>,
        size: Option<usize>,
        sequence: *mut u64,
    ) -> Result<(), Failure> {
        self.inner.with(|lending| {
            if !lending.on_loan {
                return Err(no_loan());
            }
            let mut loan = lending.publisher.loan()?;
            if let Some(size) = size {
                loan.set_len(size)?;
            }
            let published = match captured {
                None => loan.publish(),
                Some(captured) => loan.publish_captured(captured),
            };
            lending.on_loan = false;
            give_optional(sequence, published);
            Ok(())
        })
    }
}

#[cold]
fn no_loan() -> Failure {
    Failure::new(MEMLANE_NO_LOAN, "there is no frame on loan: it was published or discarded, or never lent")
}

#[cold]
fn on_loan(id: &str) -> Failure {
    let message = format!("a frame of region `{id}` is on loan already: publish or discard it first");
    Failure::new(MEMLANE_ON_LOAN, message)
}

/// Gives the frame on loan back unseen; nothing when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_publisher_discard(
    publisher: *const memlane_frame_publisher,
) -> memlane_status {
    call(|| {
        get(publisher)?.inner.with(|lending| {
            lending.on_loan = false;
            Ok(())
        })
    })
}

/// Subscribes to the channel `id`, which must exist (`memlane_space_wait_for()` waits for it), from the next frame
/// on. `options` may be NULL. MEMLANE_SUBSCRIBERS_EXHAUSTED when all borrows are claimed by living subscribers.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_subscriber_open(
    space: *const memlane_space,
    id: *const c_char,
    options: *const memlane_subscriber_options,
    subscriber: *mut *mut memlane_frame_subscriber,
) -> memlane_status {
    call(|| {
        let to = pointer_out(subscriber, "subscriber")?;
        let options = self::options(options).unwrap_or(SUBSCRIBER_DEFAULTS);
        let made = FrameSubscriber::open_with(&space::of(space)?, text(id, "id")?, options.borrows)?;
        let mut made = made.spin(Duration::from_nanos(options.spin));
        if options.history > 0 {
            made = made.history(options.history);
        }
        if options.report_death {
            made = made.on_publisher_death(OnPublisherDeath::Report);
        }
        let (region, seat) = (made.region().clone(), made.seat());
        to.give(handle::open(Subscriber { region, seat, inner: Alone::new(Some(made)) }));
        Ok(())
    })
}

/// Hands a frame to C, which holds it until it gives it back.
#[inline]
fn hand_out(frame: Frame<'_>, owner: *const memlane_frame_subscriber) -> memlane_frame {
    let Timestamp { monotonic, wall } = frame.captured();
    memlane_frame {
        data: frame.as_ptr().cast(),
        size: frame.len(),
        sequence: frame.sequence(),
        captured: monotonic,
        captured_wall: wall,
        owner,
        entry: frame.keep(),
    }
}

/// The oldest frame on offer that is newer than the last one returned; waits for one. Read it where it lies, and give
/// it back with `memlane_frame_release()`. MEMLANE_BORROWS_EXHAUSTED when this subscriber holds as many frames as it
/// may. After an error `frame` is none, whatever it was: give back first what it holds. No allocation.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_subscriber_next(
    subscriber: *const memlane_frame_subscriber,
    timeout: i64,
    frame: *mut memlane_frame,
) -> memlane_status {
    call(|| {
        let to = out(frame, "frame")?;
        to.write(NO_FRAME);
        get(subscriber)?.with(|inner| {
            let frame = wait(timeout, |timeout| inner.next(timeout))?;
            to.give(hand_out(frame, subscriber));
            Ok(())
        })
    })
}

/// The newest frame, whether it was returned before or not; MEMLANE_EMPTY when there never was one. Give it back with
/// `memlane_frame_release()`. After an error `frame` is none.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_subscriber_latest(
    subscriber: *const memlane_frame_subscriber,
    frame: *mut memlane_frame,
) -> memlane_status {
    call(|| {
        let to = out(frame, "frame")?;
        to.write(NO_FRAME);
        get(subscriber)?.with(|inner| {
            let frame =
                inner.latest()?.ok_or_else(|| Failure::new(MEMLANE_EMPTY, "no frame was published yet"))?;
            to.give(hand_out(frame, subscriber));
            Ok(())
        })
    })
}

/// How many frames were passed over: published since this subscriber came, and not returned before a newer one was.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_subscriber_missed(
    subscriber: *const memlane_frame_subscriber,
    missed: *mut u64,
) -> memlane_status {
    call(|| {
        let to = out(missed, "missed")?;
        get(subscriber)?.with(|inner| {
            to.give(inner.missed());
            Ok(())
        })
    })
}

/// Gives a frame back; any thread may, also when its subscriber is closed. Its pointer is cleared, so that a second
/// call is MEMLANE_BAD_ARGUMENT, as it is of a frame that was not had; a copy of the structure is not to be given back
/// again.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_frame_release(frame: *mut memlane_frame) -> memlane_status {
    call(|| {
        let [frame] = lent(frame, 1, "frame")? else { return Ok(()) };
        let owner = std::mem::replace(&mut frame.owner, std::ptr::null());
        if owner.is_null() {
            return Err(bad("there is no frame to give back: it was given back already, or none was had"));
        }
        frame.data = std::ptr::null();
        let subscriber = handle::get_departed(owner)?;
        // SAFETY: the caller promises that this is a frame of the subscriber that it holds and does not look at any
        // more; its owner was not cleared, so it was not given back.
        unsafe { subscriber.seat.give_back(frame.entry) };
        handle::given_back(owner);
        Ok(())
    })
}
