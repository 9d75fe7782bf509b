//! What a thread sleeps on until another one has something for it.
//!
//! A condition variable asks the system to wake somebody also when nobody sleeps, and nobody does where the thread that
//! wants an answer reads it itself.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, MutexGuard, PoisonError};
use std::time::Duration;

/// Slept on and rung under the same mutex, which is why the count is exact.
#[derive(Debug, Default)]
pub(super) struct Bell {
    condvar: Condvar,
    sleepers: AtomicUsize,
}

impl Bell {
    /// Sleeps until it rings, or for as long as that.
    pub(super) fn sleep<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        slice: Option<Duration>,
    ) -> MutexGuard<'a, T> {
        self.sleepers.fetch_add(1, Relaxed);
        let guard = match slice {
            None => self.condvar.wait(guard).unwrap_or_else(PoisonError::into_inner),
            Some(slice) => self.condvar.wait_timeout(guard, slice).unwrap_or_else(PoisonError::into_inner).0,
        };
        self.sleepers.fetch_sub(1, Relaxed);
        guard
    }

    /// Wakes all who sleep.
    pub(super) fn ring(&self) {
        if self.sleepers.load(Relaxed) > 0 {
            self.condvar.notify_all();
        }
    }
}
