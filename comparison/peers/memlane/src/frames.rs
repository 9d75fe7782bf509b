//! A picture at a time: the newest is what counts.

use anyhow::Result;
use harness::{Attaching, Keeps, PATIENCE, Passing, Receiver, Sender, Terms};
use memlane::schema::{Primitive, Schema};
use memlane::{FramePublisher, FrameSpec, FrameSubscriber};

use crate::{space, spin};

pub(crate) enum Frames {}

impl Passing for Frames {
    const NAME: &'static str = "frames";
    const KEEPS: Keeps = Keeps::Newest;
    const IN_PLACE: bool = true;
    type Sender = Publisher;
    type Receiver = Subscriber;

    fn sender(terms: &Terms, lane: &str) -> Result<Publisher> {
        Ok(Publisher(FramePublisher::open_or_create(space()?, lane, &spec(terms)?)?))
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Subscriber> {
        space()?.wait_for(lane, Some(PATIENCE))?;
        Ok(Subscriber(FrameSubscriber::open(space()?, lane)?.spin(spin(terms))))
    }
}

impl Attaching for Frames {
    const NAME: &'static str = "frames";
    type Region = End;

    fn make(terms: &Terms, id: &str) -> Result<End> {
        Ok(End::Publisher { _end: FramePublisher::create(space()?, id, &spec(terms)?)? })
    }

    fn open(_: &Terms, id: &str) -> Result<End> {
        Ok(End::Subscriber { _end: FrameSubscriber::open(space()?, id)? })
    }
}

/// What a subscriber claims, unless it says otherwise.
const BORROWS: u32 = 2;

/// With room for all readers; for up to four of them it is there anyway.
fn spec(terms: &Terms) -> Result<FrameSpec> {
    let schema = Schema::new(Primitive::U8).with_shape(&[terms.size])?;
    let readers = terms.readers.max(4) as u32;
    Ok(FrameSpec::of(schema).history(1).borrows(readers * BORROWS))
}

pub(crate) struct Publisher(FramePublisher);

impl Sender for Publisher {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        self.send_in_place(|place| place.copy_from_slice(message))
    }

    fn send_in_place(&mut self, write: impl FnOnce(&mut [u8])) -> Result<()> {
        let mut loan = self.0.loan()?;
        write(&mut loan);
        loan.publish();
        Ok(())
    }
}

pub(crate) struct Subscriber(FrameSubscriber);

impl Receiver for Subscriber {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        Ok(look(&self.0.next(None)?))
    }
}

/// Either end of a channel.
pub(crate) enum End {
    Publisher { _end: FramePublisher },
    Subscriber { _end: FrameSubscriber },
}
