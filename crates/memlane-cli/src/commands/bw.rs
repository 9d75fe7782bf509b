//! `memlane bw ID`: how many bytes a region's changes have, a second.
//!
//! Changes are counted exactly and taken to be as large as the newest content. `--json` prints one object a
//! line: `id`, `bytes_per_second`, `changes`, `size` (of the newest content), `seconds`.

use serde_json::json;

use crate::context::Context;
use crate::document;
use crate::failure::Outcome;
use crate::human;
use crate::rate::{Measurement, Rate};

/// Measure how many bytes a second a region's changes have; 0 B/s when it stalls
#[derive(Debug, clap::Args)]
pub(crate) struct Bandwidth {
    #[command(flatten)]
    measurement: Measurement,
}

impl Bandwidth {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        self.measurement.run(context, |id, rate| report(context, id, rate))
    }
}

fn report(context: &Context, id: &str, rate: Rate) -> Outcome {
    let Rate { changes, size, elapsed } = rate;
    let bytes_per_second = rate.per_second(changes.saturating_mul(size));
    if context.json() {
        let seconds = document::seconds(elapsed);
        return context.print(json!({
            "id": id,
            "bytes_per_second": bytes_per_second,
            "changes": changes,
            "size": size,
            "seconds": seconds,
        }));
    }
    let bandwidth = format!("{}/s", human::bytes(bytes_per_second as u64));
    let (size, elapsed) = (human::bytes(size), human::duration(elapsed));
    context.print(format_args!("{bandwidth:>14}   {changes} × {size} in {elapsed}"))
}
