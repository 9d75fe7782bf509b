//! Everything once, for programs and for terminals that cannot be drawn on.

use serde_json::json;

use super::views::regions;
use crate::commands::{locks, ps};
use crate::context::Context;
use crate::failure::Outcome;
use crate::source::Source;

/// Prints regions, participants and locks: as tables, or as one JSON object of lists. It takes a second, in which is
/// seen what changes.
pub(super) fn print(context: &Context, source: &Source) -> Outcome {
    let say = |words: std::fmt::Arguments<'_>| context.say(words);
    let (rows, processes) = (source.rows_in_motion()?, source.processes(&say, &[])?);
    let held = source.locks(&say, false)?;
    if context.json() {
        return context.print(json!({"regions": rows, "participants": processes, "locks": held}));
    }
    if rows.is_empty() {
        context.remark(format_args!("no regions in {source} yet"));
        return Ok(());
    }
    context.print_table(&regions::table(rows.iter()))?;
    for table in [ps::table(&processes), locks::table(&held)] {
        if !table.is_empty() {
            context.print("")?;
            context.print_table(&table)?;
        }
    }
    Ok(())
}
