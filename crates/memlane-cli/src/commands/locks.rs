//! `memlane locks`: who holds what since when, and who waits.
//!
//! Every region has a lock; shown are those that are held, waited for or inconsistent, unless `--all`.
//! `--json` prints an array of lock documents (module `document`) with `id`, `kind` and `deadlock` (whether
//! it is part of a circle of waiting).

use memlane::lock::{Holder, LockState};
use memlane::{Kind, Participant};
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Outcome;
use crate::survey::visit_all;
use crate::table::{Cell, Column, Table, Tone};
use crate::wait_cycles::{Link, wait_cycles};
use crate::{document, human};

/// Show which locks are held, by whom since when, and who waits
#[derive(Debug, clap::Args)]
pub(crate) struct Locks {
    /// Show the locks of all regions, free ones too
    #[arg(short, long)]
    all: bool,
}

impl Locks {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let locks = self.find(context)?;
        let cycles =
            wait_cycles(&locks.iter().map(|(id, _, state)| (id.clone(), state.clone())).collect::<Vec<_>>());
        if context.json() {
            let documents = locks.iter().map(|lock| document(lock, &cycles));
            return context.print_rows(&documents.collect::<Vec<_>>());
        }
        if locks.is_empty() {
            context.remark("no lock is held, waited for or inconsistent");
            return Ok(());
        }
        context.print_table(&table(&locks))?;
        cycles.iter().try_for_each(|cycle| context.print(human::printable(&in_words(cycle))))
    }

    fn find(&self, context: &Context) -> Outcome<Vec<Found>> {
        let mut locks = Vec::new();
        visit_all(
            context,
            context.existing_space()?,
            |_| true,
            |observer| {
                let state = observer.lock();
                if self.all || state.holder.is_some() || state.inconsistent || !state.waiters.is_empty() {
                    locks.push((observer.id().to_owned(), observer.description().kind, state));
                }
            },
        )?;
        Ok(locks)
    }
}

/// A region's id, its kind and its lock.
type Found = (String, Kind, LockState);

fn document((id, kind, state): &Found, cycles: &[Vec<Link>]) -> Value {
    let deadlock = cycles.iter().flatten().any(|link| link.id == *id);
    document::merged(document::lock(state), json!({"id": id, "kind": kind.name(), "deadlock": deadlock}))
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

fn in_words(cycle: &[Link]) -> String {
    let links: Vec<_> = cycle.iter().map(|link| format!("{} waits for `{}`", link.waiter, link.id)).collect();
    format!("deadlock: {}, held by the first", links.join(", held by "))
}
