//! The publishing end of a frame channel.
#![allow(unsafe_code)] // A loan is plain memory: the pool's protocol keeps everybody else out of it.

use super::pool::Located;
use super::spec::FrameSpec;
use super::timestamp::Timestamp;
use super::words::{Info, Words};
use crate::channel::role;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::os::fork;
use crate::os::mapping::{Access, Mapping};
use crate::region::{Opening, Region};
use crate::space::Space;
use crate::sync::claim;
use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

/// The one publisher of a frame channel. When its process dies, the next one takes over and the sequence goes
/// on.
#[derive(Debug)]
pub struct FramePublisher {
    region: Region,
    words: Words,
    payload: Arc<Mapping>,
    /// Where the next frame goes: chosen ahead, so that a loan costs nothing when the data is there. Nobody
    /// can come to read a slot that is not on offer, so the choice stays good.
    next: Option<Located>,
    forks: u32,
}

impl FramePublisher {
    /// Opens the channel `id`, which must be of this spec, or makes it, and becomes its publisher. When
    /// somebody living publishes there: [`Error::PublisherExists`].
    pub fn open_or_create(space: &Space, id: &str, spec: &FrameSpec) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, spec, Duration::ZERO)
    }

    /// As [`Self::open_or_create`], waiting up to `patience` for a present publisher to end: for a stand-by.
    pub fn open_or_create_within(
        space: &Space,
        id: &str,
        spec: &FrameSpec,
        patience: Duration,
    ) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, spec, patience)
    }

    /// Makes the channel `id`, which must not exist, and becomes its publisher.
    pub fn create(space: &Space, id: &str, spec: &FrameSpec) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, spec, Duration::ZERO)
    }

    /// Becomes the publisher of the channel `id`, which must exist, whatever its spec.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?, Duration::ZERO)
    }

    fn obtain(
        space: &Space,
        id: &str,
        opening: Opening,
        spec: &FrameSpec,
        patience: Duration,
    ) -> Result<Self> {
        let blueprint = spec.blueprint(space, id)?;
        let region = Region::obtain(space, id, opening, &blueprint)?;
        region.expect_parameters(&blueprint, &["history", "borrows", "frame size", "variable length"])?;
        Self::of(region, patience)
    }

    fn of(region: Region, patience: Duration) -> Result<Self> {
        region.expect_kind(Kind::Frames)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        let payload = region.map_payload(Access::ReadWrite)?;
        role::take(&region, &words.role, patience)?;
        let next = words.pool().begin();
        Ok(Self { region, words, payload, next, forks: fork::count() })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Bytes of a frame; the most there can be when their length varies.
    pub fn capacity(&self) -> usize {
        self.words.capacity()
    }

    /// Whether frames vary in length, so that their schema gives the most bytes there can be.
    pub fn varies(&self) -> bool {
        self.words.parameters.variable
    }

    /// What keeps the frames' memory mapped, for bindings whose views outlive the publisher.
    pub fn mapping(&self) -> Arc<dyn Any + Send + Sync> {
        self.payload.clone()
    }

    /// A slot to write the next frame into. It holds what some earlier frame left there. Dropped unpublished,
    /// it is free again and nobody has seen it; the next loan is of the same slot, with what was written there.
    #[inline]
    pub fn loan(&mut self) -> Result<Loan<'_>> {
        if self.forks != fork::count() {
            return Err(Error::Forked { id: self.region.id().into(), what: "publisher" });
        }
        let frame = self.next.ok_or_else(|| self.no_slot())?;
        let length = self.words.capacity();
        // SAFETY: `begin` gave a slot that offers nothing and that nobody has announced, so no reader will
        // look at it before it is published; there is one publisher (its claim), one loan (`&mut self`, whose
        // other fields the loan only reads), and the mapping is writable.
        let bytes = unsafe { self.payload.bytes_mut(self.words.payload_of(frame.slot, length)) };
        let Self { region, words, next, forks, .. } = self;
        Ok(Loan { words, region, next, frame, bytes, length, forks: *forks })
    }

    #[cold]
    fn no_slot(&self) -> Error {
        self.region.corrupt("its pool has no free slot, which cannot be while its words are whole".into())
    }
}

impl Drop for FramePublisher {
    fn drop(&mut self) {
        // A forked child's copy has no claim to give back.
        if self.forks == fork::count() {
            claim::release(self.words.publisher(), self.region.attachment().as_ref());
        }
    }
}

/// A frame being written in place: plain memory, seen by nobody until it is published.
#[derive(Debug)]
#[must_use = "a loan that is not published is never seen"]
pub struct Loan<'a> {
    words: &'a Words,
    region: &'a Region,
    next: &'a mut Option<Located>,
    frame: Located,
    bytes: &'a mut [u8],
    length: usize,
    forks: u32,
}

impl Loan<'_> {
    /// The number the frame will have.
    pub fn sequence(&self) -> u64 {
        self.frame.sequence
    }

    /// Says how many bytes the frame has, where the channel's frames vary in length.
    pub fn set_len(&mut self, length: usize) -> Result<()> {
        let capacity = self.words.capacity();
        if length > capacity {
            return Err(Error::TooLarge { id: self.region.id().into(), size: length, capacity });
        }
        if length < capacity && !self.words.parameters.variable {
            return Err(Error::BadParameter {
                id: self.region.id().into(),
                parameter: "the length of a frame",
                limit: format!("{capacity} bytes, as its schema says"),
                found: length as u64,
            });
        }
        self.length = length;
        Ok(())
    }

    /// Makes the frame visible, captured now; gives back its number, which is 0 for a forked child: the loan
    /// is its parent's, and nothing is published.
    #[inline]
    pub fn publish(self) -> u64 {
        self.publish_captured(Timestamp::now())
    }

    /// Makes the frame visible with the capture time the sensor gave; gives back its number. No system call
    /// unless somebody sleeps.
    #[inline]
    pub fn publish_captured(self, captured: Timestamp) -> u64 {
        if self.forks != fork::count() {
            return 0;
        }
        self.words.describe(self.frame, Info { length: self.length, captured });
        self.words.pool().publish(self.frame, self.region.attachment().as_ref());
        *self.next = self.words.pool().begin_after(self.frame);
        self.frame.sequence
    }
}

impl Deref for Loan<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl DerefMut for Loan<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes
    }
}
