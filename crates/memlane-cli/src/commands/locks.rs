//! `memlane locks`: who holds what since when, and who waits.
//!
//! Every region has a lock; shown are those that are held, waited for or inconsistent, unless `--all`.
//! `--json` prints an array of rows (module `view::locks` of memlane-net). With `--graph` every thread that waits for
//! anything is shown, and for whom.

use memlane::lock::{Holder, LockState};
use memlane::wait_graph::{self, Edge};
use memlane::{Participant, WaitGraph};
use memlane_net::view::locks::{self, Found};

use crate::context::Context;
use crate::failure::Outcome;
use crate::human;
use crate::survey::visit_all;
use crate::table::{Cell, Column, Table, Tone};

/// Show which locks are held, by whom since when, and who waits
#[derive(Debug, clap::Args)]
pub(crate) struct Locks {
    /// Show the locks of all regions, free ones too
    #[arg(short, long)]
    all: bool,

    /// Show every thread that waits, for whatever it is, and who could end that
    #[arg(short, long, conflicts_with = "all")]
    graph: bool,
}

impl Locks {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let graph = WaitGraph::of(context.existing_space()?)?;
        let deadlocks = graph.deadlocks();
        if self.graph {
            return show_graph(context, &graph, &deadlocks);
        }
        let found = self.find(context)?;
        if context.json() {
            let documents = found.iter().map(|lock| locks::lock(lock, &deadlocks));
            return context.print_rows(&documents.collect::<Vec<_>>());
        }
        if found.is_empty() {
            context.remark("no lock is held, waited for or inconsistent");
            return Ok(());
        }
        context.print_table(&table(&found))?;
        print_deadlocks(context, &deadlocks)
    }

    fn find(&self, context: &Context) -> Outcome<Vec<Found>> {
        let mut found = Vec::new();
        visit_all(
            context,
            context.existing_space()?,
            |_| true,
            |observer| {
                found.extend(locks::find(observer, self.all));
            },
        )?;
        Ok(found)
    }
}

fn show_graph(context: &Context, graph: &WaitGraph, deadlocks: &[Vec<&Edge>]) -> Outcome {
    if context.json() {
        return context.print_rows(&locks::edges(graph, deadlocks));
    }
    if graph.edges.is_empty() {
        context.remark("nobody waits for anything");
    }
    for edge in &graph.edges {
        context.print(human::printable(&edge.to_string()))?;
    }
    print_deadlocks(context, deadlocks)
}

/// In red, where there are colours.
fn print_deadlocks(context: &Context, deadlocks: &[Vec<&Edge>]) -> Outcome {
    deadlocks.iter().try_for_each(|circle| {
        let line = format!("deadlock: {}", wait_graph::in_words(circle));
        context.print(Tone::Alarm.painted(&human::printable(&line), context.colour()))
    })
}

fn table(locks: &[Found]) -> Table {
    let columns = [
        Column::words("ID"),
        Column::numbers("PID"),
        Column::words("HOLDER").elastic(),
        Column::numbers("THREAD"),
        Column::numbers("HELD FOR"),
        Column::numbers("DEPTH"),
        Column::words("WAITERS").elastic().optional(),
        Column::numbers("CONTENDED"),
        Column::numbers("RECOVERIES"),
        Column::words("STATE"),
    ];
    let mut table = Table::new(&columns);
    for (id, _, state) in locks {
        let of_holder =
            |show: fn(&Holder) -> String| Cell::from(state.holder.as_ref().map(show).unwrap_or_default());
        table.push([
            id.into(),
            of_holder(|holder| holder.participant.pid.to_string()),
            of_holder(|holder| name_of(&holder.participant)),
            of_holder(|holder| holder.thread.to_string()),
            of_holder(|holder| human::duration(holder.held_for)),
            of_holder(|holder| holder.depth.to_string()),
            state.waiters.iter().map(waiter).collect::<Vec<_>>().join(", ").into(),
            state.contended.to_string().into(),
            state.recoveries.to_string().into(),
            state_cell(state),
        ]);
    }
    table
}

/// The program; of a dead process nothing may be known any more.
fn name_of(participant: &Participant) -> String {
    if participant.pid == 0 { participant.who() } else { participant.program.clone() }
}

/// The pid first: the name may be cut.
fn waiter(participant: &Participant) -> String {
    format!("{} {}", participant.pid, participant.program)
}

fn state_cell(state: &LockState) -> Cell {
    let owner_is_dead = state.holder.as_ref().is_some_and(|holder| !holder.participant.alive);
    match (owner_is_dead, state.inconsistent) {
        (true, _) => Cell::new("owner died", Tone::Alarm),
        (false, true) => Cell::new("inconsistent", Tone::Alarm),
        (false, false) if state.holder.is_some() => Cell::new("held", Tone::Notice),
        (false, false) => Cell::new("free", Tone::Plain),
    }
}
