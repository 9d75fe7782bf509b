//! Channels: contents that follow each other.

pub mod frames;
pub mod pipe;
pub mod queue;
pub mod stream;
