//! The demonstration.
use crate::context::Context;
use crate::failure::Outcome;

/// Shows everything alive on one screen.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {}

impl DemoArguments {
    pub(crate) fn run(self, _context: &Context) -> Outcome {
        Ok(())
    }
}
