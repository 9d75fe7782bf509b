//! A process's handle on a queue.

use super::Message;
use super::ends::{End, Ends};
use super::spec::{PARAMETERS, QueueSpec};
use super::state::{QueueState, Words};
use crate::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use crate::channel::ring::Ring;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::os::mapping::Access;
use crate::os::{fork, process};
use crate::participant::WaitingFor;
use crate::region::{Attachment, Opening, Region};
use crate::space::Space;
use crate::sync::claim::{self, Claim};
use crate::sync::version;
use crate::sync::waiter::{Peers, TimedOut, Wait};
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::time::{Duration, Instant};

/// A queue between any number of processes.
#[derive(Debug)]
pub struct Queue {
    pub(super) region: Region,
    pub(super) words: Words,
    pub(super) ring: Ring,
}

/// One of the private locks of a queue: the word, and who uses it in place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) word: &'a AtomicU32,
    pub(super) owner: &'a AtomicU64,
}

/// A private lock, held; given back also when the caller's own code panics.
#[derive(Debug)]
pub(super) struct Held<'a> {
    side: Side<'a>,
    attachment: &'a Attachment,
    forks: u32,
}

impl<'a> Held<'a> {
    #[inline]
    fn new(side: Side<'a>, attachment: &'a Attachment) -> Self {
        Self { side, attachment, forks: fork::count() }
    }

    /// Whether it is this process's, and not a forked child's copy, which holds nothing.
    #[inline]
    pub(super) fn is_ours(&self) -> bool {
        self.forks == fork::count()
    }
}

/// The note that this thread uses a private lock while other code runs, so that it is told when it would wait for
/// itself; taken away also when that code panics.
#[derive(Debug)]
pub(super) struct InPlace<'a> {
    owner: &'a AtomicU64,
    forks: u32,
}

impl<'a> InPlace<'a> {
    /// Of a side whose lock this thread holds.
    #[inline]
    pub(super) fn new(side: Side<'a>) -> Self {
        side.owner.store(process::thread_key(), Relaxed);
        Self { owner: side.owner, forks: fork::count() }
    }
}

impl Drop for InPlace<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.forks == fork::count() {
            self.owner.store(0, Relaxed);
        }
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.is_ours() {
            claim::release(self.side.word, self.attachment);
        }
    }
}

impl Queue {
    /// Opens the queue `id`, which must be of this spec, or makes it.
    pub fn open_or_create(space: &Space, id: &str, spec: &QueueSpec) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, spec)
    }

    /// Makes the queue `id`, which must not exist.
    pub fn create(space: &Space, id: &str, spec: &QueueSpec) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, spec)
    }

    /// Opens the queue `id`, which must exist, whatever its spec.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, spec: &QueueSpec) -> Result<Self> {
        let blueprint = spec.blueprint(space, id)?;
        let region = Region::obtain(space, id, opening, &blueprint)?;
        region.expect_parameters(&blueprint, &PARAMETERS)?;
        Self::of(region)
    }

    fn of(region: Region) -> Result<Self> {
        region.expect_kind(Kind::Queue)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        let (offset, size) = words.ring_range();
        let ring = words.ring(region.map_ring(offset, size, Access::ReadWrite)?);
        let ring = ring.ok_or_else(|| region.corrupt("it is too short for its messages".into()))?;
        Ok(Self { region, words, ring })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Bytes of the longest message.
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// Messages in it; where they are acknowledged, with those that were handed out.
    pub fn len(&self) -> usize {
        let ends = self.words.ends();
        Ends::length(ends.head(), ends.tail()) as usize
    }

    /// Whether there is no message in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether its messages are kept until they are acknowledged.
    pub fn is_acknowledged(&self) -> bool {
        self.words.parameters.acknowledged
    }

    /// Whether nothing can be put any more.
    pub fn is_closed(&self) -> bool {
        self.words.ends().tail().closed
    }

    /// Nothing can be put from now on; what is in it can be taken still. Whoever waits to put, and whoever waits for
    /// a message when there is none left, ends with [`Error::Closed`].
    pub fn close(&self) {
        let attachment = self.region.attachment().as_ref();
        self.words.ends().close(attachment);
        if self.words.parameters.acknowledged {
            version::advance(&self.words.producer.arrivals, attachment);
        }
    }

    /// Copies of up to `most` of the oldest messages, which stay.
    pub fn peek(&self, most: usize) -> Vec<Message> {
        self.words.peek(&self.ring, most)
    }

    /// How many messages and bytes there are, who is at it, who has leases.
    pub fn state(&self) -> QueueState {
        let attachment = self.region.attachment();
        self.words.state(&self.ring, |claim| attachment.describe(claim))
    }

    pub(super) fn producers(&self) -> Side<'_> {
        Side { word: &self.words.producer.claim, owner: &self.words.producer.owner }
    }

    pub(super) fn consumers(&self) -> Side<'_> {
        Side { word: &self.words.consumer.claim, owner: &self.words.consumer.owner }
    }

    /// Takes a private lock. An owner that died left nothing to repair, so its death is not told.
    #[inline]
    pub(super) fn hold<'a>(&'a self, side: Side<'a>, me: Claim, wait: &Wait) -> Result<Option<Held<'a>>> {
        let attachment = self.region.attachment().as_ref();
        match claim::try_acquire(side.word, me) {
            Ok(_) => Ok(Some(Held::new(side, attachment))),
            Err(found) => self.hold_contended(side, me, wait, found),
        }
    }

    #[cold]
    fn hold_contended<'a>(
        &'a self,
        side: Side<'a>,
        me: Claim,
        wait: &Wait,
        found: u32,
    ) -> Result<Option<Held<'a>>> {
        let attachment = self.region.attachment().as_ref();
        if Claim::in_word(found) == Some(me) && side.owner.load(Relaxed) == process::thread_key() {
            return Err(Error::WouldDeadlock { id: self.region.id().into() });
        }
        match claim::acquire_contended(side.word, me, attachment, &mut wait.clone(), found) {
            Ok(_) => Ok(Some(Held::new(side, attachment))),
            Err(TimedOut) => Ok(None),
        }
    }

    #[cold]
    fn timed_out(&self, what: WaitingFor, start: Instant) -> Error {
        match self.who_keeps_us_out(what) {
            Some(holder) => self.region.timed_out_by(holder, what.words(), start),
            None => self.region.timed_out(what.words(), start),
        }
    }

    /// Who writes or reads a message in place, so that others wait for it.
    fn who_keeps_us_out(&self, what: WaitingFor) -> Option<String> {
        let (side, doing) = match what {
            WaitingFor::Room => (self.producers(), "writes"),
            _ => (self.consumers(), "reads"),
        };
        let holder = Claim::in_word(side.word.load(Relaxed));
        let holder = holder.filter(|_| side.owner.load(Relaxed) != 0)?;
        Some(format!("{} {doing} a message in place", self.region.attachment().who(holder)))
    }

    pub(super) fn closed(&self) -> Error {
        Error::Closed { id: self.region.id().into() }
    }

    /// Sleeps until `attempt` gets something.
    pub(super) fn sleep_until<T>(
        &self,
        what: WaitingFor,
        timeout: Option<Duration>,
        mut attempt: impl FnMut(&Wait) -> Result<Option<T>>,
    ) -> Result<T> {
        let attachment = self.region.attachment().as_ref();
        let start = Instant::now();
        let mut wait = Wait::until(timeout);
        // The same patience for the private lock.
        let patience = wait.clone();
        let _waiting = attachment.blocked(attachment.me()?, what);
        let attempt = |_| attempt(&patience).transpose();
        let got = if what == WaitingFor::Room {
            version::sleep_until(self.words.ends().head, attachment, &mut wait, &mut false, attempt)
        } else {
            let is_left = || self.has_message(Look::Glance);
            version::take_turn(self.words.arrivals(), attachment, &mut wait, attempt, is_left)
        };
        got.unwrap_or_else(|TimedOut| Err(self.timed_out(what, start)))
    }

    /// Whether a consumer would find something.
    pub(super) fn has_message(&self, look: Look) -> bool {
        let ends = self.words.ends();
        let (head, tail) = (ends.head(), ends.tail());
        if !self.words.parameters.acknowledged {
            return head.count != tail.count;
        }
        self.words.cursor(head, tail).count != tail.count
            || (look == Look::Close && self.has_dead_lease(head, tail))
    }

    fn has_dead_lease(&self, head: End, tail: End) -> bool {
        let attachment = self.region.attachment();
        let mut found = false;
        self.words.visit(&self.ring, head, tail, |place, _| {
            let standing = self.ring.lease(place).map(|word| super::lease::Lease(word).standing().0);
            found = match standing {
                Some(super::lease::Standing::Ready) => true,
                Some(super::lease::Standing::Leased(claim)) => attachment.is_dead(claim),
                _ => false,
            };
            !found
        });
        found
    }
}

/// Ready when there is a message, or never will be one.
impl Sleep for Queue {
    fn id(&self) -> &str {
        self.region.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        self.has_message(look) || self.is_closed()
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.words.arrivals(), |_| self.is_ready(Look::Glance))
    }

    fn pass_on(&self) {
        let attachment = self.region.attachment().as_ref();
        version::pass_on(self.words.arrivals(), attachment, || self.has_message(Look::Glance));
    }
}
