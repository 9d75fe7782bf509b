//! `memlane locks`: who holds what since when, and who waits.
//!
//! Every region has a lock; shown are those that are held, waited for or inconsistent, unless `--all`.
//! `--json` prints an array of rows (module `view::locks` of memlane-net). With `--graph` every thread that waits for
//! anything is shown, and for whom. `--release` prints an object of `id`, `was` (who held it), `killed`.

use memlane_net::force_release::{Decision, Freed};
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Outcome;
use crate::human;
use crate::table::{Cell, Column, Table, Tone};
use crate::words::{duration, items, text, who};

/// Show which locks are held, by whom since when, and who waits
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // Each is an option of the command line.
pub(crate) struct Locks {
    /// Show the locks of all regions, free ones too
    #[arg(short, long)]
    all: bool,

    /// Show every thread that waits, for whatever it is, and who could end that
    #[arg(short, long, conflicts_with = "all")]
    graph: bool,

    /// Free the lock of this region, whose holder is dead; the next owner is told
    #[arg(long, value_name = "ID", conflicts_with_all = ["all", "graph"])]
    release: Option<String>,

    /// If its holder lives, end its process by SIGKILL; of a client of a host, take the lock from it
    #[arg(long, requires = "release")]
    kill: bool,

    /// What the lock guards is whole: the next owner is not told
    #[arg(long, requires = "release")]
    consistent: bool,
}

impl Locks {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let source = context.source()?;
        if let Some(id) = &self.release {
            let decision = Decision { confirmed: self.kill, consistent: self.consistent };
            return show_freed(context, id, source.force_release(id, decision)?);
        }
        if self.graph {
            return show_graph(context, &source.edges()?);
        }
        let locks = source.locks(&|words| context.say(words), self.all)?;
        if context.json() {
            return context.print_rows(&locks);
        }
        if locks.is_empty() {
            context.remark("no lock is held, waited for or inconsistent");
            return Ok(());
        }
        context.print_table(&table(&locks))?;
        if locks.iter().any(|lock| lock["deadlock"] == true) {
            print_deadlocks(context, &source.edges()?)?;
        }
        Ok(())
    }
}

fn show_freed(context: &Context, id: &str, freed: Freed) -> Outcome {
    let Freed { was, killed } = freed;
    if context.json() {
        return context.print(json!({"id": id, "was": was, "killed": killed}));
    }
    let how = if killed { ", which was ended" } else { "" };
    context.print(human::printable(&format!("{id}: free; it was held by {was}{how}")))
}

fn show_graph(context: &Context, edges: &[Value]) -> Outcome {
    if context.json() {
        return context.print_rows(edges);
    }
    if edges.is_empty() {
        context.remark("nobody waits for anything");
    }
    for waiting in edges {
        context.print(human::printable(text(&waiting["line"])))?;
    }
    print_deadlocks(context, edges)
}

/// In red, where there are colours.
fn print_deadlocks(context: &Context, edges: &[Value]) -> Outcome {
    circles(edges).iter().try_for_each(|circle| {
        let waits: Vec<_> = circle.iter().map(|waiting| text(&waiting["line"])).collect();
        let line = format!("deadlock: {}", waits.join("; "));
        context.print(Tone::Alarm.painted(&human::printable(&line), context.colour()))
    })
}

/// Those who wait for each other, each circle by itself: one holds what the one before waits for.
fn circles(edges: &[Value]) -> Vec<Vec<&Value>> {
    let mut stuck: Vec<&Value> = edges.iter().filter(|edge| edge["deadlock"] == true).collect();
    let mut circles = Vec::new();
    while let Some(first) = stuck.pop() {
        let mut circle = vec![first];
        while let Some(next) =
            stuck.iter().position(|edge| circle.last().is_some_and(|last| ends(last, edge)))
        {
            circle.push(stuck.remove(next));
        }
        circles.push(circle);
    }
    circles
}

/// Whether who waits by `other` holds what is waited for by `edge`.
fn ends(edge: &Value, other: &Value) -> bool {
    items(&edge["holders"]).any(|holder| {
        let same_thread = holder["thread"].is_null() || holder["thread"] == other["thread"];
        holder["process"] == other["process"] && same_thread
    })
}

/// A row a lock.
pub(crate) fn table(locks: &[Value]) -> Table {
    let columns = [
        Column::words("ID"),
        Column::numbers("PID"),
        Column::words("HOLDER").elastic(),
        Column::numbers("THREAD").spare(),
        Column::numbers("HELD FOR"),
        Column::numbers("DEPTH").spare(),
        Column::words("WAITERS").elastic().optional(),
        Column::numbers("CONTENDED").spare(),
        Column::numbers("RECOVERIES").spare(),
        Column::words("STATE"),
    ];
    let mut table = Table::new(&columns);
    for lock in locks {
        let holder = &lock["holder"];
        let of_holder =
            |show: &dyn Fn() -> String| Cell::from(if holder.is_null() { String::new() } else { show() });
        table.push([
            text(&lock["id"]).into(),
            of_holder(&|| holder["pid"].to_string()),
            of_holder(&|| name_of(lock)),
            of_holder(&|| holder["thread"].to_string()),
            of_holder(&|| duration(&holder["held_seconds"])),
            of_holder(&|| holder["depth"].to_string()),
            items(&lock["waiters"]).map(waiter).collect::<Vec<_>>().join(", ").into(),
            lock["contended"].to_string().into(),
            lock["recoveries"].to_string().into(),
            state_cell(lock),
        ]);
    }
    table
}

/// The program, or for whom it holds the lock; of a dead process nothing may be known any more.
fn name_of(lock: &Value) -> String {
    let holder = &lock["holder"];
    match (holder["session"].as_str(), holder["pid"].as_u64()) {
        (Some(session), _) => format!("session {session} from {}", text(&holder["from"])),
        (None, None | Some(0)) => who(holder),
        _ => text(&holder["program"]).to_owned(),
    }
}

/// The pid first: the name may be cut.
fn waiter(participant: &Value) -> String {
    format!("{} {}", participant["pid"], text(&participant["program"]))
}

fn state_cell(lock: &Value) -> Cell {
    let holder = &lock["holder"];
    match (holder["alive"] == false, lock["inconsistent"] == true) {
        (true, _) => Cell::new("owner died", Tone::Alarm),
        (false, true) => Cell::new("inconsistent", Tone::Alarm),
        (false, false) if !holder.is_null() => Cell::new("held", Tone::Notice),
        (false, false) => Cell::new("free", Tone::Plain),
    }
}
