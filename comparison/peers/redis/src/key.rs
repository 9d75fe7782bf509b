//! The newest message as the value of a key, asked for again and again.

use anyhow::{Result, ensure};
use harness::{Keeps, Passing, Receiver, Sender, Terms, Wait};
use redis::{Connection, cmd};

use crate::server::Server;

pub(crate) enum Key {}

impl Passing for Key {
    const NAME: &'static str = "key";
    const KEEPS: Keeps = Keeps::Newest;
    const IN_PLACE: bool = false;
    type Sender = Setter;
    type Receiver = Getter;

    fn sender(terms: &Terms, lane: &str) -> Result<Setter> {
        let server = Server::of(terms)?;
        Ok(Setter { connection: server.connect()?, key: lane.to_owned(), _server: server })
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Getter> {
        ensure!(terms.wait == Wait::Busy, "GET does not wait, and nobody sleeps until a key changes");
        let server = Server::of(terms)?;
        Ok(Getter {
            connection: server.connect()?,
            key: lane.to_owned(),
            newest: Vec::new(),
            _server: server,
        })
    }
}

pub(crate) struct Setter {
    connection: Connection,
    key: String,
    _server: Server,
}

impl Sender for Setter {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        Ok(cmd("SET").arg(&self.key).arg(message).query(&mut self.connection)?)
    }
}

pub(crate) struct Getter {
    connection: Connection,
    key: String,
    newest: Vec<u8>,
    _server: Server,
}

impl Receiver for Getter {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        loop {
            let value: Option<Vec<u8>> = cmd("GET").arg(&self.key).query(&mut self.connection)?;
            if let Some(value) = value.filter(|value| *value != self.newest) {
                self.newest = value;
                return Ok(look(&self.newest));
            }
        }
    }
}
