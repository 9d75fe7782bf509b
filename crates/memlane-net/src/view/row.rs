//! A region as a row of a table of regions: what `memlane ls` shows, and what a host's `list` and `watch` answer.
//!
//! The document is that of a region (module `document`) with
//!
//! | name | |
//! |---|---|
//! | `version` | the change counter |
//! | `alive`, `dead` | participants |
//! | `lock_holder`, `lock_alarm`, `inconsistent` | who holds the lock (text or null); a dead holder, or inconsistent |
//! | `preview`, `unreadable` | one line; whether it says why there is none |
//! | `state` | see [`State`] |
//! | `rate` | changes a second as seen by looking again and again; null after one look, and where changes are not counted |
//! | `bytes_per_second` | the rate times the bytes of a content, frame or record; null where those are not known |
//! | `changed_at` | nanoseconds since the Unix epoch of the last change that was seen, or that a frame was captured; or null |
//! | `writer` | who publishes (text), alive or dead; null where everybody may write |
//! | `readers` | of a frame channel its subscribers that live, else participants that live; without the writer and the process that looks |
//!
//! or an object with `id`, `error`, and the `state` `unreadable`.

use std::collections::HashSet;
use std::process;

use memlane::frames::PublisherState;
use memlane::header::Description;
use memlane::schema::Schema;
use memlane::{Kind, Observer, Participant, Result};
use serde_json::{Value, json};

use super::document;
use super::motion::{Moment, Motion};
use super::sight::{Sight, counts_changes};
use super::standing::Standing;

/// Larger contents are not copied for the sake of a line.
const LARGEST_PREVIEWED: usize = 64 * 1024;

/// A region, or why it cannot be observed.
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// What is shown of it: no observer is kept, as a process may not have that many files open.
    pub seen: Result<Seen, String>,
    /// How it moves.
    pub motion: Motion,
}

/// What is shown of a region.
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
    /// The lock's holder is dead.
    pub owner_died: bool,
    /// Nobody has made the data consistent after an owner that died.
    pub inconsistent: bool,
    /// Who publishes, and whether it lives.
    pub publisher: Option<(String, bool)>,
    /// Subscribers of a frame channel, or participants, that live; without the publisher and this process.
    pub readers: usize,
    /// When the newest frame was captured.
    pub captured: Option<memlane::Timestamp>,
    /// Bytes of the content, of the newest frame, or of a record.
    pub content_size: Option<u64>,
    /// One line of the content.
    pub preview: Result<String>,
}

/// How a region stands, the most alarming first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It cannot be observed, or its content cannot be read.
    Unreadable,
    /// Its lock is held by a process that died.
    DeadOwner,
    /// Its publisher died, and nobody has followed it.
    DeadPublisher,
    /// An owner of its lock died, and nobody has made the data consistent.
    Inconsistent,
    /// Its publisher lives and is late: nothing for two seconds, nor for five of its usual intervals.
    Stale,
    /// It changed within the last two seconds.
    Live,
    /// It did not.
    Quiet,
}

impl State {
    /// All of them, the most alarming first.
    pub const ALL: [Self; 7] = [
        Self::Unreadable,
        Self::DeadOwner,
        Self::DeadPublisher,
        Self::Inconsistent,
        Self::Stale,
        Self::Live,
        Self::Quiet,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::DeadOwner => "dead_owner",
            Self::DeadPublisher => "dead_publisher",
            Self::Inconsistent => "inconsistent",
            Self::Stale => "stale",
            Self::Live => "live",
            Self::Quiet => "quiet",
        }
    }
}

impl Row {
    /// After the first look.
    pub fn new(id: String, seen: Result<Seen, String>, now: Moment) -> Self {
        let captured = seen.as_ref().ok().and_then(|seen| seen.captured);
        let changed = captured.and_then(|captured| now.before(captured.age()));
        let motion = Motion::begin(seen.as_ref().map_or(0, |seen| seen.version), now, changed);
        Self { id, seen, motion }
    }

    /// How it stands.
    pub fn state(&self, now: Moment) -> State {
        let Ok(seen) = &self.seen else { return State::Unreadable };
        let publisher = seen.publisher.as_ref().map(|(_, is_alive)| *is_alive);
        match seen {
            Seen { preview: Err(_), .. } => State::Unreadable,
            Seen { owner_died: true, .. } => State::DeadOwner,
            _ if publisher == Some(false) => State::DeadPublisher,
            Seen { inconsistent: true, .. } => State::Inconsistent,
            _ if publisher == Some(true) && self.motion.is_overdue(now) => State::Stale,
            _ if self.motion.is_live(now) => State::Live,
            _ => State::Quiet,
        }
    }

    /// Changes a second, where they are counted and were looked at more than once.
    pub fn rate(&self) -> Option<f64> {
        let Description { kind, schema, .. } = &self.seen.as_ref().ok()?.description;
        self.motion.rate().filter(|_| counts_changes(*kind, schema.as_ref()))
    }

    /// The row as a document.
    pub fn document(&self, now: Moment) -> Value {
        let state = self.state(now).name();
        let seen = match &self.seen {
            Ok(seen) => seen,
            Err(error) => return json!({"id": self.id, "error": error, "state": state}),
        };
        let rate = self.rate();
        let moves = json!({
            "state": state,
            "rate": rate,
            "bytes_per_second": rate.zip(seen.content_size).map(|(rate, size)| (rate * size as f64).round() as u64),
            "changed_at": self.motion.changed().map(|changed| changed.wall),
        });
        document::merged(seen.document(&self.id), moves)
    }
}

impl Seen {
    /// Looks now.
    pub fn new(observer: &Observer) -> Self {
        let description = observer.description().clone();
        let lock = observer.lock();
        let participants = observer.participants();
        let alive = participants.iter().filter(|participant| participant.alive).count();
        let holder = lock.holder.as_ref();
        let sight = previewed(observer);
        let known = sight.as_ref().ok().and_then(Option::as_ref);
        let publisher = match known {
            Some(Sight::Frames(state)) => Some(&state.publisher),
            Some(Sight::Standing(Standing::Stream(state, _), _)) => Some(&state.publisher),
            _ => None,
        };
        let publisher = publisher.and_then(|publisher| match publisher {
            PublisherState::Alive(one) | PublisherState::Died(one) => Some(one),
            _ => None,
        });
        let writer = publisher.map(|one| (one.slot, one.generation));
        let reads = |one: &&Participant| {
            one.alive && one.pid != process::id() && writer != Some((one.slot, one.generation))
        };
        // Who has no place among a channel's subscribers takes no frame: an onlooker, or a publisher in waiting.
        let readers = match known {
            Some(Sight::Frames(state)) => {
                let slots: HashSet<_> = state.subscribers.iter().filter(reads).map(|one| one.slot).collect();
                slots.len()
            }
            _ => participants.iter().filter(reads).count(),
        };
        let captured = match known {
            Some(Sight::Frames(state)) => state.captured,
            _ => None,
        };
        Self {
            version: observer.version(),
            alive,
            dead: participants.len() - alive,
            lock_holder: holder.map(|holder| holder.participant.who()),
            owner_died: holder.is_some_and(|holder| !holder.participant.alive),
            inconsistent: lock.inconsistent,
            publisher: publisher.map(|one| (one.who(), one.alive)),
            readers,
            captured,
            content_size: match known {
                Some(sight) => sight.content_size(description.schema.as_ref()),
                None => description.schema.as_ref().map(|schema| schema.size() as u64),
            },
            preview: sight.map(|sight| sight.map_or_else(|| "…".to_owned(), |sight| sight.line())),
            description,
        }
    }

    /// The row of the region `id` as a document, as far as one look says it.
    fn document(&self, id: &str) -> Value {
        let more = json!({
            "version": self.version,
            "alive": self.alive,
            "dead": self.dead,
            "lock_holder": self.lock_holder,
            "lock_alarm": self.inconsistent || self.owner_died,
            "inconsistent": self.inconsistent,
            "writer": self.publisher.as_ref().map(|(who, _)| who),
            "readers": self.readers,
            "unreadable": self.preview.is_err(),
            "preview": match &self.preview {
                Ok(preview) => preview.clone(),
                Err(error) => error.to_string(),
            },
        });
        document::merged(document::region(id, &self.description), more)
    }
}

/// What is seen, if it is not a large content.
fn previewed(observer: &Observer) -> Result<Option<Sight>> {
    let description = observer.description();
    let size = description.schema.as_ref().map_or(0, Schema::size);
    if size > LARGEST_PREVIEWED && description.kind != Kind::Frames {
        return Ok(None);
    }
    Sight::of(observer).map(Some)
}
