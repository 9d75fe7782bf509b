//! Messages of streams of bytes.

use std::hint::spin_loop;
use std::io::{ErrorKind, Read, Write};

use anyhow::Result;

use crate::{Receiver, Sender};

/// Sends messages into what knows only bytes that follow each other, such as a socket.
pub struct Outgoing<S>(pub S);

impl<S: Write + 'static> Sender for Outgoing<S> {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        Ok(self.0.write_all(message)?)
    }
}

/// Receives messages out of bytes that follow each other; when whoever sent them is gone, those of the next one.
pub struct Incoming<S> {
    source: S,
    next: Box<dyn FnMut() -> Result<S>>,
    message: Vec<u8>,
}

impl<S: Read + 'static> Incoming<S> {
    /// Messages of so many bytes from whoever comes first; `next` waits for one.
    pub fn open(size: usize, mut next: impl FnMut() -> Result<S> + 'static) -> Result<Self> {
        Ok(Self { source: next()?, next: Box::new(next), message: vec![0; size] })
    }

    /// Says whether there was a whole one: there is none when the sender is gone.
    fn read(&mut self) -> Result<bool> {
        let mut filled = 0;
        while filled < self.message.len() {
            match self.source.read(&mut self.message[filled..]) {
                Ok(0) => return Ok(false),
                Ok(read) => filled += read,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => spin_loop(),
                    ErrorKind::Interrupted => (),
                    ErrorKind::ConnectionReset => return Ok(false),
                    _ => return Err(error.into()),
                },
            }
        }
        Ok(true)
    }
}

impl<S: Read + 'static> Receiver for Incoming<S> {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        while !self.read()? {
            self.source = (self.next)()?;
        }
        Ok(look(&self.message))
    }
}
