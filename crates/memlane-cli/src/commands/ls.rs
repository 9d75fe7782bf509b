//! `memlane ls [PATTERN…]`: the regions of a space, sorted by id.
//!
//! A file that cannot be observed is a row with its error. `--json` prints an array of rows
//! (module `view::row` of memlane-net).

use memlane::schema::Schema;
use memlane_net::view::row::{Row, Seen};
use memlane_net::view::survey::survey;

use crate::context::{Context, Failures};
use crate::failure::{Exit, Failure, Outcome};
use crate::table::{Cell, Column, Table, Tone};
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
}

impl List {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let space = context.existing_space()?;
        let wanted = |id: &str| pattern::is_wanted(&self.patterns, id);
        let rows: Vec<_> = survey(space, wanted)?.map(|(id, observer)| Row::new(id, observer)).collect();
        if context.json() {
            context.print_rows(&rows.iter().map(Row::document).collect::<Vec<_>>())?;
        } else if !rows.is_empty() {
            context.print_table(&self.table(&rows))?;
        }
        let place = space.directory().display();
        if rows.is_empty() && self.patterns.is_empty() {
            context.remark(format_args!("no regions in {place} yet"));
        }
        let mut failures = Failures::default();
        let is_vain = |pattern: &&String| !rows.iter().any(|row| pattern::selects(pattern, &row.id));
        for pattern in self.patterns.iter().filter(is_vain) {
            let message = format!("no region is or matches `{pattern}` in {place}");
            failures.add(context, &Failure::new(Exit::NotFound, message));
        }
        failures.outcome()
    }

    fn table(&self, rows: &[Row]) -> Table {
        let mut table = Table::new(&COLUMNS);
        for row in rows {
            table.push(cells(row, self.long));
        }
        table
    }
}

fn cells(row: &Row, long: bool) -> Cells {
    let id = Cell::from(&row.id);
    match &row.seen {
        Ok(seen) => seen_cells(seen, id, long),
        Err(error) => {
            let mut cells = Cells::default();
            let [first, kind, .., content] = &mut cells;
            (*first, *kind) = (id, Cell::new("?", Tone::Alarm));
            *content = Cell::new(error.to_string(), Tone::Alarm);
            cells
        }
    }
}

fn seen_cells(seen: &Seen, id: Cell, long: bool) -> Cells {
    let description = &seen.description;
    let only_long = |text: String| if long { text } else { String::new() };
    let attached =
        if seen.dead > 0 { format!("{} + {} dead", seen.alive, seen.dead) } else { seen.alive.to_string() };
    let creator = format!("{} (pid {})", description.creator, description.creator_pid);
    [
        id,
        description.kind.name().into(),
        description.schema.as_ref().map(Schema::to_string).unwrap_or_default().into(),
        human::bytes(description.total_size).into(),
        if description.schema.is_some() { seen.version.to_string() } else { String::new() }.into(),
        Cell::new(attached, if seen.dead > 0 { Tone::Notice } else { Tone::Plain }),
        lock_cell(seen),
        only_long(human::duration(human::age(description.created))).into(),
        only_long(creator).into(),
        only_long(description.note.clone()).into(),
        match &seen.preview {
            Ok(preview) => preview.into(),
            Err(error) => Cell::new(error.to_string(), Tone::Alarm),
        },
    ]
}

fn lock_cell(seen: &Seen) -> Cell {
    let tone = if seen.lock_alarm { Tone::Alarm } else { Tone::Notice };
    let text = match &seen.lock_holder {
        Some(holder) => holder,
        None if seen.inconsistent => "inconsistent",
        None => "",
    };
    Cell::new(text, tone)
}
