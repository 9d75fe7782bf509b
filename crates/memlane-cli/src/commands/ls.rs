//! `memlane ls [PATTERN…]`: the regions of a space, sorted by id.
//!
//! A file that cannot be observed is a row with its error. `--json` prints an array of rows
//! (module `view::row` of memlane-net), with `--foreign` of segments (module `foreign`).

use serde_json::Value;

use crate::context::{Context, Failures};
use crate::failure::{Exit, Failure, Outcome};
use crate::table::{Cell, Column, Table, Tone};
use crate::words::{age, text};
use crate::{human, pattern};

const COLUMNS: [Column; 11] = [
    Column::words("ID"),
    Column::words("KIND"),
    Column::words("SCHEMA").elastic(),
    Column::numbers("SIZE"),
    Column::numbers("VERSION"),
    Column::words("ATTACHED"),
    Column::words("LOCK").elastic().optional(),
    Column::numbers("AGE").optional(),
    Column::words("CREATOR").elastic().optional(),
    Column::words("NOTE").elastic().optional(),
    Column::words("CONTENT").elastic(),
];

type Cells = [Cell; COLUMNS.len()];

/// List regions
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Ids, folders, or patterns in which * stands for any characters
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,

    /// Show more: age, creator and note
    #[arg(short, long)]
    long: bool,

    /// Show shared memory of other programs instead: what /dev/shm holds beside spaces
    #[arg(long, conflicts_with_all = ["patterns", "long"])]
    foreign: bool,
}

impl List {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let source = context.source()?;
        if self.foreign {
            return show_foreign(context, &source.foreign()?);
        }
        let rows = source.rows(&self.patterns)?;
        if context.json() {
            context.print_rows(&rows)?;
        } else if !rows.is_empty() {
            context.print_table(&self.table(&rows))?;
        }
        if rows.is_empty() && self.patterns.is_empty() {
            context.remark(format_args!("no regions in {source} yet"));
        }
        let mut failures = Failures::default();
        let is_vain = |pattern: &&String| !rows.iter().any(|row| pattern::selects(pattern, text(&row["id"])));
        for pattern in self.patterns.iter().filter(is_vain) {
            let message = format!("no region is or matches `{pattern}` in {source}");
            failures.add(context, &Failure::new(Exit::NotFound, message));
        }
        failures.outcome()
    }

    fn table(&self, rows: &[Value]) -> Table {
        let mut table = Table::new(&COLUMNS);
        for row in rows {
            table.push(cells(row, self.long));
        }
        table
    }
}

fn show_foreign(context: &Context, segments: &[Value]) -> Outcome {
    if context.json() {
        return context.print_rows(segments);
    }
    if segments.is_empty() {
        context.remark("no other program's shared memory is there");
        return Ok(());
    }
    let mut table = Table::new(&[
        Column::words("NAME").elastic(),
        Column::numbers("SIZE"),
        Column::words("OWNER"),
        Column::words("MODE"),
        Column::numbers("CHANGED"),
    ]);
    for segment in segments {
        table.push([
            text(&segment["name"]).into(),
            human::bytes(segment["size"].as_u64().unwrap_or(0)).into(),
            text(&segment["owner"]).into(),
            text(&segment["mode"]).into(),
            age(&segment["modified"]).into(),
        ]);
    }
    context.print_table(&table)
}

fn cells(row: &Value, long: bool) -> Cells {
    let id = Cell::from(text(&row["id"]));
    if let Some(error) = row["error"].as_str() {
        let mut cells = Cells::default();
        let [first, kind, .., content] = &mut cells;
        (*first, *kind) = (id, Cell::new("?", Tone::Alarm));
        *content = Cell::new(error, Tone::Alarm);
        return cells;
    }
    let only_long = |text: String| if long { text } else { String::new() };
    let (alive, dead) = (&row["alive"], row["dead"].as_u64().unwrap_or(0));
    let attached = if dead > 0 { format!("{alive} + {dead} dead") } else { alive.to_string() };
    let creator = &row["creator"];
    let created = human::parse_rfc3339(text(&row["created"])).unwrap_or(0);
    let preview = text(&row["preview"]);
    [
        id,
        text(&row["kind"]).into(),
        text(&row["schema"]).into(),
        human::bytes(row["size"].as_u64().unwrap_or(0)).into(),
        if row["schema"].is_null() { String::new() } else { row["version"].to_string() }.into(),
        Cell::new(attached, if dead > 0 { Tone::Notice } else { Tone::Plain }),
        lock_cell(row),
        only_long(human::duration(human::age(created))).into(),
        only_long(format!("{} (pid {})", text(&creator["program"]), creator["pid"])).into(),
        only_long(text(&row["note"]).to_owned()).into(),
        if row["unreadable"] == true { Cell::new(preview, Tone::Alarm) } else { preview.into() },
    ]
}

fn lock_cell(row: &Value) -> Cell {
    let tone = if row["lock_alarm"] == true { Tone::Alarm } else { Tone::Notice };
    let holder = row["lock_holder"].as_str();
    Cell::new(holder.unwrap_or(if row["inconsistent"] == true { "inconsistent" } else { "" }), tone)
}
