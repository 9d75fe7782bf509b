//! The words of a pipe in a region, and what there is to see, for members and observers alike.

use super::direction::{self, Direction, Role};
use super::spec::{Parameters, Side};
use crate::atomic::AtomicU32;
use crate::channel::ring::UNIT;
use crate::header::Description;
use crate::layout::pipe::{DirectionLines, EndsLine};
use crate::os::mapping::{Mapping, Shared};
use crate::participant::Participant;
use crate::sync::claim::Claim;
use std::sync::Arc;

/// A pipe, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipeState {
    /// Whether both ends send.
    pub duplex: bool,
    /// The left and the right end.
    pub ends: [EndState; 2],
    /// Bytes on the way from the left to the right end, with their headers, and back.
    pub used: [usize; 2],
    /// Bytes there are, each way.
    pub capacity: usize,
    /// Units of 8 bytes that the left and the right end have sent in this conversation.
    pub sent: [u64; 2],
}

/// Who has an end of a pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndState {
    /// Nobody had it yet.
    Fresh,
    /// This process.
    Open(Participant),
    /// This process, until it died.
    Died(Participant),
    /// Nobody any more.
    Closed,
}

/// Typed views of a pipe's control part.
#[derive(Debug)]
pub(crate) struct Words {
    pub(super) parameters: Parameters,
    pub(super) ends: Shared<EndsLine>,
    directions: [Shared<DirectionLines>; 2],
}

impl Words {
    /// Lays them over a mapping, after checking that the header agrees with itself.
    pub(crate) fn new(description: &Description, mapping: &Arc<Mapping>) -> Result<Self, String> {
        let parameters = Parameters::of(description)?;
        let layout = parameters.layout;
        let direction =
            |index| mapping.shared(layout.directions_offset + index * size_of::<DirectionLines>());
        let views = || {
            let directions = [direction(0)?, direction(1)?];
            Some(Self { parameters, ends: mapping.shared(layout.ends_offset)?, directions })
        };
        views().ok_or_else(|| "it is too short".to_owned())
    }

    /// Where the ring lies that the end sends into; `None` when it does not send.
    pub(super) fn ring_of(&self, sender: Side) -> Option<(u64, usize)> {
        let layout = &self.parameters.layout;
        let exists = sender == Side::Left || self.parameters.duplex;
        exists.then(|| ((layout.rings_offset + sender as usize * layout.ring_size) as u64, layout.ring_size))
    }

    /// The way from this end.
    #[inline]
    pub(super) fn direction(&self, sender: Side) -> Direction<'_> {
        let [left, right] = &self.directions;
        let lines = match sender {
            Side::Left => left,
            Side::Right => right,
        };
        let units = (self.parameters.layout.ring_size / UNIT) as u32;
        Direction { tail: &lines.tail, head: &lines.head, units }
    }

    /// Who has the end.
    pub(super) fn role(&self, side: Side) -> Role {
        direction::role(self.role_word(side))
    }

    /// Whose an end is.
    pub(super) fn role_word(&self, side: Side) -> &AtomicU32 {
        let [left, right] = &self.ends.roles;
        match side {
            Side::Left => left,
            Side::Right => right,
        }
    }

    /// What there is to see; `describe` is what the table knows of a claim.
    pub(crate) fn state(&self, describe: impl Fn(Claim) -> Option<Participant>) -> PipeState {
        let end = |side| match self.role(side) {
            Role::Fresh => EndState::Fresh,
            Role::Closed => EndState::Closed,
            Role::Had(claim) => match describe(claim) {
                Some(participant) if participant.alive => EndState::Open(participant),
                Some(participant) => EndState::Died(participant),
                None => EndState::Died(Participant::gone(claim)),
            },
        };
        let sides = [Side::Left, Side::Right];
        PipeState {
            duplex: self.parameters.duplex,
            ends: sides.map(end),
            used: sides.map(|side| {
                let direction = self.direction(side);
                // The head first: it never overtakes the tail.
                let received = direction.received();
                direction.used(received, direction.sent()) as usize * UNIT
            }),
            capacity: self.parameters.layout.ring_size,
            sent: sides.map(|side| self.direction(side).sent()),
        }
    }
}
