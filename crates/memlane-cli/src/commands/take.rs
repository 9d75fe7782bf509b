//! `memlane take ID`: takes messages out of a queue.
//!
//! Text is printed as a line, other bytes as what they are said to be and how many; `--raw` writes the bytes as they
//! are. Where messages are acknowledged, one is when it was written. `--json` prints a message document (module
//! `document`) a line.

use std::time::Duration;

use memlane::queue::Message;

use crate::context::Context;
use crate::failure::Outcome;
use crate::source::Taken;
use crate::{human, standing};

/// Take messages out of a queue
#[derive(Debug, clap::Args)]
pub(crate) struct Take {
    /// The queue
    id: String,

    /// How many; one unless said
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, conflicts_with = "follow")]
    count: u64,

    /// Go on until the queue is closed and empty
    #[arg(short, long)]
    follow: bool,

    /// How long to wait for a message; for ever unless said
    #[arg(long, value_name = "TIME", value_parser = human::parse_duration)]
    timeout: Option<Duration>,

    /// Leave the messages where they are
    #[arg(long, conflicts_with_all = ["follow", "timeout"])]
    peek: bool,

    /// Write the bytes as they are, one message after the other
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

impl Take {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let source = context.source_of(&self.id)?;
        if self.peek {
            let messages = source.peek(&self.id, self.count)?;
            return messages.iter().try_for_each(|message| self.print(context, message));
        }
        let count = if self.follow { u64::MAX } else { self.count };
        for _ in 0..count {
            // It is acknowledged when it is printed: a command that is stopped before has not done its work.
            match source.take(&self.id, self.timeout, |message| self.print(context, message)) {
                Err(Taken::Ended(_)) if self.follow => return Ok(()),
                Err(Taken::Ended(failure) | Taken::Failed(failure)) => return Err(failure),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn print(&self, context: &Context, message: &Message) -> Outcome {
        if context.json() {
            return context.print(standing::message_json(message));
        }
        if self.raw {
            return context.write(&message.bytes);
        }
        match standing::text_of(message) {
            Some(text) => context.print(text.strip_suffix('\n').unwrap_or(text)),
            None => context.print(standing::message_line(message)),
        }
    }
}
