//! Channels: contents that follow each other.

pub mod frames;
