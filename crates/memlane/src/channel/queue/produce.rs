//! Putting messages into a queue.
#![allow(unsafe_code)] // A message is plain memory: the producers' claim keeps everybody else out of it.

use super::ends::{End, Refused};
use super::handle::{Held, Queue};
use crate::atomic::{AtomicU32, Ordering::Relaxed, Ordering::Release, fence};
use crate::channel::ring::Header;
use crate::channel::tag::Tag;
use crate::error::{Error, Result};
use crate::os::{fork, mapping, process};
use crate::participant::WaitingFor;
use crate::sync::version;
use crate::sync::waiter::Wait;
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

impl Queue {
    /// Puts a message; waits for room. [`Error::TooLarge`], with both sizes, when there never will be enough.
    #[inline]
    pub fn put(&self, message: &[u8], timeout: Option<Duration>) -> Result<()> {
        self.put_tagged(Tag::Bytes, message, timeout)
    }

    /// [`Self::put`], saying what the bytes are.
    #[inline]
    pub fn put_tagged(&self, tag: Tag, message: &[u8], timeout: Option<Duration>) -> Result<()> {
        if self.try_put_tagged(tag, message)? {
            return Ok(());
        }
        self.put_slow(tag, message, timeout)
    }

    /// Puts a message if there is room at once; says whether there was.
    #[inline]
    pub fn try_put(&self, message: &[u8]) -> Result<bool> {
        self.try_put_tagged(Tag::Bytes, message)
    }

    /// [`Self::try_put`], saying what the bytes are.
    #[inline]
    pub fn try_put_tagged(&self, tag: Tag, message: &[u8]) -> Result<bool> {
        let units = self.check_size(message.len())?;
        self.attempt(tag, message, units, &Wait::AT_ONCE)
    }

    #[cold]
    fn put_slow(&self, tag: Tag, message: &[u8], timeout: Option<Duration>) -> Result<()> {
        let units = self.check_size(message.len())?;
        self.sleep_until(WaitingFor::Room, timeout, |patience| {
            Ok(self.attempt(tag, message, units, patience)?.then_some(()))
        })
    }

    #[inline]
    fn attempt(&self, tag: Tag, message: &[u8], units: u32, patience: &Wait) -> Result<bool> {
        let me = self.region.attachment().me()?;
        // A consumer who polls has the tail's cache line: looked at first and written then, it would come over twice.
        mapping::prefetch_to_write(self.words.ends().tail);
        let Some(_held) = self.hold(self.producers(), me, patience)? else { return Ok(false) };
        let (mut head, tail) = (self.words.ends().head_seen(), self.words.ends().tail());
        if !self.has_room(&mut head, tail, units)? {
            return Ok(false);
        }
        self.write(tail, tag, message);
        self.send(self.words.ends().behind(tail, units), 1)?;
        Ok(true)
    }

    /// Puts messages one after the other, as many at once as there is room for. Gives back how many: fewer when time
    /// was up or the queue was closed meanwhile, and then at least one; an error when none.
    pub fn put_many<M: AsRef<[u8]>>(&self, messages: &[M], timeout: Option<Duration>) -> Result<usize> {
        for message in messages {
            self.check_size(message.as_ref().len())?;
        }
        let mut put = self.put_batch(messages, &Wait::AT_ONCE)?;
        if put == messages.len() {
            return Ok(put);
        }
        let done = self.sleep_until(WaitingFor::Room, timeout, |patience| {
            put += self.put_batch(messages.get(put..).unwrap_or_default(), patience)?;
            Ok((put == messages.len()).then_some(()))
        });
        match done {
            Err(error) if put == 0 => Err(error),
            _ => Ok(put),
        }
    }

    /// As many as there is room for now.
    fn put_batch<M: AsRef<[u8]>>(&self, messages: &[M], patience: &Wait) -> Result<usize> {
        let me = self.region.attachment().me()?;
        let Some(_held) = self.hold(self.producers(), me, patience)? else { return Ok(0) };
        let ends = self.words.ends();
        let (mut head, mut tail) = (ends.head_seen(), ends.tail());
        let mut put = 0;
        for message in messages.iter().map(AsRef::as_ref) {
            let units = self.check_size(message.len())?;
            if !self.has_room(&mut head, tail, units)? {
                break;
            }
            self.write(tail, Tag::Bytes, message);
            tail = ends.behind(tail, units);
            put += 1;
        }
        if put > 0 {
            self.send(tail, put as u32)?;
        }
        Ok(put)
    }

    /// Room for a message of `length` bytes, to be written where it will lie; waits for it. Until it is sent or
    /// dropped nobody else can put anything: fill it at once.
    pub fn reserve(&self, length: usize, timeout: Option<Duration>) -> Result<Reservation<'_>> {
        let units = self.check_size(length)?;
        let attempt = |patience: &Wait| {
            let me = self.region.attachment().me()?;
            let Some(held) = self.hold(self.producers(), me, patience)? else { return Ok(None) };
            let (mut head, tail) = (self.words.ends().head_seen(), self.words.ends().tail());
            Ok(self.has_room(&mut head, tail, units)?.then_some((held, tail)))
        };
        let (held, tail) = match attempt(&Wait::AT_ONCE)? {
            Some(reserved) => reserved,
            None => self.sleep_until(WaitingFor::Room, timeout, attempt)?,
        };
        held_in_place(&self.words.producer.owner);
        fence(Release); // as in `write`
        // SAFETY: the room behind the tail is nobody's, and the producers' claim, which the reservation holds, makes it
        // this one's; the length was checked, and the ring is mapped for writing.
        let bytes = unsafe { self.ring.bytes_mut(self.words.ends().place(tail), length) };
        let forks = fork::count();
        Ok(Reservation {
            queue: self,
            held: Some(held),
            tail,
            tag: Tag::Bytes,
            bytes,
            length,
            forks,
            not_send: PhantomData,
        })
    }

    /// Room for a message of `length` bytes, or the certainty that there never will be, to wait for among other things.
    pub fn room(self: &Arc<Self>, length: usize) -> Result<Room> {
        Ok(Room { queue: Arc::clone(self), units: self.check_size(length)? })
    }

    #[inline]
    fn has_room(&self, head: &mut End, tail: End, units: u32) -> Result<bool> {
        match self.words.ends().find_room(head, tail, units) {
            Ok(()) => Ok(true),
            Err(Refused::Full) => Ok(false),
            Err(Refused::Closed) => Err(self.closed()),
        }
    }

    #[inline]
    fn write(&self, tail: End, tag: Tag, message: &[u8]) {
        // Who copied what is overwritten here sees that the head had moved on: pairs with `head_after_reading`.
        fence(Release);
        let place = self.words.ends().place(tail);
        self.ring.set_header(place, Header { length: message.len(), tag });
        // SAFETY: the room behind the tail is nobody's, and the producers' claim, which the caller holds, makes it this
        // one's; the length was checked, and the ring is mapped for writing.
        unsafe { self.ring.bytes_mut(place, message.len()) }.copy_from_slice(message);
    }

    /// The commit.
    #[inline]
    fn send(&self, tail: End, messages: u32) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        self.words.ends().put(tail, messages, attachment).map_err(|_| self.closed())?;
        if self.words.parameters.acknowledged {
            version::advance_for(&self.words.producer.arrivals, messages, attachment);
        }
        Ok(())
    }

    #[inline]
    fn check_size(&self, size: usize) -> Result<u32> {
        self.ring.units_of(size).ok_or_else(|| self.too_large(size))
    }

    #[cold]
    fn too_large(&self, size: usize) -> Error {
        Error::TooLarge { id: self.region.id().into(), size, capacity: self.capacity() }
    }
}

/// Room in a queue, to be waited for.
#[derive(Debug, Clone)]
pub struct Room {
    queue: Arc<Queue>,
    units: u32,
}

/// Ready when there is room, or the queue is closed.
impl Sleep for Room {
    fn id(&self) -> &str {
        self.queue.region.id()
    }

    fn is_ready(&self, _: Look) -> bool {
        let ends = self.queue.words.ends();
        !matches!(ends.check_room(&mut ends.head(), ends.tail(), self.units), Err(Refused::Full))
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.queue.words.ends().head, |_| self.is_ready(Look::Glance))
    }

    /// Messages that are taken wake all who wait for room.
    fn pass_on(&self) {}
}

/// Notes that this thread uses a private lock for longer, so that it is told when it would wait for itself.
pub(super) fn held_in_place(owner: &crate::atomic::AtomicU64) {
    owner.store(process::thread_key(), Relaxed);
}

/// Room for a message, to be written in place. Dropped, nothing was sent.
#[derive(Debug)]
#[must_use = "a reservation that is not committed sends nothing, and nobody else can put while it is held"]
pub struct Reservation<'a> {
    queue: &'a Queue,
    held: Option<Held<'a>>,
    tail: End,
    tag: Tag,
    bytes: &'a mut [u8],
    length: usize,
    forks: u32,
    /// It belongs to the thread that made it.
    not_send: PhantomData<*const ()>,
}

impl Reservation<'_> {
    /// Says what the bytes are.
    pub fn tag(mut self, tag: Tag) -> Self {
        self.tag = tag;
        self
    }

    /// Makes the message shorter than was reserved.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Sends the message.
    pub fn commit(self) -> Result<()> {
        let queue = self.queue;
        if self.forks != fork::count() {
            return Err(Error::Forked { id: queue.region.id().into(), what: "reservation" });
        }
        let place = queue.words.ends().place(self.tail);
        queue.ring.set_header(place, Header { length: self.length, tag: self.tag });
        let units = queue.check_size(self.length)?;
        queue.send(queue.words.ends().behind(self.tail, units), 1)
    }
}

impl Deref for Reservation<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl DerefMut for Reservation<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.forks == fork::count() {
            self.queue.words.producer.owner.store(0, Relaxed);
        } else {
            // A forked child's copy holds nothing.
            std::mem::forget(self.held.take());
        }
    }
}
