//! What the dead left behind, and putting it away.
//!
//! Nothing here is needed for memlane to go on: whoever suffers from something dead reaps it by itself. The
//! doctor is for people who want to know, and for disks that should be tidy.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! for finding in memlane::doctor::examine(&space)? {
//!     println!("{finding}");
//! }
//! # Ok(()) }
//! ```

use crate::atomic::Ordering::Relaxed;
use crate::channel::frames::Words;
use crate::channel::role::PublisherState;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::observer::Observer;
use crate::os::file;
use crate::region::Region;
use crate::space::Space;
use crate::sync::claim;
use crate::wait_graph::{self, WaitGraph};
use std::fmt;

/// Something to know about a region, or about the space when there is no id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The region, or the folder of an empty one.
    pub id: Option<String>,
    /// What it is.
    pub problem: Problem,
    /// Whether [`fix`] has put it right.
    pub fixed: bool,
}

/// What can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be used; says why.
    Unusable(String),
    /// Processes that died attached and are still described in the table.
    DeadParticipants(usize),
    /// The lock's owner is dead: the next locker gets it and is told.
    DeadOwner(String),
    /// An owner died or abandoned the lock, and nobody has said since that the data is whole.
    Inconsistent,
    /// The publisher is dead: the next one takes over.
    DeadPublisher(String),
    /// Borrow entries of dead subscribers: the next subscriber gets them.
    DeadBorrows(usize),
    /// Threads that wait for each other in a circle, in words; told of the region that the first of them waits for.
    Deadlock(String),
    /// A folder without a region in it.
    EmptyFolder,
    /// Temporary files and folders, and ephemeral regions of the dead.
    Leftovers(usize),
}

impl Problem {
    /// Whether [`fix`] can put it right without taking anything from anybody.
    pub fn is_fixable(&self) -> bool {
        !matches!(
            self,
            Self::Unusable(_)
                | Self::DeadOwner(_)
                | Self::Inconsistent
                | Self::DeadPublisher(_)
                | Self::Deadlock(_)
        )
    }
}

/// Looks at everything in the space and changes nothing.
pub fn examine(space: &Space) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for id in space.list()? {
        findings.extend(examine_region(space, &id).into_iter().map(|problem| Finding::of(&id, problem)));
    }
    let graph = WaitGraph::of(space)?;
    findings.extend(graph.deadlocks().iter().filter_map(|circle| {
        Some(Finding::of(&circle.first()?.id, Problem::Deadlock(wait_graph::in_words(circle))))
    }));
    findings
        .extend(space.empty_folders().into_iter().map(|folder| Finding::of(&folder, Problem::EmptyFolder)));
    let leftovers = space.count_leftovers();
    if leftovers > 0 {
        findings.push(Finding { id: None, problem: Problem::Leftovers(leftovers), fixed: false });
    }
    Ok(findings)
}

/// Looks at everything and puts away what nobody can miss: descriptions and borrows of the dead, empty
/// folders, temporary files, abandoned ephemeral regions. What needs a person's judgement stays.
pub fn fix(space: &Space) -> Result<Vec<Finding>> {
    let mut findings = examine(space)?;
    for finding in findings.iter_mut().filter(|finding| finding.problem.is_fixable()) {
        finding.fixed = match (&finding.id, &finding.problem) {
            (Some(folder), Problem::EmptyFolder) => space.remove_empty_folder(folder),
            (Some(id), _) => reap(space, id).is_ok(),
            (None, _) => space.sweep() > 0,
        };
    }
    Ok(findings)
}

fn examine_region(space: &Space, id: &str) -> Vec<Problem> {
    let observer = match Observer::open(space, id) {
        Ok(observer) => observer,
        // Removed since it was listed.
        Err(Error::NotFound { .. }) => return Vec::new(),
        Err(error) => return vec![Problem::Unusable(error.to_string())],
    };
    let mut problems = Vec::new();
    let dead = observer.participants().iter().filter(|participant| !participant.alive).count();
    if dead > 0 {
        problems.push(Problem::DeadParticipants(dead));
    }
    let lock = observer.lock();
    if let Some(holder) = lock.holder.filter(|holder| !holder.participant.alive) {
        problems.push(Problem::DeadOwner(holder.participant.who()));
    }
    if lock.inconsistent {
        problems.push(Problem::Inconsistent);
    }
    problems.extend(examine_channel(&observer));
    problems
}

/// What is special about channels that have a publisher, and others whose state says whether they are whole.
fn examine_channel(observer: &Observer) -> Vec<Problem> {
    let unusable = |error: Error| vec![Problem::Unusable(error.to_string())];
    let examined = match observer.description().kind {
        Kind::Frames => return examine_frames(observer),
        Kind::Stream => observer.stream().map(|state| match state.publisher {
            PublisherState::Died(participant) => vec![Problem::DeadPublisher(participant.who())],
            _ => Vec::new(),
        }),
        Kind::Queue => observer.queue().map(|_| Vec::new()),
        Kind::Pipe => observer.pipe().map(|_| Vec::new()),
        Kind::Rwlock => observer.rwlock().map(|_| Vec::new()),
        Kind::Semaphore => observer.semaphore().map(|_| Vec::new()),
        Kind::Barrier => observer.barrier().map(|_| Vec::new()),
        Kind::Condition => observer.condition().map(|_| Vec::new()),
        _ => return Vec::new(),
    };
    examined.unwrap_or_else(unusable)
}

fn examine_frames(observer: &Observer) -> Vec<Problem> {
    let mut problems = Vec::new();
    match observer.frames() {
        Ok(state) => {
            if let PublisherState::Died(participant) = &state.publisher {
                problems.push(Problem::DeadPublisher(participant.who()));
            }
            let dead = state.subscribers.iter().filter(|participant| !participant.alive).count();
            if dead > 0 {
                problems.push(Problem::DeadBorrows(dead));
            }
        }
        Err(error) => problems.push(Problem::Unusable(error.to_string())),
    }
    problems
}

/// Gives back what the dead hold of a region's pools and table.
fn reap(space: &Space, id: &str) -> Result<()> {
    let region = Region::open(space, id)?;
    let attachment = region.attachment().as_ref();
    if region.description().kind == Kind::Frames {
        let words =
            Words::new(region.description(), attachment.mapping()).map_err(|what| region.corrupt(what))?;
        let me = attachment.me()?;
        let held = words.claims().iter().enumerate().filter(|(_, word)| word.load(Relaxed) != 0);
        for (index, word) in held {
            if claim::try_take_over(word, me, attachment).is_ok() {
                if let Some(entry) = words.borrow_entry(index) {
                    words.pool().release(entry);
                }
                claim::release(word, attachment);
            }
        }
    }
    attachment.forget_dead();
    Ok(())
}

impl Finding {
    fn of(id: &str, problem: Problem) -> Self {
        Self { id: Some(id.to_owned()), problem, fixed: false }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id.as_deref().unwrap_or("(space)");
        write!(formatter, "{id}: {}{}", self.problem, if self.fixed { " (fixed)" } else { "" })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(why) => {
                write!(formatter, "{why}; remove it with `memlane rm` when nobody needs it")
            }
            Self::DeadParticipants(count) => {
                let participants = if *count == 1 { "participant" } else { "participants" };
                write!(formatter, "{count} {participants} died attached; harmless")
            }
            Self::DeadOwner(who) => {
                write!(formatter, "its lock is held by the dead {who}; the next locker gets it")
            }
            Self::Inconsistent => formatter.write_str(
                "an owner of its lock died or abandoned it, and nobody has called make_consistent() since",
            ),
            Self::DeadPublisher(who) => {
                write!(formatter, "its publisher {who} died; the next one takes over")
            }
            Self::DeadBorrows(count) => {
                write!(formatter, "{count} borrow entries belong to dead subscribers")
            }
            Self::Deadlock(circle) => {
                write!(formatter, "deadlock: {circle}; end one of them to free the others")
            }
            Self::EmptyFolder => formatter.write_str("an empty folder"),
            Self::Leftovers(count) => write!(formatter, "{count} files that dead processes left"),
        }
    }
}

impl Space {
    /// Folders without anything in them, as ids.
    fn empty_folders(&self) -> Vec<String> {
        let mut empty = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let entries = file::entries(&self.root().join(&folder)).unwrap_or_default();
            if entries.is_empty() && !folder.is_empty() {
                empty.push(folder.clone());
            }
            for entry in
                entries.into_iter().filter(|entry| entry.is_directory && !entry.name.starts_with('.'))
            {
                folders.push(if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) });
            }
        }
        empty
    }

    fn remove_empty_folder(&self, folder: &str) -> bool {
        let path = self.root().join(folder);
        let removed = file::remove_empty_directory(&path).is_ok();
        self.remove_empty_folders(&path);
        removed
    }
}
