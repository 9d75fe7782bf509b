//! Regions that are open.
//!
//! To look, an observer is enough; the host takes part in a region when it changes it or waits for it, and leaves it
//! some seconds after the last request or subscription that did. What was removed, or removed and made anew, is noticed
//! at the next request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use memlane::frames::Onlooker;
use memlane::{
    AnyArray, AnyValue, Barrier, Condition, Error, Event, Kind, Observer, Queue, RLock, Raw, Record, Region,
    RwLock, Semaphore, SignalSemaphore, Space, StreamSubscriber, Text,
};
use tokio::task;
use tokio::time::{self, Instant};

use crate::host::watcher::{Thing, locked};
use crate::protocol::fault::Fault;

/// So many are kept; each costs a file or three.
const MOST: usize = 512;
/// After the last use.
const KEPT_FOR: Duration = Duration::from_secs(2);

/// The regions by id.
#[derive(Debug, Default)]
pub(super) struct Handles {
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    handles: HashMap<String, Kept>,
    /// A task lets go of those that nobody uses.
    is_tended: bool,
}

#[derive(Debug)]
struct Kept {
    handle: Arc<Handle>,
    used: Instant,
}

/// A region.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) observer: Observer,
    space: Space,
    attached: OnceLock<Attached>,
}

/// A region that the host takes part in.
#[derive(Debug)]
pub(crate) enum Attached {
    Value(AnyValue),
    Record(Record),
    Array(Box<AnyArray>),
    Raw(Raw),
    Text(Text),
    Rlock(RLock),
    Rwlock(RwLock),
    Semaphore(Semaphore),
    Signal(SignalSemaphore),
    Event(Event),
    Condition(Condition),
    /// The host stays a member for its clients, who come and go: broken is broken until somebody makes it as new.
    Barrier(Arc<Barrier>),
    Queue(Arc<Queue>),
    /// The reader's place is wherever it was used last.
    Stream(Box<Mutex<StreamSubscriber>>, Region),
    Frames(Onlooker),
    /// Locks, and pipes, whose ends are opened one by one.
    Other(Region),
}

impl Handles {
    pub(super) fn get(&self, space: &Space, id: &str) -> Result<Arc<Handle>, Fault> {
        if let Some(handle) = locked(&self.open).used(id)
            && !handle.observer.unlinked()
        {
            return Ok(handle);
        }
        let handle = match Observer::open(space, id) {
            Ok(observer) => Arc::new(Handle { observer, space: space.clone(), attached: OnceLock::new() }),
            Err(error) => {
                self.forget(id);
                return Err(error.into());
            }
        };
        let mut open = locked(&self.open);
        open.keep(id, &handle);
        if !std::mem::replace(&mut open.is_tended, true) {
            task::spawn(tend(Arc::clone(&self.open)));
        }
        Ok(handle)
    }

    pub(super) fn forget(&self, id: &str) {
        let handle = locked(&self.open).handles.remove(id);
        drop(handle);
    }
}

impl Open {
    fn used(&mut self, id: &str) -> Option<Arc<Handle>> {
        let kept = self.handles.get_mut(id)?;
        kept.used = Instant::now();
        Some(Arc::clone(&kept.handle))
    }

    fn keep(&mut self, id: &str, handle: &Arc<Handle>) {
        if self.handles.len() >= MOST {
            self.handles.retain(|_, kept| !kept.handle.observer.unlinked());
            let mut uses: Vec<_> = self.handles.values().map(|kept| kept.used).collect();
            uses.sort_unstable();
            if let Some(oldest) = uses.get(MOST / 4).copied() {
                self.handles.retain(|_, kept| kept.used > oldest);
            }
        }
        self.handles.insert(id.to_owned(), Kept { handle: Arc::clone(handle), used: Instant::now() });
    }

    /// Those that nobody has used lately, or uses now.
    fn take_idle(&mut self) -> Vec<Kept> {
        let is_idle = |_: &String, kept: &mut Kept| {
            let stays = matches!(kept.handle.attached.get(), Some(Attached::Barrier(_)));
            !stays && Arc::strong_count(&kept.handle) == 1 && kept.used.elapsed() >= KEPT_FOR
        };
        self.handles.extract_if(is_idle).map(|(_, kept)| kept).collect()
    }
}

/// Lets go of what is idle, until nothing is kept.
async fn tend(open: Arc<Mutex<Open>>) {
    loop {
        time::sleep(KEPT_FOR).await;
        // Closed when the mutex is free again.
        let _idle = {
            let mut open = locked(&open);
            let idle = open.take_idle();
            if open.handles.is_empty() {
                open.is_tended = false;
                return;
            }
            idle
        };
    }
}

impl Handle {
    pub(crate) fn id(&self) -> &str {
        self.observer.id()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.observer.description().kind
    }

    pub(crate) fn uuid(&self) -> [u8; 16] {
        self.observer.description().uuid
    }

    /// As a participant, from now on.
    pub(crate) fn attached(&self) -> Result<&Attached, Fault> {
        if let Some(attached) = self.attached.get() {
            return Ok(attached);
        }
        let attached = self.attach()?;
        if attached.region().description().uuid != self.uuid() {
            let (id, space) = (self.id().to_owned(), self.space.directory().to_owned());
            return Err(Error::NotFound { id, space }.into());
        }
        Ok(self.attached.get_or_init(|| attached))
    }

    fn attach(&self) -> memlane::Result<Attached> {
        let (space, id) = (&self.space, self.id());
        Ok(match self.kind() {
            Kind::Value => Attached::Value(AnyValue::open(space, id)?),
            Kind::Record => Attached::Record(Record::open(space, id)?),
            Kind::Array => Attached::Array(Box::new(AnyArray::open(space, id)?)),
            Kind::Raw => Attached::Raw(Raw::open(space, id)?),
            Kind::Text => Attached::Text(Text::open(space, id)?),
            Kind::Rlock => Attached::Rlock(RLock::open(space, id)?),
            Kind::Rwlock => Attached::Rwlock(RwLock::open(space, id)?),
            Kind::Semaphore if self.observer.semaphore()?.owned => {
                Attached::Semaphore(Semaphore::open(space, id)?)
            }
            Kind::Semaphore => Attached::Signal(SignalSemaphore::open(space, id)?),
            Kind::Event => Attached::Event(Event::open(space, id)?),
            Kind::Condition => Attached::Condition(Condition::open(space, id)?),
            Kind::Barrier => Attached::Barrier(Arc::new(Barrier::open(space, id)?)),
            Kind::Queue => Attached::Queue(Arc::new(Queue::open(space, id)?)),
            Kind::Stream => {
                let subscriber = StreamSubscriber::open_lossy(space, id)?;
                let region = subscriber.region().clone();
                Attached::Stream(Box::new(Mutex::new(subscriber)), region)
            }
            Kind::Frames => Attached::Frames(Onlooker::open(space, id)?),
            _ => Attached::Other(Region::open(space, id)?),
        })
    }

    /// The region is of another kind.
    pub(crate) fn wrong_kind(&self, expected: &'static str) -> Fault {
        Error::WrongKind { id: self.id().into(), expected, found: self.kind().name() }.into()
    }

    /// `what` did not come in time.
    pub(crate) fn timed_out(&self, what: &'static str, patience: &super::Patience) -> Fault {
        Error::Timeout { id: self.id().into(), what, waited: patience.waited() }.into()
    }
}

impl Attached {
    /// What is to be waited for until it shows something else than at `version`, and of a value than the scalar of
    /// these bits, if they are known; nothing of kinds whose changes cannot be waited for.
    pub(crate) fn newer(&self, version: u64, bits: Option<u64>) -> memlane::Result<Option<Thing>> {
        Ok(Some(match self {
            Self::Value(value) => {
                // With the scalar that it has now, it is the version alone.
                let mut seen = value.read();
                seen.version = version;
                if let Some(bits) = bits {
                    seen.value = value.primitive().datum_of(bits);
                }
                Box::new(value.newer(&seen)?)
            }
            Self::Record(record) => Box::new(record.newer(version)),
            Self::Array(array) => Box::new(array.newer(version)),
            Self::Raw(raw) => Box::new(raw.newer(version)),
            Self::Text(text) => Box::new(text.newer(version)),
            Self::Frames(frames) => Box::new(frames.newer(version)),
            Self::Stream(subscriber, _) => {
                let subscriber = locked(subscriber);
                subscriber.seek(version);
                Box::new(subscriber.arrival())
            }
            _ => return Ok(None),
        }))
    }

    pub(crate) fn region(&self) -> &Region {
        match self {
            Self::Value(value) => value.region(),
            Self::Record(record) => record.region(),
            Self::Array(array) => array.region(),
            Self::Raw(raw) => raw.region(),
            Self::Text(text) => text.region(),
            Self::Rlock(lock) => lock.region(),
            Self::Rwlock(lock) => lock.region(),
            Self::Semaphore(semaphore) => semaphore.region(),
            Self::Signal(semaphore) => semaphore.region(),
            Self::Event(event) => event.region(),
            Self::Condition(condition) => condition.region(),
            Self::Barrier(barrier) => barrier.region(),
            Self::Queue(queue) => queue.region(),
            Self::Frames(frames) => frames.region(),
            Self::Stream(_, region) | Self::Other(region) => region,
        }
    }
}
