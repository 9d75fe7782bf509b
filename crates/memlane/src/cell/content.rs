//! The bytes of a record or a text: two copies in a region, written under a private claim.

use super::snapshot::{Snapshot, load_bytes, store_bytes};
use crate::atomic::{AtomicU64, Ordering::Relaxed};
use crate::error::{Error, Result};
use crate::header::Blueprint;
use crate::kind::Kind;
use crate::layout::{self, SnapshotLayout, SnapshotLine, VersionLine};
use crate::os::mapping::{Mapping, Shared};
use crate::region::{Attachment, Region};
use crate::schema::Schema;
use crate::space::Space;
use crate::sync::claim;
use crate::sync::waiter::Wait;
use std::sync::Arc;

/// A member that was overtaken by writers this often copies under their claim once.
const FREE_READS: u32 = 3;

/// The words of both copies, for members and observers alike.
#[derive(Debug)]
pub(crate) struct Copies {
    version: Shared<VersionLine>,
    words: [Shared<[AtomicU64]>; 2],
    capacity: usize,
}

impl Copies {
    /// Finds the copies of a body for contents of up to `capacity` bytes; `None` when the mapping is too
    /// short.
    pub(crate) fn new(mapping: &Arc<Mapping>, body: usize, capacity: usize) -> Option<Self> {
        let layout = SnapshotLayout::new(capacity);
        let words = layout.stride / size_of::<u64>();
        let copy = |index| mapping.shared_slice(body + layout.copy_offset(index), words);
        Some(Self { version: mapping.shared(layout::VERSION_OFFSET)?, words: [copy(0)?, copy(1)?], capacity })
    }

    fn snapshot(&self) -> Snapshot<'_> {
        let [even, odd] = &self.words;
        Snapshot { version: &self.version.version, copies: [even, odd] }
    }

    /// One attempt to copy the content out; `None` when a writer was faster.
    pub(crate) fn try_read(&self) -> Option<Result<(u64, Vec<u8>), String>> {
        let (version, content) = self.snapshot().read(|words| self.copy_out(words))?;
        Some(content.map(|content| (version, content)))
    }

    /// The content's length is another process's word: it is checked before it is used.
    fn copy_out(&self, words: &[AtomicU64]) -> Result<Vec<u8>, String> {
        let (length, words) = words.split_first().ok_or("its body is empty")?;
        let length = length.load(Relaxed);
        if length > self.capacity as u64 {
            return Err(format!("its content claims {length} bytes of {}", self.capacity));
        }
        let mut bytes = vec![0; length as usize];
        load_bytes(words, &mut bytes);
        Ok(bytes)
    }
}

/// A member's handle on the content of a region.
#[derive(Debug)]
pub(crate) struct Content {
    region: Region,
    writer: Shared<SnapshotLine>,
    copies: Copies,
}

/// A conditional write that came too late: what stands instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stale {
    pub(crate) version: u64,
    pub(crate) content: Vec<u8>,
}

/// A new region for contents of up to `capacity` bytes, beginning with `initial`.
pub(crate) fn blueprint(
    space: &Space,
    kind: Kind,
    schema: Schema,
    capacity: usize,
    initial: &[u8],
) -> Blueprint {
    let body = layout::body_offset(space.participants);
    let layout = SnapshotLayout::new(capacity);
    let size = layout::round_up(body + layout.size(), layout::PAGE);
    let mut first = (initial.len() as u64).to_le_bytes().to_vec();
    first.extend_from_slice(initial);
    Blueprint {
        kind,
        schema: Some(schema),
        parameters: [capacity as u64, 0, 0, 0, 0, 0, 0, 0],
        control_size: size,
        total_size: size as u64,
        initial: vec![(body + layout.copy_offset(0), first)],
    }
}

impl Content {
    pub(crate) fn new(region: Region, capacity: usize) -> Result<Self> {
        let body = region.description().body_offset;
        let writer = region.shared(body)?;
        let copies = Copies::new(region.attachment().mapping(), body, capacity);
        let copies = copies.ok_or_else(|| region.corrupt("its body is too short".into()))?;
        Ok(Self { region, writer, copies })
    }

    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    pub(crate) fn capacity(&self) -> usize {
        self.copies.capacity
    }

    pub(crate) fn version(&self) -> u64 {
        self.region.version()
    }

    pub(crate) fn read(&self) -> Result<(u64, Vec<u8>)> {
        for _ in 0..FREE_READS {
            if let Some(read) = self.copies.try_read() {
                return read.map_err(|what| self.region.corrupt(what));
            }
        }
        self.exclusively(|attachment| self.read_still(attachment))
    }

    /// Replaces the content; gives back the new version.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<u64> {
        self.check_size(bytes.len())?;
        self.exclusively(|attachment| Ok(self.replace(attachment, bytes)))
    }

    /// Replaces the content if its version is still `expected`.
    pub(crate) fn write_if(&self, expected: u64, bytes: &[u8]) -> Result<Result<u64, Stale>> {
        self.check_size(bytes.len())?;
        self.exclusively(|attachment| {
            if self.version() == expected {
                return Ok(Ok(self.replace(attachment, bytes)));
            }
            self.read_still(attachment).map(|(version, content)| Err(Stale { version, content }))
        })
    }

    /// Lets `change` edit a copy of the content and commits it as a whole.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Vec<u8>) -> Result<T>) -> Result<T> {
        self.exclusively(|attachment| {
            let (_, mut content) = self.read_still(attachment)?;
            let result = change(&mut content)?;
            self.check_size(content.len())?;
            self.replace(attachment, &content);
            Ok(result)
        })
    }

    /// Runs `work` as the only writer. A writer that died here left nothing to repair, so its death is not
    /// told.
    fn exclusively<T>(&self, work: impl FnOnce(&Attachment) -> Result<T>) -> Result<T> {
        let attachment = self.region.attachment().as_ref();
        let me = attachment.me()?;
        // Waiting for ever cannot time out, and whoever dies is replaced.
        let _ = claim::acquire(&self.writer.writer, me, attachment, &mut Wait::FOREVER.clone());
        let _held = Held { content: self, attachment };
        work(attachment)
    }

    fn replace(&self, attachment: &Attachment, bytes: &[u8]) -> u64 {
        self.copies.snapshot().write(attachment, |_, next| {
            if let Some((length, words)) = next.split_first() {
                length.store(bytes.len() as u64, Relaxed);
                store_bytes(words, bytes);
            }
        })
    }

    /// Reads while no writer can interfere.
    fn read_still(&self, _attachment: &Attachment) -> Result<(u64, Vec<u8>)> {
        let read = self.copies.try_read().unwrap_or_else(|| Err("its version moves without a writer".into()));
        read.map_err(|what| self.region.corrupt(what))
    }

    fn check_size(&self, size: usize) -> Result<()> {
        let capacity = self.capacity();
        if size <= capacity {
            return Ok(());
        }
        Err(Error::TooLarge { id: self.region.id().into(), size, capacity })
    }
}

/// The writer's claim, given back also when the caller's own code panics.
struct Held<'a> {
    content: &'a Content,
    attachment: &'a Attachment,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        claim::release(&self.content.writer.writer, self.attachment);
    }
}
