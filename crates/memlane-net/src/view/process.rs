//! A process, joined over the regions that it is attached to: what `memlane ps` shows, and a host's `participants`.
//!
//! Participants belong to regions; a process is the same in all of them by its random id, whatever its pid means
//! here. The document has `process`, `pid`, `program`, `state`, `alive`, `user` (null when unknown), `attached` (the
//! earliest), `regions`, `locks` (held), `publishes`, `waits` (`id`, `thread`, `what`, `seconds`).

use std::collections::BTreeMap;

use memlane::frames::PublisherState;
use memlane::participant::{ProcessState, WaitingThread};
use memlane::{Kind, Observer, Participant};
use serde_json::{Value, json};

use super::{document, human, user};

/// A process, joined over the regions that it is attached to.
#[derive(Debug)]
pub struct Process {
    /// As a region knows it.
    pub participant: Participant,
    /// Who runs it.
    pub user: Option<String>,
    /// Nanoseconds since the Unix epoch, the earliest.
    pub attached: u64,
    /// What it is attached to.
    pub regions: Vec<String>,
    /// Whose locks it holds.
    pub locks: Vec<String>,
    /// Which frame channels it publishes.
    pub publishes: Vec<String>,
    /// Where its threads wait.
    pub waits: Vec<(String, WaitingThread)>,
}

/// Processes by pid for people to find, and by random id to be told apart.
pub type Joined = BTreeMap<(u32, [u8; 16]), Process>;

/// Adds what a region says of its participants.
pub fn join(joined: &mut Joined, observer: &Observer) {
    let id = observer.id();
    for participant in observer.participants() {
        let process = Process::entry(joined, &participant);
        process.regions.push(id.to_owned());
        process.attached = process.attached.min(participant.attached);
        process.waits.extend(participant.waits.iter().map(|wait| (id.to_owned(), *wait)));
    }
    // Of a dead process nothing may be known any more but that it holds something.
    let is_known = |participant: &Participant| participant.pid != 0;
    if let Some(holder) = observer.lock().holder.filter(|holder| is_known(&holder.participant)) {
        Process::entry(joined, &holder.participant).locks.push(id.to_owned());
    }
    if observer.description().kind == Kind::Frames
        && let Ok(frames) = observer.frames()
        && let PublisherState::Alive(publisher) | PublisherState::Died(publisher) = frames.publisher
        && is_known(&publisher)
    {
        Process::entry(joined, &publisher).publishes.push(id.to_owned());
    }
}

impl Process {
    fn entry<'a>(joined: &'a mut Joined, participant: &Participant) -> &'a mut Self {
        joined.entry((participant.pid, participant.process)).or_insert_with(|| Self {
            user: known_user(participant),
            attached: participant.attached,
            participant: participant.clone(),
            regions: Vec::new(),
            locks: Vec::new(),
            publishes: Vec::new(),
            waits: Vec::new(),
        })
    }

    /// As a document.
    pub fn document(&self) -> Value {
        let wait =
            |(id, wait): &(String, WaitingThread)| document::merged(document::wait(wait), json!({"id": id}));
        json!({
            "process": document::hexadecimal(&self.participant.process),
            "pid": self.participant.pid,
            "program": self.participant.program,
            "state": self.participant.process_state().to_string(),
            "alive": self.participant.alive,
            "user": self.user,
            "attached": human::rfc3339(self.attached),
            "regions": self.regions,
            "locks": self.locks,
            "publishes": self.publishes,
            "waits": self.waits.iter().map(wait).collect::<Vec<_>>(),
        })
    }
}

/// The user, where the pid means the process that attached.
fn known_user(participant: &Participant) -> Option<String> {
    let meaningful = matches!(
        participant.process_state(),
        ProcessState::Running | ProcessState::Stopped | ProcessState::Parentless
    );
    meaningful.then(|| user::of_process(participant.pid)).flatten()
}
