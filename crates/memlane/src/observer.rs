//! Looking in without leaving a trace.
//!
//! An observer maps a region read-only and takes no slot: read permission is enough, participants do not see
//! it, and nothing they do waits for it. It cannot ask to be woken, so it polls; it cannot hold a frame, so
//! it copies, and says when it could not copy fast enough ([`Error::Busy`]).
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! use memlane::observer::Content;
//! let speed = memlane::Value::<f64>::open_or_create(&space, "robot/speed", 1.5)?;
//! let observer = memlane::Observer::open(&space, "robot/speed")?;
//! assert_eq!(observer.read()?.content.to_string(), "1.5");
//! assert_eq!(observer.participants().len(), 1); // `speed`, not the observer
//! # Ok(()) }
//! ```

use crate::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use crate::cell::Copies;
use crate::cell::array::Units;
use crate::cell::raw::Bytes;
use crate::cell::snapshot::load_bytes;
use crate::channel::frames::{Timestamp, Words};
use crate::channel::pipe::{self, PipeState};
use crate::channel::queue::{self, Message, QueueState};
use crate::channel::ring::Ring;
use crate::channel::role::{self, PublisherState};
use crate::channel::stream::{self, Records, StreamState};
use crate::error::{Error, Result};
use crate::header::Description;
use crate::kind::Kind;
use crate::layout::{self, LockLine, VersionLine};
use crate::os::file::{self, RegionFile};
use crate::os::mapping::{Access, Mapping, Shared};
use crate::participant::{Participant, Participants, WaitingFor};
use crate::region::read_description;
use crate::schema::{Datum, Schema};
use crate::space::Space;
use crate::sync::barrier::{self, BarrierState};
use crate::sync::claim::Claim;
use crate::sync::lock::{self, LockState};
use crate::sync::rwlock::{self, RwLockState};
use crate::sync::semaphore::{self, SemaphoreState};
use crate::sync::version;
use crate::sync::{condition, event};
use crate::wait_graph::Holding;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an observer tries to copy something out that keeps changing.
const PATIENCE: Duration = Duration::from_millis(200);
/// Elements of an array that are shown in one line.
const SHOWN_ELEMENTS: usize = 16;

/// A read-only view of a region.
#[derive(Debug)]
pub struct Observer {
    id: String,
    space: Space,
    description: Description,
    file: RegionFile,
    mapping: Arc<Mapping>,
    participants: Participants,
    version: Shared<VersionLine>,
    lock: Shared<LockLine>,
}

/// A region at one moment, in a few words: another glance is equal as long as its content has not changed, nobody has
/// come, gone, died, begun or ended to wait, and its lock stands as it did. How kinds without a content stand beside
/// that (readers, permits, messages …) is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    version: u64,
    lock: [u32; 4],
    /// A hash: all that matters is whether it is the same.
    participants: u64,
}

impl Glance {
    /// The change counter, as [`Observer::version`].
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether the content has changed or the lock stands otherwise, whoever came or went.
    pub fn has_moved(&self, since: &Self) -> bool {
        (self.version, self.lock) != (since.version, since.lock)
    }
}

/// A region's content, copied out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Observation {
    /// The region's change counter (the newest frame's number for a frame channel).
    pub version: u64,
    /// What it holds.
    pub content: Content,
}

impl Observation {
    /// What was seen by other means, to be shown as what an observer sees.
    pub fn new(version: u64, content: Content) -> Self {
        Self { version, content }
    }
}

/// What a region holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A value's scalar, or a record's structure.
    Datum(Datum),
    /// A text.
    Text(String),
    /// An array's elements as bytes, in C order, and how to read them; the bytes of a raw region are such elements.
    Elements(Vec<u8>, Schema),
    /// Kinds without content of their own, and channels.
    None,
}

/// A frame channel, seen from outside.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FramesState {
    /// Number of the newest frame; 0 when there is none.
    pub newest: u64,
    /// When it was captured.
    pub captured: Option<Timestamp>,
    /// Bytes of the newest frame.
    pub length: usize,
    /// Frames on offer at most.
    pub history: u64,
    /// Who publishes.
    pub publisher: PublisherState,
    /// Who has claimed borrow entries, one item an entry.
    pub subscribers: Vec<Participant>,
    /// Borrow entries in all.
    pub borrows: usize,
}

/// An event, seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventState {
    /// Whether it is set.
    pub is_set: bool,
    /// Whether each setting lets one through.
    pub is_auto_reset: bool,
}

/// A frame, copied out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ObservedFrame {
    /// Its number.
    pub sequence: u64,
    /// When it was captured.
    pub captured: Timestamp,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Observer {
    /// Looks into the region `id`, which must exist; read permission is enough.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        let path = space.path_of(id)?;
        let refused = |error| space.refused(id, "observe", error);
        let corrupt = |what: String| Error::Corrupt { id: id.into(), what };
        let file = file::open(&path, Access::Read).map_err(refused)?;
        let status = file::status(&file).map_err(refused)?;
        if !status.is_file {
            return Err(corrupt("it is not a regular file".into()));
        }
        let description = read_description(&file, status.size).map_err(corrupt)?;
        let mapping = Mapping::new(&file, 0, description.control_size, Access::Read).map_err(refused)?;
        let slots = usize::from(description.participants);
        let short = || corrupt("it is too short for its participants".into());
        Ok(Self {
            id: id.into(),
            space: space.clone(),
            participants: Participants::new(
                mapping.shared_slice(layout::PARTICIPANTS_OFFSET, slots).ok_or_else(short)?,
            ),
            version: mapping.shared(layout::VERSION_OFFSET).ok_or_else(short)?,
            lock: mapping.shared(layout::LOCK_OFFSET).ok_or_else(short)?,
            description,
            file: RegionFile::new(file, status),
            mapping,
        })
    }

    /// The id inside the space.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the region says of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The change counter; the newest frame's number for a frame channel, how many were put or published for a queue
    /// or a stream, the phase of a barrier.
    pub fn version(&self) -> u64 {
        match self.description.kind {
            Kind::Frames => self.frame_words().map_or(0, |words| words.pool().newest().sequence),
            Kind::Queue => self.words(Kind::Queue, queue::Words::new).map_or(0, |words| words.version()),
            Kind::Stream => {
                self.words(Kind::Stream, stream::Words::new).map_or(0, |words| words.log().published())
            }
            Kind::Barrier => self.barrier().map_or(0, |state| state.phase),
            _ => version::count(self.version.version.load(Acquire)),
        }
    }

    /// Looks whether anything has happened, for one system call and one more a participant; `None` when the name was
    /// removed meanwhile.
    pub fn glance(&self) -> Option<Glance> {
        let participants = self.participants.glance(self.file.named()?.as_fd());
        let LockLine { word, mark, recoveries, depth, .. } = &*self.lock;
        // The claim first: the others are stored by whoever has it.
        let lock = [word, mark, recoveries, depth].map(|word| word.load(Acquire));
        Some(Glance { version: self.version(), lock, participants })
    }

    /// Everybody attached, and who died attached.
    pub fn participants(&self) -> Vec<Participant> {
        self.participants.list(None, &self.file)
    }

    /// The region's own lock: who holds it since when, who waits.
    pub fn lock(&self) -> LockState {
        lock::read_state(&self.lock, || self.participants())
    }

    /// Who holds what is waited for here; nobody where anybody can end the wait.
    pub fn holders(&self, what: WaitingFor) -> Vec<Holding> {
        match what {
            WaitingFor::Lock | WaitingFor::ReadLock => {
                self.lock().holder.map(Holding::of).into_iter().collect()
            }
            WaitingFor::Readers => self.rwlock().map_or_else(|_| Vec::new(), |state| holdings(state.readers)),
            WaitingFor::Permit => {
                self.semaphore().map_or_else(|_| Vec::new(), |state| holdings(state.holders))
            }
            _ => Vec::new(),
        }
    }

    /// A readers-writer lock's state.
    pub fn rwlock(&self) -> Result<RwLockState> {
        let words = self.words(Kind::Rwlock, rwlock::Words::new)?;
        Ok(RwLockState { lock: self.lock(), readers: words.readers(|claim| self.describe(claim)) })
    }

    /// A semaphore's state, of either sort.
    pub fn semaphore(&self) -> Result<SemaphoreState> {
        let words = self.words(Kind::Semaphore, semaphore::Words::new)?;
        Ok(if semaphore::is_owned(&self.description) {
            words.state(|claim| self.describe(claim))
        } else {
            words.tokens()
        })
    }

    /// An event's state: whether it is set, and whether it is an auto-reset event.
    pub fn event(&self) -> Result<EventState> {
        self.expect_kind(Kind::Event)?;
        let is_set = crate::sync::flag::is_set(version::count(self.version.version.load(Acquire)));
        Ok(EventState { is_set, is_auto_reset: event::is_auto_reset(&self.description) })
    }

    /// Who waits for a condition, one item a thread.
    pub fn condition(&self) -> Result<Vec<Participant>> {
        let words = self.words(Kind::Condition, condition::Words::new)?;
        Ok(words.waiters(|claim| self.describe(claim)))
    }

    /// A barrier's state.
    pub fn barrier(&self) -> Result<BarrierState> {
        let words = self.words(Kind::Barrier, barrier::Words::new)?;
        Ok(words.state(|claim| self.describe(claim)))
    }

    /// A queue's state.
    pub fn queue(&self) -> Result<QueueState> {
        let words = self.words(Kind::Queue, queue::Words::new)?;
        let ring = self.queue_ring(&words)?;
        Ok(words.state(&ring, |claim| self.describe(claim)))
    }

    /// Copies of up to `most` of the oldest messages of a queue.
    pub fn peek(&self, most: usize) -> Result<Vec<Message>> {
        let words = self.words(Kind::Queue, queue::Words::new)?;
        Ok(words.peek(&self.queue_ring(&words)?, most))
    }

    /// A pipe's state.
    pub fn pipe(&self) -> Result<PipeState> {
        let words = self.words(Kind::Pipe, pipe::Words::new)?;
        Ok(words.state(|claim| self.describe(claim)))
    }

    /// A stream's state.
    pub fn stream(&self) -> Result<StreamState> {
        let words = self.words(Kind::Stream, stream::Words::new)?;
        Ok(words.state(|claim| self.describe(claim)))
    }

    /// Copies of a stream's records from number `sequence` on, as many as are there up to `most`.
    pub fn records(&self, sequence: u64, most: u64) -> Result<Records> {
        let words = self.words(Kind::Stream, stream::Words::new)?;
        let (offset, len) = words.ring_range();
        let ring = words.ring(self.map(|file| Mapping::mirrored(file, offset, len, Access::Read))?);
        let ring = ring.ok_or_else(|| self.corrupt("it is too short for its records".into()))?;
        Ok(words.copy_out(&ring, sequence, most))
    }

    /// Whether the name was removed meanwhile.
    pub fn unlinked(&self) -> bool {
        self.file.is_unlinked()
    }

    /// Copies the content out. [`Error::Busy`] when it keeps changing faster than that.
    pub fn read(&self) -> Result<Observation> {
        let version = self.version();
        let content = match self.description.kind {
            Kind::Value => Content::Datum(self.scalar()?),
            Kind::Record => return self.record(),
            Kind::Text => return self.text(),
            Kind::Array => self.elements()?,
            Kind::Raw => self.bytes()?,
            _ => Content::None,
        };
        Ok(Observation { version, content })
    }

    /// A frame channel's state.
    pub fn frames(&self) -> Result<FramesState> {
        let words = self.frame_words()?;
        let newest = words.pool().newest();
        let info = (newest.sequence != 0).then(|| words.info(newest.slot));
        let known = |claim: Claim| self.describe(claim);
        let claims = words.claims().iter().filter_map(|word| Claim::in_word(word.load(Relaxed)));
        Ok(FramesState {
            newest: newest.sequence,
            captured: info.map(|info| info.captured),
            length: info.map_or(0, |info| info.length),
            history: words.history(),
            publisher: role::state(words.publisher(), known),
            subscribers: claims.filter_map(known).collect(),
            borrows: words.claims().len(),
        })
    }

    /// Copies the newest frame out; `None` when there never was one.
    pub fn latest_frame(&self) -> Result<Option<ObservedFrame>> {
        let words = self.frame_words()?;
        let (start, end) = (self.description.control_size as u64, self.description.total_size);
        let payload = self.map(|file| Mapping::new(file, start, (end - start) as usize, Access::Read))?;
        self.patiently(|| {
            let newest = words.pool().newest();
            if newest.sequence == 0 {
                return Some(Ok(None));
            }
            let info = words.info(newest.slot);
            let bytes = copy_payload(&payload, words.payload_of(newest.slot, info.length))?;
            let frame = ObservedFrame { sequence: newest.sequence, captured: info.captured, bytes };
            words.pool().still_offers(newest).then_some(Ok(Some(frame)))
        })
    }

    fn scalar(&self) -> Result<Datum> {
        let primitive = self.schema()?.native_scalar();
        let primitive = primitive.ok_or_else(|| self.corrupt("its schema is not a scalar".into()))?;
        Ok(primitive.datum_of(self.version.value.load(Acquire)))
    }

    fn record(&self) -> Result<Observation> {
        let schema = self.schema()?;
        let (version, mut bytes) = self.two_copies(schema.size())?;
        bytes.resize(schema.size(), 0);
        let datum = schema.decode(&bytes).map_err(|source| Error::Schema { id: self.id.clone(), source })?;
        Ok(Observation { version, content: Content::Datum(datum) })
    }

    fn text(&self) -> Result<Observation> {
        let (version, bytes) = self.two_copies(self.schema()?.size())?;
        let text = String::from_utf8(bytes)
            .map_err(|error| self.corrupt(format!("its text is not UTF-8: {error}")))?;
        Ok(Observation { version, content: Content::Text(text) })
    }

    fn two_copies(&self, capacity: usize) -> Result<(u64, Vec<u8>)> {
        let copies = Copies::new(&self.mapping, self.description.body_offset, capacity);
        let copies = copies.ok_or_else(|| self.corrupt("its body is too short".into()))?;
        self.patiently(|| copies.try_read().map(|read| read.map_err(|what| self.corrupt(what))))
    }

    fn elements(&self) -> Result<Content> {
        let schema = self.schema()?;
        let units = Units::new(&self.mapping, self.description.body_offset, schema);
        let units = units.ok_or_else(|| self.corrupt("its body is too short".into()))?;
        Ok(Content::Elements(units.all(), schema.clone()))
    }

    fn bytes(&self) -> Result<Content> {
        let bytes = self.words(Kind::Raw, Bytes::new)?;
        Ok(Content::Elements(bytes.all(), self.schema()?.clone()))
    }

    /// Tries until it works or patience ends.
    fn patiently<T>(&self, mut attempt: impl FnMut() -> Option<Result<T>>) -> Result<T> {
        let start = Instant::now();
        loop {
            if let Some(done) = attempt() {
                return done;
            }
            let waited = start.elapsed();
            if waited > PATIENCE {
                return Err(Error::Busy { id: self.id.clone(), waited });
            }
            crate::atomic::pause();
        }
    }

    fn frame_words(&self) -> Result<Words> {
        self.words(Kind::Frames, Words::new)
    }

    /// The words of a region that must be of this kind.
    fn words<W, E: Into<String>>(
        &self,
        kind: Kind,
        lay: impl FnOnce(&Description, &Arc<Mapping>) -> Result<W, E>,
    ) -> Result<W> {
        self.expect_kind(kind)?;
        lay(&self.description, &self.mapping).map_err(|what| self.corrupt(what.into()))
    }

    fn expect_kind(&self, kind: Kind) -> Result<()> {
        let found = self.description.kind;
        if found == kind {
            return Ok(());
        }
        Err(Error::WrongKind { id: self.id.clone(), expected: kind.name(), found: found.name() })
    }

    fn queue_ring(&self, words: &queue::Words) -> Result<Ring> {
        let (offset, len) = words.ring_range();
        let ring = words.ring(self.map(|file| Mapping::mirrored(file, offset, len, Access::Read))?);
        ring.ok_or_else(|| self.corrupt("it is too short for its messages".into()))
    }

    fn map(&self, map: impl FnOnce(BorrowedFd<'_>) -> Result<Arc<Mapping>, Errno>) -> Result<Arc<Mapping>> {
        let mapped = self.file.get().and_then(|file| map(file.as_fd()));
        mapped.map_err(|error| self.space.refused(&self.id, "observe", error))
    }

    /// What the table says of a claim's holder.
    fn describe(&self, claim: Claim) -> Option<Participant> {
        self.participants.describe(claim, !self.participants.is_dead(claim, None, &self.file))
    }

    fn schema(&self) -> Result<&Schema> {
        self.description.schema.as_ref().ok_or_else(|| self.corrupt("it has no schema".into()))
    }

    fn corrupt(&self, what: String) -> Error {
        Error::Corrupt { id: self.id.clone(), what }
    }
}

/// Processes that hold something of which the thread is not known.
fn holdings(holders: Vec<(Participant, u32)>) -> Vec<Holding> {
    holders
        .into_iter()
        .map(|(participant, _)| Holding { participant, thread: None, held_for: None })
        .collect()
}

/// Copies bytes that may change meanwhile: whole words, so that nothing is undefined, and the caller checks
/// afterwards.
fn copy_payload(payload: &Arc<Mapping>, range: std::ops::Range<usize>) -> Option<Vec<u8>> {
    let words = range.len().div_ceil(size_of::<u64>());
    let words: Shared<[AtomicU64]> = payload.shared_slice(range.start, words)?;
    let mut bytes = vec![0; range.len()];
    load_bytes(&words, &mut bytes);
    Some(bytes)
}

/// One line, long arrays cut.
impl fmt::Display for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Datum(datum) => write!(formatter, "{}", datum.elided(SHOWN_ELEMENTS)),
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Elements(bytes, schema) => show_elements(bytes, schema, formatter),
            Self::None => Ok(()),
        }
    }
}

/// The first elements in C order; the shape stands in the schema.
fn show_elements(bytes: &[u8], schema: &Schema, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_str("[")?;
    for (index, item) in bytes.chunks_exact(schema.item_size()).take(SHOWN_ELEMENTS).enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        match schema.dtype().decode(item) {
            Ok(datum) => write!(formatter, "{separator}{datum}")?,
            Err(error) => write!(formatter, "{separator}<{error}>")?,
        }
    }
    formatter.write_str(if schema.item_count() > SHOWN_ELEMENTS { ", …]" } else { "]" })
}
