//! Regions that are open.
//!
//! To look, an observer is enough; the host takes part in a region when it changes it or waits for it. What was removed,
//! or removed and made anew, is noticed at the next request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use memlane::frames::Onlooker;
use memlane::{
    AnyArray, AnyValue, Condition, Error, Event, Kind, Observer, Queue, RLock, Raw, Record, Region, RwLock,
    Semaphore, SignalSemaphore, Space, StreamSubscriber, Text,
};

use crate::host::watcher::locked;
use crate::protocol::fault::Fault;

/// So many are kept; each costs a file or three.
const MOST: usize = 512;

/// The regions by id.
#[derive(Debug, Default)]
pub(super) struct Handles {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    handles: HashMap<String, (Arc<Handle>, u64)>,
    /// Counts uses.
    clock: u64,
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
    Array(AnyArray),
    Raw(Raw),
    Text(Text),
    Rlock(RLock),
    Rwlock(RwLock),
    Semaphore(Semaphore),
    Signal(SignalSemaphore),
    Event(Event),
    Condition(Condition),
    Queue(Arc<Queue>),
    /// The reader's place is wherever it was used last.
    Stream(Mutex<StreamSubscriber>, Region),
    Frames(Onlooker),
    /// Locks, and what is opened for each use: barriers and pipes.
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
        locked(&self.open).keep(id, &handle);
        Ok(handle)
    }

    pub(super) fn forget(&self, id: &str) {
        let handle = locked(&self.open).handles.remove(id);
        drop(handle);
    }
}

impl Open {
    fn used(&mut self, id: &str) -> Option<Arc<Handle>> {
        self.clock += 1;
        let (handle, used) = self.handles.get_mut(id)?;
        *used = self.clock;
        Some(Arc::clone(handle))
    }

    fn keep(&mut self, id: &str, handle: &Arc<Handle>) {
        if self.handles.len() >= MOST {
            self.handles.retain(|_, (handle, _)| !handle.observer.unlinked());
            let mut uses: Vec<_> = self.handles.values().map(|(_, used)| *used).collect();
            uses.sort_unstable();
            if let Some(oldest) = uses.get(MOST / 4).copied() {
                self.handles.retain(|_, (_, used)| *used > oldest);
            }
        }
        self.clock += 1;
        self.handles.insert(id.to_owned(), (Arc::clone(handle), self.clock));
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
            Kind::Array => Attached::Array(AnyArray::open(space, id)?),
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
            Kind::Queue => Attached::Queue(Arc::new(Queue::open(space, id)?)),
            Kind::Stream => {
                let subscriber = StreamSubscriber::open_lossy(space, id)?;
                let region = subscriber.region().clone();
                Attached::Stream(Mutex::new(subscriber), region)
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
            Self::Queue(queue) => queue.region(),
            Self::Frames(frames) => frames.region(),
            Self::Stream(_, region) | Self::Other(region) => region,
        }
    }
}
