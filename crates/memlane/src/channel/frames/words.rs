//! The words of a frame channel in a region, for publisher, subscribers and observers alike.

use super::pool::{Located, Pool};
use super::spec::Parameters;
use super::timestamp::Timestamp;
use crate::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use crate::header::Description;
use crate::layout::{FrameInfo, RoleLine};
use crate::os::mapping::{self, Mapping, Shared};
use std::sync::Arc;

/// Typed views of a frame channel's control part.
#[derive(Debug)]
pub(crate) struct Words {
    pub(super) parameters: Parameters,
    pub(crate) role: Shared<RoleLine>,
    claims: Shared<[AtomicU32]>,
    head: Shared<AtomicU64>,
    sequences: Shared<[AtomicU64]>,
    borrows: Shared<[AtomicU32]>,
    ring: Shared<[AtomicU64]>,
    infos: Shared<[FrameInfo]>,
}

/// What is known of a frame besides its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Info {
    pub(crate) length: usize,
    pub(crate) captured: Timestamp,
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
                claims: mapping.shared_slice(layout.claims_offset, layout.borrows)?,
                head: mapping.shared(layout.head_offset)?,
                sequences: mapping.shared_slice(layout.sequences_offset, layout.slots)?,
                borrows: mapping.shared_slice(layout.borrows_offset, layout.borrows)?,
                ring: mapping.shared_slice(layout.ring_offset, layout.ring)?,
                infos: mapping.shared_slice(layout.infos_offset, layout.slots)?,
            })
        };
        views().ok_or_else(|| "it is too short for its frames".to_owned())
    }

    #[inline]
    pub(crate) fn pool(&self) -> Pool<'_> {
        Pool {
            head: &self.head,
            sequences: &self.sequences,
            borrows: &self.borrows,
            ring: &self.ring,
            history: self.parameters.history,
        }
    }

    /// The publisher's claim word.
    pub(crate) fn publisher(&self) -> &AtomicU32 {
        &self.role.publisher
    }

    /// Who has claimed which borrow entry.
    pub(crate) fn claims(&self) -> &[AtomicU32] {
        &self.claims
    }

    pub(super) fn head(&self) -> &AtomicU64 {
        &self.head
    }

    #[inline]
    pub(crate) fn borrow_entry(&self, index: usize) -> Option<&AtomicU32> {
        self.borrows.get(index)
    }

    /// Bytes of the longest frame.
    pub(crate) fn capacity(&self) -> usize {
        self.parameters.capacity
    }

    /// Frames on offer at most.
    pub(crate) fn history(&self) -> u64 {
        self.parameters.history
    }

    /// Where a frame's bytes are in the payload; its length is another process's word and cut to what fits.
    #[inline]
    pub(crate) fn payload_of(&self, slot: usize, length: usize) -> std::ops::Range<usize> {
        self.parameters.payload_of(slot, length.min(self.capacity()))
    }

    /// Publisher: notes what is known of the frame it is about to publish.
    #[inline]
    pub(super) fn describe(&self, frame: Located, info: Info) {
        if let Some(words) = self.infos.get(frame.slot) {
            words.length.store(info.length as u64, Relaxed);
            words.captured.store(info.captured.monotonic, Relaxed);
            words.captured_wall.store(info.captured.wall, Relaxed);
        }
    }

    /// Asks for what is known of a frame.
    #[inline]
    pub(super) fn prefetch_info(&self, slot: usize) {
        if let Some(info) = self.infos.get(slot) {
            mapping::prefetch(info);
        }
    }

    /// What is known of a frame that cannot change now.
    #[inline]
    pub(crate) fn info(&self, slot: usize) -> Info {
        let words = self.infos.get(slot);
        let read = |field: fn(&FrameInfo) -> &AtomicU64| words.map_or(0, |words| field(words).load(Relaxed));
        let length = read(|words| &words.length).min(self.capacity() as u64) as usize;
        Info {
            length,
            captured: Timestamp {
                monotonic: read(|words| &words.captured),
                wall: read(|words| &words.captured_wall),
            },
        }
    }
}
