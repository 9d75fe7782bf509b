//! What a session holds, by number.
//!
//! A lease ends once: by the session, or with it. What is given back with a session is given back as by a dead owner:
//! locks are abandoned, messages are handed out again, permits return, ends of pipes close, nobody publishes any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use memlane::pipe::{PipeReceiver, PipeSender};
use memlane::{FramePublisher, Lock, Queue, RwLock, Semaphore, StreamPublisher};
use self_cell::self_cell;
use tokio::sync::watch;

use super::hold::Hold;
use super::watcher::locked;
use crate::protocol::fault::{self, Fault};

/// The leases of one session. Dropped, they end.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    inner: Mutex<Inner>,
    /// How often they ended.
    ended: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    held: BTreeMap<u64, Arc<Held>>,
}

/// Since when a request is served: what it takes later than the end is given back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Era(u64);

/// What a lease is for.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) uuid: [u8; 16],
    pub(crate) thing: Thing,
    since: u64,
    /// The lease has ended.
    gone: watch::Sender<bool>,
}

/// What is held.
#[derive(Debug)]
pub(crate) enum Thing {
    /// For the process, so that no thread has to.
    Lock(Lock, Mutex<Absence>),
    Thread(Arc<Hold>, &'static str),
    /// An rwlock, read.
    Reading(RwLock),
    Permits(Semaphore, u32),
    Message(Mutex<Option<Delivery>>),
    End(End),
    Frames(Mutex<Option<FramePublisher>>),
    Stream(Mutex<Option<StreamPublisher>>),
}

/// Whether a lock is not held for now, because its lease waits for a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    Present,
    Away,
    /// It is to be given back once it is held again.
    Ended,
}

/// An end of a pipe.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) sender: Mutex<Option<PipeSender>>,
    pub(crate) receiver: Mutex<Option<PipeReceiver>>,
}

type Message<'a> = Option<memlane::queue::Lease<'a>>;

self_cell!(
    /// A message that is not acknowledged yet, and its queue.
    pub(crate) struct Delivery {
        owner: Arc<Queue>,
        #[covariant]
        dependent: Message,
    }
    impl { Debug }
);

/// A lease, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaseDescription {
    pub(crate) number: u64,
    /// The region.
    pub(crate) id: String,
    /// `lock`, `permits`, `message`, …
    pub(crate) kind: &'static str,
    /// Nanoseconds since the Unix epoch.
    pub(crate) since: u64,
}

/// How something is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// By somebody who is done with it.
    Done,
    /// As by somebody who died.
    Died,
}

impl Leases {
    /// Now.
    pub(crate) fn era(&self) -> Era {
        Era(*self.ended.borrow())
    }

    /// Comes to its end with the leases.
    pub(crate) async fn over(&self, era: Era) {
        let mut ended = self.ended.subscribe();
        // The sender is this one: it does not go before.
        let _ = ended.wait_for(|ended| *ended != era.0).await;
    }

    /// Holds it from now on. When the leases ended since `era`, it is given back at once, unchanged.
    pub(crate) fn add(&self, era: Era, held: Held) -> Result<u64, Fault> {
        let mut inner = locked(&self.inner);
        if self.era() != era {
            drop(inner);
            held.give_back(How::Done);
            return Err(ended("the session was away for too long: nothing was taken"));
        }
        inner.last += 1;
        let number = inner.last;
        inner.held.insert(number, Arc::new(held));
        Ok(number)
    }

    /// What the lease of that number is for.
    pub(crate) fn get(&self, number: u64) -> Result<Arc<Held>, Fault> {
        locked(&self.inner).held.get(&number).cloned().ok_or_else(|| unknown(number))
    }

    /// The same, and it is a lease no more.
    pub(crate) fn take(&self, number: u64) -> Result<Arc<Held>, Fault> {
        let held = locked(&self.inner).held.remove(&number).ok_or_else(|| unknown(number))?;
        held.gone.send_replace(true);
        Ok(held)
    }

    /// The first for which `is_it`.
    pub(crate) fn find(&self, is_it: impl Fn(&Held) -> bool) -> Option<(u64, Arc<Held>)> {
        let inner = locked(&self.inner);
        inner.held.iter().find(|(_, held)| is_it(held)).map(|(number, held)| (*number, Arc::clone(held)))
    }

    /// Gives everything back as of a dead owner.
    pub(crate) fn end(&self) {
        let held = {
            let mut inner = locked(&self.inner);
            self.ended.send_modify(|ended| *ended += 1);
            std::mem::take(&mut inner.held)
        };
        for held in held.into_values() {
            held.gone.send_replace(true);
            held.give_back(How::Died);
        }
    }

    /// What there is, for people.
    pub(crate) fn list(&self) -> Vec<LeaseDescription> {
        let describe = |(number, held): (&u64, &Arc<Held>)| LeaseDescription {
            number: *number,
            id: held.id.clone(),
            kind: held.thing.name(),
            since: held.since,
        };
        locked(&self.inner).held.iter().map(describe).collect()
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        self.end();
    }
}

impl Held {
    pub(crate) fn new(region: &memlane::Region, thing: Thing) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        let (id, uuid) = (region.id().to_owned(), region.description().uuid);
        Self { id, uuid, thing, since, gone: watch::Sender::new(false) }
    }

    /// Whether it is a lock, held for changing.
    pub(crate) fn is_lock(&self) -> bool {
        matches!(self.thing, Thing::Lock(..) | Thing::Thread(..))
    }

    /// Whether it is the lock of region `id`, held for changing.
    pub(crate) fn is_lock_of(&self, id: &str) -> bool {
        self.is_lock() && self.id == id
    }

    /// Does it as long as it is held.
    pub(crate) async fn while_held<T>(
        &self,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let mut gone = self.gone.subscribe();
        tokio::select! {
            biased;
            done = work => done,
            _ = gone.wait_for(|gone| *gone) => Err(ended("what was held was given back meanwhile")),
        }
    }

    /// Gives it back, if that can be done at once; what a thread holds, soon.
    pub(crate) fn give_back(&self, how: How) {
        match &self.thing {
            Thing::Lock(lock, absence) => drop(give_lock_back(lock, absence, how)),
            Thing::Thread(hold, _) if how == How::Died => hold.abandon_soon(),
            // Its thread sees that nobody orders any more.
            Thing::Thread(..) => {}
            Thing::Reading(lock) => drop(lock.release_read()),
            Thing::Permits(semaphore, count) => drop(semaphore.release(*count)),
            Thing::Message(message) => drop(locked(message).take()),
            Thing::End(end) => end.close(),
            Thing::Frames(publisher) => drop(locked(publisher).take()),
            Thing::Stream(publisher) => drop(locked(publisher).take()),
        }
    }
}

/// Gives a lock back, or sees to it that it is when it is held again.
pub(crate) fn give_lock_back(lock: &Lock, absence: &Mutex<Absence>, how: How) -> memlane::Result<()> {
    let mut absence = locked(absence);
    match (*absence, how) {
        (Absence::Present, How::Done) => lock.detached().release(),
        (Absence::Present, How::Died) => lock.detached().abandon(),
        _ => {
            *absence = Absence::Ended;
            Ok(())
        }
    }
}

impl End {
    /// Gives the end up; what was sent can still be received.
    pub(crate) fn close(&self) {
        drop(locked(&self.sender).take());
        drop(locked(&self.receiver).take());
    }
}

impl Thing {
    fn name(&self) -> &'static str {
        match self {
            Self::Lock(..) => "lock",
            Self::Thread(_, name) => name,
            Self::Reading(_) => "read lock",
            Self::Permits(..) => "permits",
            Self::Message(_) => "message",
            Self::End(_) => "end of a pipe",
            Self::Frames(_) | Self::Stream(_) => "publisher",
        }
    }
}

fn unknown(number: u64) -> Fault {
    ended(&format!("there is no lease {number}: it ended, with the session's absence or by being given back"))
}

pub(crate) fn ended(why: &str) -> Fault {
    Fault::new(fault::LEASE_ENDED, why)
}
