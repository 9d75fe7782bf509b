//! A number of permits, or of signals.

use std::time::Duration;

use super::error::Result;
use super::lease::Lease;
use super::place::{Place, seconds};
use crate::protocol::operation::Operation;

/// A semaphore.
#[derive(Debug, Clone)]
pub struct Semaphore(pub(super) Place);

/// Holds permits until it is dropped; of a semaphore of signals, nothing.
#[derive(Debug)]
#[must_use = "permits are given back when this is dropped"]
pub struct Permits {
    lease: Option<Lease>,
}

impl Semaphore {
    /// Waits for `count` permits and takes them; of a semaphore of signals, that many signals.
    pub fn acquire(&self, count: u32, timeout: Option<Duration>) -> Result<Permits> {
        let timeout = seconds(timeout);
        let mut done = self.0.ask(Operation::Acquire { id: self.0.id.clone(), count, timeout })?;
        let is_held = done.fields.get("lease").is_some_and(|lease| !lease.is_null());
        let lease = is_held.then(|| self.0.lease(&mut done)).transpose()?;
        Ok(Permits { lease })
    }

    /// Raises a semaphore of signals.
    pub fn raise(&self, count: u32) -> Result<()> {
        self.0.ask(Operation::Raise { id: self.0.id.clone(), count }).map(drop)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}

impl Permits {
    /// Gives them back, and waits until they are.
    pub fn release(self) -> Result<()> {
        self.lease.map_or(Ok(()), |lease| {
            let number = lease.number();
            lease.end(Operation::Release { lease: number })
        })
    }
}
