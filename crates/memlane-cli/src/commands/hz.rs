//! `memlane hz ID`: how often a region changes, a second.
//!
//! `--json` prints one object a line: `id`, `hz`, `changes`, `seconds`.

use serde_json::json;

use crate::context::Context;
use crate::document;
use crate::failure::Outcome;
use crate::human;
use crate::rate::{Measurement, Rate};

/// Measure how often a region changes; 0.00 when it stalls
#[derive(Debug, clap::Args)]
pub(crate) struct Hertz {
    #[command(flatten)]
    measurement: Measurement,
}

impl Hertz {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        self.measurement.run(context, |id, rate| report(context, id, rate))
    }
}

fn report(context: &Context, id: &str, rate: Rate) -> Outcome {
    let hertz = rate.per_second(rate.changes);
    if context.json() {
        let seconds = document::seconds(rate.elapsed);
        return context.print(json!({"id": id, "hz": hertz, "changes": rate.changes, "seconds": seconds}));
    }
    context.print(format_args!("{hertz:10.2} Hz   {} in {}", rate.changes, human::duration(rate.elapsed)))
}
