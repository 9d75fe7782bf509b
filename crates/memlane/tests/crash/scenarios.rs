//! The stories, by what their victims work on.

mod arrays;
mod barriers;
mod conditions;
mod controls;
mod events;
mod frames;
mod locks;
mod pipes;
mod queues;
mod regions;
mod rlocks;
mod rwlocks;
mod semaphores;
mod snapshots;
mod streams;
mod values;

use crate::stage::Stage;
use memlane::Region;
use std::process;

/// A story and how its victims die.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Makes a region, has a victim die over it, and checks what a survivor finds; panics when that is
    /// broken.
    pub(crate) story: fn(&Stage<'_>),
    pub(crate) deaths: Deaths,
    pub(crate) expected: Expected,
    /// The region's file in the space.
    pub(crate) file: &'static str,
}

/// When victims die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deaths {
    /// After each instruction; and a survivor goes on from each image of the region.
    AtEveryInstruction,
    /// After each instruction; others work on the region at the same time, so images mean nothing.
    InCompany,
    /// At each entry into and return from the kernel, and after each instruction that changes the region:
    /// what lies between them nobody can tell apart.
    AtEveryEffect,
    /// When the story says.
    ByTheStory,
}

/// What survivors find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Whole,
    /// The story breaks a rule: the suite must notice.
    Broken,
}

/// The id of every story's region, unless its folder matters.
const ID: &str = "region";

impl Scenario {
    const fn new(name: &'static str, deaths: Deaths, story: fn(&Stage<'_>)) -> Self {
        Self { name, story, deaths, expected: Expected::Whole, file: ID }
    }

    const fn broken(self) -> Self {
        Self { expected: Expected::Broken, ..self }
    }

    const fn in_file(self, file: &'static str) -> Self {
        Self { file, ..self }
    }
}

/// Short stories first.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    let groups = [
        controls::SCENARIOS,
        locks::SCENARIOS,
        values::SCENARIOS,
        snapshots::SCENARIOS,
        arrays::SCENARIOS,
        frames::SCENARIOS,
        rlocks::SCENARIOS,
        rwlocks::SCENARIOS,
        semaphores::SCENARIOS,
        events::SCENARIOS,
        conditions::SCENARIOS,
        barriers::SCENARIOS,
        queues::SCENARIOS,
        pipes::SCENARIOS,
        streams::SCENARIOS,
        regions::SCENARIOS,
    ];
    groups.into_iter().flatten()
}

/// Nobody but the survivor is shown alive.
fn assert_alone(region: &Region) {
    for participant in region.participants() {
        assert_eq!(participant.alive, participant.pid == process::id(), "{participant:?}");
    }
}

/// Makes this process a participant of a region that its parent has open: otherwise its first operation does.
fn join(region: &Region) {
    region.lock().try_lock().unwrap();
}
