//! Waiting for a predicate under a lock.

use std::time::Duration;

use bytes::Bytes;

use super::error::Result;
use super::lock::LockGuard;
use super::place::{Place, seconds};
use crate::protocol::operation::Operation;

/// A condition.
#[derive(Debug, Clone)]
pub struct Condition(pub(super) Place);

impl Condition {
    /// Gives the lock back, waits to be notified, and takes it again. Whether it was, in time.
    pub fn wait(&self, guard: &mut LockGuard, timeout: Option<Duration>) -> Result<bool> {
        let lease = guard.lease();
        let (id, number, timeout) = (self.0.id.clone(), lease.number(), seconds(timeout));
        let operation = Operation::ConditionWait { id, lease: number, timeout };
        let mut done = lease.ask(operation, Bytes::new())?;
        self.0.take(&mut done, "notified")
    }

    /// Wakes the `count` who wait longest, or all; how many there were.
    pub fn notify(&self, count: Option<u32>) -> Result<u32> {
        let mut done = self.0.ask(Operation::Notify { id: self.0.id.clone(), count })?;
        self.0.take(&mut done, "notified")
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}
