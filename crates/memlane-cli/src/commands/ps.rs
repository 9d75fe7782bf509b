//! `memlane ps [PATTERN…]`: the processes attached to a space.
//!
//! Participants belong to regions; a process is the same in all of them by its random id, whatever its pid
//! means here. `--json` prints an array of processes (module `view::process` of memlane-net).

use memlane::participant::ProcessState;
use serde_json::Value;

use crate::context::Context;
use crate::failure::Outcome;
use crate::table::{Cell, Column, Table, Tone};
use crate::words::{age, duration, items, text};

/// Show the processes attached to regions: what they hold and wait for
#[derive(Debug, clap::Args)]
pub(crate) struct Processes {
    /// Only those attached to these: ids, folders, or patterns in which * stands for any characters
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
}

impl Processes {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let source = context.source()?;
        let processes = source.processes(&|words| context.say(words), &self.patterns)?;
        if context.json() {
            return context.print_rows(&processes);
        }
        if processes.is_empty() {
            context.remark(format_args!("nobody is attached to a region in {source}"));
            return Ok(());
        }
        context.print_table(&table(&processes))
    }
}

/// A row a process.
pub(crate) fn table(processes: &[Value]) -> Table {
    let columns = [
        Column::numbers("PID"),
        Column::words("STATE"),
        Column::words("USER").optional().spare(),
        Column::words("PROGRAM").cut_last(),
        Column::numbers("ATTACHED FOR").spare(),
        Column::numbers("REGIONS").spare(),
        Column::words("HOLDS").elastic().optional(),
        Column::words("WAITS FOR").elastic().optional(),
        Column::words("ATTACHED TO").elastic(),
    ];
    let mut table = Table::new(&columns);
    for process in processes {
        table.push(cells(process));
    }
    table
}

fn cells(process: &Value) -> [Cell; 9] {
    let regions: Vec<_> = items(&process["regions"]).map(text).collect();
    [
        process["pid"].to_string().into(),
        state_cell(text(&process["state"])),
        text(&process["user"]).into(),
        text(&process["program"]).into(),
        age(&process["attached"]).into(),
        regions.len().to_string().into(),
        holds(process).into(),
        waits_for(process).into(),
        regions.join(", ").into(),
    ]
}

fn holds(process: &Value) -> String {
    let locks = items(&process["locks"]).map(|id| format!("lock {}", text(id)));
    let publishes = items(&process["publishes"]).map(|id| format!("publisher of {}", text(id)));
    locks.chain(publishes).collect::<Vec<_>>().join(", ")
}

fn waits_for(process: &Value) -> String {
    let wait = |wait: &Value| {
        format!("{} {} for {}", text(&wait["what"]), text(&wait["id"]), duration(&wait["seconds"]))
    };
    items(&process["waits"]).map(wait).collect::<Vec<_>>().join(", ")
}

fn state_cell(state: &str) -> Cell {
    let is = |known: ProcessState| state == known.to_string();
    let tone = if is(ProcessState::Running) || is(ProcessState::Elsewhere) {
        Tone::Plain
    } else if is(ProcessState::Stopped) || is(ProcessState::Parentless) {
        Tone::Notice
    } else {
        Tone::Alarm
    };
    Cell::new(state, tone)
}
