//! Messages that are copied into a queue and out of it under its mutex.

use anyhow::{Result, ensure};
use harness::{Keeps, Passing, Receiver, Sender, Terms, Wait};

use crate::shim::Queue;

pub(crate) enum MessageQueue {}

/// A thousand, and less of what is large: the memory for all is there from the beginning.
fn open(terms: &Terms, lane: &str) -> Result<Queue> {
    ensure!(
        terms.readers == 1,
        "a message of a message_queue goes to one receiver, not to {}",
        terms.readers
    );
    Queue::open(lane, ((32 << 20) / terms.size).clamp(2, 1024), terms.size)
}

impl Passing for MessageQueue {
    const NAME: &'static str = "message_queue";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = Entry;
    type Receiver = Exit;

    fn sender(terms: &Terms, lane: &str) -> Result<Entry> {
        Ok(Entry { queue: open(terms, lane)?, wait: terms.wait })
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Exit> {
        Ok(Exit { queue: open(terms, lane)?, place: vec![0; terms.size], wait: terms.wait })
    }
}

pub(crate) struct Entry {
    queue: Queue,
    wait: Wait,
}

impl Sender for Entry {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        if self.wait == Wait::Asleep {
            return self.queue.send(message);
        }
        while !self.queue.try_send(message)? {
            std::hint::spin_loop();
        }
        Ok(())
    }
}

pub(crate) struct Exit {
    queue: Queue,
    place: Vec<u8>,
    wait: Wait,
}

impl Receiver for Exit {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let size = match self.wait {
            Wait::Asleep => self.queue.receive(&mut self.place)?,
            Wait::Busy => loop {
                match self.queue.try_receive(&mut self.place)? {
                    0 => std::hint::spin_loop(),
                    size => break size,
                }
            },
        };
        Ok(look(&self.place[..size]))
    }
}
