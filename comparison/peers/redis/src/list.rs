//! Messages as the elements of a list, pushed at one end and popped at the other one.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{Keeps, Passing, Receiver, Sender, Terms, Wait};
use redis::{Connection, cmd};

use crate::server::Server;

pub(crate) enum List {}

impl Passing for List {
    const NAME: &'static str = "list";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = Pusher;
    type Receiver = Popper;

    fn sender(terms: &Terms, lane: &str) -> Result<Pusher> {
        let server = Server::of(terms)?;
        let most = ((32 << 20) / terms.size).clamp(2, 1024);
        Ok(Pusher { connection: server.connect()?, key: lane.to_owned(), most, _server: server })
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Popper> {
        ensure!(terms.readers == 1, "an element of a list goes to one receiver, not to {}", terms.readers);
        let server = Server::of(terms)?;
        Ok(Popper { connection: server.connect()?, key: lane.to_owned(), wait: terms.wait, _server: server })
    }
}

pub(crate) struct Pusher {
    connection: Connection,
    key: String,
    most: usize,
    _server: Server,
}

impl Sender for Pusher {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        let mut length: usize = cmd("LPUSH").arg(&self.key).arg(message).query(&mut self.connection)?;
        // A list grows as long as there is memory: who pushes looks to it that it does not.
        while length > self.most {
            sleep(Duration::from_micros(100));
            length = cmd("LLEN").arg(&self.key).query(&mut self.connection)?;
        }
        Ok(())
    }
}

pub(crate) struct Popper {
    connection: Connection,
    key: String,
    wait: Wait,
    _server: Server,
}

impl Receiver for Popper {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        if self.wait == Wait::Asleep {
            let (_, message): (String, Vec<u8>) =
                cmd("BRPOP").arg(&self.key).arg(0).query(&mut self.connection)?;
            return Ok(look(&message));
        }
        loop {
            let message: Option<Vec<u8>> = cmd("RPOP").arg(&self.key).query(&mut self.connection)?;
            if let Some(message) = message {
                return Ok(look(&message));
            }
        }
    }
}
