//! What is new, as the host delivers it: over a loss of the connection, from where it was.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::bell::Bell;
use super::error::{Error, Result};
use super::handle::Client;
use super::link::{Limits, State, Stop};
use super::place::Place;
use crate::protocol::event::Credit;
use crate::protocol::operation::Operation;

/// A subscription to a region's news, or to the list's. It ends when it is dropped.
///
/// It survives the loss of a connection: the client subscribes again and says what was seen, and what was missed
/// meanwhile is counted by the host.
#[derive(Debug)]
pub struct Subscription {
    /// Keeps the session; the region, if it is one's.
    place: Place,
    key: u64,
    woken: Arc<Bell>,
    /// The fields of the answer: `kind`, `schema`, …
    fields: Map<String, Value>,
}

/// What a subscription delivers.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// As [`crate::protocol::event::Event::body`] says, by kind.
    pub body: Map<String, Value>,
    /// What belongs to it: a content in bytes, a frame, records.
    pub payload: Bytes,
}

/// A subscription as the link knows it.
#[derive(Debug)]
pub(super) struct Feed {
    operation: Operation,
    /// The host's number, in this connection.
    subscription: Option<u64>,
    /// It was asked for and not answered.
    asked: bool,
    fields: Option<Map<String, Value>>,
    events: VecDeque<(Position, News)>,
    end: Option<Error>,
    woken: Arc<Bell>,
}

/// An event's place, for giving credit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) connection: u64,
    pub(super) subscription: u64,
    pub(super) event: u64,
}

impl Subscription {
    pub(super) fn new(client: &Client, operation: Operation) -> Result<Self> {
        let link = client.link();
        let place = client.place(operation.id().unwrap_or_default());
        let woken = Arc::<Bell>::default();
        let feed = Feed {
            operation,
            subscription: None,
            asked: true,
            fields: None,
            events: VecDeque::new(),
            end: None,
            woken: Arc::clone(&woken),
        };
        let mut state = link.lock();
        let key = state.add_feed(feed, link);
        let begun = |state: &mut State| {
            let feed = state.feeds.get(&key)?;
            let fields = feed.fields.clone().map(Ok);
            fields.or_else(|| feed.end.clone().map(Err))
        };
        let (mut state, fields) = link.wait(state, &woken, link.limits(), begun);
        let fields = match fields {
            Ok(fields) => fields,
            Err(stop) => Err(link.error_of(stop, &state, None)),
        };
        match fields {
            Ok(fields) => Ok(Self { place, key, woken, fields }),
            Err(error) => {
                state.remove_feed(key, link);
                Err(error)
            }
        }
    }

    /// What the host said when it began: `kind` and `schema`, of a region.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The next event, or nothing in time. Without a timeout it waits for ever; without a connection, for as long as
    /// the client's patience lasts.
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<News>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let limits = Limits { deadline, ..self.place.client.link().limits() };
        let next = |state: &mut State| {
            let feed = state.feeds.get_mut(&self.key)?;
            let event = feed.events.pop_front().map(Ok);
            event.or_else(|| feed.end.clone().map(Err))
        };
        let (mut state, event) =
            self.place.client.link().wait(self.place.client.link().lock(), &self.woken, limits, next);
        match event {
            Ok(Ok((position, event))) => {
                if position.connection == state.connection {
                    let Position { subscription, event, .. } = position;
                    state.credit(Credit { subscription, event }, self.place.client.link());
                }
                Ok(Some(event))
            }
            Ok(Err(error)) => Err(error),
            Err(Stop::Late) if deadline.is_some_and(|deadline| deadline <= Instant::now()) => Ok(None),
            Err(stop) => Err(self.place.client.link().error_of(stop, &state, None)),
        }
    }
}

/// Each event in turn, for ever; after an error, none.
impl Iterator for Subscription {
    type Item = Result<News>;

    fn next(&mut self) -> Option<Self::Item> {
        Self::next(self, None).transpose()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.place.client.link().lock().remove_feed(self.key, self.place.client.link());
    }
}

impl Feed {
    pub(super) fn operation(&self) -> Operation {
        self.operation.clone()
    }

    /// In this connection.
    pub(super) fn subscription(&self) -> Option<u64> {
        self.subscription
    }

    pub(super) fn begin(&mut self, subscription: u64, fields: Map<String, Value>) {
        (self.subscription, self.asked) = (Some(subscription), false);
        self.fields = Some(fields);
        self.woken.ring();
    }

    pub(super) fn push(&mut self, position: Position, body: Map<String, Value>, payload: Bytes) {
        if let Operation::Subscribe { delivery, .. } = &mut self.operation {
            delivery.after = seen(&body).or(delivery.after);
        }
        self.events.push_back((position, News { body, payload }));
        self.woken.ring();
    }

    pub(super) fn end(&mut self, error: Error) {
        (self.subscription, self.asked) = (None, false);
        self.end = Some(error);
        self.woken.ring();
    }

    /// In a new connection: what is to be asked, unless it was asked already or has ended.
    pub(super) fn again(&mut self) -> Option<Operation> {
        self.subscription = None;
        if self.end.is_some() || std::mem::replace(&mut self.asked, true) {
            return None;
        }
        Some(self.operation())
    }
}

/// How far the news were seen with an event: the `after` of whoever subscribes again.
fn seen(body: &Map<String, Value>) -> Option<u64> {
    let number = |name: &str| body.get(name).and_then(Value::as_u64);
    let records = || Some(number("first")? + number("count")?);
    number("sequence").or_else(|| number("version")).or_else(records)
}
