//! Records of fixed size, kept for a while.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value as Json;

use super::error::{Error, Result};
use super::frames::keep;
use super::lease::Lease;
use super::place::Place;
use super::subscription::{News, Subscription};
use crate::protocol::event::Delivery;
use crate::protocol::operation::Operation;

/// A stream.
#[derive(Debug, Clone)]
pub struct Stream(pub(super) Place);

/// Records one behind the other, as the stream's schema says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Batch {
    /// The number of the first, from 0.
    pub first: u64,
    /// How many there are.
    pub count: u64,
    /// How many before the first were overwritten before they could be delivered.
    #[serde(default)]
    pub lost: u64,
    /// Their bytes.
    #[serde(skip)]
    pub bytes: Bytes,
}

/// Delivers records as they come.
#[derive(Debug)]
pub struct StreamSubscriber {
    subscription: Subscription,
}

/// Appends records. It is the publisher from its first record until it is dropped.
#[derive(Debug)]
pub struct StreamPublisher {
    place: Place,
    lease: Option<Lease>,
}

impl Stream {
    /// Delivers what is appended from now on, or after so many records (`after` of `delivery`).
    pub fn subscribe(&self, delivery: Delivery) -> Result<StreamSubscriber> {
        Ok(StreamSubscriber { subscription: self.0.subscribe(delivery)? })
    }

    /// Appends records.
    pub fn publisher(&self) -> StreamPublisher {
        StreamPublisher { place: self.0.clone(), lease: None }
    }

    /// The records from number `since` on, or the newest; `most` at most.
    pub fn records(&self, since: Option<u64>, most: u32) -> Result<Batch> {
        let done = self.0.ask(Operation::Records { id: self.0.id.clone(), since, most })?;
        batch(&self.0, Json::Object(done.fields), done.payload)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}

impl StreamSubscriber {
    /// The next records, or nothing in time.
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Batch>> {
        let Some(News { body, payload }) = self.subscription.next(timeout)? else { return Ok(None) };
        batch(self.subscription.place(), Json::Object(body), payload).map(Some)
    }

    /// What the host said when it began: `kind` and `schema`.
    pub fn fields(&self) -> &serde_json::Map<String, Json> {
        self.subscription.fields()
    }
}

/// Each batch in turn, for ever.
impl Iterator for StreamSubscriber {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        Self::next(self, None).transpose()
    }
}

impl StreamPublisher {
    /// Appends records, one behind the other; the number of the first.
    pub fn append(&mut self, records: impl Into<Bytes>) -> Result<u64> {
        let operation = Operation::Append { id: self.place.id.clone() };
        let mut done = self.place.ask_with(operation, records.into())?;
        keep(&mut self.lease, self.place.lease(&mut done)?);
        self.place.take(&mut done, "first")
    }
}

fn batch(place: &Place, fields: Json, bytes: Bytes) -> Result<Batch> {
    let read: Result<Batch, _> = serde_json::from_value(fields);
    let batch = read.map_err(|error| Error::Misunderstood {
        host: place.client.link().host(),
        reason: format!("records of `{}` are not what was expected: {error}", place.id),
    })?;
    Ok(Batch { bytes, ..batch })
}
