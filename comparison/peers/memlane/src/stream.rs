//! Records, one after the other.

use anyhow::Result;
use harness::{Keeps, PATIENCE, Passing, Receiver, Sender, Terms};
use memlane::schema::{Primitive, Schema};
use memlane::{StreamPublisher, StreamSpec, StreamSubscriber};

use crate::{space, spin};

/// One record after the other; a reader that is too slow loses some.
pub(crate) enum Lossy {}

impl Passing for Lossy {
    const NAME: &'static str = "stream";
    const KEEPS: Keeps = Keeps::Newest;
    const IN_PLACE: bool = false;
    type Sender = Publisher;
    type Receiver = Subscriber;

    fn sender(terms: &Terms, lane: &str) -> Result<Publisher> {
        publisher(&spec(terms)?, lane)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Subscriber> {
        subscriber(terms, lane)
    }
}

/// One record after the other; the publisher waits for its readers.
pub(crate) enum Lossless {}

impl Passing for Lossless {
    const NAME: &'static str = "lossless stream";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = Publisher;
    type Receiver = Subscriber;

    fn sender(terms: &Terms, lane: &str) -> Result<Publisher> {
        publisher(&spec(terms)?.lossless(), lane)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Subscriber> {
        subscriber(terms, lane)
    }
}

/// A mebibyte of records, or four that are longer than that together.
fn spec(terms: &Terms) -> Result<StreamSpec> {
    let schema = Schema::new(Primitive::U8).with_shape(&[terms.size])?;
    Ok(StreamSpec::of(schema).capacity(((1 << 20) / terms.size as u64).max(4)))
}

fn publisher(spec: &StreamSpec, lane: &str) -> Result<Publisher> {
    Ok(Publisher(StreamPublisher::open_or_create(space()?, lane, spec)?))
}

fn subscriber(terms: &Terms, lane: &str) -> Result<Subscriber> {
    space()?.wait_for(lane, Some(PATIENCE))?;
    let reader = StreamSubscriber::open(space()?, lane)?.spin(spin(terms));
    Ok(Subscriber { reader, record: vec![0; terms.size] })
}

pub(crate) struct Publisher(StreamPublisher);

impl Sender for Publisher {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        self.0.append(message)?;
        Ok(())
    }
}

pub(crate) struct Subscriber {
    reader: StreamSubscriber,
    record: Vec<u8>,
}

impl Receiver for Subscriber {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        self.reader.next_into(&mut self.record, None)?;
        Ok(look(&self.record))
    }
}
