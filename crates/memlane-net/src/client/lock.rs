//! Mutual exclusion with everybody who uses the host's space, there and elsewhere.

use std::time::Duration;

use super::error::Result;
use super::lease::Lease;
use super::place::{Place, seconds};
use crate::protocol::operation::{Mode, Operation};

/// A lock or an rlock, or any region's own lock.
#[derive(Debug, Clone)]
pub struct Lock(pub(super) Place);

/// Holds the lock until it is dropped, or until the session is away for longer than the host's grace time: then the
/// next one gets it as from a dead owner.
#[derive(Debug)]
#[must_use = "a lock is given back when its guard is dropped"]
pub struct LockGuard {
    lease: Lease,
    owner_died: bool,
    inconsistent: bool,
}

impl Lock {
    /// Waits for it and takes it.
    pub fn lock(&self, timeout: Option<Duration>) -> Result<LockGuard> {
        LockGuard::take(&self.0, Mode::Exclusive, timeout)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}

impl LockGuard {
    pub(super) fn take(place: &Place, mode: Mode, timeout: Option<Duration>) -> Result<Self> {
        let timeout = seconds(timeout);
        let mut done = place.ask(Operation::Lock { id: place.id.clone(), mode, timeout })?;
        let lease = place.lease(&mut done)?;
        let (owner_died, inconsistent) =
            (done.fields.remove("owner_died"), done.fields.remove("inconsistent"));
        let is = |field: Option<serde_json::Value>| field.and_then(|field| field.as_bool()).unwrap_or(false);
        Ok(Self { lease, owner_died: is(owner_died), inconsistent: is(inconsistent) })
    }

    /// Whether who held it before died with it: the data may be half-changed.
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// Whether nobody has made the data consistent since.
    pub fn is_inconsistent(&self) -> bool {
        self.inconsistent
    }

    /// Says that the data is right again.
    pub fn make_consistent(&mut self) -> Result<()> {
        let operation = Operation::MakeConsistent { lease: self.lease.number() };
        self.lease.ask(operation, bytes::Bytes::new())?;
        self.inconsistent = false;
        Ok(())
    }

    /// Gives it back, and waits until it is. Dropped, it is given back too, without waiting and without an error.
    pub fn release(self) -> Result<()> {
        let lease = self.lease.number();
        self.lease.end(Operation::Release { lease })
    }

    /// Gives it back and tells the next owner that the data may be half-changed.
    pub fn abandon(self) -> Result<()> {
        let lease = self.lease.number();
        self.lease.end(Operation::Abandon { lease })
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }
}
