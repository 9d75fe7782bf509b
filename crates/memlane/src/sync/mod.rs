//! Locks, and what all waiting is made of.

pub mod waiter;

pub mod claim;
pub mod version;

#[cfg(not(loom))]
pub mod lock;
#[cfg(not(loom))]
pub mod rlock;
#[cfg(not(loom))]
pub mod rwlock;

#[cfg(not(loom))]
pub mod event;
#[cfg(not(loom))]
pub mod semaphore;
#[cfg(not(loom))]
pub mod signal;

#[cfg(not(loom))]
pub mod barrier;
#[cfg(not(loom))]
pub mod condition;
