//! The regions of a space as rows, looked at again and again: the one view model behind the page, `memlane top`, and
//! `memlane ls`, which looks once.
//!
//! It looks only when it is asked to, through observers: it is no participant, writes nothing, and nobody waits for it.
//! What it has looked into stays mapped, as far as this process may have files open, so that looking again at a region
//! in which nothing happened costs a few words of memory and one question to the kernel for each participant. Where
//! there are more regions than that, those that changed last stay open, and of the others some are looked into at each
//! look: a change in one that was quiet is seen after some seconds.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let speed = memlane::Value::<f64>::create(&space, "robot/speed", 1.5)?;
//! let mut snapshot = memlane_net::view::snapshot::Snapshot::new(space);
//! let row = &snapshot.look()?["robot/speed"];
//! assert_eq!((&row.document["preview"], &row.document["state"]), (&"1.5".into(), &"quiet".into()));
//! # Ok(()) }
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use memlane::observer::{FramesState, Glance};
use memlane::{Error, Kind, Observer, Result, Space};
use rustix::process::{Resource, getrlimit};
use serde_json::Value;

use super::motion::Moment;
use super::row::{Row, Seen, State};
use super::standing::Standing;

/// Regions that are looked into at one look, of those that are not kept open.
const LOOKED_INTO: usize = 512;
/// Of the files and mappings that this process may have, one in so many is for regions.
const SHARE: usize = 2;
/// So much of that more may be open for as long as a look takes.
const BRIEFLY: usize = 8;
/// Mappings of a process, where the system does not say.
const MAPPINGS: usize = 65_530;

/// All regions of a space.
#[derive(Debug)]
pub struct Snapshot {
    space: Space,
    /// Those that were never looked into are nothing yet.
    entries: BTreeMap<String, Option<Entry>>,
    looks: u64,
    kept_at_most: usize,
    open: usize,
    shown: Arc<Rows>,
}

/// A row as it was shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The number of the look at which it was found changed.
    pub look: u64,
    /// As in module [`row`](super::row).
    pub document: Arc<Value>,
}

/// The rows by id.
pub type Rows = BTreeMap<String, Shown>;

#[derive(Debug)]
struct Entry {
    observer: Option<Observer>,
    mark: Mark,
    row: Row,
    /// What of the row goes by time alone.
    told: (State, Option<f64>),
    looked: u64,
    shown: Shown,
}

/// What is the same where nothing has happened.
#[derive(Debug, PartialEq)]
enum Mark {
    Seen {
        /// An id that was removed and made anew is another region.
        uuid: [u8; 16],
        glance: Glance,
        /// What a glance leaves out.
        standing: Option<String>,
    },
    Refused(String),
}

impl Snapshot {
    /// Of the space, without looking yet.
    pub fn new(space: Space) -> Self {
        Self::keeping(space, kept_at_most())
    }

    fn keeping(space: Space, kept_at_most: usize) -> Self {
        Self { space, entries: BTreeMap::new(), looks: 0, kept_at_most, open: 0, shown: Arc::default() }
    }

    /// All rows as they are now; where there are too many regions to keep them open, as they were lately.
    pub fn look(&mut self) -> Result<Arc<Rows>> {
        self.list()?;
        let closed = self.entries.values().flatten().filter(|entry| entry.observer.is_none());
        let mut closed: Vec<_> = closed.map(|entry| entry.looked).collect();
        closed.sort_unstable();
        let last = closed.get(LOOKED_INTO).copied().unwrap_or(u64::MAX);
        let mut left = LOOKED_INTO;
        self.look_into(|_, entry| {
            let Some(entry) = entry.filter(|entry| entry.observer.is_none()) else { return true };
            let is_due = entry.looked <= last && left > 0;
            left -= usize::from(is_due);
            is_due
        });
        Ok(Arc::clone(&self.shown))
    }

    /// The rows whose id is `wanted`, all as they are now, in the order of their ids.
    pub fn look_at(&mut self, wanted: impl Fn(&str) -> bool) -> Result<Vec<Arc<Value>>> {
        self.list()?;
        self.look_into(|id, _| wanted(id));
        let rows = self.shown.iter().filter(|(id, _)| wanted(id));
        Ok(rows.map(|(_, row)| Arc::clone(&row.document)).collect())
    }

    /// Takes in what there is now.
    fn list(&mut self) -> Result<()> {
        let ids = self.space.list()?;
        if !self.entries.keys().eq(&ids) {
            self.entries.retain(|id, _| ids.binary_search(id).is_ok());
            for id in ids {
                self.entries.entry(id).or_default();
            }
        }
        self.open = self.entries.values().flatten().filter(|entry| entry.observer.is_some()).count();
        Ok(())
    }

    fn look_into(&mut self, mut is_due: impl FnMut(&str, Option<&Entry>) -> bool) {
        self.looks += 1;
        let now = Moment::now();
        let (look, open, most) = (self.looks, &mut self.open, self.kept_at_most);
        self.entries.retain(|id, found| {
            if !is_due(id, found.as_ref()) {
                return true;
            }
            let Some(mut entry) = found.take() else {
                *found = Entry::new(&self.space, id, look, now);
                if let Some(entry) = found {
                    entry.close_unless(*open < most);
                    *open += usize::from(entry.observer.is_some());
                }
                return found.is_some();
            };
            *open -= usize::from(entry.observer.is_some());
            let is_there = entry.look(&self.space, id, look, now);
            // What has just changed is worth the place of something quiet, which is closed below.
            let room = if entry.shown.look == look { most + most / BRIEFLY } else { most };
            entry.close_unless(*open < room);
            *open += usize::from(entry.observer.is_some() && is_there);
            *found = Some(entry);
            is_there
        });
        self.close_quiet();
        self.show();
    }

    /// Keeps those open that changed last.
    fn close_quiet(&mut self) {
        if self.open <= self.kept_at_most {
            return;
        }
        let entries = self.entries.values_mut().flatten();
        let mut open: Vec<_> = entries.filter(|entry| entry.observer.is_some()).collect();
        open.sort_by_key(|entry| std::cmp::Reverse(entry.shown.look));
        for entry in open.into_iter().skip(self.kept_at_most) {
            entry.observer = None;
        }
        self.open = self.kept_at_most;
    }

    /// Shows what is new. Where nothing is, the rows shown are the very same.
    fn show(&mut self) {
        let known = || self.entries.iter().filter_map(|(id, entry)| Some((id, &entry.as_ref()?.shown)));
        let is_same =
            known().map(|(id, row)| (id, row.look)).eq(self.shown.iter().map(|(id, row)| (id, row.look)));
        if !is_same {
            self.shown = Arc::new(known().map(|(id, row)| (id.clone(), row.clone())).collect());
        }
    }
}

impl Entry {
    /// The first look; nothing where the region was removed meanwhile.
    fn new(space: &Space, id: &str, look: u64, now: Moment) -> Option<Self> {
        let (mark, observer) = open(space, id)?;
        let row = Row::new(id.to_owned(), seen(&observer), now);
        let shown = Shown { look, document: Arc::new(row.document(now)) };
        let told = (row.state(now), row.rate());
        Some(Self { observer: observer.ok(), mark, row, told, looked: look, shown })
    }

    /// Looks again; whether it is still there.
    fn look(&mut self, space: &Space, id: &str, look: u64, now: Moment) -> bool {
        let kept = self.observer.take().and_then(|observer| Some((Mark::of(&observer)?, Ok(observer))));
        let Some((mark, observer)) = kept.or_else(|| open(space, id)) else { return false };
        let is_new = self.mark != mark;
        if let Some((version, has_moved)) = mark.since(&self.mark) {
            self.row.motion.follow(version, has_moved, now);
            if is_new {
                self.row.seen = seen(&observer);
            }
        } else if is_new {
            self.row = Row::new(id.to_owned(), seen(&observer), now);
        }
        let told = (self.row.state(now), self.row.rate());
        if is_new || self.told != told {
            (self.mark, self.told) = (mark, told);
            let document = self.row.document(now);
            if document != *self.shown.document {
                self.shown = Shown { look, document: Arc::new(document) };
            }
        }
        (self.looked, self.observer) = (look, observer.ok());
        true
    }

    fn close_unless(&mut self, has_room: bool) {
        self.observer = self.observer.take().filter(|_| has_room);
    }
}

/// Looks into a region. One that was removed is none.
fn open(space: &Space, id: &str) -> Option<(Mark, Result<Observer>)> {
    match Observer::open(space, id) {
        Ok(observer) => Some((Mark::of(&observer)?, Ok(observer))),
        Err(Error::NotFound { .. }) => None,
        Err(error) => Some((Mark::Refused(error.to_string()), Err(error))),
    }
}

fn seen(observer: &Result<Observer>) -> Result<Seen, String> {
    observer.as_ref().map(Seen::new).map_err(ToString::to_string)
}

/// How many regions may be kept open: each takes a file and a mapping.
fn kept_at_most() -> usize {
    let files = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| files as usize);
    let mappings = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    let mappings = mappings.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(MAPPINGS);
    files.min(mappings) / SHARE
}

impl Mark {
    /// Nothing where the region was removed.
    fn of(observer: &Observer) -> Option<Self> {
        let standing = match observer.description().kind {
            Kind::Frames => {
                let outline =
                    |state: FramesState| format!("{:?} {}", state.publisher, state.subscribers.len());
                observer.frames().map(|state| Some(outline(state)))
            }
            _ => Standing::outline(observer).map(|standing| standing.map(|standing| standing.key())),
        };
        let standing = standing.unwrap_or_else(|error| Some(error.to_string()));
        let glance = observer.glance()?;
        Some(Self::Seen { uuid: observer.description().uuid, glance, standing })
    }

    /// The change counter, and whether the region has changed; nothing where it is another one.
    fn since(&self, before: &Self) -> Option<(u64, bool)> {
        match (self, before) {
            (
                Self::Seen { uuid, glance, standing },
                Self::Seen { uuid: same, glance: before, standing: stood },
            ) if uuid == same => Some((glance.version(), glance.has_moved(before) || standing != stood)),
            _ => None,
        }
    }
}
