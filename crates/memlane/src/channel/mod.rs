//! Channels: contents that follow each other.

#[cfg(not(loom))]
pub(crate) mod ring;
#[cfg(not(loom))]
pub(crate) mod role;
#[cfg(not(loom))]
pub(crate) mod spin;
#[cfg(not(loom))]
pub mod tag;

pub mod frames;
pub mod pipe;
pub mod queue;
pub mod stream;
