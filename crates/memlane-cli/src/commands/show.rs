//! `memlane show ID`: everything known about a region.
//!
//! `--json` prints a region's sheet (module `view::sheet` of memlane-net).

use std::path::Path;

use memlane::lock::LockState;
use memlane::observer::FramesState;
use memlane::schema::Schema;
use memlane::{Observer, Participant};
use memlane_net::view::sheet;

use crate::context::Context;
use crate::failure::Outcome;
use crate::sight::{self, Sight};
use crate::table::{Cell, Column, Table, Tone};
use crate::{document, human, user};

/// Show everything known about a region
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The region
    id: String,
}

impl Show {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let space = context.existing_space()?;
        let observer = Observer::open(space, &self.id)?;
        let file = space.directory().join(&self.id);
        if context.json() {
            return context.print(sheet::document(&observer, &file)?);
        }
        context.print(human::printable(&sheet(&observer, &file)))?;
        let participants = observer.participants();
        if participants.is_empty() {
            return Ok(());
        }
        context.print("")?;
        context.print_table(&participant_table(&participants))
    }
}

/// A name and what is to say about it on each line.
fn sheet(observer: &Observer, file: &Path) -> String {
    let description = observer.description();
    let mut lines = vec![("kind", description.kind.to_string())];
    lines.extend(description.schema.as_ref().map(|schema| ("schema", schema_line(schema))));
    let participants = human::count(usize::from(description.participants), "participant");
    lines.push(("size", format!("{}, for {participants} at most", human::bytes(description.total_size))));
    lines.push(("file", file_line(file)));
    let (created, age) =
        (human::rfc3339(description.created), human::duration(human::age(description.created)));
    let creator = format!("{} (pid {})", description.creator, description.creator_pid);
    lines.push(("created", format!("{created} ({age} ago) by {creator}")));
    lines.push(("uuid", document::hexadecimal(&description.uuid)));
    lines.extend(description.ephemeral.then(|| ("ephemeral", "the last to detach removes it".to_owned())));
    lines.extend((!description.note.is_empty()).then(|| ("note", description.note.clone())));
    lines.extend(description.schema.as_ref().map(|_| ("version", observer.version().to_string())));
    match Sight::of(observer) {
        Ok(sight @ (Sight::Content(_) | Sight::Bytes(_))) => lines.push(("content", sight.line())),
        Ok(Sight::Frames(state)) => lines.extend(frames_lines(&state)),
        Ok(Sight::Lock(_)) => {}
        Ok(Sight::Standing(standing, _)) => lines.push(("state", standing.line())),
        Err(error) => lines.push(("content", error.to_string())),
    }
    lines.push(("lock", lock_line(&observer.lock())));
    let lines = lines.iter().map(|(name, text)| format!("\n  {name:<11}{}", text.replace('\n', " ")));
    lines.fold(observer.id().to_owned(), |sheet, line| sheet + &line)
}

fn schema_line(schema: &Schema) -> String {
    format!("{schema} ({})", human::bytes(schema.size() as u64))
}

fn file_line(file: &Path) -> String {
    let mode = sheet::mode_of(file).unwrap_or_default();
    let owner = user::owner_of(file).unwrap_or_default();
    format!("{}, mode {mode}, owner {owner}", file.display())
}

fn frames_lines(state: &FramesState) -> [(&'static str, String); 3] {
    let offered = human::count(state.history as usize, "frame");
    let claimed = state.subscribers.len();
    [
        ("newest", sight::frames_line(state)),
        ("history", format!("{offered} on offer")),
        ("borrows", format!("{claimed} of {} entries claimed by subscribers", state.borrows)),
    ]
}

fn lock_line(state: &LockState) -> String {
    let recovered = match state.recoveries {
        0 => String::new(),
        times => format!(", taken from a dead owner {}", human::count(times as usize, "time")),
    };
    format!("{}{recovered}", sight::lock_line(state))
}

fn participant_table(participants: &[Participant]) -> Table {
    let columns = [
        Column::numbers("SLOT"),
        Column::numbers("PID"),
        Column::words("STATE"),
        Column::words("PROGRAM"),
        Column::numbers("ATTACHED FOR"),
        Column::words("WAITS FOR").elastic().optional(),
    ];
    let mut table = Table::new(&columns);
    for participant in participants {
        table.push([
            participant.slot.to_string().into(),
            participant.pid.to_string().into(),
            state_cell(participant),
            (&participant.program).into(),
            human::duration(human::age(participant.attached)).into(),
            waits(participant).into(),
        ]);
    }
    table
}

fn state_cell(participant: &Participant) -> Cell {
    let tone = if participant.alive { Tone::Plain } else { Tone::Alarm };
    Cell::new(participant.process_state().to_string(), tone)
}

fn waits(participant: &Participant) -> String {
    let wait = |wait: &memlane::participant::WaitingThread| {
        let waited = human::duration(human::monotonic_age(wait.since));
        format!("{} (thread {}, {waited})", wait.what.name(), wait.thread)
    };
    participant.waits.iter().map(wait).collect::<Vec<_>>().join(", ")
}
