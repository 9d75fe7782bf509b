//! Messages between two ends.

use std::time::Duration;

use bytes::Bytes;
use memlane::{Side, Tag};

use super::error::Result;
use super::lease::Lease;
use super::place::{Place, seconds};
use crate::protocol::operation::Operation;

/// A pipe.
#[derive(Debug, Clone)]
pub struct Pipe(pub(super) Place);

/// An end of a pipe, this client's until it is dropped.
#[derive(Debug)]
pub struct PipeEnd {
    place: Place,
    lease: Lease,
}

impl Pipe {
    /// Takes an end that nobody has.
    pub fn take(&self, side: Side) -> Result<PipeEnd> {
        let end = match side {
            Side::Left => "left",
            Side::Right => "right",
        };
        let mut done = self.0.ask(Operation::TakeEnd { id: self.0.id.clone(), end: end.to_owned() })?;
        Ok(PipeEnd { lease: self.0.lease(&mut done)?, place: self.0.clone() })
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}

impl PipeEnd {
    /// Waits for room and sends bytes.
    pub fn send(&self, bytes: impl Into<Bytes>, timeout: Option<Duration>) -> Result<()> {
        self.send_tagged(Tag::Bytes, bytes, timeout)
    }

    /// Waits for room and sends a message.
    pub fn send_tagged(&self, tag: Tag, bytes: impl Into<Bytes>, timeout: Option<Duration>) -> Result<()> {
        let (lease, tag, timeout) = (self.lease.number(), tag.name().to_owned(), seconds(timeout));
        self.lease.ask(Operation::Send { lease, tag, timeout }, bytes.into()).map(drop)
    }

    /// Waits for a message of the other end: what its bytes are said to be, and they.
    pub fn receive(&self, timeout: Option<Duration>) -> Result<(String, Bytes)> {
        let (lease, timeout) = (self.lease.number(), seconds(timeout));
        let mut done = self.lease.ask(Operation::Receive { lease, timeout }, Bytes::new())?;
        Ok((self.place.take(&mut done, "tag")?, done.payload))
    }
}
