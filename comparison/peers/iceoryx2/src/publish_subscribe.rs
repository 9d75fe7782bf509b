//! Slices of bytes, from a publisher to its subscribers.
#![allow(unsafe_code)] // A loan that is not initialised.

use std::any::Any;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::{Attaching, Keeps, PATIENCE, Passing, Receiver, Sender, Terms, Wait};
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::{publisher, subscriber};
use iceoryx2::prelude::*;

use crate::{Open, Slices, events, slices};

/// The newest slice of bytes: of what nobody has fetched, the oldest one makes room.
pub(crate) enum Newest {}

impl Passing for Newest {
    const NAME: &'static str = "publish-subscribe";
    const KEEPS: Keeps = Keeps::Newest;
    const IN_PLACE: bool = true;
    type Sender = Publisher;
    type Receiver = Subscriber;

    fn sender(terms: &Terms, lane: &str) -> Result<Publisher> {
        Publisher::new(terms, lane, &slices(terms, lane, Open::Either, true, 1)?)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Subscriber> {
        Subscriber::new(terms, lane, &slices(terms, lane, Open::Either, true, 1)?)
    }
}

impl Attaching for Newest {
    const NAME: &'static str = <Self as Passing>::NAME;
    type Region = Box<dyn Any>;

    fn make(terms: &Terms, id: &str) -> Result<Self::Region> {
        Ok(Box::new(publish(terms, &slices(terms, id, Open::Create, true, 1)?)?))
    }

    fn open(terms: &Terms, id: &str) -> Result<Self::Region> {
        Ok(Box::new(slices(terms, id, Open::Existing, true, 1)?.subscriber_builder().create()?))
    }
}

/// All slices of bytes: the publisher waits until there is room.
pub(crate) enum Queue {}

impl Queue {
    /// A thousand, and less of what is large: the publisher has memory for all from the beginning.
    fn capacity(terms: &Terms) -> usize {
        ((32 << 20) / terms.size).clamp(2, 1024)
    }
}

impl Passing for Queue {
    const NAME: &'static str = "publish-subscribe without overflow";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = true;
    type Sender = Publisher;
    type Receiver = Subscriber;

    fn sender(terms: &Terms, lane: &str) -> Result<Publisher> {
        Publisher::new(terms, lane, &slices(terms, lane, Open::Either, false, Self::capacity(terms))?)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Subscriber> {
        Subscriber::new(terms, lane, &slices(terms, lane, Open::Either, false, Self::capacity(terms))?)
    }
}

type Publishing = publisher::Publisher<ipc::Service, [u8], ()>;

fn publish(terms: &Terms, service: &Slices) -> Result<Publishing> {
    Ok(service
        .publisher_builder()
        .initial_max_slice_len(terms.size)
        .max_loaned_samples(1)
        .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
        .create()?)
}

pub(crate) struct Publisher {
    publisher: Publishing,
    size: usize,
    notifier: Option<Notifier<ipc::Service>>,
}

impl Publisher {
    fn new(terms: &Terms, lane: &str, service: &Slices) -> Result<Self> {
        let notifier = match terms.wait {
            Wait::Busy => None,
            Wait::Asleep => Some(events(terms, lane)?.notifier_builder().create()?),
        };
        Ok(Self { publisher: publish(terms, service)?, size: terms.size, notifier })
    }

    fn notify(&self) -> Result<()> {
        if let Some(notifier) = &self.notifier {
            notifier.notify()?;
        }
        Ok(())
    }
}

impl Sender for Publisher {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        self.publisher.loan_slice_uninit(message.len())?.write_from_slice(message).send()?;
        self.notify()
    }

    fn send_in_place(&mut self, write: impl FnOnce(&mut [u8])) -> Result<()> {
        let sample = self.publisher.loan_slice_uninit(self.size)?;
        // SAFETY: it is shared memory, which the kernel has filled with zeros, and any byte is one.
        let mut sample = unsafe { sample.assume_init() };
        write(sample.payload_mut());
        sample.send()?;
        self.notify()
    }
}

pub(crate) struct Subscriber {
    subscriber: subscriber::Subscriber<ipc::Service, [u8], ()>,
    listener: Option<Listener<ipc::Service>>,
}

impl Subscriber {
    /// Waits for a publisher: what that sends before a subscriber has seen it is lost, where it is more than the buffer
    /// holds.
    fn new(terms: &Terms, lane: &str, service: &Slices) -> Result<Self> {
        let begin = Instant::now();
        while service.dynamic_config().number_of_publishers() == 0 {
            ensure!(begin.elapsed() < PATIENCE, "no publisher of {lane}");
            sleep(Duration::from_millis(1));
        }
        let listener = match terms.wait {
            Wait::Busy => None,
            Wait::Asleep => Some(events(terms, lane)?.listener_builder().create()?),
        };
        Ok(Self { subscriber: service.subscriber_builder().create()?, listener })
    }
}

impl Receiver for Subscriber {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        loop {
            if let Some(sample) = self.subscriber.receive()? {
                return Ok(look(sample.payload()));
            }
            match &self.listener {
                None => std::hint::spin_loop(),
                Some(listener) => {
                    listener.blocking_wait(|_| ())?;
                }
            }
        }
    }
}
