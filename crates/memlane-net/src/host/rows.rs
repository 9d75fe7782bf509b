//! The rows of `list`, looked at again and again for all who watch them.
//!
//! Nobody looks unless somebody asks. A look lists the directory, looks into the regions that changed lately, which are
//! kept open, and into some of the others in turn: with thousands of regions a change in one that was quiet is seen
//! after some seconds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use memlane::{Observer, Space};
use serde_json::{Value, json};
use tokio::task;

use super::watcher::locked;
use crate::protocol::fault::Fault;
use crate::view::row::Seen;
use crate::view::sight::Sight;

/// Regions that are kept open.
const KEPT: usize = 256;
/// Others that are looked into at one look.
const LOOKED_INTO: usize = 512;
/// Between two looks.
const SHORTEST: Duration = Duration::from_millis(40);

/// All rows.
#[derive(Debug)]
pub(crate) struct Rows {
    table: Arc<Mutex<Table>>,
}

/// The rows by id, each with the number of the look at which it was found changed.
pub(crate) type Shown = BTreeMap<String, (u64, Arc<Value>)>;

#[derive(Debug)]
struct Table {
    space: Space,
    entries: BTreeMap<String, Entry>,
    looks: u64,
    shown: Arc<Shown>,
    looked: Option<Instant>,
}

#[derive(Debug, Default)]
struct Entry {
    observer: Option<Observer>,
    /// What is the same where nothing has happened.
    mark: Option<Mark>,
    changed: u64,
    looked: u64,
    row: Arc<Value>,
}

/// An id that was removed and made anew is another region.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    uuid: [u8; 16],
    version: u64,
    attached: (usize, usize),
    lock: (Option<String>, bool),
    standing: Option<String>,
    error: Option<String>,
}

impl Rows {
    pub(crate) fn new(space: Space) -> Self {
        let table = Table { space, entries: BTreeMap::new(), looks: 0, shown: Arc::default(), looked: None };
        Self { table: Arc::new(Mutex::new(table)) }
    }

    /// The rows as they are now, or were just now.
    pub(crate) async fn look(&self) -> Result<Arc<Shown>, Fault> {
        let table = Arc::clone(&self.table);
        // Whoever asks at the same time waits for the same look.
        let looked = task::spawn_blocking(move || {
            let mut table = locked(&table);
            if table.looked.is_none_or(|looked| looked.elapsed() >= SHORTEST) {
                table.look()?;
                table.looked = Some(Instant::now());
            }
            Ok::<_, memlane::Error>(Arc::clone(&table.shown))
        });
        Ok(looked.await.map_err(|error| Fault::new("system", error.to_string()))??)
    }
}

impl Table {
    fn look(&mut self) -> memlane::Result<()> {
        self.looks += 1;
        let ids: std::collections::BTreeSet<_> = self.space.list()?.into_iter().collect();
        self.entries.retain(|id, _| ids.contains(id));
        for id in ids {
            self.entries.entry(id).or_default();
        }
        let mut quiet: Vec<_> = self
            .entries
            .values()
            .filter(|entry| entry.observer.is_none())
            .map(|entry| entry.looked)
            .collect();
        quiet.sort_unstable();
        // All of one look: those that were never looked into have to be shown at once.
        let until = quiet.get(LOOKED_INTO).copied().unwrap_or(u64::MAX);
        let mut left = LOOKED_INTO;
        for (id, entry) in &mut self.entries {
            let is_due = entry.looked == 0 || (entry.looked <= until && left > 0);
            if entry.observer.is_some() || is_due {
                left = left.saturating_sub(usize::from(entry.observer.is_none() && entry.looked != 0));
                entry.look(&self.space, id, self.looks);
            }
        }
        self.close_quiet();
        let shown =
            self.entries.iter().map(|(id, entry)| (id.clone(), (entry.changed, Arc::clone(&entry.row))));
        self.shown = Arc::new(shown.collect());
        Ok(())
    }

    /// Keeps those open that changed last.
    fn close_quiet(&mut self) {
        let open = self.entries.values().filter(|entry| entry.observer.is_some());
        let mut changes: Vec<_> = open.map(|entry| entry.changed).collect();
        if changes.len() <= KEPT {
            return;
        }
        changes.sort_unstable_by(|one, other| other.cmp(one));
        let least = changes.get(KEPT).copied().unwrap_or(0);
        let mut kept = 0;
        for entry in self.entries.values_mut().filter(|entry| entry.observer.is_some()) {
            kept += usize::from(entry.changed > least);
            if entry.changed < least || (entry.changed == least && kept >= KEPT) {
                entry.observer = None;
            } else if entry.changed == least {
                kept += 1;
            }
        }
    }
}

impl Entry {
    fn look(&mut self, space: &Space, id: &str, now: u64) {
        self.looked = now;
        let kept = self.observer.take().filter(|observer| !observer.unlinked());
        let observer = kept.map_or_else(|| Observer::open(space, id), Ok);
        let mark = match &observer {
            Ok(observer) => Mark::of(observer),
            Err(error) => Mark::of_error(error),
        };
        if self.mark.as_ref() != Some(&mark) {
            let row = match &observer {
                Ok(observer) => Seen::new(observer).document(id),
                Err(error) => json!({"id": id, "error": error.to_string()}),
            };
            (self.mark, self.changed, self.row) = (Some(mark), now, Arc::new(row));
        }
        self.observer = observer.ok();
    }
}

impl Mark {
    fn of(observer: &Observer) -> Self {
        let participants = observer.participants();
        let alive = participants.iter().filter(|participant| participant.alive).count();
        let lock = observer.lock();
        let standing = match Sight::of(observer) {
            Ok(Sight::Standing(standing, _)) => Some(standing.key()),
            _ => None,
        };
        Self {
            uuid: observer.description().uuid,
            version: observer.version(),
            attached: (alive, participants.len() - alive),
            lock: (lock.holder.map(|holder| holder.participant.who()), lock.inconsistent),
            standing,
            error: None,
        }
    }

    fn of_error(error: &memlane::Error) -> Self {
        let error = Some(error.to_string());
        Self { uuid: [0; 16], version: 0, attached: (0, 0), lock: (None, false), standing: None, error }
    }
}
