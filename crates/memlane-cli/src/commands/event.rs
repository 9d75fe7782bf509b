//! `memlane event set|clear|wait ID`.

use std::time::Duration;

use memlane::Event;
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
        let event = Event::open(context.existing_space()?, id)?;
        match self {
            Self::Set { .. } => event.set(),
            Self::Clear { .. } => _ = event.clear(),
            Self::Wait { timeout, .. } => event.wait(*timeout)?,
        }
        if context.json() {
            return context.print(json!({"id": id, "set": event.is_set()}));
        }
        Ok(())
    }
}
