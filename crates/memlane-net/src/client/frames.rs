//! Pictures, and other large frames: always the newest.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value as Json;

use super::error::{Error, Result};
use super::lease::Lease;
use super::place::Place;
use super::subscription::{News, Subscription};
use crate::protocol::event::Delivery;
use crate::protocol::operation::{Form, Operation, Part};

/// A frame channel.
#[derive(Debug, Clone)]
pub struct Frames(pub(super) Place);

/// A frame.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Frame {
    /// Its number, from 1.
    pub sequence: u64,
    /// When it was captured: nanoseconds since the Unix epoch.
    pub captured_wall: u64,
    /// The same by the host's monotonic clock.
    pub captured_monotonic: u64,
    /// How many were published and not delivered since the frame before.
    #[serde(default)]
    pub missed: u64,
    /// Rows, columns, channels; empty for frames of any length.
    #[serde(default)]
    pub shape: Vec<usize>,
    /// How the bytes are to be understood: `bgr8`, `jpeg`, …
    #[serde(default)]
    pub encoding: Option<String>,
    /// The frame.
    #[serde(skip)]
    pub bytes: Bytes,
}

/// Delivers frames: the newest next, however slow its user is.
#[derive(Debug)]
pub struct FrameSubscriber {
    subscription: Subscription,
}

/// Publishes frames. It is the publisher from its first frame until it is dropped.
#[derive(Debug)]
pub struct FramePublisher {
    place: Place,
    lease: Option<Lease>,
}

impl Frames {
    /// The newest frame.
    pub fn newest(&self) -> Result<Frame> {
        let operation = Operation::Read { id: self.0.id.clone(), part: Part::default(), form: Form::Bytes };
        let done = self.0.ask(operation)?;
        frame(&self.0, Json::Object(done.fields), done.payload)
    }

    /// Delivers each frame that is published, or the newest where that is too fast. `delivery` says how often at most,
    /// and how small.
    pub fn subscribe(&self, delivery: Delivery) -> Result<FrameSubscriber> {
        Ok(FrameSubscriber { subscription: self.0.subscribe(delivery)? })
    }

    /// Publishes frames.
    pub fn publisher(&self) -> FramePublisher {
        FramePublisher { place: self.0.clone(), lease: None }
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}

impl FrameSubscriber {
    /// The next frame, or nothing in time.
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Frame>> {
        let Some(News { body, payload }) = self.subscription.next(timeout)? else { return Ok(None) };
        frame(self.subscription.place(), Json::Object(body), payload).map(Some)
    }

    /// What the host said when it began: `kind` and `schema`.
    pub fn fields(&self) -> &serde_json::Map<String, Json> {
        self.subscription.fields()
    }
}

/// Each frame in turn, for ever.
impl Iterator for FrameSubscriber {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        Self::next(self, None).transpose()
    }
}

impl FramePublisher {
    /// Publishes the next frame; its sequence.
    pub fn publish(&mut self, bytes: impl Into<Bytes>) -> Result<u64> {
        let operation = Operation::Publish { id: self.place.id.clone() };
        let mut done = self.place.ask_with(operation, bytes.into())?;
        keep(&mut self.lease, self.place.lease(&mut done)?);
        self.place.take(&mut done, "sequence")
    }
}

/// Each answer says by which lease the session publishes: nearly always the one that is held.
pub(super) fn keep(held: &mut Option<Lease>, said: Lease) {
    match held {
        Some(held) if held.is_same(&said) => said.forget(),
        held => *held = Some(said),
    }
}

fn frame(place: &Place, fields: Json, bytes: Bytes) -> Result<Frame> {
    let read: Result<Frame, _> = serde_json::from_value(fields);
    let frame = read.map_err(|error| Error::Misunderstood {
        host: place.client.link().host(),
        reason: format!("a frame of `{}` is not what was expected: {error}", place.id),
    })?;
    Ok(Frame { bytes, ..frame })
}
