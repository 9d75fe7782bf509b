//! Messages, each taken once.

use std::hint::spin_loop;

use anyhow::{Result, ensure};
use harness::{Keeps, Passing, Receiver, Sender, Terms, Wait};
use memlane::{Queue, QueueSpec};

use crate::{room, space};

pub(crate) enum Messages {}

impl Passing for Messages {
    const NAME: &'static str = "queue";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = true;
    type Sender = End;
    type Receiver = End;

    fn sender(terms: &Terms, lane: &str) -> Result<End> {
        End::open(terms, lane)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<End> {
        End::open(terms, lane)
    }
}

pub(crate) struct End {
    queue: Queue,
    size: usize,
    wait: Wait,
}

impl End {
    fn open(terms: &Terms, lane: &str) -> Result<Self> {
        ensure!(terms.readers == 1, "a message goes to one reader");
        let spec = QueueSpec::bytes(room(terms));
        Ok(Self { queue: Queue::open_or_create(space()?, lane, &spec)?, size: terms.size, wait: terms.wait })
    }
}

impl Sender for End {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        if self.wait == Wait::Asleep {
            return Ok(self.queue.put(message, None)?);
        }
        while !self.queue.try_put(message)? {
            spin_loop();
        }
        Ok(())
    }

    fn send_in_place(&mut self, write: impl FnOnce(&mut [u8])) -> Result<()> {
        let mut place = self.queue.reserve(self.size, None)?;
        write(&mut place);
        Ok(place.commit()?)
    }
}

impl Receiver for End {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let (mut look, mut result) = (Some(look), None);
        let mut take = |_, message: &[u8]| result = look.take().map(|look| look(message));
        match self.wait {
            Wait::Asleep => _ = self.queue.get_each(1, None, &mut take)?,
            Wait::Busy => {
                while self.queue.try_get_each(1, &mut take)? == 0 {
                    spin_loop();
                }
            }
        }
        Ok(result.expect("one was taken"))
    }
}
