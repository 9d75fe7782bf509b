//! Pipes: messages between two ends.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{
    Opening, bad, bytes, copy_out, give_optional, memlane_opening, null, number, options, pointer_out, text,
};
use crate::handle::{self, Alone, get};
use crate::queue::{memlane_tag, tag, tagged};
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status};
use crate::wait::{timed_out, wait};
use memlane::pipe::{Arrival, PipeReceiver, PipeSender};
use memlane::{PipeEnd, PipeSpec, Region, Side, Tag};
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

/// One end of a pipe. One thread may send while another receives.
pub struct memlane_pipe_end {
    _opaque: [u8; 0],
}

/// An end of a pipe.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum memlane_side {
    /// The one that sends, in a one-way pipe.
    MEMLANE_LEFT = 0,
    /// The one that receives, in a one-way pipe.
    MEMLANE_RIGHT = 1,
}

fn side_of(side: MaybeUninit<memlane_side>) -> Result<Side, Failure> {
    const LEFT: u32 = memlane_side::MEMLANE_LEFT as u32;
    const RIGHT: u32 = memlane_side::MEMLANE_RIGHT as u32;
    match number(side) {
        LEFT => Ok(Side::Left),
        RIGHT => Ok(Side::Right),
        other => Err(bad(format!("{other} is not a memlane_side"))),
    }
}

/// How a pipe is made; begin with MEMLANE_PIPE_DEFAULTS.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct memlane_pipe_options {
    /// Room each way for one message of so many bytes, or for as many as fit with 8 bytes more for each.
    pub capacity: usize,
    /// The left end sends, the right end receives; else both do both.
    pub one_way: bool,
}

const DEFAULTS: memlane_pipe_options = memlane_pipe_options { capacity: 1 << 20, one_way: false };

/// The two directions of an end.
pub(crate) struct End {
    pub(crate) region: Region,
    sender: Option<Alone<PipeSender>>,
    receiver: Option<Alone<Inbox>>,
    arrival: Option<Arrival>,
}

/// The receiving half, and the message that did not fit the buffer it was asked for with.
struct Inbox {
    receiver: PipeReceiver,
    message: Vec<u8>,
    waiting: Option<Tag>,
}

impl End {
    fn new(end: PipeEnd) -> Self {
        let region = end.region().clone();
        let (sender, receiver) = end.split();
        let arrival = receiver.as_ref().map(PipeReceiver::arrival);
        let inbox = |receiver| Alone::new(Inbox { receiver, message: Vec::new(), waiting: None });
        Self { region, sender: sender.map(Alone::new), receiver: receiver.map(inbox), arrival }
    }

    fn receiver(&self) -> Result<&Alone<Inbox>, Failure> {
        self.receiver.as_ref().ok_or_else(|| self.wrong_way("receiving"))
    }

    /// A message at this end, to wait for.
    pub(crate) fn arrival(&self) -> Result<&Arrival, Failure> {
        self.arrival.as_ref().ok_or_else(|| self.wrong_way("receiving"))
    }

    fn wrong_way(&self, doing: &str) -> Failure {
        bad(format!("this end of the one-way pipe `{}` is not for {doing}", self.region.id()))
    }
}

/// Opens the pipe `id`, or makes it, and takes an end of it; MEMLANE_END_TAKEN when somebody living has it. `options`
/// may be NULL. With MEMLANE_OPEN they are not looked at.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_pipe_end_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    side: MaybeUninit<memlane_side>,
    options: *const memlane_pipe_options,
    end: *mut *mut memlane_pipe_end,
) -> memlane_status {
    call(|| {
        let to = pointer_out(end, "end")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        let side = side_of(side)?;
        let options = self::options(options).unwrap_or(DEFAULTS);
        let spec = if options.one_way { PipeSpec::one_way } else { PipeSpec::duplex }(options.capacity);
        to.give(handle::open(End::new(match Opening::of(opening)? {
            Opening::OpenOrCreate => PipeEnd::open_or_create(&space, id, &spec, side)?,
            Opening::Create => PipeEnd::create(&space, id, &spec, side)?,
            Opening::Open => PipeEnd::open(&space, id, side)?,
        })));
        Ok(())
    })
}

/// Sends a message of `size` bytes; waits for room. MEMLANE_BROKEN_PIPE when the other end is gone.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_pipe_end_send(
    end: *const memlane_pipe_end,
    tag: MaybeUninit<memlane_tag>,
    message: *const c_void,
    size: usize,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let (end, tag, message) = (get(end)?, self::tag(tag)?, bytes(message, size, "message")?);
        let sender = end.sender.as_ref().ok_or_else(|| end.wrong_way("sending"))?;
        sender.with(|sender| wait(timeout, |timeout| sender.send_tagged(tag, message, timeout)))
    })
}

/// Receives the next message into a buffer; waits for one. `size` is how long it is; MEMLANE_SHORT_BUFFER when it is
/// longer than the buffer, and then the next call gets it. `tag` may be NULL. MEMLANE_END_OF_PIPE when the other end
/// is gone and everything it sent was received.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_pipe_end_receive(
    end: *const memlane_pipe_end,
    buffer: *mut c_void,
    capacity: usize,
    size: *mut usize,
    tag: *mut memlane_tag,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let end = get(end)?;
        if size.is_null() {
            return Err(null("size"));
        }
        end.receiver()?.with(|Inbox { receiver, message, waiting }| {
            let found = match *waiting {
                Some(found) => found,
                None => wait(timeout, |timeout| receiver.recv_into(message, timeout))?,
            };
            *waiting = Some(found);
            copy_out(message, buffer, capacity, size)?;
            *waiting = None;
            give_optional(tag, tagged(found));
            Ok(())
        })
    })
}

/// Waits until receiving would not wait: there is a message, or never will be one. MEMLANE_TIMEOUT when time is up.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_pipe_end_poll(end: *const memlane_pipe_end, timeout: i64) -> memlane_status {
    call(|| {
        let end = get(end)?;
        end.receiver()?.with(|Inbox { receiver, waiting, .. }| {
            if waiting.is_some() || wait(timeout, |timeout| receiver.poll(timeout))? {
                return Ok(());
            }
            Err(timed_out(format!("no message came through the pipe `{}` in time", end.region.id())))
        })
    })
}
