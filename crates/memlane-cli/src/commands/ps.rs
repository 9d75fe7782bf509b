//! `memlane ps [PATTERN…]`: the processes attached to a space.
//!
//! Participants belong to regions; a process is the same in all of them by its random id, whatever its pid
//! means here. `--json` prints an array of processes (module `view::process` of memlane-net).

use memlane::Participant;
use memlane::participant::{ProcessState, WaitingThread};
use memlane_net::view::process::{Joined, Process, join};

use crate::context::Context;
use crate::failure::Outcome;
use crate::survey::visit_all;
use crate::table::{Cell, Column, Table, Tone};
use crate::{human, pattern};

/// Show the processes attached to regions: what they hold and wait for
#[derive(Debug, clap::Args)]
pub(crate) struct Processes {
    /// Only those attached to these: ids, folders, or patterns in which * stands for any characters
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
}

impl Processes {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let space = context.existing_space()?;
        let mut joined = Joined::new();
        let wanted = |id: &str| pattern::is_wanted(&self.patterns, id);
        visit_all(context, space, wanted, |observer| join(&mut joined, observer))?;
        if context.json() {
            return context.print_rows(&joined.values().map(Process::document).collect::<Vec<_>>());
        }
        if joined.is_empty() {
            context.remark(format_args!("nobody is attached to a region in {}", space.directory().display()));
            return Ok(());
        }
        context.print_table(&table(&joined))
    }
}

fn table(joined: &Joined) -> Table {
    let columns = [
        Column::numbers("PID"),
        Column::words("STATE"),
        Column::words("USER").optional(),
        Column::words("PROGRAM").elastic(),
        Column::numbers("ATTACHED FOR"),
        Column::numbers("REGIONS"),
        Column::words("HOLDS").elastic().optional(),
        Column::words("WAITS FOR").elastic().optional(),
        Column::words("ATTACHED TO").elastic(),
    ];
    let mut table = Table::new(&columns);
    for process in joined.values() {
        table.push(cells(process));
    }
    table
}

fn cells(process: &Process) -> [Cell; 9] {
    [
        process.participant.pid.to_string().into(),
        state_cell(&process.participant),
        process.user.as_deref().unwrap_or_default().into(),
        (&process.participant.program).into(),
        human::duration(human::age(process.attached)).into(),
        process.regions.len().to_string().into(),
        holds(process).into(),
        waits_for(process).into(),
        process.regions.join(", ").into(),
    ]
}

fn holds(process: &Process) -> String {
    let locks = process.locks.iter().map(|id| format!("lock {id}"));
    let publishes = process.publishes.iter().map(|id| format!("publisher of {id}"));
    locks.chain(publishes).collect::<Vec<_>>().join(", ")
}

fn waits_for(process: &Process) -> String {
    let wait = |(id, wait): &(String, WaitingThread)| {
        let waited = human::duration(human::monotonic_age(wait.since));
        format!("{} {id} for {waited}", wait.what.name())
    };
    process.waits.iter().map(wait).collect::<Vec<_>>().join(", ")
}

fn state_cell(participant: &Participant) -> Cell {
    let state = participant.process_state();
    let tone = match state {
        ProcessState::Running | ProcessState::Elsewhere => Tone::Plain,
        ProcessState::Stopped | ProcessState::Orphaned => Tone::Notice,
        _ => Tone::Alarm,
    };
    Cell::new(state.to_string(), tone)
}
