//! Who waits for whom, across processes.
//!
//! A thread that waits for a lock or a permit says so in its participant's entry, and whoever holds one stands in
//! the region: together they are a graph from threads to the threads they wait for. A circle in it is a deadlock.
//! Everything is read while it changes, so what is found may just have ended; what lasts is a deadlock.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! for circle in memlane::WaitGraph::of(&space)?.deadlocks() {
//!     for edge in circle {
//!         println!("{edge}");
//!     }
//! }
//! # Ok(()) }
//! ```

use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::observer::Observer;
use crate::os::clock;
use crate::participant::{Participant, WaitingFor};
use crate::space::Space;
use crate::sync::lock;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

/// A thread, in whatever regions it appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thread {
    /// Random id of its process.
    pub process: [u8; 16],
    /// Its id in its own PID namespace.
    pub thread: u32,
}

/// Somebody who holds what others wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holding {
    /// The process.
    pub participant: Participant,
    /// Its thread, where the region knows it: of readers and permits only the process is known.
    pub thread: Option<u32>,
    /// For how long, where the region knows it.
    pub held_for: Option<Duration>,
}

/// A thread that waits, and who could end that.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// The region.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// The process that waits.
    pub participant: Participant,
    /// Its thread.
    pub thread: u32,
    /// What it waits for.
    pub what: WaitingFor,
    /// For how long.
    pub waited: Duration,
    /// Who holds that. Nobody where anybody can end the wait: of events, messages and their like.
    pub holders: Vec<Holding>,
}

/// All threads that wait in a space.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct WaitGraph {
    /// In order of the regions' ids.
    pub edges: Vec<Edge>,
}

impl WaitGraph {
    /// Looks at every region of a space, as an observer.
    pub fn of(space: &Space) -> Result<Self> {
        let mut edges = Vec::new();
        for id in space.list()? {
            match Observer::open(space, &id) {
                Ok(observer) => edges.extend(edges_of(&observer)),
                // What cannot be read has nothing to say here; `doctor` speaks of it.
                Err(Error::NotFound { .. } | Error::Corrupt { .. } | Error::PermissionDenied { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { edges })
    }

    /// All circles, each as its edges in order, each once.
    #[must_use]
    pub fn deadlocks(&self) -> Vec<Vec<&Edge>> {
        let stuck = self.stuck();
        let mut circles: Vec<Vec<&Edge>> = Vec::new();
        let mut done = HashSet::new();
        for start in self.edges.iter().map(Edge::waiter).filter(|thread| stuck.contains_key(thread)) {
            let mut way = Vec::new();
            let mut thread = start;
            while done.insert(thread) {
                way.push(thread);
                let Some((_, next)) = stuck.get(&thread) else { break };
                thread = *next;
            }
            // A way that runs into a circle found before adds none.
            if let Some(first) = way.iter().position(|passed| *passed == thread) {
                let edges = way.get(first..).unwrap_or_default().iter();
                circles.push(edges.filter_map(|thread| stuck.get(thread)).map(|(edge, _)| *edge).collect());
            }
        }
        circles
    }

    /// The threads that can only go on when another of them does: each with its edge, and one that it waits for. A
    /// permit comes from any of its holders, everything else needs all of them.
    fn stuck(&self) -> HashMap<Thread, (&Edge, Thread)> {
        let waiting: HashMap<_, _> = self.edges.iter().map(|edge| (edge.waiter(), edge)).collect();
        let mut stuck: HashSet<Thread> = waiting.keys().copied().collect();
        loop {
            let stays =
                |thread: &&Thread| waiting.get(thread).is_some_and(|edge| edge.blocker(&stuck).is_some());
            let left: HashSet<_> = stuck.iter().filter(stays).copied().collect();
            if left.len() == stuck.len() {
                break;
            }
            stuck = left;
        }
        let with_blocker = |thread| {
            let edge: &Edge = waiting.get(&thread)?;
            Some((thread, (edge, edge.blocker(&stuck)?)))
        };
        stuck.iter().copied().filter_map(with_blocker).collect()
    }
}

impl Edge {
    /// The thread that waits.
    #[must_use]
    pub fn waiter(&self) -> Thread {
        Thread { process: self.participant.process, thread: self.thread }
    }

    /// One of `stuck` on whose account this wait cannot end.
    fn blocker(&self, stuck: &HashSet<Thread>) -> Option<Thread> {
        let mut blockers = self.holders.iter().map(|holder| holder.is_one_of(stuck));
        if self.what == WaitingFor::Permit {
            // The least, so that the same graph shows the same circle.
            blockers.collect::<Option<Vec<_>>>()?.into_iter().min()
        } else {
            blockers.find_map(|blocker| blocker)
        }
    }
}

impl Holding {
    pub(crate) fn of(holder: lock::Holder) -> Self {
        let thread = Some(holder.thread).filter(|thread| *thread != 0);
        Self { participant: holder.participant, thread, held_for: Some(holder.held_for) }
    }

    /// The stuck thread that holds; where only the process is known, any of its threads. A dead holder holds nobody
    /// up.
    fn is_one_of(&self, stuck: &HashSet<Thread>) -> Option<Thread> {
        if !self.participant.alive {
            return None;
        }
        let process = self.participant.process;
        match self.thread {
            Some(thread) => stuck.get(&Thread { process, thread }).copied(),
            None => stuck.iter().filter(|thread| thread.process == process).min().copied(),
        }
    }
}

/// A circle in words: its edges one after the other.
#[must_use]
pub fn in_words(circle: &[&Edge]) -> String {
    circle.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// `camera (pid 7), thread 8, waits 3.2 s for the lock of a, held by viewer (pid 9), thread 10, for 4.1 s`
impl fmt::Display for Edge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, participant, thread, what, waited, holders, .. } = self;
        let (who, what) = (participant.who(), what.words());
        write!(formatter, "{who}, thread {thread}, waits{} for {what} of {id}", Lasting(*waited))?;
        for (number, holder) in holders.iter().enumerate() {
            write!(formatter, "{} {holder}", if number == 0 { ", held by" } else { " and" })?;
        }
        Ok(())
    }
}

/// `viewer (pid 9), thread 10, for 4.1 s`
impl fmt::Display for Holding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.participant.who())?;
        if let Some(thread) = self.thread {
            write!(formatter, ", thread {thread}")?;
        }
        if !self.participant.alive {
            formatter.write_str(", dead")?;
        }
        match self.held_for {
            Some(held_for) if held_for >= NOTABLE => write!(formatter, ", for{}", Lasting(held_for)),
            _ => Ok(()),
        }
    }
}

/// What is shorter has just begun, by a clock that is coarse.
const NOTABLE: Duration = Duration::from_millis(50);

/// ` 3.2 s`; nothing of what has just begun.
struct Lasting(Duration);

impl fmt::Display for Lasting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < NOTABLE { Ok(()) } else { write!(formatter, " {:.1} s", self.0.as_secs_f64()) }
    }
}

fn edges_of(observer: &Observer) -> Vec<Edge> {
    let mut edges = Vec::new();
    for participant in observer.participants().into_iter().filter(|participant| participant.alive) {
        for wait in participant.waits.clone() {
            let waited = clock::monotonic_coarse().saturating_sub(wait.since);
            edges.push(Edge {
                id: observer.id().to_owned(),
                kind: observer.description().kind,
                participant: participant.clone(),
                thread: wait.thread,
                what: wait.what,
                waited: Duration::from_nanos(waited),
                holders: observer.holders(wait.what),
            });
        }
    }
    edges
}
