//! Taking an end of a pipe, and giving it up.

use super::Message;
use super::direction::{self, Direction, Role};
use super::halves::{PipeReceiver, PipeSender};
use super::spec::{HEADER, PipeSpec, Side};
use super::words::{PipeState, Words};
use crate::atomic::{AtomicU32, Ordering::Release};
use crate::channel::ring::Ring;
use crate::channel::tag::Tag;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::os::fork;
use crate::os::mapping::Access;
use crate::region::{Opening, Region};
use crate::space::Space;
use crate::sync::claim;
use crate::sync::waiter::{Peers, Wait};
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::sync::Arc;
use std::time::Duration;

/// An end of a pipe. It is one thread's at a time; to send in one and receive in another, [`split`](Self::split) it.
#[derive(Debug)]
pub struct PipeEnd {
    end: Arc<End>,
    sender: Option<PipeSender>,
    receiver: Option<PipeReceiver>,
}

/// What the halves of an end share: the end is given up with the last of them.
#[derive(Debug)]
pub(super) struct End {
    pub(super) region: Region,
    pub(super) words: Words,
    pub(super) side: Side,
    pub(super) forks: u32,
}

impl PipeEnd {
    /// Opens the pipe `id`, which must be of this spec, or makes it, and takes an end. [`Error::EndTaken`] when that
    /// is somebody's, or the conversation it belonged to is not over for the other end.
    pub fn open_or_create(space: &Space, id: &str, spec: &PipeSpec, side: Side) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, spec, side)
    }

    /// Makes the pipe `id`, which must not exist, and takes an end.
    pub fn create(space: &Space, id: &str, spec: &PipeSpec, side: Side) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, spec, side)
    }

    /// Takes an end of the pipe `id`, which must exist, whatever its spec.
    pub fn open(space: &Space, id: &str, side: Side) -> Result<Self> {
        Self::of(Region::open(space, id)?, side)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, spec: &PipeSpec, side: Side) -> Result<Self> {
        Self::of(spec.obtain(space, id, opening)?, side)
    }

    fn of(region: Region, side: Side) -> Result<Self> {
        region.expect_kind(Kind::Pipe)?;
        let words = Words::new(region.description(), region.attachment().mapping());
        let words = words.map_err(|what| region.corrupt(what))?;
        let outgoing = open_ring(&region, &words, side, Access::ReadWrite)?;
        let incoming = open_ring(&region, &words, side.other(), Access::Read)?;
        take_end(&region, &words, side)?;
        let end = Arc::new(End { region, words, side, forks: fork::count() });
        Ok(Self {
            sender: outgoing.map(|ring| PipeSender::new(Arc::clone(&end), ring)),
            receiver: incoming.map(|ring| PipeReceiver::new(Arc::clone(&end), ring)),
            end,
        })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.end.region
    }

    /// Which end it is.
    pub fn side(&self) -> Side {
        self.end.side
    }

    /// Bytes of the longest message.
    pub fn capacity(&self) -> usize {
        self.end.words.parameters.layout.ring_size - HEADER as usize * crate::channel::ring::UNIT
    }

    /// Who has the ends, and what is on the way.
    pub fn state(&self) -> PipeState {
        let attachment = self.end.region.attachment();
        self.end.words.state(|claim| attachment.describe(claim))
    }

    /// Sends a message; waits for room.
    pub fn send(&self, message: &[u8], timeout: Option<Duration>) -> Result<()> {
        self.sender()?.send(message, timeout)
    }

    /// [`Self::send`], saying what the bytes are.
    pub fn send_tagged(&self, tag: Tag, message: &[u8], timeout: Option<Duration>) -> Result<()> {
        self.sender()?.send_tagged(tag, message, timeout)
    }

    /// Sends a message if there is room at once; says whether there was.
    pub fn try_send(&self, message: &[u8]) -> Result<bool> {
        self.sender()?.try_send_tagged(Tag::Bytes, message)
    }

    /// Receives the next message; waits for one. [`Error::EndOfPipe`] when the other end is gone and everything it
    /// sent was received.
    pub fn recv(&self, timeout: Option<Duration>) -> Result<Message> {
        self.receiver()?.recv(timeout)
    }

    /// Receives the next message if there is one.
    pub fn try_recv(&self) -> Result<Option<Message>> {
        self.receiver()?.try_recv()
    }

    /// [`Self::recv`] into memory that is used again; gives back the tag.
    pub fn recv_into(&self, bytes: &mut Vec<u8>, timeout: Option<Duration>) -> Result<Tag> {
        self.receiver()?.recv_into(bytes, timeout)
    }

    /// Waits until [`Self::recv`] would not: there is a message, or never will be one. `false` when time was up.
    pub fn poll(&self, timeout: Option<Duration>) -> Result<bool> {
        self.receiver()?.poll(timeout)
    }

    /// The halves, for two threads. The end is given up when both are dropped.
    pub fn split(self) -> (Option<PipeSender>, Option<PipeReceiver>) {
        (self.sender, self.receiver)
    }

    /// Gives the end up, as dropping it does: the other one reads what was sent, and then that there is no more.
    pub fn close(self) {
        drop(self);
    }

    fn sender(&self) -> Result<&PipeSender> {
        self.sender.as_ref().ok_or_else(|| self.end.wrong_way("sending"))
    }

    fn receiver(&self) -> Result<&PipeReceiver> {
        self.receiver.as_ref().ok_or_else(|| self.end.wrong_way("receiving"))
    }
}

/// Ready when there is a message, or never will be one.
impl Sleep for PipeEnd {
    fn id(&self) -> &str {
        self.end.region.id()
    }

    fn is_ready(&self, look: Look) -> bool {
        self.receiver.as_ref().is_none_or(|receiver| receiver.is_ready(look))
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        self.receiver.as_ref()?.arm()
    }

    fn pass_on(&self) {}
}

impl End {
    /// The way to this end.
    #[inline]
    pub(super) fn inbound(&self) -> Direction<'_> {
        self.words.direction(self.side.other())
    }

    /// Whether there is a message, or never will be one.
    pub(super) fn has_arrived(&self, look: Look) -> bool {
        let direction = self.inbound();
        direction.sent() != direction.received() || self.departed(look).is_some()
    }

    /// The word to sleep on until then.
    pub(super) fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(self.inbound().tail, |_| self.has_arrived(Look::Glance))
    }

    #[cold]
    fn wrong_way(&self, parameter: &'static str) -> Error {
        Error::BadParameter {
            id: self.region.id().into(),
            parameter,
            limit: format!("done at the other end: this is the {} end of a one-way pipe", self.side.name()),
            found: self.side as u64,
        }
    }

    pub(super) fn check_fork(&self) -> Result<()> {
        if self.forks == fork::count() {
            return Ok(());
        }
        Err(Error::Forked { id: self.region.id().into(), what: "end" })
    }

    /// Who had the other end, if it is gone.
    pub(super) fn departed(&self, look: Look) -> Option<String> {
        match self.words.role(self.side.other()) {
            Role::Fresh => None,
            Role::Closed => Some("it was closed".to_owned()),
            Role::Had(claim) => {
                let attachment = self.region.attachment();
                let is_dead = look == Look::Close && attachment.is_dead(claim);
                is_dead.then(|| format!("{} died", attachment.who(claim)))
            }
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // A forked child's copy has no end to give up.
        if self.forks != fork::count() {
            return;
        }
        direction::close(self.words.role_word(self.side));
        let attachment = self.region.attachment().as_ref();
        for side in [Side::Left, Side::Right] {
            self.words.direction(side).rouse(attachment);
        }
    }
}

/// Maps the ring that an end sends into.
fn open_ring(region: &Region, words: &Words, sender: Side, access: Access) -> Result<Option<Ring>> {
    let Some((offset, size)) = words.ring_of(sender) else { return Ok(None) };
    let ring = Ring::new(region.map_ring(offset, size, access)?, size, HEADER);
    ring.map(Some).ok_or_else(|| region.corrupt("it is too short for its messages".into()))
}

/// Becomes the end. Killed on the way, it has changed nothing, or emptied a pipe that nobody had.
fn take_end(region: &Region, words: &Words, side: Side) -> Result<()> {
    let attachment = region.attachment().as_ref();
    let me = attachment.me()?;
    // Nobody keeps it but for these few instructions, and whoever died with it is replaced.
    let _ = claim::acquire(&words.ends.gatekeeper, me, attachment, &mut Wait::FOREVER.clone());
    let _held = Gatekeeper { words, region };
    let taken = |why: String| Error::EndTaken { id: region.id().into(), end: side.name(), why };
    let is_living = |role| matches!(role, Role::Had(claim) if !attachment.is_dead(claim));
    let (mine, other) = (words.role(side), words.role(side.other()));
    if let Role::Had(claim) = mine
        && is_living(mine)
    {
        return Err(taken(format!("{} has it", attachment.who(claim))));
    }
    if mine != Role::Fresh {
        if let Role::Had(claim) = other
            && is_living(other)
        {
            return Err(taken(format!(
                "{} has the other end, and has yet to close it after this one was gone",
                attachment.who(claim)
            )));
        }
        if other != Role::Fresh {
            // Both are gone: a new conversation.
            words.direction(Side::Left).reset();
            words.direction(Side::Right).reset();
            words.role_word(side.other()).store(0, Release);
        }
    }
    words.role_word(side).store(me.bits(), Release);
    Ok(())
}

/// The private lock of who opens an end, given back also after an error.
struct Gatekeeper<'a> {
    words: &'a Words,
    region: &'a Region,
}

impl Drop for Gatekeeper<'_> {
    fn drop(&mut self) {
        claim::release(&self.words.ends.gatekeeper, self.region.attachment().as_ref());
    }
}
