//! `memlane put ID [MESSAGE]`: puts messages into a queue.
//!
//! Without a message the standard input is one, or with `--lines` each line of it. `--json` prints `id` and `put`.

use std::io::{self, BufRead, Read};
use std::time::{Duration, Instant};

use memlane::Tag;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use crate::source::Source;

/// Put messages into a queue
#[derive(Debug, clap::Args)]
pub(crate) struct Put {
    /// The queue
    id: String,

    /// The message; without it the standard input is read
    #[arg(allow_hyphen_values = true)]
    message: Option<String>,

    /// Each line of the standard input is a message
    #[arg(long, conflicts_with = "message")]
    lines: bool,

    /// What the bytes are said to be
    #[arg(long, value_enum, default_value_t = Kind::Utf8)]
    tag: Kind,

    /// How long to wait for room; for ever unless said
    #[arg(long, value_name = "TIME", value_parser = human::parse_duration)]
    timeout: Option<Duration>,

    /// Close the queue after that: what is in it can be taken still, and nothing put any more
    #[arg(long)]
    close: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Bytes,
    #[value(name = "utf-8", alias = "utf8")]
    Utf8,
    Json,
    Pickle,
}

impl Put {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let source = context.source_of(&self.id)?;
        // Before the standard input is read for nothing.
        source.peek(&self.id, 0)?;
        let put = self.put(source)?;
        if self.close {
            source.close(&self.id)?;
        }
        if context.json() {
            return context.print(json!({"id": self.id, "put": put}));
        }
        Ok(())
    }

    fn put(&self, source: &Source) -> Outcome<u64> {
        let end = self.timeout.map(|timeout| Instant::now() + timeout);
        let put = |bytes: &[u8]| {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            source.put(&self.id, self.tag.into(), bytes, left)
        };
        let unreadable = |error: io::Error| {
            Failure::new(Exit::Failure, format!("the standard input cannot be read: {error}"))
        };
        if let Some(message) = &self.message {
            put(message.as_bytes())?;
            return Ok(1);
        }
        let mut count = 0;
        if self.lines {
            for line in io::stdin().lock().split(b'\n') {
                put(&line.map_err(unreadable)?)?;
                count += 1;
            }
            return Ok(count);
        }
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map_err(unreadable)?;
        // A queue is closed without a message by an empty input.
        if bytes.is_empty() && self.close {
            return Ok(0);
        }
        put(&bytes)?;
        Ok(1)
    }
}

impl From<Kind> for Tag {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Bytes => Self::Bytes,
            Kind::Utf8 => Self::Utf8,
            Kind::Json => Self::Json,
            Kind::Pickle => Self::Pickle,
        }
    }
}
