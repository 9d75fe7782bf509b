//! Messages one behind the other in a ring of bytes, for queues and pipes.
//!
//! ```text
//! length : 32 | tag : 8 | 0        a message's header, 8 bytes
//! lease                            8 bytes more where messages are acknowledged
//! bytes                            padded to 8
//! ```
//!
//! The ring is mapped twice in a row, so that every message is in one piece wherever it begins: nothing has to be
//! skipped at the end, and a message may be as long as the ring. Places are counted in units of 8 bytes.
#![allow(unsafe_code)] // Messages are plain memory, and who may touch it is the queue's and the pipe's protocol.

use super::tag::Tag;
use crate::atomic::{AtomicU64, Ordering::Relaxed};
use crate::os::mapping::{Mapping, Shared};
use std::sync::Arc;

/// Bytes of a unit.
pub(crate) const UNIT: usize = size_of::<u64>();
/// Places are 30 bits wide.
pub(crate) const MAX_RING: usize = (1 << 30) * UNIT;

/// A ring of messages.
#[derive(Debug)]
pub(crate) struct Ring {
    mapping: Arc<Mapping>,
    words: Shared<[AtomicU64]>,
    /// Units of the ring.
    pub(crate) units: u32,
    /// Units before a message's bytes.
    header: u32,
}

/// What a message's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) length: usize,
    pub(crate) tag: Tag,
}

/// Units that a message of `length` bytes takes behind a header of `header` units; `None` when no ring is that large.
#[inline]
pub(crate) fn units_of(length: usize, header: u32) -> Option<u32> {
    let units = length.div_ceil(UNIT).checked_add(header as usize)?;
    u32::try_from(units).ok().filter(|units| *units as usize <= MAX_RING / UNIT)
}

impl Ring {
    /// Lays it over a mapping of `size` bytes twice.
    pub(crate) fn new(mapping: Arc<Mapping>, size: usize, header: u32) -> Option<Self> {
        let words = mapping.shared_slice(0, 2 * size / UNIT)?;
        Some(Self { mapping, words, units: (size / UNIT) as u32, header })
    }

    /// Longest message.
    pub(crate) fn capacity(&self) -> usize {
        (self.units - self.header) as usize * UNIT
    }

    /// Units that a message of `length` bytes takes; `None` when the ring is not that large.
    #[inline]
    pub(crate) fn units_of(&self, length: usize) -> Option<u32> {
        units_of(length, self.header).filter(|units| *units <= self.units)
    }

    #[inline]
    fn word(&self, place: u32) -> Option<&AtomicU64> {
        self.words.get(place as usize)
    }

    /// The word behind the header, which says whose the message is.
    #[inline]
    pub(crate) fn lease(&self, place: u32) -> Option<&AtomicU64> {
        self.word(place + 1)
    }

    /// What the message at `place` says of itself, if it fits the `used` units that there are.
    #[inline]
    pub(crate) fn header(&self, place: u32, used: u32) -> Result<(Header, u32), String> {
        let word = self.word(place).map_or(u64::MAX, |word| word.load(Relaxed));
        let length = word as u32 as usize;
        match self.units_of(length).filter(|units| *units <= used) {
            Some(units) => Ok((Header { length, tag: Tag::from_number((word >> 32) as u8) }, units)),
            None => Err(format!("a message claims {length} bytes of {}", used as usize * UNIT)),
        }
    }

    /// Writes the header of a message that is not sent yet.
    #[inline]
    pub(crate) fn set_header(&self, place: u32, header: Header) {
        if let Some(word) = self.word(place) {
            word.store(header.length as u64 | u64::from(header.tag as u8) << 32, Relaxed);
        }
        if self.header > 1
            && let Some(word) = self.lease(place)
        {
            word.store(0, Relaxed);
        }
    }

    /// The unit where the bytes of the message at `place` begin: in the first of the two mappings, or right behind it.
    #[inline]
    fn start_of(&self, place: u32) -> usize {
        // Another process's word, maybe: no place is behind the ring.
        let place = if place < self.units { place } else { 0 };
        (place + self.header) as usize
    }

    /// The bytes of the message at `place`.
    ///
    /// # Safety
    /// The message fits the ring (its length came from [`Self::header`] or [`Self::units_of`]), and for as long as
    /// the result lives nobody writes it.
    #[inline]
    pub(crate) unsafe fn bytes(&self, place: u32, length: usize) -> &[u8] {
        let start = self.start_of(place) * UNIT;
        // SAFETY: the caller's promise; the ring is mapped twice, so the range is inside wherever it begins.
        unsafe { self.mapping.bytes(start..start + length) }
    }

    /// [`Self::bytes`] for writing.
    ///
    /// # Safety
    /// The message fits the ring, the mapping is writable, and for as long as the result lives nobody else reads or
    /// writes it.
    #[inline]
    #[allow(clippy::mut_from_ref)] // The exclusion is the caller's protocol, not this reference.
    pub(crate) unsafe fn bytes_mut(&self, place: u32, length: usize) -> &mut [u8] {
        let start = self.start_of(place) * UNIT;
        // SAFETY: the caller's promise; the ring is mapped twice, so the range is inside wherever it begins.
        unsafe { self.mapping.bytes_mut(start..start + length) }
    }

    /// Copies the bytes of the message at `place` word by word: for who may be overtaken, and checks afterwards.
    pub(crate) fn copy_out(&self, place: u32, length: usize) -> Vec<u8> {
        let start = self.start_of(place);
        let mut bytes = vec![0; length];
        let words = self.words.get(start..start + length.div_ceil(UNIT)).unwrap_or_default();
        crate::cell::snapshot::load_bytes(words, &mut bytes);
        bytes
    }
}
