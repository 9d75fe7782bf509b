//! Sending and receiving.
#![allow(unsafe_code)] // A message is plain memory: tail and head say whose which part of the ring is.

use super::Message;
use super::direction::Direction;
use super::end::End;
use crate::atomic::AtomicU32;
use crate::channel::ring::{Header, Ring};
use crate::channel::tag::Tag;
use crate::error::{Error, Result};
use crate::os::clock;
use crate::participant::WaitingFor;
use crate::sync::version;
use crate::sync::waiter::{TimedOut, Wait};
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A sender asks whether the receiver lives at most so often: that costs a system call.
const LOOKS_APART: u64 = 10_000_000;

/// The sending half of an end; one thread's at a time.
#[derive(Debug)]
pub struct PipeSender {
    end: Arc<End>,
    ring: Ring,
    /// What was last seen of the head.
    received: Cell<u64>,
    /// Coarse monotonic nanoseconds of the last look at who lives.
    looked: Cell<u64>,
}

/// The receiving half of an end; one thread's at a time.
#[derive(Debug)]
pub struct PipeReceiver {
    end: Arc<End>,
    ring: Ring,
    /// Not two threads at once.
    not_sync: PhantomData<Cell<()>>,
}

impl PipeSender {
    pub(super) fn new(end: Arc<End>, ring: Ring) -> Self {
        let received = Cell::new(end.words.direction(end.side).received());
        Self { end, ring, received, looked: Cell::new(0) }
    }

    #[inline]
    fn direction(&self) -> Direction<'_> {
        self.end.words.direction(self.end.side)
    }

    /// Sends a message; waits for room. [`Error::BrokenPipe`] when the other end is gone, [`Error::TooLarge`], with
    /// both sizes, when there never will be enough room.
    #[inline]
    pub fn send(&self, message: &[u8], timeout: Option<Duration>) -> Result<()> {
        self.send_tagged(Tag::Bytes, message, timeout)
    }

    /// [`Self::send`], saying what the bytes are.
    #[inline]
    pub fn send_tagged(&self, tag: Tag, message: &[u8], timeout: Option<Duration>) -> Result<()> {
        if self.try_send_tagged(tag, message)? {
            return Ok(());
        }
        self.send_slow(tag, message, timeout)
    }

    /// Sends a message if there is room at once; says whether there was.
    #[inline]
    pub fn try_send(&self, message: &[u8]) -> Result<bool> {
        self.try_send_tagged(Tag::Bytes, message)
    }

    /// [`Self::try_send`], saying what the bytes are.
    #[inline]
    pub fn try_send_tagged(&self, tag: Tag, message: &[u8]) -> Result<bool> {
        self.end.check_fork()?;
        let units = self.check_size(message.len())?;
        self.check_receiver()?;
        Ok(self.attempt(tag, message, units))
    }

    /// Room for a message of `length` bytes, or the certainty that there never will be, to wait for among other things
    /// in another thread.
    pub fn room(&self, length: usize) -> Result<Room> {
        Ok(Room { end: self.end.clone(), units: self.check_size(length)? })
    }

    #[cold]
    fn send_slow(&self, tag: Tag, message: &[u8], timeout: Option<Duration>) -> Result<()> {
        let units = self.check_size(message.len())?;
        let attachment = self.end.region.attachment().as_ref();
        let start = Instant::now();
        let _waiting = attachment.blocked(attachment.me()?, WaitingFor::Room);
        let mut look = Look::Glance;
        let attempt = |_| {
            if let Some(peer) = self.end.departed(look) {
                return Some(Err(self.broken(peer)));
            }
            look = Look::Close;
            self.attempt(tag, message, units).then_some(Ok(()))
        };
        let mut wait = Wait::until(timeout);
        let sent = version::sleep_until(self.direction().head, attachment, &mut wait, &mut false, attempt);
        sent.unwrap_or_else(|TimedOut| Err(self.end.region.timed_out(WaitingFor::Room.words(), start)))
    }

    /// Sends it, if there is room.
    #[inline]
    fn attempt(&self, tag: Tag, message: &[u8], units: u32) -> bool {
        let direction = self.direction();
        let sent = direction.sent();
        if direction.units - direction.used(self.received.get(), sent) < units {
            self.received.set(direction.received());
            if direction.units - direction.used(self.received.get(), sent) < units {
                return false;
            }
        }
        let place = direction.place(sent);
        self.ring.set_header(place, Header { length: message.len(), tag });
        // SAFETY: the room behind the tail is the sender's, which is this thread alone (the role is this process's, and
        // a half is no two threads'); the length was checked, and the ring is mapped for writing.
        unsafe { self.ring.bytes_mut(place, message.len()) }.copy_from_slice(message);
        direction.send(sent + u64::from(units), self.end.region.attachment().as_ref());
        true
    }

    /// An end that was closed is seen at once, one that died at the next look.
    #[inline]
    fn check_receiver(&self) -> Result<()> {
        let now = clock::monotonic_coarse();
        let is_due = now.saturating_sub(self.looked.get()) >= LOOKS_APART;
        if is_due {
            self.looked.set(now);
        }
        match self.end.departed(if is_due { Look::Close } else { Look::Glance }) {
            None => Ok(()),
            Some(peer) => Err(self.broken(peer)),
        }
    }

    #[cold]
    fn broken(&self, peer: String) -> Error {
        // The next one is to be refused as well.
        self.looked.set(0);
        Error::BrokenPipe { id: self.end.region.id().into(), peer }
    }

    #[inline]
    fn check_size(&self, size: usize) -> Result<u32> {
        let too_large =
            || Error::TooLarge { id: self.end.region.id().into(), size, capacity: self.ring.capacity() };
        self.ring.units_of(size).ok_or_else(too_large)
    }
}

impl PipeReceiver {
    pub(super) fn new(end: Arc<End>, ring: Ring) -> Self {
        Self { end, ring, not_sync: PhantomData }
    }

    #[inline]
    fn direction(&self) -> Direction<'_> {
        self.end.inbound()
    }

    /// A message, to wait for among other things in another thread.
    pub fn arrival(&self) -> Arrival {
        Arrival { end: self.end.clone() }
    }

    /// Receives the next message; waits for one. [`Error::EndOfPipe`] when the other end is gone and everything it
    /// sent was received.
    pub fn recv(&self, timeout: Option<Duration>) -> Result<Message> {
        let mut message = Message::default();
        message.tag = self.recv_into(&mut message.bytes, timeout)?;
        Ok(message)
    }

    /// Receives the next message if there is one.
    pub fn try_recv(&self) -> Result<Option<Message>> {
        let mut message = Message::default();
        let received = self.attempt(&mut message.bytes, Look::Close)?;
        Ok(received.map(|tag| Message { tag, ..message }))
    }

    /// [`Self::recv`] into memory that is used again; gives back the tag.
    #[inline]
    pub fn recv_into(&self, bytes: &mut Vec<u8>, timeout: Option<Duration>) -> Result<Tag> {
        match self.attempt(bytes, Look::Glance)? {
            Some(tag) => Ok(tag),
            None => self.wait(timeout, |look| self.attempt(bytes, look)),
        }
    }

    /// Waits until [`Self::recv`] would not: there is a message, or never will be one. `false` when time was up.
    pub fn poll(&self, timeout: Option<Duration>) -> Result<bool> {
        match self.wait(timeout, |look| Ok(self.is_ready(look).then_some(()))) {
            Ok(()) => Ok(true),
            Err(Error::Timeout { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    #[cold]
    fn wait<T>(
        &self,
        timeout: Option<Duration>,
        mut attempt: impl FnMut(Look) -> Result<Option<T>>,
    ) -> Result<T> {
        let attachment = self.end.region.attachment().as_ref();
        let start = Instant::now();
        let mut wait = Wait::until(timeout);
        let _waiting = attachment.blocked(attachment.me()?, WaitingFor::Message);
        let mut look = if timeout == Some(Duration::ZERO) { Look::Close } else { Look::Glance };
        let attempt = |_| {
            let got = attempt(look).transpose();
            look = Look::Close;
            got
        };
        let got = version::sleep_until(self.direction().tail, attachment, &mut wait, &mut false, attempt);
        got.unwrap_or_else(|TimedOut| Err(self.end.region.timed_out(WaitingFor::Message.words(), start)))
    }

    /// Receives a message, if there is one; an error when there never will be.
    #[inline]
    fn attempt(&self, bytes: &mut Vec<u8>, look: Look) -> Result<Option<Tag>> {
        self.end.check_fork()?;
        let direction = self.direction();
        let received = direction.received();
        let mut sent = direction.sent();
        if sent == received {
            // First whether it is gone, then whether it has sent something before it went.
            let departed = self.end.departed(look);
            sent = direction.sent();
            if sent == received {
                return departed.map_or(Ok(None), |peer| Err(self.end_of_pipe(peer)));
            }
        }
        let place = direction.place(received);
        let found = self.ring.header(place, direction.used(received, sent));
        let (header, units) = found.map_err(|what| self.end.region.corrupt(what))?;
        bytes.clear();
        // SAFETY: the message lies between head and tail, where the sender does not write, and only this thread moves
        // the head (the role is this process's, and a half is no two threads'); its length was checked.
        bytes.extend_from_slice(unsafe { self.ring.bytes(place, header.length) });
        direction.receive(received + u64::from(units), self.end.region.attachment().as_ref());
        Ok(Some(header.tag))
    }

    #[cold]
    fn end_of_pipe(&self, peer: String) -> Error {
        Error::EndOfPipe { id: self.end.region.id().into(), peer }
    }
}

/// Ready when there is a message, or never will be one.
impl Sleep for PipeReceiver {
    fn id(&self) -> &str {
        self.end.region.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        self.end.has_arrived(look)
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        self.end.arm()
    }

    /// There is one receiver.
    fn pass_on(&self) {}
}

/// Room in a pipe, or the certainty that nobody receives any more, to be waited for.
#[derive(Debug, Clone)]
pub struct Room {
    end: Arc<End>,
    units: u32,
}

impl Sleep for Room {
    fn id(&self) -> &str {
        self.end.region.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        let direction = self.end.words.direction(self.end.side);
        let used = direction.used(direction.received(), direction.sent());
        direction.units - used.min(direction.units) >= self.units || self.end.departed(look).is_some()
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.end.words.direction(self.end.side).head, |_| self.is_ready(Look::Glance))
    }

    /// There is one sender.
    fn pass_on(&self) {}
}

/// A message at this end of a pipe, or the certainty that there never will be one, to wait for among other things in
/// another thread.
#[derive(Debug, Clone)]
pub struct Arrival {
    end: Arc<End>,
}

impl Sleep for Arrival {
    fn id(&self) -> &str {
        self.end.region.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        self.end.has_arrived(look)
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        self.end.arm()
    }

    /// There is one receiver.
    fn pass_on(&self) {}
}
