//! `memlane stream append|tail ID`.
//!
//! `tail --json` prints one object a line: `sequence`, `record`; and `lost` where records were overwritten before they
//! were seen.

use std::io::{self, BufRead};
use std::thread;
use std::time::Duration;

use memlane::schema::{Datum, Schema};
use memlane::{Kind, Observer, StreamPublisher};
use serde_json::json;

use crate::context::Context;
use crate::datum_json::unfit;
use crate::failure::{Exit, Failure, Outcome, unreadable_text};
use crate::rate::refuse_removed;
use crate::{datum_json, human, sight, standing};

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
                let observer = Observer::open(context.existing_space()?, id)?;
                let published = observer.stream()?.published;
                let first = since.unwrap_or_else(|| published.saturating_sub(*count));
                tail(context, &observer, first, follow.then_some(*interval))
            }
        }
    }
}

fn append(context: &Context, id: &str, records: &[String], timeout: Option<Duration>) -> Outcome {
    let space = context.existing_space()?;
    let observer = Observer::open(space, id)?;
    // Before somebody becomes the publisher of something else.
    observer.stream()?;
    let mut publisher = StreamPublisher::open(space, id)?.patience(timeout);
    let schema = publisher.schema().clone();
    let mut last = None;
    let mut append = |text: &str| -> Outcome {
        let record = parse(id, &schema, text)?;
        last = Some(publisher.append_datum(&record)?);
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

fn parse(id: &str, schema: &Schema, text: &str) -> Outcome<Datum> {
    Ok(datum_json::from_text(text, schema.dtype(), schema.shape()).map_err(unfit(id))?)
}

/// Prints the records from `next` on; for ever, looking that often, if an interval is given.
fn tail(context: &Context, observer: &Observer, mut next: u64, interval: Option<Duration>) -> Outcome {
    let Some(schema) = &observer.description().schema else {
        let id = observer.id();
        return Err(Failure::new(Exit::Mismatch, format!("region `{id}` is no {}", Kind::Stream)));
    };
    loop {
        let records = observer.records(next, AT_ONCE)?;
        if records.lost > 0 {
            print_lost(context, records.lost)?;
        }
        for (sequence, record) in standing::decode_all(schema, &records) {
            print_record(context, sequence, &record)?;
        }
        next = records.first + records.len() as u64;
        match interval {
            _ if records.len() as u64 == AT_ONCE => {}
            None => return Ok(()),
            Some(interval) => {
                refuse_removed(observer)?;
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
