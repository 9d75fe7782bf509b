//! `memlane event set|clear|wait ID`.

use std::time::Duration;

use serde_json::json;

use crate::context::Context;
use crate::failure::Outcome;
use crate::human;

/// Set an event, clear it, or wait until it is set
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EventCommand {
    /// Set it: everybody who waits goes on, or one where it is auto-reset
    Set {
        /// The event
        id: String,
    },
    /// Clear it
    Clear {
        /// The event
        id: String,
    },
    /// Wait until it is set; the exit code is 6 when time was up
    Wait {
        /// The event
        id: String,
        /// How long; for ever unless said
        #[arg(long, value_name = "TIME", value_parser = human::parse_duration)]
        timeout: Option<Duration>,
    },
}

impl EventCommand {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let (Self::Set { id } | Self::Clear { id } | Self::Wait { id, .. }) = self;
        let source = context.source_of(id)?;
        match self {
            Self::Set { .. } => source.set_event(id)?,
            Self::Clear { .. } => source.clear_event(id)?,
            Self::Wait { timeout, .. } => source.wait_for_event(id, *timeout)?,
        }
        if context.json() {
            let set = source.see(id)?.sight.json(id)?["set"].take();
            return context.print(json!({"id": id, "set": set}));
        }
        Ok(())
    }
}
