//! Deadlocks: threads that wait for each other's locks in a circle.
//!
//! A thread waits for one lock at a time, so from each waiting thread one way leads on: to the lock's holder,
//! and from it to what that waits for. A way that returns to where it began is a circle. Everything is read
//! while it changes, so what is found may just have ended; what lasts is a deadlock.

use std::collections::HashMap;

use memlane::lock::LockState;
use memlane::participant::WaitingFor;

/// A thread, in whatever regions it appears.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Thread {
    process: [u8; 16],
    thread: u32,
}

/// A thread that waits for a lock.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// `camera (pid 7), thread 8`
    pub(crate) waiter: String,
    /// The region whose lock it waits for.
    pub(crate) id: String,
    /// Who holds that.
    holder: Thread,
}

/// All circles, each as its links in order, each once.
pub(crate) fn wait_cycles(locks: &[(String, LockState)]) -> Vec<Vec<Link>> {
    let links: HashMap<_, _> = locks.iter().flat_map(|(id, state)| links_of(id, state)).collect();
    let mut cycles: Vec<_> = links.keys().filter_map(|start| cycle_from(start, &links)).collect();
    cycles.sort_by(|one, other| one[0].id.cmp(&other[0].id));
    cycles
}

fn links_of(id: &str, state: &LockState) -> Vec<(Thread, Link)> {
    let Some(holder) = state.holder.as_ref().filter(|holder| holder.participant.alive) else {
        return Vec::new();
    };
    let held_by = Thread { process: holder.participant.process, thread: holder.thread };
    let mut links = Vec::new();
    for participant in &state.waiters {
        for wait in participant.waits.iter().filter(|wait| wait.what == WaitingFor::Lock) {
            let thread = Thread { process: participant.process, thread: wait.thread };
            let waiter = format!("{}, thread {}", participant.who(), wait.thread);
            links.push((thread, Link { waiter, id: id.to_owned(), holder: held_by.clone() }));
        }
    }
    links
}

/// The circle that `start` is the least thread of: each circle has one such.
fn cycle_from(start: &Thread, links: &HashMap<Thread, Link>) -> Option<Vec<Link>> {
    let mut cycle = Vec::new();
    let mut thread = start;
    // No way is longer than there are threads: a circle elsewhere on it ends the search, too.
    for _ in 0..links.len() {
        let link = links.get(thread)?;
        cycle.push(link.clone());
        thread = &link.holder;
        if thread == start {
            return Some(cycle);
        }
        if thread < start {
            return None;
        }
    }
    None
}
