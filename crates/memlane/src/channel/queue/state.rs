//! The words of a queue in a region, and what there is to see, for members and observers alike.

use super::consume::Message;
use super::ends::{End, Ends};
use super::lease::{Lease, Standing};
use super::spec::Parameters;
use crate::atomic::{AtomicU64, Ordering::Relaxed};
use crate::channel::ring::{Ring, UNIT};
use crate::header::Description;
use crate::layout::queue::{ConsumerLine, ProducerLine};
use crate::os::mapping::{Mapping, Shared};
use crate::participant::Participant;
use crate::sync::claim::Claim;
use crate::sync::version;
use std::sync::Arc;

/// A queue, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueState {
    /// Messages in it, with those that were handed out and not acknowledged.
    pub length: u32,
    /// Messages put so far, modulo 2³².
    pub put: u32,
    /// Bytes that they take, with their headers.
    pub used: usize,
    /// Bytes there are.
    pub capacity: usize,
    /// Most messages at once, where that was said.
    pub messages: Option<u32>,
    /// Whether it was closed.
    pub closed: bool,
    /// Whether messages are acknowledged.
    pub acknowledged: bool,
    /// Who puts just now, or writes a message in place.
    pub producer: Option<Participant>,
    /// Who takes just now, or reads a message in place.
    pub consumer: Option<Participant>,
    /// Who has messages that are not acknowledged, one item a message, oldest first.
    pub leases: Vec<Participant>,
}

/// Typed views of a queue's control part.
#[derive(Debug)]
pub(crate) struct Words {
    pub(super) parameters: Parameters,
    pub(super) producer: Shared<ProducerLine>,
    pub(super) consumer: Shared<ConsumerLine>,
}

impl Words {
    /// Lays them over a mapping, after checking that the header agrees with itself.
    pub(crate) fn new(description: &Description, mapping: &Arc<Mapping>) -> Result<Self, String> {
        let parameters = Parameters::of(description)?;
        let layout = parameters.layout;
        let views = || {
            Some(Self {
                parameters,
                producer: mapping.shared(layout.producer_offset)?,
                consumer: mapping.shared(layout.consumer_offset)?,
            })
        };
        views().ok_or_else(|| "it is too short".to_owned())
    }

    /// Where the ring lies in the file.
    pub(crate) fn ring_range(&self) -> (u64, usize) {
        (self.parameters.layout.ring_offset as u64, self.parameters.layout.ring_size)
    }

    /// The ring over its mapping of [`Self::ring_range`].
    pub(crate) fn ring(&self, mapping: Arc<Mapping>) -> Option<Ring> {
        Ring::new(mapping, self.parameters.layout.ring_size, self.parameters.header())
    }

    #[inline]
    pub(crate) fn ends(&self) -> Ends<'_> {
        Ends {
            tail: &self.producer.tail,
            head: &self.consumer.head,
            head_seen: &self.producer.head_seen,
            tail_seen: &self.consumer.tail_seen,
            units: (self.parameters.layout.ring_size / UNIT) as u32,
            most: self.parameters.messages,
        }
    }

    /// The word that consumers sleep on.
    pub(super) fn arrivals(&self) -> &AtomicU64 {
        if self.parameters.acknowledged { &self.producer.arrivals } else { &self.producer.tail }
    }

    /// Where consumers look first for a message to hand out: a place between head and tail.
    pub(super) fn cursor(&self, head: End, tail: End) -> End {
        let cursor = End::unpack(self.consumer.cursor.load(Relaxed));
        let is_between = Ends::length(head, cursor) <= Ends::length(head, tail)
            && self.ends().used(head, cursor) <= self.ends().used(head, tail);
        if is_between { cursor } else { head }
    }

    /// What there is to see; `describe` is what the table knows of a claim.
    pub(crate) fn state(&self, ring: &Ring, describe: impl Fn(Claim) -> Option<Participant>) -> QueueState {
        let ends = self.ends();
        let (head, tail) = (ends.head(), ends.tail());
        let holder = |word: u32| Claim::in_word(word).and_then(&describe);
        let mut leases = Vec::new();
        if self.parameters.acknowledged {
            self.visit(ring, head, tail, |place, _| {
                if let Some((Standing::Leased(claim), _)) =
                    ring.lease(place).map(|word| Lease(word).standing())
                {
                    leases.extend(describe(claim));
                }
                true
            });
        }
        QueueState {
            length: Ends::length(head, tail),
            put: tail.count,
            used: ends.used(head, tail) as usize * UNIT,
            capacity: ring.units as usize * UNIT,
            messages: Some(self.parameters.messages).filter(|most| *most != u32::MAX),
            closed: tail.closed,
            acknowledged: self.parameters.acknowledged,
            producer: holder(self.producer.claim.load(Relaxed)),
            consumer: holder(self.consumer.claim.load(Relaxed)),
            leases,
        }
    }

    /// Copies out up to `most` of the oldest messages without taking them; those that are taken meanwhile are left
    /// out.
    pub(crate) fn peek(&self, ring: &Ring, most: usize) -> Vec<Message> {
        let ends = self.ends();
        let (head, tail) = (ends.head(), ends.tail());
        let mut messages = Vec::new();
        self.visit(ring, head, tail, |place, used| {
            if messages.len() == most {
                return false;
            }
            let Ok((header, _)) = ring.header(place, used) else { return false };
            let (standing, times) = match ring.lease(place).filter(|_| self.parameters.acknowledged) {
                Some(word) => Lease(word).standing(),
                None => (Standing::Ready, 0),
            };
            let bytes = ring.copy_out(place, header.length);
            messages.push((Message { tag: header.tag, bytes, redelivered: times }, standing));
            true
        });
        // The head has passed some of them meanwhile, and their room may have been written again.
        let taken = Ends::length(head, ends.head_after_reading()) as usize;
        let here = messages.into_iter().skip(taken);
        here.filter(|(_, standing)| *standing != Standing::Done).map(|(message, _)| message).collect()
    }

    /// Shows `visit` the places of the messages between two ends and the units left from there, as long as it wants
    /// to see more.
    pub(super) fn visit(&self, ring: &Ring, head: End, tail: End, mut visit: impl FnMut(u32, u32) -> bool) {
        let ends = self.ends();
        let (mut end, mut left) = (head, ends.used(head, tail));
        while end.count != tail.count {
            let place = ends.place(end);
            let Ok((_, units)) = ring.header(place, left) else { return };
            if !visit(place, left) {
                return;
            }
            end = ends.behind(end, units);
            left -= units;
        }
    }

    /// Changes so far: messages put.
    pub(crate) fn version(&self) -> u64 {
        u64::from(End::unpack(version::count(self.producer.tail.load(Relaxed))).count)
    }
}
