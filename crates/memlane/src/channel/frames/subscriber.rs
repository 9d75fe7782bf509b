//! The reading end of a frame channel.
#![allow(unsafe_code)] // A borrowed frame is plain memory: the pool's protocol keeps writers out of it.

use super::pool::Located;
use super::timestamp::Timestamp;
use super::words::Words;
use crate::atomic::{AtomicU32, Ordering::Acquire, pause};
use crate::channel::role::{self, PublisherState};
use crate::channel::spin::Spin;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::os::mapping::{Access, Mapping};
use crate::os::{clock, fork};
use crate::participant::WaitingFor;
use crate::region::Region;
use crate::schema::Schema;
use crate::space::Space;
use crate::sync::claim::{self, Claim};
use crate::sync::version;
use crate::sync::waiter::{Peers, TimedOut, Wait};
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::cell::Cell;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A loop holds the frame before while it takes the next.
const DEFAULT_ENTRIES: u32 = 2;
/// Entries of one subscriber are bits of a word.
const MAX_ENTRIES: u32 = u64::BITS;
/// A reader that was lapped this often on its way takes the newest frame instead of the oldest.
const PATIENCE: u32 = 2;
/// A publisher takes a frame off the offer only after the head has moved on: that often in a row is not by
/// chance.
const MAX_FAILURES: u32 = 1000;

/// One reader of a frame channel. Holds as many frames at once as it has claimed entries.
#[derive(Debug)]
pub struct FrameSubscriber {
    schema: Schema,
    seat: Arc<Seat>,
    /// Bit i: entry i of the seat holds no frame, as far as is known here.
    free: Cell<u64>,
    /// Number of the last frame that was returned, or of the head when we came.
    cursor: Cell<u64>,
    missed: Cell<u64>,
    spin: Spin,
    on_death: OnPublisherDeath,
    /// The dead publisher that was reported last.
    reported: Cell<u32>,
}

/// What a subscriber has in the region. It outlives the subscriber as long as frames are held.
#[derive(Debug)]
pub struct Seat {
    region: Region,
    words: Words,
    payload: Arc<Mapping>,
    /// Indices of the borrow entries that are ours.
    entries: Vec<usize>,
    forks: u32,
}

/// How often the same newest frame could not be borrowed.
#[derive(Debug, Default)]
struct Failures {
    newest: Option<Located>,
    count: u32,
}

/// What [`FrameSubscriber::next`] does when the publisher dies and no frame is left to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnPublisherDeath {
    /// Waits for the next publisher: a viewer goes on when its camera restarts.
    #[default]
    Wait,
    /// Ends with [`Error::PublisherDied`], once for each death.
    Report,
}

impl FrameSubscriber {
    /// Subscribes to the channel `id`, which must exist, from the next frame on.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::open_with(space, id, DEFAULT_ENTRIES)
    }

    /// Subscribes with room to hold `entries` frames at once (1 to 64).
    pub fn open_with(space: &Space, id: &str, entries: u32) -> Result<Self> {
        let region = Region::open(space, id)?;
        region.expect_kind(Kind::Frames)?;
        if !(1..=MAX_ENTRIES).contains(&entries) {
            let limit = format!("1 to {MAX_ENTRIES}");
            let parameter = "the entries of a subscriber";
            return Err(Error::BadParameter { id: id.into(), parameter, limit, found: u64::from(entries) });
        }
        let schema = region.schema()?.clone();
        let mut seat = Seat::open(region, Access::Read)?;
        seat.entries = claim_entries(&seat.region, &seat.words, entries as usize)?;
        let cursor = Cell::new(seat.words.pool().newest().sequence);
        Ok(Self {
            free: Cell::new(all(seat.entries.len())),
            schema,
            seat: Arc::new(seat),
            cursor,
            missed: Cell::new(0),
            spin: Spin::default(),
            on_death: OnPublisherDeath::default(),
            reported: Cell::new(0),
        })
    }

    /// Begins with up to `frames` frames that were published before and are still on offer.
    #[must_use]
    pub fn history(self, frames: u64) -> Self {
        let on_offer = frames.min(self.seat.words.history());
        self.cursor.set(self.seat.words.pool().newest().sequence.saturating_sub(on_offer));
        self
    }

    /// Looks for this long before it sleeps: costs a processor, wakes in well under a microsecond.
    #[must_use]
    pub fn spin(mut self, spin: Duration) -> Self {
        self.spin = Spin(spin);
        self
    }

    /// What [`Self::next`] does when the publisher dies.
    #[must_use]
    pub fn on_publisher_death(mut self, on_death: OnPublisherDeath) -> Self {
        self.on_death = on_death;
        self
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.seat.region
    }

    /// What a frame's bytes mean.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How many frames this subscriber has passed over: published since it came, and not returned before a
    /// newer one was.
    pub fn missed(&self) -> u64 {
        self.missed.get()
    }

    /// The oldest frame on offer that is newer than the last one returned; waits for one when there is none.
    #[inline]
    pub fn next(&self, timeout: Option<Duration>) -> Result<Frame<'_>> {
        let (index, entry) = self.free_entry()?;
        match self.try_next(entry) {
            Some(frame) => Ok(self.returned(index, frame)),
            None => self.next_slow(index, entry, timeout),
        }
    }

    /// The newest frame, whether it was returned before or not; `None` when there never was one.
    #[inline]
    pub fn latest(&self) -> Result<Option<Frame<'_>>> {
        let (index, entry) = self.free_entry()?;
        let mut failures = Failures::default();
        loop {
            let newest = self.seat.words.pool().newest();
            if newest.sequence == 0 {
                return Ok(None);
            }
            if let Some(frame) = self.borrow(entry, newest) {
                return Ok(Some(self.returned(index, frame)));
            }
            self.check(&mut failures, newest)?;
            pause();
        }
    }

    /// The newest `count` frames on offer, oldest first; fewer when there are fewer. Takes as many entries,
    /// or none when there are too few.
    pub fn last(&self, count: usize) -> Result<Vec<Frame<'_>>> {
        let newest = self.seat.words.pool().newest().sequence;
        let on_offer = newest.min(self.seat.words.history()).min(count as u64);
        self.free.set(self.seat.idle());
        if on_offer > u64::from(self.free.get().count_ones()) {
            return Err(self.all_held());
        }
        let mut frames = Vec::with_capacity(on_offer as usize);
        for sequence in newest + 1 - on_offer..=newest {
            let (index, entry) = self.free_entry()?;
            // One that went off the offer since is simply older than the last `count` by now.
            if let Ok(frame) = self.seat.words.pool().borrow_sequence(entry, sequence) {
                frames.push(self.returned(index, frame));
            }
        }
        Ok(frames)
    }

    /// A frame newer than the last one returned, to wait for among other things in another thread.
    pub fn arrival(&self) -> Arrival {
        Arrival { seat: self.seat.clone(), cursor: self.cursor.get() }
    }

    /// Where its frames are given back that were [kept](Frame::keep).
    pub fn seat(&self) -> Arc<Seat> {
        self.seat.clone()
    }

    /// Whether frames vary in length, so that their schema gives the most bytes there can be.
    pub fn varies(&self) -> bool {
        self.seat.words.parameters.variable
    }

    /// Who publishes, and whether he lives.
    pub fn publisher(&self) -> PublisherState {
        let attachment = self.seat.region.attachment();
        role::state(self.seat.words.publisher(), |claim| attachment.describe(claim))
    }

    /// One attempt to borrow what `next` should return.
    #[inline]
    fn try_next(&self, entry: &AtomicU32) -> Option<Located> {
        let pool = self.seat.words.pool();
        let wanted = self.cursor.get() + 1;
        let newest = pool.newest();
        if newest.sequence == wanted {
            return self.borrow(entry, newest);
        }
        let oldest = wanted.max((newest.sequence + 1).saturating_sub(self.seat.words.history()));
        (newest.sequence > wanted).then(|| pool.borrow_sequence(entry, oldest).ok()).flatten()
    }

    /// Borrows a frame, and asks for its first bytes before the announcement's fence has to wait: the two
    /// take as long as one.
    #[inline]
    fn borrow(&self, entry: &AtomicU32, frame: Located) -> Option<Located> {
        self.seat.words.prefetch_info(frame.slot);
        self.seat.payload.prefetch(self.seat.words.payload_of(frame.slot, 0).start);
        self.seat.words.pool().borrow(entry, frame).ok()
    }

    #[cold]
    fn next_slow(&self, index: usize, entry: &AtomicU32, timeout: Option<Duration>) -> Result<Frame<'_>> {
        let is_newer = || self.is_newer(version::count(self.seat.words.head().load(Acquire)));
        if self.spin.briefly(timeout, is_newer)
            && let Some(frame) = self.try_next(entry)
        {
            return Ok(self.returned(index, frame));
        }
        let start = Instant::now();
        let mut wait = Wait::until(timeout);
        let mut lapped = 0;
        let mut failures = Failures::default();
        loop {
            if let Some(frame) = self.try_next(entry) {
                return Ok(self.returned(index, frame));
            }
            let newest = self.seat.words.pool().newest();
            if newest.sequence <= self.cursor.get() {
                self.wait_for_frame(newest, &mut wait, start)?;
                continue;
            }
            lapped += 1;
            if lapped > PATIENCE
                && let Some(frame) = self.borrow(entry, newest)
            {
                return Ok(self.returned(index, frame));
            }
            self.check(&mut failures, newest)?;
            if wait.deadline.is_some_and(|deadline| clock::monotonic() >= deadline) {
                return Err(self.timed_out(start));
            }
            pause();
        }
    }

    /// The newest frame could not be borrowed. That is so for an instant when a publisher is faster, and for
    /// ever when the pool's words were spoilt.
    #[cold]
    fn check(&self, failures: &mut Failures, newest: Located) -> Result<()> {
        let count = if failures.newest == Some(newest) { failures.count + 1 } else { 1 };
        *failures = Failures { newest: Some(newest), count };
        if count < MAX_FAILURES {
            return Ok(());
        }
        Err(self
            .seat
            .region
            .corrupt("its newest frame is not on offer, which cannot be while its words are whole".into()))
    }

    #[cold]
    fn timed_out(&self, start: Instant) -> Error {
        self.seat.region.timed_out(self.waited_for(), start)
    }

    fn is_newer(&self, count: u64) -> bool {
        Located::unpack(count).sequence > self.cursor.get()
    }

    /// Waits until the newest frame is another than `newest`.
    fn wait_for_frame(&self, newest: Located, wait: &mut Wait, start: Instant) -> Result<()> {
        if self.spin.for_long(wait, || self.seat.words.pool().newest() != newest) {
            return Ok(());
        }
        let mut died = None;
        let attachment = self.seat.region.attachment().as_ref();
        let _waiting = attachment.blocked(attachment.me()?, WaitingFor::Frame);
        let arrived = version::wait_until(self.seat.words.head(), attachment, wait, |count| {
            died = self.unreported_death();
            died.is_some() || Located::unpack(count) != newest
        });
        match (arrived, died) {
            // The last frame may have come with the death; it is returned first.
            (Ok(count), _) if Located::unpack(count) != newest => Ok(()),
            (Ok(_), Some(claim)) => Err(self.publisher_died(claim)),
            (Ok(_), None) => Ok(()),
            (Err(TimedOut), _) => Err(self.timed_out(start)),
        }
    }

    /// A publisher that is dead and has not been reported, where that is wanted.
    fn unreported_death(&self) -> Option<Claim> {
        if self.on_death == OnPublisherDeath::Wait {
            return None;
        }
        let claim = Claim::in_word(self.seat.words.publisher().load(Acquire))?;
        (claim.bits() != self.reported.get() && self.seat.region.attachment().is_dead(claim)).then_some(claim)
    }

    fn publisher_died(&self, claim: Claim) -> Error {
        self.reported.set(claim.bits());
        let publisher = self.seat.region.attachment().who(claim);
        Error::PublisherDied { id: self.seat.region.id().into(), publisher }
    }

    fn waited_for(&self) -> &'static str {
        match self.publisher() {
            PublisherState::None => "a frame (nobody publishes)",
            PublisherState::Alive(_) => "a frame (its publisher lives)",
            PublisherState::Died(_) => "a frame (its publisher died)",
        }
    }

    /// A borrow entry of ours that holds no frame.
    #[inline]
    fn free_entry(&self) -> Result<(usize, &AtomicU32)> {
        if self.seat.forks != fork::count() {
            return Err(self.forked());
        }
        if self.free.get() == 0 {
            self.free.set(self.seat.idle());
        }
        let index = self.free.get().trailing_zeros() as usize;
        self.seat.entry(index).map(|entry| (index, entry)).ok_or_else(|| self.all_held())
    }

    #[cold]
    fn forked(&self) -> Error {
        Error::Forked { id: self.seat.region.id().into(), what: "subscriber" }
    }

    #[cold]
    fn all_held(&self) -> Error {
        let entries = self.seat.entries.len() as u32;
        let held = entries - self.free.get().count_ones();
        Error::BorrowsExhausted { id: self.seat.region.id().into(), held, entries }
    }

    /// Counts a frame that was borrowed in the entry `index`, and hands it out.
    #[inline]
    fn returned(&self, index: usize, frame: Located) -> Frame<'_> {
        let cursor = self.cursor.get();
        if frame.sequence > cursor {
            self.missed.set(self.missed.get() + (frame.sequence - cursor - 1));
            self.cursor.set(frame.sequence);
        }
        self.free.set(self.free.get() & !(1 << index));
        let length = self.seat.words.info(frame.slot).length;
        // SAFETY: the frame is announced in our entry and was on offer after that, so no publisher, living or
        // next, writes its slot until the entry is cleared, which the guard does when this slice is gone.
        let bytes = unsafe { self.seat.payload.bytes(self.seat.words.payload_of(frame.slot, length)) };
        Frame { subscriber: self, index, located: frame, bytes }
    }

    fn give_back(&self, index: usize) {
        if self.seat.release(index) {
            self.free.set(self.free.get() | 1 << index);
        }
    }
}

/// As many bits as there are entries.
fn all(entries: usize) -> u64 {
    u64::MAX >> (MAX_ENTRIES as usize - entries)
}

impl Seat {
    /// One without an entry.
    pub(super) fn open(region: Region, access: Access) -> Result<Self> {
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        let payload = region.map_payload(access)?;
        Ok(Self { region, words, payload, entries: Vec::new(), forks: fork::count() })
    }

    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    pub(super) fn words(&self) -> &Words {
        &self.words
    }

    pub(super) fn payload(&self) -> &Arc<Mapping> {
        &self.payload
    }

    /// Gives back a frame that was kept, in any thread, also after its subscriber is gone.
    ///
    /// # Safety
    /// `entry` is what [`Frame::keep`] gave for a frame of this seat that was not given back since, and nobody looks at
    /// that frame's bytes any more.
    #[inline]
    pub unsafe fn give_back(&self, entry: usize) {
        self.release(entry);
    }

    /// Whether any of its frames is held, in whichever thread: so long the seat must stay.
    pub fn holds_frames(&self) -> bool {
        self.idle() != all(self.entries.len())
    }

    /// Bit i: `entries[i]` holds no frame. Whoever gives a frame back, in whichever thread, does so by the store that
    /// is seen here, and looks at nothing of the seat afterwards.
    fn idle(&self) -> u64 {
        let words = self.entries.iter().map(|entry| self.words.borrow_entry(*entry));
        // Acquire: what is announced next is announced after that thread was done with its frame.
        let is_idle = |word: Option<&AtomicU32>| word.is_some_and(|word| word.load(Acquire) == 0);
        words.enumerate().fold(0, |idle, (index, word)| idle | u64::from(is_idle(word)) << index)
    }

    #[inline]
    fn entry(&self, index: usize) -> Option<&AtomicU32> {
        self.entries.get(index).and_then(|entry| self.words.borrow_entry(*entry))
    }

    /// Gives back the frame of an entry; says whether the entry is ours, and not that of a forked child's parent.
    #[inline]
    fn release(&self, index: usize) -> bool {
        let Some(entry) = self.entry(index).filter(|_| self.forks == fork::count()) else { return false };
        self.words.pool().release(entry);
        true
    }
}

/// Ready when there is a newer frame than the last one returned.
impl Sleep for FrameSubscriber {
    fn id(&self) -> &str {
        self.seat.region.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        self.is_newer(version::count(self.seat.words.head().load(Acquire)))
            || (look == Look::Close && self.unreported_death().is_some())
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.seat.words.head(), |count| self.is_newer(count))
    }

    /// A frame is for all, and wakes all.
    fn pass_on(&self) {}
}

/// A frame that was not there when this was made.
#[derive(Debug, Clone)]
pub struct Arrival {
    seat: Arc<Seat>,
    cursor: u64,
}

impl Arrival {
    pub(super) fn after(seat: &Arc<Seat>, cursor: u64) -> Self {
        Self { seat: Arc::clone(seat), cursor }
    }

    fn is_newer(&self, count: u64) -> bool {
        Located::unpack(count).sequence > self.cursor
    }
}

impl Sleep for Arrival {
    fn id(&self) -> &str {
        self.seat.region.id()
    }

    fn is_ready(&self, _: Look) -> bool {
        self.is_newer(version::count(self.seat.words.head().load(Acquire)))
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.seat.words.head(), |count| self.is_newer(count))
    }

    /// A frame is for all, and wakes all.
    fn pass_on(&self) {}
}

/// Claims borrow entries: free ones, and those of the dead, whose frames go back to the pool.
fn claim_entries(region: &Region, words: &Words, wanted: usize) -> Result<Vec<usize>> {
    let attachment = region.attachment().as_ref();
    let me = attachment.me()?;
    let mut mine = Vec::with_capacity(wanted);
    for (index, word) in words.claims().iter().enumerate() {
        if mine.len() < wanted && claim::try_take_over(word, me, attachment).is_ok() {
            if let Some(entry) = words.borrow_entry(index) {
                words.pool().release(entry);
            }
            mine.push(index);
        }
    }
    if mine.len() == wanted {
        return Ok(mine);
    }
    release_entries(region, words, &mine);
    Err(Error::SubscribersExhausted { id: region.id().into(), entries: words.claims().len() as u32 })
}

fn release_entries(region: &Region, words: &Words, entries: &[usize]) {
    for index in entries {
        if let Some(word) = words.claims().get(*index) {
            claim::release(word, region.attachment().as_ref());
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // A forked child's copy has no entries to give back.
        if self.forks != fork::count() {
            return;
        }
        for entry in self.entries.iter().filter_map(|entry| self.words.borrow_entry(*entry)) {
            self.words.pool().release(entry);
        }
        release_entries(&self.region, &self.words, &self.entries);
    }
}

/// A frame, read where it lies; given back when dropped. It does not change while it is held, whatever
/// becomes of its publisher.
#[derive(Debug)]
pub struct Frame<'a> {
    subscriber: &'a FrameSubscriber,
    index: usize,
    located: Located,
    bytes: &'a [u8],
}

impl Frame<'_> {
    /// The frame, held without its subscriber: for as long as this lives, in any thread.
    pub fn into_owned(self) -> OwnedFrame {
        let frame = std::mem::ManuallyDrop::new(self);
        let seat = frame.subscriber.seat.clone();
        OwnedFrame { seat, index: frame.index, located: frame.located, length: frame.bytes.len() }
    }

    /// Leaves the frame held, for bindings whose frames are plain data; gives back the entry that holds it, for
    /// [`Seat::give_back`]. Its bytes do not change until then, and stay mapped as long as the [`Seat`] lives.
    #[inline]
    pub fn keep(self) -> usize {
        std::mem::ManuallyDrop::new(self).index
    }

    /// Number of the frame, from 1, going on across publishers.
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.located.sequence
    }

    /// When it was captured.
    #[inline]
    pub fn captured(&self) -> Timestamp {
        self.subscriber.seat.words.info(self.located.slot).captured
    }

    /// How long ago it was captured.
    pub fn age(&self) -> Duration {
        self.captured().age()
    }
}

impl Deref for Frame<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl Drop for Frame<'_> {
    #[inline]
    fn drop(&mut self) {
        self.subscriber.give_back(self.index);
    }
}

/// A frame that is held for as long as this lives, which may be longer than its subscriber: it keeps the memory mapped
/// and its entry taken.
#[derive(Debug)]
pub struct OwnedFrame {
    seat: Arc<Seat>,
    index: usize,
    located: Located,
    length: usize,
}

impl OwnedFrame {
    /// Number of the frame, from 1, going on across publishers.
    pub fn sequence(&self) -> u64 {
        self.located.sequence
    }

    /// When it was captured.
    pub fn captured(&self) -> Timestamp {
        self.seat.words.info(self.located.slot).captured
    }
}

impl Deref for OwnedFrame {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: as for the frame it was, whose entry this holds.
        unsafe { self.seat.payload.bytes(self.seat.words.payload_of(self.located.slot, self.length)) }
    }
}

impl Drop for OwnedFrame {
    fn drop(&mut self) {
        self.seat.release(self.index);
    }
}
