//! The reading end of a stream.

use super::publisher::open_ring;
use super::words::{Ring, StreamState, Words};
use crate::atomic::{AtomicU32, Ordering::Acquire};
use crate::cell::snapshot::load_bytes;
use crate::channel::spin::Spin;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::os::fork;
use crate::os::mapping::Access;
use crate::participant::WaitingFor;
use crate::region::Region;
use crate::schema::Schema;
use crate::space::Space;
use crate::sync::claim;
use crate::sync::version;
use crate::sync::waiter::{TimedOut, Wait};
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// One reader of a stream, with a place of its own in it.
#[derive(Debug)]
pub struct StreamSubscriber {
    region: Region,
    schema: Schema,
    words: Words,
    ring: Ring,
    /// The entry for which a lossless publisher waits.
    entry: Option<usize>,
    /// Number of the next record to return.
    cursor: Cell<u64>,
    lost: Cell<u64>,
    spin: Spin,
    forks: u32,
}

/// A record, copied out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Record {
    /// Its number, from 0, going on across publishers.
    pub sequence: u64,
    /// Its bytes, to be read by the stream's schema.
    pub bytes: Vec<u8>,
}

/// Records that follow each other, copied out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Records {
    /// Number of the first of them.
    pub first: u64,
    /// Bytes of a record.
    pub record_size: usize,
    /// The records, one behind the other.
    pub bytes: Vec<u8>,
    /// How many of those asked for were overwritten before they could be copied.
    pub lost: u64,
}

impl Records {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.bytes.len().checked_div(self.record_size).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The records with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let records = self.bytes.chunks_exact(self.record_size.max(1)).enumerate();
        records.map(|(index, bytes)| (self.first.wrapping_add(index as u64), bytes))
    }

    /// The records before `first` are gone.
    pub(super) fn skip_to(&mut self, first: u64) {
        self.lost = self.lost.saturating_add(first.saturating_sub(self.first));
        self.first = self.first.max(first);
    }
}

impl StreamSubscriber {
    /// Subscribes to the stream `id`, which must exist, from the next record on. The publisher of a lossless stream
    /// waits for this reader from now on: [`Error::SubscribersExhausted`] when it waits for as many as it can.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        let mut subscriber = Self::open_lossy(space, id)?;
        if subscriber.words.parameters.lossless {
            subscriber.join()?;
        }
        Ok(subscriber)
    }

    /// As [`Self::open`], but no publisher waits for this reader, which may lose records.
    pub fn open_lossy(space: &Space, id: &str) -> Result<Self> {
        let region = Region::open(space, id)?;
        region.expect_kind(Kind::Stream)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        let ring = open_ring(&region, &words, Access::Read)?;
        Ok(Self {
            schema: region.schema()?.clone(),
            cursor: Cell::new(words.log().published()),
            region,
            words,
            ring,
            entry: None,
            lost: Cell::new(0),
            spin: Spin::default(),
            forks: fork::count(),
        })
    }

    /// Begins with up to `records` records that were published before and are still there.
    #[must_use]
    pub fn history(self, records: u64) -> Self {
        // A lossless publisher keeps only what was not read when this reader came.
        let published = self.words.log().published();
        let kept = published.saturating_sub(self.words.log().oldest_whole());
        self.cursor.set(published - records.min(kept));
        self
    }

    /// Looks for this long before it sleeps: costs a processor, wakes in well under a microsecond.
    #[must_use]
    pub fn spin(mut self, spin: Duration) -> Self {
        self.spin = Spin(spin);
        self
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// What a record's bytes mean.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Records published so far: the number of the next one.
    pub fn published(&self) -> u64 {
        self.words.log().published()
    }

    /// Number of the record that [`Self::next`] returns next, if it is not lost until then.
    pub fn cursor(&self) -> u64 {
        self.cursor.get()
    }

    /// Goes on with record `sequence`, which may be one to come. What is passed over is not lost.
    pub fn seek(&self, sequence: u64) {
        self.go_to(sequence);
    }

    /// A record at the cursor, to wait for among other things in another thread.
    pub fn arrival(&self) -> Arrival {
        Arrival { region: self.region.clone(), words: self.words.clone(), cursor: self.cursor.get() }
    }

    /// How many records were overwritten before [`Self::next`] and its like came to them.
    pub fn lost(&self) -> u64 {
        self.lost.get()
    }

    /// The next record; waits for one when there is none.
    pub fn next(&self, timeout: Option<Duration>) -> Result<Record> {
        let mut bytes = vec![0; self.ring.record_size()];
        let sequence = self.next_into(&mut bytes, timeout)?;
        Ok(Record { sequence, bytes })
    }

    /// [`Self::next`] into memory of the record's size; gives back the record's number.
    #[inline]
    pub fn next_into(&self, bytes: &mut [u8], timeout: Option<Duration>) -> Result<u64> {
        if bytes.len() != self.ring.record_size() {
            return Err(self.unfit(bytes.len()));
        }
        let mut patience = None;
        loop {
            let sequence = self.cursor.get();
            let log = self.words.log();
            let published = log.published();
            if published <= sequence {
                if !self.spin.briefly(timeout, || self.has_record()) {
                    self.wait_for_record(patience.get_or_insert_with(|| Patience::new(timeout)))?;
                }
                continue;
            }
            if published == sequence + 1
                && log.read_beside(published, |copy| load_bytes(copy, bytes)).is_some()
            {
                self.go_to(published);
                return Ok(sequence);
            }
            self.ring.load_one(sequence, bytes);
            let whole = log.oldest_whole();
            if whole <= sequence {
                self.go_to(sequence.wrapping_add(1));
                return Ok(sequence);
            }
            self.skip(whole);
        }
    }

    /// Up to `most` records, as many as there are; waits for one when there is none.
    pub fn next_many(&self, most: usize, timeout: Option<Duration>) -> Result<Records> {
        let mut patience = None;
        loop {
            let records = self.try_next_many(most);
            if !records.is_empty() || most == 0 {
                return Ok(records);
            }
            self.wait_for_record(patience.get_or_insert_with(|| Patience::new(timeout)))?;
        }
    }

    /// Up to `most` records, as many as there are now.
    pub fn try_next_many(&self, most: usize) -> Records {
        let records = self.words.copy_out(&self.ring, self.cursor.get(), most as u64);
        self.lost.set(self.lost.get().saturating_add(records.lost));
        self.go_to(records.first.wrapping_add(records.len() as u64));
        records
    }

    /// The newest record, whether it was returned before or not; `None` when there never was one.
    pub fn latest(&self) -> Option<Record> {
        let records = self.last(1).ok()?;
        (!records.is_empty()).then_some(Record { sequence: records.first, bytes: records.bytes })
    }

    /// The newest `count` records, oldest first; fewer when there are fewer.
    pub fn last(&self, count: usize) -> Result<Records> {
        self.check_fork()?;
        let first = self.words.log().published().saturating_sub(count as u64);
        let mut records = self.words.copy_out(&self.ring, first, count as u64);
        // Those that went meanwhile are simply older than the last `count` by now.
        records.lost = 0;
        Ok(records)
    }

    /// All records from number `sequence` on that are still there, and how many of them are not. Does not move this
    /// subscriber's own place.
    pub fn since(&self, sequence: u64) -> Result<Records> {
        self.check_fork()?;
        Ok(self.words.copy_out(&self.ring, sequence, u64::MAX))
    }

    /// Who publishes, how far it is, and who is waited for.
    pub fn state(&self) -> StreamState {
        let attachment = self.region.attachment();
        self.words.state(|claim| attachment.describe(claim))
    }

    /// Claims an entry: a free one, or one of the dead.
    fn join(&mut self) -> Result<()> {
        let attachment = self.region.attachment().as_ref();
        let me = attachment.me()?;
        let is_mine =
            |entry: super::readers::Entry<'_>| claim::try_take_over(entry.claim, me, attachment).is_ok();
        let Some(index) = self.words.entries().position(is_mine) else {
            let entries = self.words.parameters.readers as u32;
            return Err(Error::SubscribersExhausted { id: self.region.id().into(), entries });
        };
        self.entry = Some(index);
        if let Some(entry) = self.words.entry(index) {
            self.cursor.set(entry.join(&self.words.log(), self.words.drain(), attachment));
        }
        Ok(())
    }

    #[inline]
    fn go_to(&self, sequence: u64) {
        self.cursor.set(sequence);
        if let Some(index) = self.entry {
            self.tell_publisher(index, sequence);
        }
    }

    fn tell_publisher(&self, index: usize, sequence: u64) {
        if let Some(entry) = self.words.entry(index).filter(|_| self.forks == fork::count()) {
            entry.go_on(sequence, self.words.drain(), self.region.attachment().as_ref());
        }
    }

    /// The records before `whole` were overwritten. Goes on a little ahead of it, so as not to be overtaken again at
    /// once.
    #[cold]
    fn skip(&self, whole: u64) {
        let log = self.words.log();
        let next = whole + (log.capacity / 8).min(log.published().saturating_sub(whole));
        self.lost.set(self.lost.get().saturating_add(next.saturating_sub(self.cursor.get())));
        self.go_to(next);
    }

    #[inline]
    fn has_record(&self) -> bool {
        self.words.log().published() > self.cursor.get()
    }

    /// Waits until there is a record at the cursor.
    #[cold]
    fn wait_for_record(&self, patience: &mut Patience) -> Result<()> {
        self.check_fork()?;
        let Patience { start, wait } = patience;
        if self.spin.for_long(wait, || self.has_record()) {
            return Ok(());
        }
        let attachment = self.region.attachment().as_ref();
        let _waiting = attachment.blocked(attachment.me()?, WaitingFor::Record);
        let cursor = self.cursor.get();
        let arrived =
            version::wait_until(self.words.log().tail, attachment, wait, |published| published > cursor);
        arrived.map(drop).map_err(|TimedOut| self.region.timed_out(self.waited_for(), *start))
    }

    fn waited_for(&self) -> &'static str {
        match self.state().publisher {
            super::PublisherState::None => "a record (nobody publishes)",
            super::PublisherState::Alive(_) => "a record (its publisher lives)",
            super::PublisherState::Died(_) => "a record (its publisher died)",
        }
    }

    fn check_fork(&self) -> Result<()> {
        if self.forks == fork::count() {
            return Ok(());
        }
        Err(Error::Forked { id: self.region.id().into(), what: "subscriber" })
    }

    #[cold]
    fn unfit(&self, size: usize) -> Error {
        Error::TooLarge { id: self.region.id().into(), size, capacity: self.ring.record_size() }
    }
}

/// One call's patience, also when it is overtaken and waits again.
#[derive(Debug)]
struct Patience {
    start: Instant,
    wait: Wait,
}

impl Patience {
    fn new(timeout: Option<Duration>) -> Self {
        Self { start: Instant::now(), wait: Wait::until(timeout) }
    }
}

/// Ready when there is a record at the cursor.
impl Sleep for StreamSubscriber {
    fn id(&self) -> &str {
        self.region.id()
    }

    fn is_ready(&self, _: Look) -> bool {
        version::count(self.words.log().tail.load(Acquire)) > self.cursor.get()
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.words.log().tail, |published| published > self.cursor.get())
    }

    /// A record is for all, and wakes all.
    fn pass_on(&self) {}
}

/// A record that was not there when this was made.
#[derive(Debug, Clone)]
pub struct Arrival {
    region: Region,
    words: Words,
    cursor: u64,
}

impl Sleep for Arrival {
    fn id(&self) -> &str {
        self.region.id()
    }

    fn is_ready(&self, _: Look) -> bool {
        version::count(self.words.log().tail.load(Acquire)) > self.cursor
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.words.log().tail, |published| published > self.cursor)
    }

    /// A record is for all, and wakes all.
    fn pass_on(&self) {}
}

impl Drop for StreamSubscriber {
    fn drop(&mut self) {
        let Some(entry) = self.entry.and_then(|index| self.words.entry(index)) else { return };
        // A forked child's copy has no entry to give back.
        if self.forks == fork::count() {
            let attachment = self.region.attachment().as_ref();
            claim::release(entry.claim, attachment);
            // The publisher may have waited for this reader.
            version::advance(self.words.drain(), attachment);
        }
    }
}
