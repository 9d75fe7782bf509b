//! What a queue is made for.

use crate::channel::ring::{MAX_RING, UNIT, units_of};
use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout;
use crate::layout::queue::QueueLayout;
use crate::space::Space;

/// Units of a message's header: its length and tag, and its lease where there is one.
const HEADER: u32 = 1;
const HEADER_WITH_LEASE: u32 = 2;

/// Where the parameters stand in the header.
const CAPACITY: usize = 0;
const MESSAGES: usize = 1;
const ACKNOWLEDGED: usize = 2;

/// The parameters' names, in their order.
pub(super) const PARAMETERS: [&str; 3] = ["capacity", "messages at most", "acknowledgement"];

/// What a queue is made for: how many bytes and messages it holds, whether they are acknowledged.
#[derive(Debug, Clone, Copy)]
pub struct QueueSpec {
    capacity: usize,
    messages: u32,
    acknowledged: bool,
}

/// A queue's parameters, checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    /// Most messages at once.
    pub(super) messages: u32,
    pub(super) acknowledged: bool,
    pub(super) layout: QueueLayout,
}

impl QueueSpec {
    /// Room for one message of `capacity` bytes, or for as many as fit with 8 bytes more for each; rounded up to
    /// whole pages.
    #[must_use]
    pub fn bytes(capacity: usize) -> Self {
        Self { capacity, messages: 0, acknowledged: false }
    }

    /// No more than so many messages at once, however small.
    #[must_use]
    pub fn messages(mut self, most: u32) -> Self {
        self.messages = most;
        self
    }

    /// Messages are kept until whoever took them acknowledges; those of the dead are handed out again.
    #[must_use]
    pub fn acknowledged(mut self) -> Self {
        self.acknowledged = true;
        self
    }

    /// The plan of a new region.
    pub(super) fn blueprint(self, space: &Space, id: &str) -> Result<Blueprint> {
        let header = if self.acknowledged { HEADER_WITH_LEASE } else { HEADER };
        let ring = units_of(self.capacity, header).map(|units| units as usize * UNIT);
        let ring = ring.filter(|_| self.capacity > 0).ok_or_else(|| Error::BadParameter {
            id: id.into(),
            parameter: "the capacity",
            limit: format!("1 to {} bytes", MAX_RING - HEADER_WITH_LEASE as usize * UNIT),
            found: self.capacity as u64,
        })?;
        let layout = QueueLayout::new(layout::body_offset(space.participants), ring);
        let mut parameters = [0; 8];
        parameters[CAPACITY] = layout.ring_size as u64;
        parameters[MESSAGES] = u64::from(self.messages);
        parameters[ACKNOWLEDGED] = u64::from(self.acknowledged);
        Ok(Blueprint {
            kind: Kind::Queue,
            schema: None,
            parameters,
            control_size: layout.ring_offset,
            total_size: layout.total_size,
            initial: Vec::new(),
        })
    }
}

impl Parameters {
    /// What a region's header says, if it agrees with itself.
    pub(super) fn of(description: &Description) -> Result<Self, String> {
        let [capacity, messages, acknowledged, ..] = description.parameters;
        let ring = usize::try_from(capacity).ok().filter(|ring| (1..=MAX_RING).contains(ring));
        let (Some(ring), Ok(messages), 0..=1) = (ring, u32::try_from(messages), acknowledged) else {
            return Err(format!("its capacity {capacity} or limit {messages} make no sense"));
        };
        let layout = QueueLayout::new(description.body_offset, ring);
        let expected = (layout.ring_offset, layout.total_size, layout.ring_size);
        if expected != (description.control_size, description.total_size, ring) {
            return Err(format!("its size is {} instead of {}", description.total_size, layout.total_size));
        }
        let messages = if messages == 0 { u32::MAX } else { messages };
        Ok(Self { messages, acknowledged: acknowledged != 0, layout })
    }

    pub(super) fn header(&self) -> u32 {
        if self.acknowledged { HEADER_WITH_LEASE } else { HEADER }
    }
}
