//! `memlane watch ID`: each change of a region as it is seen.
//!
//! An observer cannot ask to be woken, so it looks 20 times a second unless told otherwise: changes in
//! between are counted by the version, not shown. `--json` prints one object a line: `time`, `id`, `version`,
//! `skipped` (changes not seen), `content` as of `get`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::context::Context;
use crate::failure::Outcome;
use crate::source::Seen;
use crate::{document, human};

/// Print each change of a region
///
/// Watching leaves no trace in the region and nobody waits for it. It looks again and again instead of being
/// woken; changes between two looks are counted as +N, not shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Watch {
    /// The region
    id: String,

    /// End after so many lines
    #[arg(long, value_name = "N")]
    count: Option<u64>,

    /// The time between two looks
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = human::parse_duration)]
    interval: Duration,
}

impl Watch {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let watched = context.source()?.watched(&self.id)?;
        let mut last: Option<Seen> = None;
        for _ in 0..self.count.unwrap_or(u64::MAX) {
            let seen = match &last {
                None => watched.see()?,
                Some(last) => watched.see_next(last, self.interval)?,
            };
            print_change(context, last.as_ref(), &seen)?;
            last = Some(seen);
        }
        Ok(())
    }
}

fn print_change(context: &Context, last: Option<&Seen>, Seen { id, sight, .. }: &Seen) -> Outcome {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = human::rfc3339(now.as_nanos() as u64);
    let version = sight.version();
    let skipped = last.map_or(0, |last| version.saturating_sub(last.sight.version() + 1));
    if context.json() {
        let more = json!({"time": time, "skipped": skipped});
        return context.print(document::merged(sight.document(id)?, more));
    }
    let skipped = if skipped > 0 { format!("+{skipped}") } else { String::new() };
    let time_of_day = time.split_once('T').map_or(time.as_str(), |(_, time)| time);
    context.print(human::printable(&format!("{time_of_day}  {version:>8} {skipped:<5}  {}", sight.line())))
}
