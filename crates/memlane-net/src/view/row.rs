//! A region as a row of a table of regions: what `memlane ls` shows, and what a host's `list` answers.
//!
//! The document is that of a region (module `document`) with `version`, `alive` and `dead` (participants), `lock_holder`
//! (text or null), `lock_alarm` (a dead holder, or inconsistent), `inconsistent`, and `preview` (one line; `unreadable`:
//! why there is none), or an object with `id` and `error`.

use memlane::header::Description;
use memlane::schema::Schema;
use memlane::{Kind, Observer, Result};
use serde_json::{Value, json};

use super::document;
use super::sight::Sight;

/// Larger contents are not copied for the sake of a line.
const LARGEST_PREVIEWED: usize = 64 * 1024;

/// A region, or why it cannot be observed.
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// What is shown of it.
    pub seen: Result<Seen>,
}

/// What is shown of a region: no observer is kept, as a process may not have that many files open.
#[derive(Debug)]
pub struct Seen {
    /// What it says of itself.
    pub description: Description,
    /// Its change counter.
    pub version: u64,
    /// Participants that live.
    pub alive: usize,
    /// Participants that died.
    pub dead: usize,
    /// Who holds its lock.
    pub lock_holder: Option<String>,
    /// A dead holder, or nobody has made the data consistent after one.
    pub lock_alarm: bool,
    /// Nobody has made the data consistent after an owner that died.
    pub inconsistent: bool,
    /// One line of the content.
    pub preview: Result<String>,
}

impl Row {
    /// Looks now, if there is something to look through.
    pub fn new(id: String, observer: Result<Observer>) -> Self {
        Self { id, seen: observer.map(|observer| Seen::new(&observer)) }
    }

    /// The row as a document.
    pub fn document(&self) -> Value {
        match &self.seen {
            Ok(seen) => seen.document(&self.id),
            Err(error) => json!({"id": self.id, "error": error.to_string()}),
        }
    }
}

impl Seen {
    /// Looks now.
    pub fn new(observer: &Observer) -> Self {
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

    /// The row of the region `id` as a document.
    pub fn document(&self, id: &str) -> Value {
        let more = json!({
            "version": self.version,
            "alive": self.alive,
            "dead": self.dead,
            "lock_holder": self.lock_holder,
            "lock_alarm": self.lock_alarm,
            "inconsistent": self.inconsistent,
            "unreadable": self.preview.is_err(),
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
