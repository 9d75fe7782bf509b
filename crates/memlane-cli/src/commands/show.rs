//! `memlane show ID`: everything known about a region.
//!
//! `--json` prints a region's sheet (module `view::sheet` of memlane-net).

use memlane::schema::Schema;
use serde_json::Value;

use crate::context::Context;
use crate::failure::Outcome;
use crate::table::{Cell, Column, Table, Tone};
use crate::words::{age, items, lock, text};
use crate::{human, words};

/// Show everything known about a region
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The region
    id: String,
}

impl Show {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let sheet = context.source()?.sheet(&self.id)?;
        if context.json() {
            return context.print(sheet);
        }
        context.print(human::printable(&in_words(&sheet)))?;
        if items(&sheet["participants"]).next().is_none() {
            return Ok(());
        }
        context.print("")?;
        context.print_table(&participant_table(&sheet["participants"]))
    }
}

/// A name and what is to say about it on each line.
fn in_words(sheet: &Value) -> String {
    let mut lines = vec![("kind", text(&sheet["kind"]).to_owned())];
    lines.extend(sheet["schema"].as_str().map(|schema| ("schema", schema_line(schema))));
    let participants = human::count(sheet["participants_at_most"].as_u64().unwrap_or(0) as usize, "participant");
    let size = human::bytes(sheet["size"].as_u64().unwrap_or(0));
    lines.push(("size", format!("{size}, for {participants} at most")));
    lines.push(("file", file_line(&sheet["file"])));
    let creator = &sheet["creator"];
    let creator = format!("{} (pid {})", text(&creator["program"]), creator["pid"]);
    lines.push(("created", format!("{} ({} ago) by {creator}", text(&sheet["created"]), age(&sheet["created"]))));
    lines.push(("uuid", text(&sheet["uuid"]).to_owned()));
    lines.extend((sheet["ephemeral"] == true).then(|| ("ephemeral", "the last to detach removes it".to_owned())));
    let note = text(&sheet["note"]);
    lines.extend((!note.is_empty()).then(|| ("note", note.to_owned())));
    lines.extend(sheet["schema"].as_str().map(|_| ("version", sheet["version"].to_string())));
    let preview = text(&sheet["preview"]).to_owned();
    match (&sheet["error"], &sheet["frames"], &sheet["state"]) {
        (Value::String(error), _, _) => lines.push(("content", error.clone())),
        (_, frames @ Value::Object(_), _) => lines.extend(frames_lines(preview, frames)),
        (_, _, Value::Object(_)) => lines.push(("state", preview)),
        _ if !sheet["content"].is_null() => lines.push(("content", preview)),
        _ => {}
    }
    lines.push(("lock", lock_line(&sheet["lock"])));
    let lines = lines.iter().map(|(name, text)| format!("\n  {name:<11}{}", text.replace('\n', " ")));
    lines.fold(text(&sheet["id"]).to_owned(), |sheet, line| sheet + &line)
}

fn schema_line(schema: &str) -> String {
    let size = schema.parse::<Schema>().map_or(0, |schema| schema.size());
    format!("{schema} ({})", human::bytes(size as u64))
}

fn file_line(file: &Value) -> String {
    format!("{}, mode {}, owner {}", text(&file["path"]), text(&file["mode"]), text(&file["owner"]))
}

fn frames_lines(newest: String, frames: &Value) -> [(&'static str, String); 3] {
    let offered = human::count(frames["history"].as_u64().unwrap_or(0) as usize, "frame");
    let claimed = items(&frames["subscribers"]).count();
    [
        ("newest", newest),
        ("history", format!("{offered} on offer")),
        ("borrows", format!("{claimed} of {} entries claimed by subscribers", frames["borrows"])),
    ]
}

fn lock_line(state: &Value) -> String {
    let recovered = match state["recoveries"].as_u64().unwrap_or(0) {
        0 => String::new(),
        times => format!(", taken from a dead owner {}", human::count(times as usize, "time")),
    };
    format!("{}{recovered}", lock(state))
}

fn participant_table(participants: &Value) -> Table {
    let columns = [
        Column::numbers("SLOT"),
        Column::numbers("PID"),
        Column::words("STATE"),
        Column::words("PROGRAM"),
        Column::numbers("ATTACHED FOR"),
        Column::words("WAITS FOR").elastic().optional(),
    ];
    let mut table = Table::new(&columns);
    for participant in items(participants) {
        let tone = if participant["alive"] == true { Tone::Plain } else { Tone::Alarm };
        table.push([
            participant["slot"].to_string().into(),
            participant["pid"].to_string().into(),
            Cell::new(text(&participant["state"]), tone),
            text(&participant["program"]).into(),
            age(&participant["attached"]).into(),
            waits(&participant["waits"]).into(),
        ]);
    }
    table
}

fn waits(waits: &Value) -> String {
    let wait = |wait: &Value| {
        format!("{} (thread {}, {})", text(&wait["what"]), wait["thread"], words::duration(&wait["seconds"]))
    };
    items(waits).map(wait).collect::<Vec<_>>().join(", ")
}
