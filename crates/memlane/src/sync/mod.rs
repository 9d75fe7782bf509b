//! Locks, and what all waiting is made of.

pub mod waiter;

pub mod claim;
#[cfg(not(loom))]
pub mod lock;
pub mod version;
