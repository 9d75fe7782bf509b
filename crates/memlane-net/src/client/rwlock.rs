//! Many readers or one writer.

use std::time::Duration;

use super::error::Result;
use super::lock::LockGuard;
use super::place::Place;
use crate::protocol::operation::Mode;

/// An rwlock.
#[derive(Debug, Clone)]
pub struct RwLock(pub(super) Place);

/// Holds it, for reading or for writing, until it is dropped.
pub type RwLockGuard = LockGuard;

impl RwLock {
    /// Waits for it and takes it, with other readers.
    pub fn read(&self, timeout: Option<Duration>) -> Result<RwLockGuard> {
        LockGuard::take(&self.0, Mode::Shared, timeout)
    }

    /// Waits for it and takes it alone.
    pub fn write(&self, timeout: Option<Duration>) -> Result<RwLockGuard> {
        LockGuard::take(&self.0, Mode::Exclusive, timeout)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}
