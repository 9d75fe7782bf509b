//! A flag to wait for.

use std::time::Duration;

use super::error::Result;
use super::place::{Place, seconds};
use crate::protocol::operation::Operation;

/// An event.
#[derive(Debug, Clone)]
pub struct Event(pub(super) Place);

impl Event {
    /// Sets it.
    pub fn set(&self) -> Result<()> {
        self.0.ask(Operation::Set { id: self.0.id.clone() }).map(drop)
    }

    /// Clears it; whether it was set.
    pub fn clear(&self) -> Result<bool> {
        let mut done = self.0.ask(Operation::Clear { id: self.0.id.clone() })?;
        self.0.take(&mut done, "was")
    }

    /// Waits until it is set; of one that resets itself, takes that.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        let timeout = seconds(timeout);
        self.0.ask(Operation::Await { id: self.0.id.clone(), timeout }).map(drop)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}
