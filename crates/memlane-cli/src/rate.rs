//! How often a region changes: its change counter at both ends of a window of time.
//!
//! The counter of a value is a hint that each change raises by one; those of records and texts are exact, and
//! frames, records and messages are numbered. Nothing is sampled in between, so a rate costs nothing and misses
//! nothing.

use std::thread;
use std::time::{Duration, Instant};

use memlane::Observer;
use memlane_net::view::sight::counts_changes;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use crate::source::Seen;

/// What to measure, and how often.
#[derive(Debug, clap::Args)]
pub(crate) struct Measurement {
    /// The region
    id: String,

    /// The time that one figure is measured over
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = human::parse_duration)]
    window: Duration,

    /// End after so many figures
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

/// Changes within a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) changes: u64,
    pub(crate) elapsed: Duration,
    /// Bytes that the newest content has.
    pub(crate) size: u64,
}

impl Measurement {
    /// Reports each window in turn, until the count is reached or the region removed.
    pub(crate) fn run(&self, context: &Context, report: impl Fn(&str, Rate) -> Outcome) -> Outcome {
        let source = context.source()?;
        let Seen { kind, schema, .. } = source.see(&self.id)?;
        if !counts_changes(kind, schema.as_ref()) {
            let message = format!("region `{}` is a {kind}, whose changes are not counted", self.id);
            return Err(Failure::new(Exit::Mismatch, message));
        }
        let counter = source.watched(&self.id)?;
        let mut before = (counter.count()?.0, Instant::now());
        for _ in 0..self.count.unwrap_or(u64::MAX) {
            thread::sleep(self.window);
            let ((count, size), now) = (counter.count()?, Instant::now());
            let (changes, elapsed) = (count.saturating_sub(before.0), now - before.1);
            report(&self.id, Rate { changes, elapsed, size })?;
            counter.refuse_removed()?;
            before = (count, now);
        }
        Ok(())
    }
}

impl Rate {
    pub(crate) fn per_second(self, amount: u64) -> f64 {
        amount as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// A region without a name changes no more for whoever comes next: watching it is at its end.
pub(crate) fn refuse_removed(observer: &Observer) -> Outcome {
    if observer.unlinked() {
        let id = observer.id();
        return Err(Failure::new(
            Exit::NotFound,
            format!("region `{id}` was removed; nothing new will be seen of it"),
        ));
    }
    Ok(())
}
