//! `memlane watch ID`: each change of a region as it is seen.
//!
//! An observer cannot ask to be woken, so it looks 20 times a second unless told otherwise: changes in
//! between are counted by the version, not shown. `--json` prints one object a line: `time`, `id`, `version`,
//! `skipped` (changes not seen), `content` as of `get`.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memlane::{Error, Kind, Observer};
use serde_json::json;

use crate::context::Context;
use crate::failure::Outcome;
use crate::rate::refuse_removed;
use crate::sight::Sight;
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
        let observer = Observer::open(context.existing_space()?, &self.id)?;
        let mut seen: Option<Sight> = None;
        let mut printed = 0;
        while self.count.is_none_or(|count| printed < count) {
            if let Some(sight) = look(&observer, seen.as_ref())? {
                print_change(context, &observer, seen.as_ref(), &sight)?;
                seen = Some(sight);
                printed += 1;
            } else {
                refuse_removed(&observer)?;
                thread::sleep(self.interval);
            }
        }
        Ok(())
    }
}

/// What there is to see, if it is something new.
fn look(observer: &Observer, seen: Option<&Sight>) -> Outcome<Option<Sight>> {
    let may_differ = |seen: &Sight| observer.version() != seen.version() || !has_true_version(observer);
    if !seen.is_none_or(may_differ) {
        return Ok(None);
    }
    match Sight::of(observer) {
        // It changes too fast this time; the next look may be luckier.
        Err(Error::Busy { .. }) => Ok(None),
        other => Ok(Some(other?).filter(|sight| !seen.is_some_and(|seen| sight.is_same(seen)))),
    }
}

/// The version of a value is a hint that may lag behind it, and most kinds that synchronise have none.
fn has_true_version(observer: &Observer) -> bool {
    use Kind::{Array, Event, Frames, Record, Stream, Text};
    matches!(observer.description().kind, Record | Array | Text | Event | Frames | Stream)
}

fn print_change(context: &Context, observer: &Observer, seen: Option<&Sight>, sight: &Sight) -> Outcome {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = human::rfc3339(now.as_nanos() as u64);
    let version = sight.version();
    let skipped = seen.map_or(0, |seen| version.saturating_sub(seen.version() + 1));
    if context.json() {
        let more = json!({"time": time, "skipped": skipped});
        return context.print(document::merged(sight.document(observer.id())?, more));
    }
    let skipped = if skipped > 0 { format!("+{skipped}") } else { String::new() };
    let time_of_day = time.split_once('T').map_or(time.as_str(), |(_, time)| time);
    context.print(human::printable(&format!("{time_of_day}  {version:>8} {skipped:<5}  {}", sight.line())))
}
