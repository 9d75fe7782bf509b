use anyhow::Result;
use harness::{Keeps, Passing, Receiver, Sender, Terms};
use memlane::schema::{Primitive, Schema};
use memlane::{FramePublisher, FrameSpec, FrameSubscriber, Space};

use crate::spin;

/// A picture at a time: the newest is what counts.
pub(crate) enum Frames {}

impl Passing for Frames {
    const NAME: &'static str = "frames";
    const KEEPS: Keeps = Keeps::Newest;
    const IN_PLACE: bool = true;
    type Sender = Publisher;
    type Receiver = Subscriber;

    fn sender(terms: &Terms, lane: &str) -> Result<Publisher> {
        let schema = Schema::new(Primitive::U8).with_shape(&[terms.size])?;
        let spec = FrameSpec::of(schema).history(1);
        Ok(Publisher(FramePublisher::open_or_create(&Space::default()?, lane, &spec)?))
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Subscriber> {
        let space = Space::default()?;
        space.wait_for(lane, Some(harness::PATIENCE))?;
        Ok(Subscriber(FrameSubscriber::open(&space, lane)?.spin(spin(terms))))
    }
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
