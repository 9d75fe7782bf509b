//! `memlane ls [PATTERN…]`: the regions of a space, sorted by id.
//!
//! A file that cannot be observed is a row with its error. `--json` prints an array of region documents
//! (module `document`) with `version`, `alive` and `dead` (participants), `lock_holder` (text or null),
//! `inconsistent` and `preview` (one line), or of objects with `id` and `error`.

use memlane::header::Description;
use memlane::schema::Schema;
use memlane::{Kind, Observer, Result};
use serde_json::{Value, json};

use crate::context::{Context, Failures};
use crate::failure::{Exit, Failure, Outcome};
use crate::sight::Sight;
use crate::survey::survey;
use crate::table::{Cell, Column, Table, Tone};
use crate::{document, human, pattern};

/// Larger contents are not copied for the sake of a line.
const LARGEST_PREVIEWED: usize = 64 * 1024;

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
            table.push(row.cells(self.long));
        }
        table
    }
}

/// A region, or why it cannot be observed.
struct Row {
    id: String,
    seen: Result<Seen>,
}

/// What is shown of a region: no observer is kept, as a process may not have that many files open.
struct Seen {
    description: Description,
    version: u64,
    alive: usize,
    dead: usize,
    lock_holder: Option<String>,
    /// A dead holder, or nobody has made the data consistent after one.
    lock_alarm: bool,
    inconsistent: bool,
    preview: Result<String>,
}

impl Row {
    fn new(id: String, observer: Result<Observer>) -> Self {
        Self { id, seen: observer.map(|observer| Seen::new(&observer)) }
    }

    fn cells(&self, long: bool) -> Cells {
        let id = Cell::from(&self.id);
        match &self.seen {
            Ok(seen) => seen.cells(id, long),
            Err(error) => {
                let mut cells = Cells::default();
                let [first, kind, .., content] = &mut cells;
                (*first, *kind) = (id, Cell::new("?", Tone::Alarm));
                *content = Cell::new(error.to_string(), Tone::Alarm);
                cells
            }
        }
    }

    fn document(&self) -> Value {
        match &self.seen {
            Ok(seen) => seen.document(&self.id),
            Err(error) => json!({"id": self.id, "error": error.to_string()}),
        }
    }
}

impl Seen {
    fn new(observer: &Observer) -> Self {
        let lock = observer.lock();
        let participants = observer.participants();
        let alive = participants.iter().filter(|participant| participant.alive).count();
        let holder = lock.holder.as_ref();
        Self {
            version: observer.version(),
            alive,
            dead: participants.len() - alive,
            lock_holder: holder.map(|holder| holder.participant.who()),
            lock_alarm: lock.inconsistent || holder.is_some_and(|holder| !holder.participant.alive),
            inconsistent: lock.inconsistent,
            preview: preview(observer),
            description: observer.description().clone(),
        }
    }

    fn cells(&self, id: Cell, long: bool) -> Cells {
        let description = &self.description;
        let only_long = |text: String| if long { text } else { String::new() };
        let attached = if self.dead > 0 {
            format!("{} + {} dead", self.alive, self.dead)
        } else {
            self.alive.to_string()
        };
        let creator = format!("{} (pid {})", description.creator, description.creator_pid);
        [
            id,
            description.kind.name().into(),
            description.schema.as_ref().map(Schema::to_string).unwrap_or_default().into(),
            human::bytes(description.total_size).into(),
            if description.schema.is_some() { self.version.to_string() } else { String::new() }.into(),
            Cell::new(attached, if self.dead > 0 { Tone::Notice } else { Tone::Plain }),
            self.lock_cell(),
            only_long(human::duration(human::age(description.created))).into(),
            only_long(creator).into(),
            only_long(description.note.clone()).into(),
            match &self.preview {
                Ok(preview) => preview.into(),
                Err(error) => Cell::new(error.to_string(), Tone::Alarm),
            },
        ]
    }

    fn lock_cell(&self) -> Cell {
        let tone = if self.lock_alarm { Tone::Alarm } else { Tone::Notice };
        let text = match &self.lock_holder {
            Some(holder) => holder,
            None if self.inconsistent => "inconsistent",
            None => "",
        };
        Cell::new(text, tone)
    }

    fn document(&self, id: &str) -> Value {
        let more = json!({
            "version": self.version,
            "alive": self.alive,
            "dead": self.dead,
            "lock_holder": self.lock_holder,
            "inconsistent": self.inconsistent,
            "preview": match &self.preview {
                Ok(preview) => preview.clone(),
                Err(error) => error.to_string(),
            },
        });
        document::merged(document::region(id, &self.description), more)
    }
}

/// One line of the content, if it is not a large one.
fn preview(observer: &Observer) -> Result<String> {
    let description = observer.description();
    let size = description.schema.as_ref().map_or(0, Schema::size);
    if size > LARGEST_PREVIEWED && description.kind != Kind::Frames {
        return Ok("…".to_owned());
    }
    Ok(Sight::of(observer)?.line())
}
