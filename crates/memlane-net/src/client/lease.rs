//! What the session holds, by the host's number: given back when it is dropped.

use bytes::Bytes;

use super::error::Result;
use super::handle::Client;
use super::link::Done;
use crate::protocol::operation::Operation;

#[derive(Debug)]
pub(super) struct Lease {
    client: Client,
    number: u64,
    session: u64,
    is_over: bool,
}

impl Lease {
    pub(super) fn new(client: Client, number: u64, session: u64) -> Self {
        Self { client, number, session, is_over: false }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.number, self.session) == (other.number, other.session)
    }

    /// Somebody else has it.
    pub(super) fn forget(mut self) {
        self.is_over = true;
    }

    /// Asks something of what is held; nothing of another session with the same number.
    pub(super) fn ask(&self, operation: Operation, payload: Bytes) -> Result<Done> {
        self.client.link().ask(operation, payload, Some(self.session))
    }

    /// Asks what ends it, and waits until it has.
    pub(super) fn end(mut self, operation: Operation) -> Result<()> {
        self.is_over = true;
        self.ask(operation, Bytes::new()).map(drop)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_over {
            let link = self.client.link();
            link.lock().release(self.number, self.session, link);
        }
    }
}
