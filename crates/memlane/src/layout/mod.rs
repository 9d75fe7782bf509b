//! The bytes of a region, drawn once: every offset in shared memory is a fact of this file.
//!
//! ```text
//! 0      header           immutable once linked, CRC-32 protected           2816 bytes
//! 2816   version line     change counter and scalar value                    128
//! 2944   lock line        the region's own lock                              128
//! 3072   unused, zero                                                       1024
//! 4096   participants     one entry a slot                             slots×128
//! …      body             of the kind                                 see below
//! ```
//!
//! All integers are little-endian. No pointer, `usize` or `bool` is ever stored. Zero is the valid, empty,
//! unlocked state of everything behind the header. `docs/layout.md` shows the same tables; a test keeps it
//! equal to [`markdown`]. What every region has, and the bodies of cells and frames, stand here; the body of
//! each other kind in the file of its name.
#![allow(unsafe_code)] // Declares which types may be laid over shared bytes, beside the proofs that they may.

pub(crate) mod barrier;
pub(crate) mod condition;
pub(crate) mod pipe;
pub(crate) mod queue;
pub(crate) mod rwlock;
pub(crate) mod semaphore;
pub(crate) mod stream;

use crate::atomic::{AtomicU8, AtomicU32, AtomicU64};
use crate::os::mapping::SharedBytes;
use std::fmt::Write;
use std::mem::offset_of;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// How every region begins.
pub const MAGIC: [u8; 8] = *b"memlane\0";
/// Version of all tables here; a region of another version is refused.
pub const LAYOUT_VERSION: u32 = 1;
/// Longest schema, in bytes of canonical text.
pub const SCHEMA_CAPACITY: usize = crate::schema::MAX_SCHEMA_TEXT;
/// Longest note of a user, in bytes.
pub const NOTE_CAPACITY: usize = 512;
/// Most participants a region can be made for: slots are 12 bits wide in a claim.
pub const MAX_SLOTS: u16 = 4095;
/// Largest region, so that no sum of offsets overflows.
pub const MAX_REGION_SIZE: u64 = 1 << 46;
/// Two cache lines: neighbours are fetched in pairs.
pub const LINE: usize = 128;
/// Unit of mappings.
pub const PAGE: usize = 4096;

/// The immutable part of a region: written before it has a name, checked whole on attach, then used as a
/// private copy.
#[derive(Debug, Clone, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Header {
    pub(crate) magic: [u8; 8],
    pub(crate) layout_version: u32,
    pub(crate) kind: u32,
    pub(crate) total_size: u64,
    pub(crate) control_size: u64,
    pub(crate) body_offset: u64,
    pub(crate) slots: u32,
    pub(crate) flags: u32,
    pub(crate) uuid: [u8; 16],
    pub(crate) created: u64,
    pub(crate) creator_pid: u32,
    pub(crate) schema_length: u32,
    pub(crate) note_length: u32,
    pub(crate) checksum: u32,
    pub(crate) creator: [u8; 40],
    pub(crate) parameters: [u64; 8],
    pub(crate) reserved: [u8; 64],
    pub(crate) schema: [u8; SCHEMA_CAPACITY],
    pub(crate) note: [u8; NOTE_CAPACITY],
}

/// Flag of [`Header`]: the last clean detach removes the region.
pub const FLAG_EPHEMERAL: u32 = 1;

/// The change counter, and beside it the scalar of a `value` region, so that a store touches one line.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VersionLine {
    pub(crate) version: AtomicU64,
    pub(crate) value: AtomicU64,
    unused: [AtomicU64; 14],
}

/// The region's own lock.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct LockLine {
    pub(crate) word: AtomicU32,
    pub(crate) mark: AtomicU32,
    pub(crate) owner: AtomicU64,
    pub(crate) since: AtomicU64,
    pub(crate) depth: AtomicU32,
    pub(crate) recoveries: AtomicU32,
    pub(crate) contended: AtomicU64,
    unused: [AtomicU64; 11],
}

/// One process attached to the region. Only `generation` decides anything; the rest is for people and tools.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct ParticipantEntry {
    pub(crate) generation: AtomicU32,
    pub(crate) pid: AtomicU32,
    pub(crate) started: AtomicU64,
    pub(crate) attached: AtomicU64,
    pub(crate) process: [AtomicU64; 2],
    pub(crate) program: [AtomicU8; PROGRAM_CAPACITY],
    pub(crate) language: AtomicU32,
    pub(crate) waits: [WaitEntry; 2],
    unused: AtomicU64,
}

/// Longest program name kept of a participant, in bytes.
pub(crate) const PROGRAM_CAPACITY: usize = 28;

/// What a thread of a participant waits for; `owner` is stored last and is zero when the entry is free.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct WaitEntry {
    pub(crate) owner: AtomicU64,
    pub(crate) since: AtomicU64,
    pub(crate) what: AtomicU64,
}

/// First line of a body with two copies.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct SnapshotLine {
    pub(crate) writer: AtomicU32,
    unused: [AtomicU32; 31],
}

/// Who publishes in a channel that has one publisher at a time.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RoleLine {
    pub(crate) publisher: AtomicU32,
    unused: AtomicU32,
    pub(crate) since: AtomicU64,
    spare: [AtomicU64; 14],
}

/// What is known of a frame besides its pixels.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct FrameInfo {
    pub(crate) length: AtomicU64,
    pub(crate) captured: AtomicU64,
    pub(crate) captured_wall: AtomicU64,
    unused: [AtomicU64; 5],
}

macro_rules! shared_bytes {
    ($($name:ident),*) => { $(
        // SAFETY: `repr(C)` and made of atomics only, without implicit padding (sizes are asserted beside it).
        unsafe impl SharedBytes for $name {}
    )* };
}
pub(crate) use shared_bytes;
shared_bytes!(VersionLine, LockLine, ParticipantEntry, WaitEntry, SnapshotLine, RoleLine, FrameInfo);

/// Where the fixed parts of a region begin.
pub(crate) const VERSION_OFFSET: usize = size_of::<Header>();
pub(crate) const VALUE_OFFSET: usize = VERSION_OFFSET + offset_of!(VersionLine, value);
pub(crate) const LOCK_OFFSET: usize = VERSION_OFFSET + size_of::<VersionLine>();
pub(crate) const PARTICIPANTS_OFFSET: usize = PAGE;

const _: () = {
    assert!(size_of::<Header>() == 2816 && size_of::<Header>().is_multiple_of(LINE));
    assert!(size_of::<VersionLine>() == LINE);
    assert!(size_of::<LockLine>() == LINE);
    assert!(LOCK_OFFSET + size_of::<LockLine>() <= PARTICIPANTS_OFFSET);
    assert!(size_of::<ParticipantEntry>() == LINE);
    assert!(size_of::<SnapshotLine>() == LINE);
    assert!(size_of::<RoleLine>() == LINE);
    assert!(size_of::<FrameInfo>() == 64);
};

/// Where the body of a region with `slots` participants begins.
pub(crate) const fn body_offset(slots: u16) -> usize {
    PARTICIPANTS_OFFSET + (slots as usize) * size_of::<ParticipantEntry>()
}

/// The next multiple of `unit`, a power of two.
pub(crate) const fn round_up(size: usize, unit: usize) -> usize {
    (size + unit - 1) & !(unit - 1)
}

/// Body of a record or text: a line, then two copies of equal stride.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SnapshotLayout {
    pub(crate) stride: usize,
}

impl SnapshotLayout {
    /// For contents of up to `capacity` bytes behind a length word.
    pub(crate) const fn new(capacity: usize) -> Self {
        Self { stride: round_up(size_of::<u64>() + capacity, LINE) }
    }

    pub(crate) const fn copy_offset(self, copy: usize) -> usize {
        size_of::<SnapshotLine>() + copy * self.stride
    }

    pub(crate) const fn size(self) -> usize {
        self.copy_offset(2)
    }
}

/// Body of a raw region: its bytes, on pages of their own, so that items of any type can be laid over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawLayout {
    /// From the start of the region.
    pub(crate) bytes_offset: usize,
    pub(crate) total_size: usize,
}

impl RawLayout {
    /// For `size` bytes, which a schema has room for.
    pub(crate) const fn new(body: usize, size: usize) -> Self {
        let bytes_offset = round_up(body, PAGE);
        Self { bytes_offset, total_size: round_up(bytes_offset + size, PAGE) }
    }
}

/// Body of a frame channel. All offsets count from the start of the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FramesLayout {
    /// Slots of the pool: one a borrow entry, one a retained frame, one to write.
    pub(crate) slots: usize,
    pub(crate) borrows: usize,
    /// Ring entries, a power of two above `history`.
    pub(crate) ring: usize,
    pub(crate) head_offset: usize,
    pub(crate) sequences_offset: usize,
    pub(crate) role_offset: usize,
    pub(crate) borrows_offset: usize,
    pub(crate) claims_offset: usize,
    pub(crate) ring_offset: usize,
    pub(crate) infos_offset: usize,
    pub(crate) payload_offset: usize,
    /// Distance of two payloads.
    pub(crate) stride: usize,
    pub(crate) total_size: u64,
}

impl FramesLayout {
    /// The layout for frames of up to `capacity` bytes; the parameters are within their limits.
    pub(crate) const fn new(body: usize, borrows: usize, history: usize, capacity: usize) -> Self {
        let slots = borrows + history + 1;
        let ring = (history + 1).next_power_of_two();
        let head_offset = round_up(body, LINE);
        let sequences_offset = head_offset + size_of::<u64>();
        let role_offset = round_up(sequences_offset + slots * size_of::<u64>(), LINE);
        let borrows_offset = role_offset + size_of::<RoleLine>();
        let claims_offset = round_up(borrows_offset + borrows * size_of::<u32>(), LINE);
        let ring_offset = round_up(claims_offset + borrows * size_of::<u32>(), LINE);
        let infos_offset = round_up(ring_offset + ring * size_of::<u64>(), LINE);
        let payload_offset = round_up(infos_offset + slots * size_of::<FrameInfo>(), PAGE);
        // Pictures start on pages of their own; small records would waste most of one.
        let stride = if capacity >= PAGE { round_up(capacity, PAGE) } else { round_up(capacity, 64) };
        let total_size = round_up(payload_offset + slots * stride, PAGE) as u64;
        Self {
            slots,
            borrows,
            ring,
            head_offset,
            sequences_offset,
            role_offset,
            borrows_offset,
            claims_offset,
            ring_offset,
            infos_offset,
            payload_offset,
            stride,
            total_size,
        }
    }
}

/// A table: its title, where it begins, its rows.
type Table = (&'static str, usize, &'static [Row]);

/// A row of a table: what a field is called, where it is, who writes it, what it means.
struct Row(&'static str, usize, usize, &'static str, &'static str);

const fn field_size<T, F>(_: fn(&T) -> &F) -> usize {
    size_of::<F>()
}

macro_rules! row {
    ($type:ident . $field:ident, $writer:literal, $meaning:literal) => {
        Row(
            stringify!($field),
            offset_of!($type, $field),
            field_size(|whole: &$type| &whole.$field),
            $writer,
            $meaning,
        )
    };
}

pub(crate) use row;

const HEADER_ROWS: &[Row] = &[
    row!(Header.magic, "creator", "`memlane` and a zero byte"),
    row!(Header.layout_version, "creator", "1"),
    row!(
        Header.kind,
        "creator",
        "value 1, record 2, array 3, text 4, lock 5, rlock 6, rwlock 7, semaphore 8, event 9, condition 10, barrier 11, queue 12, pipe 13, frames 14, stream 15, raw 16"
    ),
    row!(Header.total_size, "creator", "bytes of the file"),
    row!(
        Header.control_size,
        "creator",
        "bytes that participants map for reading and writing; payload follows"
    ),
    row!(Header.body_offset, "creator", "where the kind's body begins"),
    row!(Header.slots, "creator", "participants the region is made for, 1 to 4095"),
    row!(Header.flags, "creator", "1: ephemeral, removed by the last clean detach"),
    row!(Header.uuid, "creator", "random, tells a region from its successor of the same id"),
    row!(Header.created, "creator", "nanoseconds since the Unix epoch"),
    row!(Header.creator_pid, "creator", "process id, for people"),
    row!(Header.schema_length, "creator", "bytes used of `schema`"),
    row!(Header.note_length, "creator", "bytes used of `note`"),
    row!(Header.checksum, "creator", "CRC-32 (ISO-HDLC) of the header with this field zero"),
    row!(Header.creator, "creator", "program name, UTF-8, zero-padded"),
    row!(
        Header.parameters,
        "creator",
        "of the kind; frames: history, borrows, frame capacity, 1 when lengths vary; record, text: capacity; raw: bytes; others: zero"
    ),
    row!(Header.reserved, "creator", "zero"),
    row!(Header.schema, "creator", "canonical schema text, UTF-8, zero-padded"),
    row!(Header.note, "creator", "a user's note, UTF-8, zero-padded"),
];

const VERSION_ROWS: &[Row] = &[
    row!(
        VersionLine.version,
        "writers",
        "changes << 1, bit 0: somebody sleeps on the low half; of record and text it picks the copy"
    ),
    row!(VersionLine.value, "writers", "the scalar of a value region, zero-extended native bits"),
    row!(VersionLine.unused, "nobody", "zero"),
];

const LOCK_ROWS: &[Row] = &[
    row!(
        LockLine.word,
        "owner, waiters",
        "bit 31 somebody sleeps, bits 12–30 generation, bits 0–11 slot; 0 free"
    ),
    row!(LockLine.mark, "owner", "0 consistent, 1 inconsistent, 2 abandoned and nobody told yet"),
    row!(
        LockLine.owner,
        "owner",
        "owner key: high half a number of the thread, low half its thread id; bit 63: a session of a host"
    ),
    row!(LockLine.since, "owner", "coarse monotonic nanoseconds when the owner got it"),
    row!(LockLine.depth, "owner", "how often the owner holds it"),
    row!(LockLine.recoveries, "owner", "how often it was taken from a dead owner"),
    row!(LockLine.contended, "owner", "how often it was got only after waiting"),
    row!(LockLine.unused, "nobody", "zero"),
];

const PARTICIPANT_ROWS: &[Row] = &[
    row!(
        ParticipantEntry.generation,
        "claimant",
        "19 bits, never 0 once claimed; a claim of another generation is dead"
    ),
    row!(ParticipantEntry.pid, "claimant", "process id in its own PID namespace; 0 after a clean detach"),
    row!(ParticipantEntry.started, "claimant", "start time of the process, clock ticks since boot"),
    row!(ParticipantEntry.attached, "claimant", "nanoseconds since the Unix epoch"),
    row!(
        ParticipantEntry.process,
        "claimant",
        "random 128-bit id of the process, the same in all its regions"
    ),
    row!(ParticipantEntry.program, "claimant", "program name, UTF-8, zero-padded"),
    row!(ParticipantEntry.language, "claimant", "0 unknown, 1 Rust, 2 Python, 3 C, 4 C++"),
    row!(
        ParticipantEntry.waits,
        "claimant",
        "two waiting entries of 24 bytes: owner key, since (coarse monotonic nanoseconds), what for (see Words)"
    ),
    row!(ParticipantEntry.unused, "nobody", "zero"),
];

const SNAPSHOT_ROWS: &[Row] = &[
    row!(SnapshotLine.writer, "writers", "private writer lock, a claim word as in the lock line"),
    row!(SnapshotLine.unused, "nobody", "zero"),
];

const ROLE_ROWS: &[Row] = &[
    row!(RoleLine.publisher, "publisher", "claim word, held for the publisher's life"),
    row!(RoleLine.unused, "nobody", "zero"),
    row!(RoleLine.since, "publisher", "coarse monotonic nanoseconds of the claim"),
    row!(RoleLine.spare, "nobody", "zero"),
];

const INFO_ROWS: &[Row] = &[
    row!(FrameInfo.length, "publisher", "bytes of the frame"),
    row!(FrameInfo.captured, "publisher", "capture time, monotonic nanoseconds"),
    row!(FrameInfo.captured_wall, "publisher", "capture time, nanoseconds since the Unix epoch"),
    row!(FrameInfo.unused, "nobody", "zero"),
];

/// The tables of `docs/layout.md`.
#[doc(hidden)]
pub fn markdown() -> String {
    let common: [Table; 7] = [
        ("Header", 0, HEADER_ROWS),
        ("Version line", VERSION_OFFSET, VERSION_ROWS),
        ("Lock line", LOCK_OFFSET, LOCK_ROWS),
        ("Participant entry (repeated, relative to its start)", 0, PARTICIPANT_ROWS),
        ("Record and text: first line of the body (relative to it)", 0, SNAPSHOT_ROWS),
        ("Frames and stream: publisher line (relative to it)", 0, ROLE_ROWS),
        ("Frames: frame information (repeated, relative to its start)", 0, INFO_ROWS),
    ];
    let of_kinds = [
        rwlock::TABLES,
        semaphore::TABLES,
        condition::TABLES,
        barrier::TABLES,
        queue::TABLES,
        pipe::TABLES,
        stream::TABLES,
    ];
    let mut text = String::new();
    for (title, start, rows) in common.iter().chain(of_kinds.into_iter().flatten()) {
        let _ = write!(
            text,
            "### {title}\n\n| offset | size | field | written by | meaning |\n|---:|---:|---|---|---|\n"
        );
        for Row(name, offset, size, writer, meaning) in *rows {
            let _ = writeln!(text, "| {} | {size} | `{name}` | {writer} | {meaning} |", start + offset);
        }
        text.push('\n');
    }
    text.push_str(&frames_example());
    text
}

/// The variable offsets of a frame channel, worked out for one everyone can check by hand.
fn frames_example() -> String {
    let layout = FramesLayout::new(body_offset(64), 8, 4, 404 * 640 * 3);
    let parts = [
        ("head", layout.head_offset, 8),
        ("sequences", layout.sequences_offset, layout.slots * 8),
        ("publisher line", layout.role_offset, size_of::<RoleLine>()),
        ("borrows", layout.borrows_offset, layout.borrows * 4),
        ("claims", layout.claims_offset, layout.borrows * 4),
        ("ring", layout.ring_offset, layout.ring * 8),
        ("frame information", layout.infos_offset, layout.slots * size_of::<FrameInfo>()),
        ("payload", layout.payload_offset, layout.slots * layout.stride),
    ];
    let mut text = String::from(
        "### Frames: `[404,640,3]|u1`, history 4, 8 borrows, 64 participants\n\n| offset | size | part |\n|---:|---:|---|\n",
    );
    for (name, offset, size) in parts {
        let _ = writeln!(text, "| {offset} | {size} | {name} |");
    }
    text
}
