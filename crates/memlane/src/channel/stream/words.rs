//! The words and records of a stream in a region, for publisher, subscribers and observers alike.

use super::log::Log;
use super::readers::Entry;
use super::spec::Parameters;
use super::subscriber::Records;
use crate::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use crate::cell::snapshot::{load_bytes, store_bytes};
use crate::channel::role::{self, PublisherState};
use crate::header::Description;
use crate::layout::RoleLine;
use crate::layout::stream::{DrainLine, ReaderLine, TailLine};
use crate::os::mapping::{Mapping, Shared};
use crate::participant::Participant;
use crate::sync::claim::Claim;
use std::sync::Arc;

const WORD: usize = size_of::<u64>();

/// A stream, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamState {
    /// Records published so far: the number of the next one.
    pub published: u64,
    /// Records that are kept.
    pub capacity: u64,
    /// Bytes of a record.
    pub record_size: usize,
    /// Whether the publisher waits for its readers.
    pub lossless: bool,
    /// Who publishes.
    pub publisher: PublisherState,
    /// The readers that a lossless publisher waits for; others leave no trace.
    pub readers: Vec<StreamReader>,
}

/// A reader that a lossless publisher waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamReader {
    /// The process.
    pub participant: Participant,
    /// How many records it is behind.
    pub behind: u64,
}

/// Typed views of a stream's control part.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    pub(super) parameters: Parameters,
    pub(super) role: Shared<RoleLine>,
    tail: Shared<TailLine>,
    drain: Shared<DrainLine>,
    readers: Shared<[ReaderLine]>,
}

/// The ring of records: mapped twice in a row, so that every run of records is in one piece.
#[derive(Debug)]
pub(crate) struct Ring {
    words: Shared<[AtomicU64]>,
    mapping: Arc<Mapping>,
    parameters: Parameters,
}

impl Words {
    /// Lays them over a mapping, after checking that the header agrees with itself.
    pub(crate) fn new(description: &Description, mapping: &Arc<Mapping>) -> Result<Self, String> {
        let parameters = Parameters::of(description)?;
        let layout = parameters.layout;
        let views = || {
            Some(Self {
                parameters,
                role: mapping.shared(layout.role_offset)?,
                tail: mapping.shared(layout.tail_offset)?,
                drain: mapping.shared(layout.drain_offset)?,
                readers: mapping.shared_slice(layout.readers_offset, parameters.readers)?,
            })
        };
        views().ok_or_else(|| "it is too short for its readers".to_owned())
    }

    /// Where the ring lies in the file.
    pub(crate) fn ring_range(&self) -> (u64, usize) {
        let layout = self.parameters.layout;
        (layout.payload_offset as u64, layout.capacity * layout.stride)
    }

    /// The ring over its mapping of [`Self::ring_range`].
    pub(crate) fn ring(&self, mapping: Arc<Mapping>) -> Option<Ring> {
        let (_, len) = self.ring_range();
        let words = mapping.shared_slice(0, 2 * len / WORD)?;
        Some(Ring { words, mapping, parameters: self.parameters })
    }

    #[inline]
    pub(crate) fn log(&self) -> Log<'_> {
        Log {
            tail: &self.tail.tail,
            intent: &self.tail.intent,
            capacity: self.parameters.layout.capacity as u64,
            number: &self.tail.number,
            copy: self.tail.copy.get(..self.parameters.layout.stride / WORD).unwrap_or_default(),
        }
    }

    pub(super) fn drain(&self) -> &AtomicU64 {
        &self.drain.drain
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.readers.iter().map(|line| Entry { claim: &line.claim, cursor: &line.cursor })
    }

    pub(super) fn entry(&self, index: usize) -> Option<Entry<'_>> {
        self.readers.get(index).map(|line| Entry { claim: &line.claim, cursor: &line.cursor })
    }

    /// What there is to see; `describe` is what the table knows of a claim.
    pub(crate) fn state(&self, describe: impl Fn(Claim) -> Option<Participant>) -> StreamState {
        let published = self.log().published();
        let reader = |entry: Entry<'_>| {
            let participant = describe(Claim::in_word(entry.claim.load(Acquire))?)?;
            let behind = published.saturating_sub(entry.cursor.load(Relaxed));
            Some(StreamReader { participant, behind })
        };
        StreamState {
            published,
            capacity: self.log().capacity,
            record_size: self.parameters.size,
            lossless: self.parameters.lossless,
            publisher: role::state(&self.role.publisher, &describe),
            readers: self.entries().filter_map(reader).collect(),
        }
    }

    /// Copies out the records from number `first` on, up to `most` of them; counts those that are gone or go while
    /// they are copied.
    pub(crate) fn copy_out(&self, ring: &Ring, first: u64, most: u64) -> Records {
        let log = self.log();
        let mut records = Records { first, record_size: self.parameters.size, ..Records::default() };
        loop {
            let published = log.published();
            records.skip_to(log.oldest_whole().min(published));
            let count = published.saturating_sub(records.first).min(most).min(log.capacity);
            ring.load(records.first, count as usize, &mut records.bytes);
            let whole = log.oldest_whole();
            if whole <= records.first {
                return records;
            }
            // Overtaken: a little ahead of what goes next, so as not to be overtaken again at once.
            let margin = (log.capacity / 8).min(published.saturating_sub(whole));
            records.skip_to(whole + margin);
        }
    }
}

impl Ring {
    /// What keeps it mapped.
    pub(super) fn mapping(&self) -> Arc<Mapping> {
        self.mapping.clone()
    }

    /// Bytes of a record.
    #[inline]
    pub(crate) fn record_size(&self) -> usize {
        self.parameters.size
    }

    /// The capacity is a power of two.
    #[inline]
    fn slot_of(&self, number: u64) -> usize {
        number as usize & (self.parameters.layout.capacity - 1)
    }

    /// The words of `count` records from number `first` on.
    #[inline]
    fn words_of(&self, first: u64, count: usize) -> &[AtomicU64] {
        let layout = &self.parameters.layout;
        let stride = layout.stride / WORD;
        let start = self.slot_of(first) * stride;
        self.words.get(start..start + count * stride).unwrap_or_default()
    }

    /// Writes `count` records that lie one behind the other in `bytes`.
    #[inline]
    pub(super) fn store(&self, first: u64, count: usize, bytes: &[u8]) {
        let layout = &self.parameters.layout;
        let size = self.parameters.size;
        if size == layout.stride {
            store_bytes(self.words_of(first, count), bytes);
            return;
        }
        for (index, record) in bytes.chunks_exact(size).enumerate() {
            store_bytes(self.words_of(first.wrapping_add(index as u64), 1), record);
        }
    }

    /// Copies records out, one behind the other.
    fn load(&self, first: u64, count: usize, bytes: &mut Vec<u8>) {
        let size = self.parameters.size;
        bytes.resize(count * size, 0);
        if size == self.parameters.layout.stride {
            load_bytes(self.words_of(first, count), bytes);
            return;
        }
        for (index, record) in bytes.chunks_exact_mut(size).enumerate() {
            load_bytes(self.words_of(first.wrapping_add(index as u64), 1), record);
        }
    }

    /// Copies one record out.
    #[inline]
    pub(super) fn load_one(&self, number: u64, bytes: &mut [u8]) {
        load_bytes(self.words_of(number, 1), bytes);
    }

    /// Where record `number` lies in this process's memory.
    pub(super) fn address_of(&self, number: u64) -> *mut u8 {
        let layout = &self.parameters.layout;
        self.mapping.address(self.slot_of(number) * layout.stride)
    }
}
