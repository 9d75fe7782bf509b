//! `memlane stream append|tail ID`.
//!
//! `tail --json` prints one object a line: `sequence`, `record`; and `lost` where records were overwritten before they
//! were seen.

use std::io::{self, BufRead};
use std::thread;
use std::time::Duration;

use memlane::Kind;
use memlane::schema::{Datum, Schema};
use serde_json::json;

use crate::context::Context;
use crate::datum_json::unfit;
use crate::failure::{Exit, Failure, Outcome, unreadable_text};
use crate::source::Source;
use crate::{datum_json, human, sight};

/// Records that are copied at once.
const AT_ONCE: u64 = 4096;

/// Append records to a stream, or see the newest
#[derive(Debug, clap::Subcommand)]
pub(crate) enum StreamCommand {
    /// Append records; waits for readers where the stream is lossless
    Append {
        /// The stream
        id: String,
        /// Each a record: a number, or JSON as its schema says; without any, each line of the standard input
        #[arg(allow_hyphen_values = true)]
        records: Vec<String>,
        /// How long to wait for readers of a lossless stream, or for another publisher to end
        #[arg(long, value_name = "TIME", value_parser = human::parse_duration)]
        timeout: Option<Duration>,
    },
    /// Print the newest records
    ///
    /// Watching leaves no trace in the stream, and no publisher waits for it.
    Tail {
        /// The stream
        id: String,
        /// How many of those that are there; ten unless said
        #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
        count: u64,
        /// All that are there from this number on
        #[arg(long, value_name = "SEQUENCE", conflicts_with = "count")]
        since: Option<u64>,
        /// Go on with those to come
        #[arg(short, long)]
        follow: bool,
        /// The time between two looks
        #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = human::parse_duration)]
        interval: Duration,
    },
}

impl StreamCommand {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        match self {
            Self::Append { id, records, timeout } => append(context, id, records, *timeout),
            Self::Tail { id, count, since, follow, interval } => {
                let source = context.source()?;
                let (schema, published) = stream(source, id)?;
                let first = since.unwrap_or_else(|| published.saturating_sub(*count));
                tail(context, source, id, &schema, first, follow.then_some(*interval))
            }
        }
    }
}

/// A stream's schema, and how many records were published.
fn stream(source: &Source, id: &str) -> Outcome<(Schema, u64)> {
    let seen = source.see(id)?;
    let published = seen.sight.json(id)?["published"].as_u64();
    match (seen.kind, seen.schema, published) {
        (Kind::Stream, Some(schema), Some(published)) => Ok((schema, published)),
        (kind, ..) => {
            let message = format!("region `{id}` is a {kind}, and no {}", Kind::Stream);
            Err(Failure::new(Exit::Mismatch, message))
        }
    }
}

fn append(context: &Context, id: &str, records: &[String], timeout: Option<Duration>) -> Outcome {
    let source = context.source_of(id)?;
    // Before somebody becomes the publisher of something else.
    let (schema, _) = stream(source, id)?;
    let mut appender = source.appender(id, timeout)?;
    let mut last = None;
    let mut append = |text: &str| -> Outcome {
        let record = datum_json::from_text(text, schema.dtype(), schema.shape()).map_err(unfit(id))?;
        last = Some(appender(&schema.encode(&record).map_err(unfit(id))?)?);
        Ok(())
    };
    if records.is_empty() {
        for line in io::stdin().lock().lines() {
            append(&line.map_err(|error| unreadable_text(&error))?)?;
        }
    }
    records.iter().try_for_each(|record| append(record))?;
    if context.json() { context.print(json!({"id": id, "sequence": last})) } else { Ok(()) }
}

/// Prints the records from `next` on; for ever, looking that often, if an interval is given.
fn tail(
    context: &Context,
    source: &Source,
    id: &str,
    schema: &Schema,
    mut next: u64,
    interval: Option<Duration>,
) -> Outcome {
    let records = source.records(id)?;
    loop {
        let (first, lost, bytes) = records.from(next, AT_ONCE)?;
        if lost > 0 {
            print_lost(context, lost)?;
        }
        let mut count = 0;
        for (sequence, record) in (first..).zip(bytes.chunks_exact(schema.size())) {
            print_record(context, sequence, &schema.decode(record).map_err(unfit(id))?)?;
            count += 1;
        }
        next = first + count;
        match interval {
            _ if count == AT_ONCE => {}
            None => return Ok(()),
            Some(interval) => {
                records.refuse_removed()?;
                thread::sleep(interval);
            }
        }
    }
}

fn print_lost(context: &Context, lost: u64) -> Outcome {
    if context.json() {
        return context.print(json!({"lost": lost}));
    }
    context.say(format_args!("{} lost", human::count(lost as usize, "record")));
    Ok(())
}

fn print_record(context: &Context, sequence: u64, record: &Datum) -> Outcome {
    if context.json() {
        return context.print(json!({"sequence": sequence, "record": datum_json::to_json(record)}));
    }
    context.print(human::printable(&format!("{sequence:>8}  {}", sight::datum_text(record))))
}
