//! Taking messages out of a queue.
#![allow(unsafe_code)] // A message is plain memory: the head, or its lease, keeps producers out of it.

use super::ends::{End, Ends};
use super::handle::{Held, InPlace, Queue};
use super::lease::{self, Standing};
use super::produce::held_in_place;
use crate::atomic::Ordering::Relaxed;
use crate::channel::ring::Header;
use crate::channel::tag::Tag;
use crate::error::{Error, Result};
use crate::os::fork;
use crate::participant::WaitingFor;
use crate::sync::version;
use crate::sync::waiter::{Peers, Wait};
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

/// A message, copied out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Message {
    /// What its sender says that the bytes are.
    pub tag: Tag,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How often it was handed out before to somebody who did not acknowledge it.
    pub redelivered: u32,
}

/// Whose code sees the messages where they lie: foreign code may come back to the queue, and is then told that it would
/// wait for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Own,
    Foreign,
}

/// A message where it lies.
#[derive(Debug, Clone, Copy)]
struct Found {
    end: End,
    place: u32,
    header: Header,
    units: u32,
}

impl Queue {
    /// Takes the oldest message; waits for one. Where messages are acknowledged, this acknowledges at once.
    /// [`Error::Closed`] when the queue is closed and there is none left.
    pub fn get(&self, timeout: Option<Duration>) -> Result<Message> {
        if self.words.parameters.acknowledged {
            return self.lease(timeout)?.into_message();
        }
        let mut message = Message::default();
        self.wait_for_each(1, timeout, Code::Own, |tag, bytes| {
            message.tag = tag;
            message.bytes.extend_from_slice(bytes);
        })?;
        Ok(message)
    }

    /// Takes the oldest message if there is one to be had at once.
    pub fn try_get(&self) -> Result<Option<Message>> {
        if self.words.parameters.acknowledged {
            return self.try_lease()?.map(Lease::into_message).transpose();
        }
        let mut message = None;
        self.attempt_each(1, &Wait::AT_ONCE, Code::Own, &mut |tag, bytes: &[u8]| {
            message = Some(Message { tag, bytes: bytes.to_vec(), redelivered: 0 });
        })?;
        Ok(message)
    }

    /// [`Self::get`] into memory that is used again; gives back the tag.
    pub fn get_into(&self, bytes: &mut Vec<u8>, timeout: Option<Duration>) -> Result<Tag> {
        let mut found = Tag::Bytes;
        bytes.clear();
        self.wait_for_each(1, timeout, Code::Own, |tag, message| {
            found = tag;
            bytes.extend_from_slice(message);
        })?;
        Ok(found)
    }

    /// Takes up to `most` messages, as many as there are; waits for one when there is none.
    pub fn get_many(&self, most: usize, timeout: Option<Duration>) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        self.wait_for_each(most, timeout, Code::Own, |tag, bytes| {
            messages.push(Message { tag, bytes: bytes.to_vec(), redelivered: 0 });
        })?;
        Ok(messages)
    }

    /// Takes up to `most` messages, as many as there are, and shows each to `take` where it lies; waits for one when
    /// there is none. All of them are taken by one store after the last was shown; a panic leaves them. Other consumers
    /// wait meanwhile. Gives back how many there were.
    #[inline]
    pub fn get_each(
        &self,
        most: usize,
        timeout: Option<Duration>,
        take: impl FnMut(Tag, &[u8]),
    ) -> Result<usize> {
        self.wait_for_each(most, timeout, Code::Foreign, take)
    }

    #[inline]
    fn wait_for_each(
        &self,
        most: usize,
        timeout: Option<Duration>,
        code: Code,
        mut take: impl FnMut(Tag, &[u8]),
    ) -> Result<usize> {
        match self.attempt_each(most, &Wait::AT_ONCE, code, &mut take)? {
            0 if most > 0 => self.sleep_until(WaitingFor::Message, timeout, |patience| {
                Ok(Some(self.attempt_each(most, patience, code, &mut take)?).filter(|taken| *taken > 0))
            }),
            taken => Ok(taken),
        }
    }

    /// [`Self::get_each`] of what there is at once, which may be nothing.
    #[inline]
    pub fn try_get_each(&self, most: usize, mut take: impl FnMut(Tag, &[u8])) -> Result<usize> {
        self.attempt_each(most, &Wait::AT_ONCE, Code::Foreign, &mut take)
    }

    #[inline]
    fn attempt_each(
        &self,
        most: usize,
        patience: &Wait,
        code: Code,
        take: &mut impl FnMut(Tag, &[u8]),
    ) -> Result<usize> {
        if self.words.parameters.acknowledged {
            return self.attempt_leases(most, patience, take);
        }
        let ends = self.words.ends();
        if !ends.seems_filled() {
            return self.none_left();
        }
        let attachment = self.region.attachment().as_ref();
        let Some(held) = self.hold(self.consumers(), attachment.me()?, patience)? else { return Ok(0) };
        let _in_place = (code == Code::Foreign).then(|| InPlace::new(self.consumers()));
        let mut head = ends.head();
        let mut tail = head;
        let mut left = 0;
        let mut taken = 0;
        while taken < most {
            if head.count == tail.count {
                tail = ends.tail_from(head);
                left = ends.used(head, tail);
                if left == 0 {
                    break;
                }
            }
            let found = self.look(head, left)?;
            left -= found.units;
            // SAFETY: the message lies between head and tail, where no producer writes, and the consumers' claim,
            // which is held here, keeps the head from moving; its length was checked.
            take(found.header.tag, unsafe { self.ring.bytes(found.place, found.header.length) });
            head = ends.behind(head, found.units);
            taken += 1;
        }
        if !held.is_ours() {
            return Err(Error::Forked { id: self.region.id().into(), what: "batch" });
        }
        if taken > 0 {
            ends.take(head, attachment);
        }
        Ok(taken)
    }

    /// Where messages are acknowledged: one after the other, for each has a lease of its own.
    fn attempt_leases(
        &self,
        most: usize,
        patience: &Wait,
        take: &mut impl FnMut(Tag, &[u8]),
    ) -> Result<usize> {
        let mut taken = 0;
        while taken < most {
            let Some(lease) = self.attempt_lease(patience)? else { break };
            take(lease.tag(), lease.bytes());
            lease.acknowledge()?;
            taken += 1;
        }
        if taken == 0 && most > 0 { self.none_left() } else { Ok(taken) }
    }

    /// Nothing was found: for now, or for ever.
    #[inline]
    fn none_left(&self) -> Result<usize> {
        let ends = self.words.ends();
        // The tail first: a message that was put before the closing is not overlooked.
        let tail = ends.tail();
        if tail.closed && ends.head().count == tail.count {
            return Err(self.closed());
        }
        Ok(0)
    }

    /// The oldest message where it lies; waits for one. Until it is done with or dropped nobody else can take
    /// anything: for large messages that are looked at once. Dropped, it stays.
    pub fn read(&self, timeout: Option<Duration>) -> Result<Reading<'_>> {
        if self.words.parameters.acknowledged {
            return Err(Error::BadParameter {
                id: self.region.id().into(),
                parameter: "reading in place",
                limit: "by a lease where messages are acknowledged".into(),
                found: 0,
            });
        }
        let attempt = |patience: &Wait| {
            let ends = self.words.ends();
            if !ends.seems_filled() {
                return self.none_left().map(|_| None);
            }
            let me = self.region.attachment().me()?;
            let Some(held) = self.hold(self.consumers(), me, patience)? else { return Ok(None) };
            let head = ends.head();
            let tail = ends.tail_from(head);
            if head.count == tail.count {
                return Ok(None);
            }
            Ok(Some((held, self.look(head, ends.used(head, tail))?)))
        };
        let (held, found) = match attempt(&Wait::AT_ONCE)? {
            Some(found) => found,
            None => self.sleep_until(WaitingFor::Message, timeout, attempt)?,
        };
        held_in_place(&self.words.consumer.owner);
        Ok(Reading { queue: self, held: Some(held), found, forks: fork::count(), not_send: PhantomData })
    }

    /// The next message, to be acknowledged; waits for one.
    pub fn lease(&self, timeout: Option<Duration>) -> Result<Lease<'_>> {
        match self.try_lease()? {
            Some(lease) => Ok(lease),
            None => self.sleep_until(WaitingFor::Message, timeout, |patience| {
                match self.attempt_lease(patience)? {
                    Some(lease) => Ok(Some(lease)),
                    None => self.none_left().map(|_| None),
                }
            }),
        }
    }

    /// The next message, to be acknowledged, if there is one to be had at once.
    pub fn try_lease(&self) -> Result<Option<Lease<'_>>> {
        if !self.words.parameters.acknowledged {
            return Err(Error::BadParameter {
                id: self.region.id().into(),
                parameter: "acknowledgement",
                limit: "1, which is said when the queue is made".into(),
                found: 0,
            });
        }
        match self.attempt_lease(&Wait::AT_ONCE)? {
            Some(lease) => Ok(Some(lease)),
            None => self.none_left().map(|_| None),
        }
    }

    fn attempt_lease(&self, patience: &Wait) -> Result<Option<Lease<'_>>> {
        let attachment = self.region.attachment().as_ref();
        let me = attachment.me()?;
        let ends = self.words.ends();
        if ends.head().count == ends.tail().count {
            return Ok(None);
        }
        let Some(_held) = self.hold(self.consumers(), me, patience)? else { return Ok(None) };
        self.collect();
        let (head, tail) = (ends.head(), ends.tail());
        let cursor = self.words.cursor(head, tail);
        let fresh = self.find(cursor, tail, |standing| standing == Standing::Ready)?;
        // Only when nothing new is there it is worth asking who is dead.
        let found = match fresh {
            Some(found) => Some(found),
            None => self.find(head, tail, |standing| match standing {
                Standing::Ready => true,
                Standing::Leased(claim) => attachment.is_dead(claim),
                Standing::Done => false,
            })?,
        };
        let Some(found) = found else {
            self.words.consumer.cursor.store(tail.pack(), Relaxed);
            return Ok(None);
        };
        let Some(word) = self.ring.lease(found.place) else { return Ok(None) };
        let redelivered = lease::Lease(word).hand_out(me);
        let next = ends.behind(found.end, found.units);
        // What lies before the cursor was handed out already: it goes on only from where it was.
        if Ends::length(head, found.end) >= Ends::length(head, cursor) {
            self.words.consumer.cursor.store(next.pack(), Relaxed);
        }
        Ok(Some(Lease { queue: self, found, redelivered, forks: fork::count(), settled: false }))
    }

    /// The first message from `end` on whose standing is `wanted`.
    fn find(&self, mut end: End, tail: End, wanted: impl Fn(Standing) -> bool) -> Result<Option<Found>> {
        let mut left = self.words.ends().used(end, tail);
        while end.count != tail.count {
            let found = self.look(end, left)?;
            left -= found.units;
            let standing = self.ring.lease(found.place).map(|word| lease::Lease(word).standing().0);
            if standing.is_some_and(&wanted) {
                return Ok(Some(found));
            }
            end = self.words.ends().behind(end, found.units);
        }
        Ok(None)
    }

    /// Consumer, holding the claim: lets the head pass what is done.
    fn collect(&self) {
        let ends = self.words.ends();
        let (start, tail) = (ends.head(), ends.tail());
        let (mut head, mut left) = (start, ends.used(start, tail));
        while head.count != tail.count {
            let Ok(found) = self.look(head, left) else { break };
            left -= found.units;
            let standing = self.ring.lease(found.place).map(|word| lease::Lease(word).standing().0);
            if standing != Some(Standing::Done) {
                break;
            }
            head = ends.behind(head, found.units);
        }
        if head == start {
            return;
        }
        let attachment = self.region.attachment().as_ref();
        ends.take(head, attachment);
        // Who waits for a lease to come back waits in vain. Looked at after the head has moved: a closing that this
        // misses closes the head after it, and wakes everybody then.
        let tail = ends.tail();
        if tail.closed && tail.count == head.count {
            version::advance(&self.words.producer.arrivals, attachment);
        }
    }

    /// The message at `end`, checked against the `left` units that there are: so nobody goes round in circles over
    /// spoilt lengths and counts.
    #[inline]
    fn look(&self, end: End, left: u32) -> Result<Found> {
        let place = self.words.ends().place(end);
        let (header, units) = self.ring.header(place, left).map_err(|what| self.region.corrupt(what))?;
        Ok(Found { end, place, header, units })
    }
}

/// The oldest message of a queue, read where it lies. Dropped, it stays in the queue.
#[derive(Debug)]
#[must_use = "a message that is not done with stays, and nobody else can take while it is read"]
pub struct Reading<'a> {
    queue: &'a Queue,
    held: Option<Held<'a>>,
    found: Found,
    forks: u32,
    /// It belongs to the thread that made it.
    not_send: PhantomData<*const ()>,
}

impl Reading<'_> {
    /// What its sender says that the bytes are.
    pub fn tag(&self) -> Tag {
        self.found.header.tag
    }

    /// Takes the message.
    pub fn done(self) {
        if self.forks == fork::count() {
            let ends = self.queue.words.ends();
            let head = ends.behind(self.found.end, self.found.units);
            ends.take(head, self.queue.region.attachment().as_ref());
        }
    }
}

impl Deref for Reading<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the message lies between head and tail, where no producer writes, and the consumers' claim, which
        // this holds, keeps the head from moving; its length was checked.
        unsafe { self.queue.ring.bytes(self.found.place, self.found.header.length) }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if self.forks == fork::count() {
            self.queue.words.consumer.owner.store(0, Relaxed);
        } else {
            // A forked child's copy holds nothing.
            std::mem::forget(self.held.take());
        }
    }
}

/// A message that was handed out and waits to be acknowledged. Dropped, or when its process dies, it is handed out
/// again.
#[derive(Debug)]
#[must_use = "a lease that is dropped gives the message back"]
pub struct Lease<'a> {
    queue: &'a Queue,
    found: Found,
    redelivered: u32,
    forks: u32,
    settled: bool,
}

impl Lease<'_> {
    /// The message, where it lies.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the message is leased, so the head does not pass it and no producer writes it; its length was
        // checked.
        unsafe { self.queue.ring.bytes(self.found.place, self.found.header.length) }
    }

    /// What its sender says that the bytes are.
    pub fn tag(&self) -> Tag {
        self.found.header.tag
    }

    /// How often it was handed out before, to somebody who died or gave it back.
    pub fn redelivered(&self) -> u32 {
        self.redelivered
    }

    /// The message, copied out and acknowledged.
    pub fn into_message(self) -> Result<Message> {
        let message =
            Message { tag: self.tag(), bytes: self.bytes().to_vec(), redelivered: self.redelivered };
        self.acknowledge()?;
        Ok(message)
    }

    /// Done with it: it will not be handed out again.
    pub fn acknowledge(mut self) -> Result<()> {
        let queue = self.queue;
        if self.forks != fork::count() {
            return Err(Error::Forked { id: queue.region.id().into(), what: "lease" });
        }
        self.settled = true;
        if let Some(word) = queue.ring.lease(self.found.place) {
            lease::Lease(word).acknowledge();
        }
        let me = queue.region.attachment().me()?;
        // Somebody reads for long: whoever comes next collects.
        if let Some(_held) = queue.hold(queue.consumers(), me, &Wait::FOREVER)? {
            queue.collect();
        }
        Ok(())
    }

    fn give_back(&self) {
        let queue = self.queue;
        let attachment = queue.region.attachment().as_ref();
        let (Some(word), Ok(me)) = (queue.ring.lease(self.found.place), attachment.me()) else { return };
        lease::Lease(word).give_back();
        // The cursor goes back to it, so that it is found without looking at every lease; if nobody lets us, it is
        // found when nothing new is there.
        if let Ok(Some(_held)) = queue.hold(queue.consumers(), me, &Wait::FOREVER) {
            let (head, tail) = (queue.words.ends().head(), queue.words.ends().tail());
            let cursor = queue.words.cursor(head, tail);
            if Ends::length(head, self.found.end) < Ends::length(head, cursor) {
                queue.words.consumer.cursor.store(self.found.end.pack(), Relaxed);
            }
        }
        version::advance_for(&queue.words.producer.arrivals, 1, attachment);
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // A forked child's copy is not its own.
        if !self.settled && self.forks == fork::count() {
            self.give_back();
        }
    }
}
