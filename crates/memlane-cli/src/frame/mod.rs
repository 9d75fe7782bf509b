//! Foreign frames.
use crate::context::Context;
use crate::failure::Outcome;

/// Sends and receives pictures through a memory-mapped file.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum FrameCommand {}

impl FrameCommand {
    pub(crate) fn run(self, _context: &Context) -> Outcome {
        match self {}
    }
}
