//! Locks, and what all waiting is made of.

pub mod waiter;

pub mod claim;
pub mod share;
pub mod version;

#[cfg(not(loom))]
pub mod lock;
#[cfg(not(loom))]
pub mod rlock;
#[cfg(not(loom))]
pub mod rwlock;
pub mod sharing;

pub mod permits;
#[cfg(not(loom))]
pub mod semaphore;

#[cfg(not(loom))]
pub mod signal;
pub mod tokens;

#[cfg(not(loom))]
pub mod event;
pub mod flag;

#[cfg(not(loom))]
pub mod barrier;
pub mod meeting;

#[cfg(not(loom))]
pub mod condition;
pub mod tickets;
