//! The note beside a block: what a memlane process is doing to the lock byte, and which host the block has.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | inode of the block that the rest is about, `u64` |
//! | 8 | 1 | state: 0 free, 1 held, 2 changing, 3 writing |
//! | 9 | 4095 | while writing: all that is to stand behind the block's lock byte |
//!
//! Only who has the turn (the kernel's lock on the block) reads or writes it, so whoever wrote it before is
//! dead or done. A block that was made anew has another inode, and what was noted of the old one is void. The
//! kernel's lock on the record itself is the host's.
//!
//! Crash case: a note stays as the last store left it; the table of the module above says what it means. A
//! record whose block is gone is swept away by whoever makes or attaches a block next.

use super::image::{IMAGE_BYTES, Image};
use crate::name::Name;
use crate::segment::{self, Identity, Mapping, Segment};
use std::io;
use std::path::PathBuf;

const PREFIX: &str = ".memlane-owner-";
const MODE: u32 = 0o600;

const INODE_OFFSET: usize = 0;
const STATE_OFFSET: usize = INODE_OFFSET + size_of::<u64>();
const IMAGE_OFFSET: usize = STATE_OFFSET + 1;
const RECORD_BYTES: usize = IMAGE_OFFSET + IMAGE_BYTES;

/// A record can go between opening and using it only while a host ends.
const OPEN_ATTEMPTS: usize = 16;

/// Removes the records of blocks that are gone.
pub(super) fn sweep(name: &Name, keep_prefix: &str) -> io::Result<()> {
    let is_needed = |block: &str| {
        let exists = |file: String| !Identity::at(&name.directory().join(file)).is_ok_and(|at| at.is_none());
        exists(block.to_owned()) || exists(format!("{keep_prefix}{block}"))
    };
    segment::sweep(name.directory(), PREFIX, is_needed)
}

/// What memlane's processes do to the lock byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing: a 1 is a foreign program's.
    Free = 0,
    /// One of them holds it: a 1 is theirs.
    Held = 1,
    /// One of them is about to take it or to give it back: a 1 may be anybody's.
    Changing = 2,
    /// One of them holds it and replaces the text by what the record has.
    Writing = 3,
}

#[derive(Debug)]
pub(super) struct Record {
    path: PathBuf,
    segment: Segment,
    memory: Mapping,
}

impl Record {
    /// Opens or makes the record beside a block.
    pub(super) fn beside(name: &Name) -> io::Result<Self> {
        let path = name.beside(PREFIX);
        let segment = Segment::open_or_create(&path, MODE)?;
        let memory = segment.map(RECORD_BYTES)?;
        Ok(Self { path, segment, memory })
    }

    /// As [`beside`](Self::beside), and becomes the host; `None` while another one lives.
    pub(super) fn of_host(name: &Name) -> io::Result<Option<Self>> {
        for _ in 0..OPEN_ATTEMPTS {
            let record = Self::beside(name)?;
            if !record.segment.lock()? {
                return Ok(None);
            }
            if Identity::at(&record.path)? == Some(record.segment.identity()?) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// What stands about the block of this inode.
    pub(super) fn state(&self, inode: u64) -> io::Result<State> {
        let mut noted = [0; size_of::<u64>()];
        self.segment.read_exact_at(&mut noted, INODE_OFFSET)?;
        if u64::from_le_bytes(noted) != inode {
            // In this order, so that a death in between leaves a record that is void as before.
            self.note(State::Free);
            self.memory.store_bytes(INODE_OFFSET, &inode.to_le_bytes());
        }
        Ok(match self.memory.load_u8(STATE_OFFSET) {
            state if state == State::Held as u8 => State::Held,
            state if state == State::Changing as u8 => State::Changing,
            state if state == State::Writing as u8 => State::Writing,
            _ => State::Free,
        })
    }

    pub(super) fn note(&self, state: State) {
        self.memory.store_u8(STATE_OFFSET, state as u8);
    }

    /// Prepares what is to stand in the block.
    pub(super) fn store_image(&self, image: &Image) {
        self.memory.store_bytes(IMAGE_OFFSET, image);
    }

    /// What was prepared.
    pub(super) fn image(&self) -> io::Result<Image> {
        let mut image = [0; IMAGE_BYTES];
        self.segment.read_exact_at(&mut image, IMAGE_OFFSET)?;
        Ok(image)
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        segment::unlink(&self.path)
    }
}
