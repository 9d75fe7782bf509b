//! What a session can ask, done on the space. Knows neither sockets nor sessions' numbers.

use bytes::Bytes;
use memlane::Space;
use serde_json::{Map, Value};
use std::sync::Arc;

use super::lease::Leases;
use crate::protocol::fault::{self, Fault};
use crate::protocol::operation::Operation;

/// The space and what of it is served.
#[derive(Debug)]
pub(crate) struct Service {
    space: Space,
}

/// What came of an operation: the fields of `ok`, and the payload.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) fields: Map<String, Value>,
    pub(crate) payload: Bytes,
}

impl Service {
    pub(crate) fn new(space: Space) -> Arc<Self> {
        Arc::new(Self { space })
    }

    /// Does it. Where it has to wait, dropping the future ends the wait, and nothing is taken.
    pub(crate) async fn perform(
        &self,
        _leases: &Leases,
        operation: Operation,
        _payload: Bytes,
    ) -> Result<Done, Fault> {
        match operation {
            Operation::Delete { id } => self.space.remove(&id).map(|()| Done::default()).map_err(Fault::from),
            _ => Err(Fault::new(fault::UNKNOWN_OPERATION, "this host does not do that")),
        }
    }
}

impl Service {
    /// Begins to deliver what `subscribe` or `watch` asks for.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        _operation: &Operation,
    ) -> Result<(Map<String, Value>, Subscription), Fault> {
        Err(Fault::new(fault::UNKNOWN_OPERATION, "this host does not do that"))
    }
}

/// What is new in a region, or in the list of regions.
#[derive(Debug)]
pub(crate) enum Subscription {}

impl Subscription {
    /// The next event's body, the newest there is.
    pub(crate) async fn next(&mut self) -> Result<(Map<String, Value>, Bytes), Fault> {
        match *self {}
    }
}
