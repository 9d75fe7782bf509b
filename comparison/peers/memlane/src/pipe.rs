//! Messages from one end to the other.

use std::hint::spin_loop;

use anyhow::{Result, ensure};
use harness::{Keeps, Passing, Receiver, Sender, Terms, Wait};
use memlane::{PipeEnd, PipeSpec, Side};

use crate::{room, space};

pub(crate) enum Pipe {}

impl Passing for Pipe {
    const NAME: &'static str = "pipe";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = End;
    type Receiver = End;

    fn sender(terms: &Terms, lane: &str) -> Result<End> {
        End::open(terms, lane, Side::Left)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<End> {
        End::open(terms, lane, Side::Right)
    }
}

pub(crate) struct End {
    pipe: PipeEnd,
    wait: Wait,
    message: Vec<u8>,
}

impl End {
    fn open(terms: &Terms, lane: &str, side: Side) -> Result<Self> {
        ensure!(terms.readers == 1, "a pipe has one reader");
        let pipe = PipeEnd::open_or_create(space()?, lane, &PipeSpec::one_way(room(terms)), side)?;
        Ok(Self { pipe, wait: terms.wait, message: Vec::new() })
    }
}

impl Sender for End {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        if self.wait == Wait::Asleep {
            return Ok(self.pipe.send(message, None)?);
        }
        while !self.pipe.try_send(message)? {
            spin_loop();
        }
        Ok(())
    }
}

impl Receiver for End {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        if self.wait == Wait::Asleep {
            self.pipe.recv_into(&mut self.message, None)?;
            return Ok(look(&self.message));
        }
        loop {
            if let Some(message) = self.pipe.try_recv()? {
                return Ok(look(&message.bytes));
            }
            spin_loop();
        }
    }
}
