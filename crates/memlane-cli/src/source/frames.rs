//! Frame channels: their frames as they come, and new ones into them.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use bytes::Bytes;
use memlane::frames::{Frame, Loan, OnPublisherDeath};
use memlane::schema::Schema;
use memlane::{Error, FramePublisher, FrameSpec, FrameSubscriber, Kind, Observer, Timestamp};
use memlane_net::client::{self, Client};
use memlane_net::protocol::event::Delivery;
use memlane_net::protocol::operation::{Operation, Specification};
use memlane_net::view::datum_json::unfit;

use super::{Seen, Source};
use crate::failure::{Exit, Failure, Outcome};

/// How often whoever waits for a region at a host is told of new ones, in a second.
const ROWS_RATE: f64 = 20.0;

/// Which frames are asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// So many of those that were published before; a host has one of them.
    pub(crate) history: u64,
    /// For so long a frame is looked for before sleeping; at a host there is nothing to look at.
    pub(crate) spin: Duration,
    /// Frames a second that are enough: a host sends no more.
    pub(crate) rate: Option<f64>,
}

/// A frame channel that is subscribed to.
#[derive(Debug)]
pub(crate) enum Subscription {
    Here {
        subscriber: Box<FrameSubscriber>,
        begun: Timestamp,
    },
    There {
        subscriber: client::FrameSubscriber,
        schema: Schema,
        /// The number of the frame that was there when it began.
        newest: u64,
        missed: Cell<u64>,
    },
}

/// What a wait for a frame brings.
#[derive(Debug)]
pub(crate) enum Came<'a> {
    Frame(Received<'a>),
    /// None, in the time given: what was waited for.
    Nothing(&'static str),
    /// Frames may come again. Of a publisher at a host nothing is told but what it published.
    PublisherDied(Error),
    /// None will come any more.
    Removed,
}

/// A frame.
#[derive(Debug)]
pub(crate) enum Received<'a> {
    Here(Frame<'a>),
    There(client::Frame),
}

/// Publishes frames, as the only one.
#[derive(Debug)]
pub(crate) enum Publisher {
    Here { publisher: Box<FramePublisher>, observer: Box<Observer> },
    There(Remote),
}

/// A publisher at a host.
#[derive(Debug)]
pub(crate) struct Remote {
    client: Client,
    id: String,
    publisher: client::FramePublisher,
    /// Bytes of a frame.
    length: usize,
    /// The number of the frame that was published last, while nobody else can publish.
    last: Option<u64>,
}

/// Room for the next frame.
#[derive(Debug)]
pub(crate) enum Room<'a> {
    Here(Loan<'a>),
    There { remote: &'a mut Remote, bytes: Vec<u8> },
}

impl Source {
    /// Whether there is a region of that name.
    pub(crate) fn contains(&self, id: &str) -> Outcome<bool> {
        match self {
            Self::Here(space) => Ok(space.contains(id)?),
            Self::There(client) => match client.describe(id) {
                Ok(_) => Ok(true),
                Err(error) if is_missing(&error) => Ok(false),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Waits for a region of that name. `goes_on` is asked once a `period` whether to wait any longer; whether there is
    /// one then.
    pub(crate) fn wait_for(
        &self,
        id: &str,
        period: Duration,
        goes_on: impl Fn() -> Outcome<bool>,
    ) -> Outcome<bool> {
        let is_there: Box<dyn Fn() -> Outcome<bool>> = match self {
            Self::Here(space) => Box::new(|| match space.wait_for(id, Some(period)) {
                Ok(()) => Ok(true),
                Err(Error::Timeout { .. }) => Ok(false),
                Err(error) => Err(error.into()),
            }),
            Self::There(client) => {
                let watch = Operation::Watch { patterns: vec![id.to_owned()], rate: Some(ROWS_RATE) };
                let rows = client.subscribe(watch)?;
                Box::new(move || {
                    let news = rows.next(Some(period))?;
                    let changed = news.as_ref().and_then(|news| news.body.get("changed")?.as_array());
                    Ok(changed.is_some_and(|rows| rows.iter().any(|row| row["id"] == id)))
                })
            }
        };
        loop {
            if is_there()? {
                return Ok(true);
            }
            if !goes_on()? {
                return Ok(false);
            }
        }
    }

    /// Subscribes to a frame channel. `scale`: of its pictures, so many pixels in each direction can become one.
    pub(crate) fn frames(
        &self,
        id: &str,
        asked: &Asked,
        scale: impl Fn(&Schema) -> Option<u32>,
    ) -> Outcome<Subscription> {
        match self {
            Self::Here(space) => {
                let subscriber = FrameSubscriber::open(space, id)?
                    .history(asked.history)
                    .spin(asked.spin)
                    .on_publisher_death(OnPublisherDeath::Report);
                Ok(Subscription::Here { subscriber: Box::new(subscriber), begun: Timestamp::now() })
            }
            Self::There(_) if !asked.spin.is_zero() => Err(Failure::new(
                Exit::Usage,
                format!("frames of {self} come when they come; leave out --spin, or run it there"),
            )),
            Self::There(client) => {
                let (schema, newest) = self.newest(id)?;
                let after = (asked.history == 0).then_some(newest);
                let delivery =
                    Delivery { rate: asked.rate, scale: scale(&schema), after, ..Delivery::default() };
                let subscriber = client.frames(id).subscribe(delivery)?;
                Ok(Subscription::There { subscriber, schema, newest, missed: Cell::new(0) })
            }
        }
    }

    /// Publishes frames of that schema. A channel that is missing is made, with these parameters.
    pub(crate) fn publisher(
        &self,
        id: &str,
        schema: &Schema,
        history: u32,
        borrows: u32,
    ) -> Outcome<Publisher> {
        match self {
            Self::Here(space) => {
                let spec = FrameSpec::of(schema.clone()).history(history).borrows(borrows);
                let publisher = Box::new(FramePublisher::open_or_create(space, id, &spec)?);
                Ok(Publisher::Here { publisher, observer: Box::new(Observer::open(space, id)?) })
            }
            Self::There(client) => {
                let specification = Specification {
                    kind: Kind::Frames.name().to_owned(),
                    schema: Some(schema.to_string()),
                    history: Some(history),
                    borrows: Some(borrows),
                    ..Specification::default()
                };
                client.create(id, specification, true)?;
                let publisher = client.frames(id).publisher();
                let (client, id, length) = (client.clone(), id.to_owned(), schema.size());
                Ok(Publisher::There(Remote { client, id, publisher, length, last: None }))
            }
        }
    }

    /// A frame channel's schema and newest number.
    fn newest(&self, id: &str) -> Outcome<(Schema, u64)> {
        match self.see(id)? {
            Seen { kind: Kind::Frames, schema: Some(schema), sight, .. } => Ok((schema, sight.version())),
            Seen { kind, .. } => {
                let (id, expected, found) = (id.to_owned(), Kind::Frames.name(), kind.name());
                Err(Error::WrongKind { id, expected, found }.into())
            }
        }
    }
}

impl Subscription {
    pub(crate) fn next(&self, timeout: Duration) -> Outcome<Came<'_>> {
        match self {
            Self::Here { subscriber, .. } => match subscriber.next(Some(timeout)) {
                Ok(frame) => Ok(Came::Frame(Received::Here(frame))),
                Err(Error::Timeout { .. }) if subscriber.region().unlinked() => Ok(Came::Removed),
                Err(Error::Timeout { what, .. }) => Ok(Came::Nothing(what)),
                Err(error @ Error::PublisherDied { .. }) => Ok(Came::PublisherDied(error)),
                Err(error) => Err(error.into()),
            },
            Self::There { subscriber, missed, .. } => match subscriber.next(Some(timeout)) {
                Ok(Some(frame)) => {
                    missed.set(missed.get() + frame.missed);
                    Ok(Came::Frame(Received::There(frame)))
                }
                Ok(None) => Ok(Came::Nothing("a frame")),
                Err(error) if is_missing(&error) => Ok(Came::Removed),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// How many frames were published and not received since the first.
    pub(crate) fn missed(&self) -> u64 {
        match self {
            Self::Here { subscriber, .. } => subscriber.missed(),
            Self::There { missed, .. } => missed.get(),
        }
    }

    /// What a frame is; a host may have made a picture smaller.
    pub(crate) fn schema_of(&self, frame: &Received<'_>) -> Outcome<Cow<'_, Schema>> {
        match (self, frame) {
            (Self::Here { subscriber, .. }, _) => Ok(Cow::Borrowed(subscriber.schema())),
            (Self::There { schema, .. }, Received::There(frame)) if !frame.shape.is_empty() => {
                let schema = schema.clone().with_shape(&frame.shape);
                Ok(Cow::Owned(schema.map_err(unfit("a frame"))?))
            }
            (Self::There { schema, .. }, _) => Ok(Cow::Borrowed(schema)),
        }
    }

    /// How long ago a frame was captured, if it was not there before the subscription. Of a host's frames that is the
    /// difference of two machines' wall clocks, and nothing where the host's is ahead of this one.
    pub(crate) fn latency(&self, frame: &Received<'_>) -> Option<Duration> {
        match (self, frame) {
            (Self::Here { begun, .. }, Received::Here(frame)) => {
                (frame.captured().monotonic >= begun.monotonic).then(|| frame.age())
            }
            (Self::There { newest, .. }, Received::There(frame)) if frame.sequence > *newest => {
                Timestamp::now().wall.checked_sub(frame.captured_wall).map(Duration::from_nanos)
            }
            _ => None,
        }
    }

    /// Whether the frames' publisher is on another machine, whose monotonic clock says nothing here, and whose death
    /// nobody tells.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Self::There { .. })
    }
}

impl Received<'_> {
    /// Its number, from 1.
    pub(crate) fn sequence(&self) -> u64 {
        match self {
            Self::Here(frame) => frame.sequence(),
            Self::There(frame) => frame.sequence,
        }
    }
}

impl Deref for Received<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Here(frame) => frame,
            Self::There(frame) => &frame.bytes,
        }
    }
}

impl Publisher {
    /// Room for the next frame: in the shared memory itself, or for being sent.
    pub(crate) fn loan(&mut self) -> Outcome<Room<'_>> {
        match self {
            Self::Here { publisher, .. } => Ok(Room::Here(publisher.loan()?)),
            Self::There(remote) => Ok(Room::There { bytes: vec![0; remote.length], remote }),
        }
    }

    /// How many processes subscribe, each with any number of entries. Whom a host sends frames to, it keeps to itself.
    pub(crate) fn subscribers(&self) -> Option<usize> {
        let Self::Here { observer, .. } = self else { return None };
        let subscribers = observer.frames().ok()?.subscribers;
        Some(subscribers.iter().map(|reader| reader.slot).collect::<HashSet<_>>().len())
    }
}

impl Room<'_> {
    /// The number that the frame will have. At a host, until the first one is published, somebody else may still get
    /// it.
    pub(crate) fn sequence(&mut self) -> Outcome<u64> {
        match self {
            Self::Here(loan) => Ok(loan.sequence()),
            Self::There { remote, .. } => remote.next(),
        }
    }

    /// Publishes it; its number.
    pub(crate) fn publish(self) -> Outcome<u64> {
        match self {
            Self::Here(loan) => Ok(loan.publish()),
            Self::There { remote, bytes } => remote.publish(&bytes.into()),
        }
    }
}

impl Deref for Room<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Here(loan) => loan,
            Self::There { bytes, .. } => bytes,
        }
    }
}

impl DerefMut for Room<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Here(loan) => loan,
            Self::There { bytes, .. } => bytes,
        }
    }
}

impl Remote {
    fn next(&mut self) -> Outcome<u64> {
        let last = match self.last {
            Some(last) => last,
            None => self.newest()?,
        };
        self.last = Some(last);
        Ok(last + 1)
    }

    fn newest(&self) -> Outcome<u64> {
        Ok(Source::There(self.client.clone()).newest(&self.id)?.1)
    }

    /// A host that was killed cannot say whether it published a frame; the channel can, whose publisher this was.
    fn publish(&mut self, frame: &Bytes) -> Outcome<u64> {
        let expected = self.next()?;
        loop {
            match self.publisher.publish(frame.clone()) {
                Ok(sequence) => {
                    self.last = Some(sequence);
                    return Ok(sequence);
                }
                Err(client::Error::OutcomeUnknown { .. }) => {
                    let newest = self.newest()?;
                    if newest >= expected {
                        self.last = Some(newest);
                        return Ok(expected);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn is_missing(error: &client::Error) -> bool {
    error.code() == Some("not_found")
}
