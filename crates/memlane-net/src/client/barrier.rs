//! A meeting of a number of parties.

use std::time::Duration;

use super::error::Result;
use super::place::{Place, seconds};
use crate::protocol::operation::Operation;

/// A barrier.
#[derive(Debug, Clone)]
pub struct Barrier(pub(super) Place);

impl Barrier {
    /// Waits for the other parties; one's index among them. A timeout that passes breaks it for all.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<u32> {
        let timeout = seconds(timeout);
        let mut done = self.0.ask(Operation::Meet { id: self.0.id.clone(), timeout })?;
        self.0.take(&mut done, "index")
    }

    /// Breaks it.
    pub fn abort(&self) -> Result<()> {
        self.0.ask(Operation::Abort { id: self.0.id.clone() }).map(drop)
    }

    /// Makes it as new.
    pub fn reset(&self) -> Result<()> {
        self.0.ask(Operation::Reset { id: self.0.id.clone() }).map(drop)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}
