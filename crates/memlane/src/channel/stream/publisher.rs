//! The publishing end of a stream.

use super::log::Progress;
use super::readers::{self, Slowest};
use super::spec::{PARAMETERS, StreamSpec};
use super::words::{Ring, Words};
use crate::cell::snapshot::store_bytes;
use crate::channel::role;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::os::fork;
use crate::os::mapping::Access;
use crate::participant::WaitingFor;
use crate::region::{Opening, Region};
use crate::schema::{Datum, Schema};
use crate::space::Space;
use crate::sync::claim;
use crate::sync::version;
use crate::sync::waiter::{Peers, Wait};
use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A batch takes at most that part of the ring, so that readers near its end are not overtaken by every one.
const LARGEST_BATCH: u64 = 8;

/// The one publisher of a stream. When its process dies, the next one takes over and the numbers go on.
#[derive(Debug)]
pub struct StreamPublisher {
    region: Region,
    words: Words,
    ring: Ring,
    schema: Schema,
    progress: Progress,
    /// Up to where it may write without looking at its readers again; always, when it does not wait for them.
    limit: u64,
    patience: Option<Duration>,
    forks: u32,
}

impl StreamPublisher {
    /// Opens the stream `id`, which must be of this spec, or makes it, and becomes its publisher. When somebody
    /// living publishes there: [`Error::PublisherExists`].
    pub fn open_or_create(space: &Space, id: &str, spec: &StreamSpec) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, spec, Duration::ZERO)
    }

    /// As [`Self::open_or_create`], waiting up to `patience` for a present publisher to end: for a stand-by.
    pub fn open_or_create_within(
        space: &Space,
        id: &str,
        spec: &StreamSpec,
        patience: Duration,
    ) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, spec, patience)
    }

    /// Makes the stream `id`, which must not exist, and becomes its publisher.
    pub fn create(space: &Space, id: &str, spec: &StreamSpec) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, spec, Duration::ZERO)
    }

    /// Becomes the publisher of the stream `id`, which must exist, whatever its spec.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?, Duration::ZERO)
    }

    fn obtain(
        space: &Space,
        id: &str,
        opening: Opening,
        spec: &StreamSpec,
        patience: Duration,
    ) -> Result<Self> {
        let blueprint = spec.blueprint(space, id)?;
        let region = Region::obtain(space, id, opening, &blueprint)?;
        region.expect_parameters(&blueprint, &PARAMETERS)?;
        Self::of(region, patience)
    }

    fn of(region: Region, patience: Duration) -> Result<Self> {
        region.expect_kind(Kind::Stream)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        let ring = open_ring(&region, &words, Access::ReadWrite)?;
        let schema = region.schema()?.clone();
        role::take(&region, &words.role, patience)?;
        let limit = if words.parameters.lossless { 0 } else { u64::MAX };
        let progress = words.log().progress();
        Ok(Self { region, words, ring, schema, progress, limit, patience: None, forks: fork::count() })
    }

    /// How long an append to a lossless stream waits for a reader that does not read: for ever, unless said. Then
    /// [`Error::ReaderStalls`] names it.
    #[must_use]
    pub fn patience(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience;
        self
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// What keeps the records' memory mapped, for bindings whose views outlive the publisher.
    pub fn mapping(&self) -> Arc<dyn Any + Send + Sync> {
        self.ring.mapping()
    }

    /// What a record's bytes mean.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Records that are kept.
    pub fn capacity(&self) -> u64 {
        self.words.log().capacity
    }

    /// Records published so far, by all publishers: the number of the next one.
    pub fn published(&self) -> u64 {
        self.progress.published
    }

    /// Publishes a record of the schema's size; gives back its number, from 0. No system call unless somebody
    /// sleeps, or a lossless stream is full.
    #[inline]
    pub fn append(&mut self, record: &[u8]) -> Result<u64> {
        if record.len() != self.ring.record_size() {
            return Err(self.unfit(record.len()));
        }
        self.publish(1, record)
    }

    /// Publishes a record given field by field; gives back its number.
    pub fn append_datum(&mut self, record: &Datum) -> Result<u64> {
        let unfit = |source| Error::Schema { id: self.region.id().into(), source };
        let bytes = self.schema.encode(record).map_err(unfit)?;
        self.append(&bytes)
    }

    /// Publishes records that lie one behind the other, as one change as long as an eighth of the ring is enough;
    /// gives back the number of the first.
    pub fn append_many(&mut self, records: &[u8]) -> Result<u64> {
        let size = self.ring.record_size();
        if !records.len().is_multiple_of(size) {
            return Err(self.unfit(records.len()));
        }
        let first = self.published();
        for batch in records.chunks(size * self.largest_batch() as usize) {
            self.publish((batch.len() / size) as u64, batch)?;
        }
        Ok(first)
    }

    /// Room for `count` records, up to an eighth of the ring, to be written where they will lie. Dropped
    /// unpublished, nobody has seen them.
    pub fn batch(&mut self, count: u64) -> Result<Batch<'_>> {
        let most = self.largest_batch();
        if !(1..=most).contains(&count) {
            return Err(Error::BadParameter {
                id: self.region.id().into(),
                parameter: "the records of a batch",
                limit: format!("1 to {most}"),
                found: count,
            });
        }
        let first = self.begin(count)?;
        Ok(Batch { publisher: self, first, count })
    }

    fn largest_batch(&self) -> u64 {
        (self.capacity() / LARGEST_BATCH).max(1)
    }

    // For one record the loops over many fall away: thirty instructions of two hundred.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn publish(&mut self, count: u64, records: &[u8]) -> Result<u64> {
        let first = self.begin(count)?;
        if count == 1 {
            self.words.log().copy_beside(first, |copy| store_bytes(copy, records));
        }
        self.ring.store(first, count as usize, records);
        self.words.log().publish(&mut self.progress, first + count, self.region.attachment().as_ref());
        Ok(first)
    }

    #[inline]
    fn begin(&mut self, count: u64) -> Result<u64> {
        if self.forks != fork::count() {
            return Err(Error::Forked { id: self.region.id().into(), what: "publisher" });
        }
        if self.limit != u64::MAX && self.published() + count > self.limit {
            self.make_room(count)?;
        }
        Ok(self.words.log().begin(&mut self.progress, count))
    }

    /// Waits until no living reader wants what would be overwritten.
    #[cold]
    fn make_room(&mut self, count: u64) -> Result<()> {
        let end = self.published() + count;
        let attachment = self.region.attachment().as_ref();
        if let Ok(limit) = self.look_at_readers(end, |_| false) {
            self.limit = limit;
            return Ok(());
        }
        let start = Instant::now();
        let _waiting = attachment.blocked(attachment.me()?, WaitingFor::Room);
        let mut wait = Wait::until(self.patience);
        // Who does not go on may be dead.
        let mut stalled = Err(Slowest { reader: None, cursor: 0 });
        let has_room = |_| {
            stalled = self.look_at_readers(end, |reader| attachment.is_dead(reader));
            stalled.is_ok()
        };
        // How it ended says the last look.
        let _ = version::wait_until(self.words.drain(), attachment, &mut wait, has_room);
        self.limit = stalled.map_err(|slowest| self.reader_stalls(slowest, start))?;
        Ok(())
    }

    /// The new limit, if it is at least `end`; else who is in the way.
    fn look_at_readers(&self, end: u64, is_dead: impl Fn(claim::Claim) -> bool) -> Result<u64, Slowest> {
        let log = self.words.log();
        let slowest = readers::slowest(&log, self.words.entries(), is_dead);
        let limit = slowest.cursor + log.capacity;
        if end <= limit { Ok(limit) } else { Err(slowest) }
    }

    fn reader_stalls(&self, slowest: Slowest, start: Instant) -> Error {
        let who = slowest
            .reader
            .map_or_else(|| "a reader".to_owned(), |reader| self.region.attachment().who(reader));
        let behind = self.published().saturating_sub(slowest.cursor);
        Error::ReaderStalls {
            id: self.region.id().into(),
            waited: start.elapsed(),
            reader: format!("{who}, {behind} records behind,"),
        }
    }

    #[cold]
    fn unfit(&self, size: usize) -> Error {
        Error::TooLarge { id: self.region.id().into(), size, capacity: self.ring.record_size() }
    }
}

impl Drop for StreamPublisher {
    fn drop(&mut self) {
        // A forked child's copy has no claim to give back.
        if self.forks == fork::count() {
            claim::release(&self.words.role.publisher, self.region.attachment().as_ref());
        }
    }
}

/// Records being written where they will lie, seen by nobody until they are published.
#[derive(Debug)]
#[must_use = "a batch that is not published is never seen"]
pub struct Batch<'a> {
    publisher: &'a mut StreamPublisher,
    first: u64,
    count: u64,
}

impl Batch<'_> {
    /// The number that the first record will have.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Writes the record at `index`, of the schema's size.
    pub fn set(&mut self, index: u64, record: &[u8]) -> Result<()> {
        if record.len() != self.publisher.ring.record_size() {
            return Err(self.publisher.unfit(record.len()));
        }
        if index >= self.count {
            let id = self.publisher.region.id().into();
            return Err(Error::OutOfRange { id, what: "record in a batch", index, len: self.count });
        }
        self.publisher.ring.store(self.first + index, 1, record);
        Ok(())
    }

    /// Where the records lie, one every [`Self::stride`] bytes, for bindings. Who still reads the records that lay
    /// here copies while they are overwritten, and then drops that copy.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.publisher.ring.address_of(self.first)
    }

    /// Bytes from one record to the next: the record's size, rounded up to 8.
    pub fn stride(&self) -> usize {
        self.publisher.words.parameters.layout.stride
    }

    /// Publishes the first `count` records as one change; gives back the number of the first.
    pub fn publish(self, count: u64) -> u64 {
        let StreamPublisher { region, words, progress, forks, .. } = self.publisher;
        if *forks == fork::count() {
            let end = self.first + count.min(self.count);
            words.log().publish(progress, end, region.attachment().as_ref());
        }
        self.first
    }
}

/// Maps the ring of a stream.
pub(super) fn open_ring(region: &Region, words: &Words, access: Access) -> Result<Ring> {
    let (offset, len) = words.ring_range();
    let ring = words.ring(region.map_ring(offset, len, access)?);
    ring.ok_or_else(|| region.corrupt("it is too short for its records".into()))
}
