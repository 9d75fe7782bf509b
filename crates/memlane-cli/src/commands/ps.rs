//! `memlane ps [PATTERN…]`: the processes attached to a space.
//!
//! Participants belong to regions; a process is the same in all of them by its random id, whatever its pid
//! means here. `--json` prints an array of `process`, `pid`, `program`, `state`, `alive`, `user` (null when
//! unknown), `attached` (the earliest), `regions`, `locks` (held), `publishes`, `waits` (`id`, `thread`,
//! `what`, `seconds`).

use std::collections::BTreeMap;

use memlane::frames::PublisherState;
use memlane::participant::{ProcessState, WaitingThread};
use memlane::{Kind, Observer, Participant};
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Outcome;
use crate::survey::visit_all;
use crate::table::{Cell, Column, Table, Tone};
use crate::{document, human, pattern, user};

/// Show the processes attached to regions: what they hold and wait for
#[derive(Debug, clap::Args)]
pub(crate) struct Processes {
    /// Only those attached to these: ids, folders, or patterns in which * stands for any characters
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
}

/// A process, joined over the regions that it is attached to.
struct Process {
    participant: Participant,
    user: Option<String>,
    /// Nanoseconds since the Unix epoch, the earliest.
    attached: u64,
    regions: Vec<String>,
    locks: Vec<String>,
    publishes: Vec<String>,
    waits: Vec<(String, WaitingThread)>,
}

/// Processes by pid for people to find, and by random id to be told apart.
type Joined = BTreeMap<(u32, [u8; 16]), Process>;

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

/// Adds what a region says of its participants.
fn join(joined: &mut Joined, observer: &Observer) {
    let id = observer.id();
    for participant in observer.participants() {
        let process = Process::entry(joined, &participant);
        process.regions.push(id.to_owned());
        process.attached = process.attached.min(participant.attached);
        process.waits.extend(participant.waits.iter().map(|wait| (id.to_owned(), *wait)));
    }
    // Of a dead process nothing may be known any more but that it holds something.
    let is_known = |participant: &Participant| participant.pid != 0;
    if let Some(holder) = observer.lock().holder.filter(|holder| is_known(&holder.participant)) {
        Process::entry(joined, &holder.participant).locks.push(id.to_owned());
    }
    if observer.description().kind == Kind::Frames
        && let Ok(frames) = observer.frames()
        && let PublisherState::Alive(publisher) | PublisherState::Died(publisher) = frames.publisher
        && is_known(&publisher)
    {
        Process::entry(joined, &publisher).publishes.push(id.to_owned());
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
        table.push(process.cells());
    }
    table
}

impl Process {
    fn entry<'a>(joined: &'a mut Joined, participant: &Participant) -> &'a mut Self {
        joined.entry((participant.pid, participant.process)).or_insert_with(|| Self {
            user: known_user(participant),
            attached: participant.attached,
            participant: participant.clone(),
            regions: Vec::new(),
            locks: Vec::new(),
            publishes: Vec::new(),
            waits: Vec::new(),
        })
    }

    fn cells(&self) -> [Cell; 9] {
        [
            self.participant.pid.to_string().into(),
            state_cell(&self.participant),
            self.user.as_deref().unwrap_or_default().into(),
            (&self.participant.program).into(),
            human::duration(human::age(self.attached)).into(),
            self.regions.len().to_string().into(),
            self.holds().into(),
            self.waits_for().into(),
            self.regions.join(", ").into(),
        ]
    }

    fn holds(&self) -> String {
        let locks = self.locks.iter().map(|id| format!("lock {id}"));
        let publishes = self.publishes.iter().map(|id| format!("publisher of {id}"));
        locks.chain(publishes).collect::<Vec<_>>().join(", ")
    }

    fn waits_for(&self) -> String {
        let wait = |(id, wait): &(String, WaitingThread)| {
            let waited = human::duration(human::monotonic_age(wait.since));
            format!("{} {id} for {waited}", wait.what.name())
        };
        self.waits.iter().map(wait).collect::<Vec<_>>().join(", ")
    }

    fn document(&self) -> Value {
        let wait =
            |(id, wait): &(String, WaitingThread)| document::merged(document::wait(wait), json!({"id": id}));
        json!({
            "process": document::hexadecimal(&self.participant.process),
            "pid": self.participant.pid,
            "program": self.participant.program,
            "state": self.participant.process_state().to_string(),
            "alive": self.participant.alive,
            "user": self.user,
            "attached": human::rfc3339(self.attached),
            "regions": self.regions,
            "locks": self.locks,
            "publishes": self.publishes,
            "waits": self.waits.iter().map(wait).collect::<Vec<_>>(),
        })
    }
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

/// The user, where the pid means the process that attached.
fn known_user(participant: &Participant) -> Option<String> {
    let meaningful = matches!(
        participant.process_state(),
        ProcessState::Running | ProcessState::Stopped | ProcessState::Orphaned
    );
    meaningful.then(|| user::of_process(participant.pid)).flatten()
}
