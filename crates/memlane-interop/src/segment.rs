//! A POSIX shared-memory segment: the file, and the map through which it is changed.
//!
//! A foreign program may write the same bytes at any moment, under rules that only it knows. So nothing
//! here ever makes a `&[u8]` of shared memory, and there are two ways to reach it:
//!
//! - [`Segment::read_exact_at`] copies out by `pread`, without a map. Whoever may write the file may also
//!   shrink it, and a mapped read past the new end is a SIGBUS that kills the reader, as is a hole in a
//!   full `/dev/shm`. `pread` turns both into an answer.
//! - [`Mapping`] stores into the memory in place, by relaxed atomics. Its pages are reserved first; what
//!   remains is that somebody with the right to write the segment shrinks it under the map, and that is a
//!   SIGBUS to the writer.
//!
//! Ordering is the business of the layout: it sets the fences between these accesses. A system call orders
//! nothing for another processor, but the kernel's copy is made by the calling processor, so fences hold
//! for it as for any other load.
//!
//! Crash case: a lock taken by [`Segment::try_lock`] ends with its process, whatever killed it. Bytes stay
//! as the last store left them.
#![allow(unsafe_code)] // maps memory, and makes atomics of it

use rustix::fs::{FallocateFlags, Mode, OFlags};
use rustix::mm::{MapFlags, ProtFlags};
use std::ffi::c_void;
use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Flags of every open: no symbolic link planted in a public directory is followed, no pipe blocks, no
/// child inherits.
const SAFE_OPEN: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// Longer than the kernel needs to end a process of ordinary size, on a busy machine too.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// A file can come and go between two looks only while others begin and end.
const OPEN_ATTEMPTS: usize = 16;

/// The permission bits of a file mode.
pub(crate) const PERMISSIONS: u32 = 0o777;

/// What a segment is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

/// What tells one inode from another, so that a re-created segment is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    pub(crate) fn inode(self) -> u64 {
        self.inode
    }

    /// The inode that a path names at this moment, if any.
    pub(crate) fn at(path: &Path) -> io::Result<Option<Self>> {
        unless_missing(fs::symlink_metadata(path).map(|metadata| Self::of(&metadata)))
    }
}

/// An open segment. It outlives its name: an unlinked one stays readable until this is dropped.
#[derive(Debug)]
pub(crate) struct Segment {
    file: File,
}

impl Segment {
    /// Opens what exists at `path`; `None` if nothing does.
    pub(crate) fn open(path: &Path, access: Access) -> io::Result<Option<Self>> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::ReadWrite => OFlags::RDWR,
        };
        let opened = rustix::fs::open(path, flags | SAFE_OPEN, Mode::empty());
        let Some(file) = unless_missing(opened.map_err(io::Error::from))? else { return Ok(None) };
        let segment = Self { file: File::from(file) };
        if segment.metadata()?.is_file() { Ok(Some(segment)) } else { Err(not_a_file()) }
    }

    /// Makes a new, empty segment with the permission bits `mode` less the umask; the path must be free.
    pub(crate) fn create(path: &Path, mode: u32) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | SAFE_OPEN;
        let file = rustix::fs::open(path, flags, Mode::from_raw_mode(mode))?;
        Ok(Self { file: File::from(file) })
    }

    /// Opens what exists at `path`, or makes it.
    pub(crate) fn open_or_create(path: &Path, mode: u32) -> io::Result<Self> {
        for _ in 0..OPEN_ATTEMPTS {
            if let Some(segment) = Self::open(path, Access::ReadWrite)? {
                return Ok(segment);
            }
            match Self::create(path, mode) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created,
            }
        }
        Err(io::Error::other("the file came and went whenever it was looked for"))
    }

    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    pub(crate) fn identity(&self) -> io::Result<Identity> {
        self.metadata().map(|metadata| Identity::of(&metadata))
    }

    /// Whether the segment is this user's, and nobody has permissions beyond `mode`.
    pub(crate) fn grants_at_most(&self, mode: u32) -> io::Result<bool> {
        let metadata = self.metadata()?;
        let own = metadata.uid() == rustix::process::geteuid().as_raw();
        Ok(own && metadata.mode() & PERMISSIONS & !mode == 0)
    }

    /// Claims the segment for this open file; `false` if another one has it. The kernel ends the claim with
    /// its process. Foreign programs neither ask for it nor respect it.
    pub(crate) fn try_lock(&self) -> io::Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// As [`try_lock`](Self::try_lock), for longer than a lock can outlive its owner: the kernel takes a
    /// killed process's memory apart before its files, and a child shares its parent's until it executes.
    pub(crate) fn lock(&self) -> io::Result<bool> {
        let started = Instant::now();
        while !self.try_lock()? {
            if started.elapsed() > LOCK_PATIENCE {
                return Ok(false);
            }
            thread::sleep(LOCK_PAUSE);
        }
        Ok(true)
    }

    /// Gives back what [`try_lock`](Self::try_lock) took.
    pub(crate) fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }

    /// Copies bytes out. `UnexpectedEof` if the segment ends before the buffer is full.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: usize) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset as u64)
    }

    /// Writes bytes that nobody can be looking at yet, growing the segment; a full file system is an error
    /// here.
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: usize) -> io::Result<()> {
        self.file.write_all_at(bytes, offset as u64)
    }

    /// Maps the first `length` bytes for writing, after reserving their pages.
    pub(crate) fn map(&self, length: usize) -> io::Result<Mapping> {
        rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, length as u64)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new map at an address of the kernel's choosing replaces no memory of this process.
        let address =
            unsafe { rustix::mm::mmap(ptr::null_mut(), length, access, MapFlags::SHARED, &self.file, 0) }?;
        let address = NonNull::new(address.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Mapping { address, length })
    }
}

/// The first `length` bytes of a segment, mapped for writing. Offsets are the layout's own and are
/// asserted, as those of a slice.
#[derive(Debug)]
pub(crate) struct Mapping {
    address: NonNull<u8>,
    length: usize,
}

// SAFETY: the map belongs to the process, not to a thread, and every access to it is atomic.
unsafe impl Send for Mapping {}
// SAFETY: as above; `&Mapping` gives out nothing but atomic accesses.
unsafe impl Sync for Mapping {}

/// The atomics that shared memory is made of.
trait Cell {}
impl Cell for AtomicU8 {}
impl Cell for AtomicU32 {}
impl Cell for AtomicU64 {}

impl Mapping {
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Stores four bytes at once, little-endian, at an offset that is a multiple of four.
    pub(crate) fn store_u32(&self, offset: usize, value: u32) {
        if let [cell] = self.cells::<AtomicU32>(offset, 1) {
            cell.store(value.to_le(), Relaxed);
        }
    }

    pub(crate) fn load_u8(&self, offset: usize) -> u8 {
        self.byte(offset).load(Relaxed)
    }

    pub(crate) fn store_u8(&self, offset: usize, value: u8) {
        self.byte(offset).store(value, Relaxed);
    }

    /// Replaces a byte if it is `expected`; says whether it was.
    pub(crate) fn compare_exchange_u8(&self, offset: usize, expected: u8, new: u8) -> bool {
        self.byte(offset).compare_exchange(expected, new, Relaxed, Relaxed).is_ok()
    }

    /// Stores bytes, eight at a time where the offset allows it. In no particular order to an onlooker.
    pub(crate) fn store_bytes(&self, offset: usize, bytes: &[u8]) {
        let aligned = offset.next_multiple_of(size_of::<u64>());
        let (head, rest) = bytes.split_at(bytes.len().min(aligned - offset));
        let (words, tail) = rest.as_chunks();
        self.store_single_bytes(offset, head);
        for (cell, word) in self.cells::<AtomicU64>(offset + head.len(), words.len()).iter().zip(words) {
            cell.store(u64::from_ne_bytes(*word), Relaxed);
        }
        self.store_single_bytes(offset + bytes.len() - tail.len(), tail);
    }

    fn store_single_bytes(&self, offset: usize, bytes: &[u8]) {
        for (cell, byte) in self.cells::<AtomicU8>(offset, bytes.len()).iter().zip(bytes) {
            cell.store(*byte, Relaxed);
        }
    }

    fn byte(&self, offset: usize) -> &AtomicU8 {
        &self.cells(offset, 1)[0]
    }

    fn cells<C: Cell>(&self, offset: usize, count: usize) -> &[C] {
        if count == 0 {
            return &[];
        }
        let end = count.checked_mul(size_of::<C>()).and_then(|bytes| offset.checked_add(bytes));
        assert!(
            offset.is_multiple_of(align_of::<C>()) && end.is_some_and(|end| end <= self.length),
            "{count} cells at offset {offset} do not fit a map of {} bytes",
            self.length
        );
        // SAFETY:
        // - the assertion keeps the cells inside the map, which lives as long as `self`;
        // - the map begins on a page, so an aligned offset is an aligned address;
        // - `Cell` is implemented by atomics alone: any bytes are valid, and a write by somebody else is no
        //   aliasing error.
        unsafe { std::slice::from_raw_parts(self.address.as_ptr().add(offset).cast(), count) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is the one that was mapped, and every reference into it has borrowed `self`.
        let unmapped = unsafe { rustix::mm::munmap(self.address.as_ptr().cast::<c_void>(), self.length) };
        debug_assert!(unmapped.is_ok(), "unmapping a whole map of ours can only succeed");
    }
}

/// Removes the files in `directory` whose names begin with `prefix` and that nobody has locked, as far as this
/// user may, unless the rest of the name says that one is needed.
pub(crate) fn sweep(directory: &Path, prefix: &str, is_needed: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(prefix));
        if rest.is_some_and(|rest| !is_needed(rest)) {
            remove_if_dead(&entry.path());
        }
    }
    Ok(())
}

/// A file that cannot be opened, locked or removed is somebody's, and sweeping it is a courtesy: no reason to
/// fail.
fn remove_if_dead(path: &Path) {
    let Ok(Some(segment)) = Segment::open(path, Access::Read) else { return };
    if segment.try_lock().is_ok_and(|locked| locked) {
        let _ = fs::remove_file(path);
    }
}

/// Gives the file `existing` a second name, which must be free.
pub(crate) fn link(existing: &Path, new: &Path) -> io::Result<()> {
    fs::hard_link(existing, new)
}

/// Removes the name `path`, if it is there.
pub(crate) fn unlink(path: &Path) -> io::Result<()> {
    unless_missing(fs::remove_file(path)).map(|_| ())
}

/// A missing file is an ordinary answer here, not a failure.
fn unless_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "expected a regular file, found a directory, pipe or device")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(segment: &Segment, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        segment.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn stores_of_every_alignment_reach_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let segment = Segment::create(&directory.path().join("segment"), 0o600).unwrap();
        let mapping = segment.map(64).unwrap();
        for offset in 0..9 {
            for length in 0..=(64 - offset) {
                mapping.store_bytes(0, &[0; 64]);
                let bytes: Vec<u8> = (1..=length as u8).collect();
                mapping.store_bytes(offset, &bytes);
                let mut expected = vec![0; 64];
                expected[offset..offset + length].copy_from_slice(&bytes);
                assert_eq!(contents(&segment, 64), expected, "offset {offset}, length {length}");
            }
        }
        mapping.store_u32(4, 0x0403_0201);
        assert_eq!(contents(&segment, 64)[4..8], [1, 2, 3, 4]);
    }

    #[test]
    #[should_panic(expected = "do not fit a map of 64 bytes")]
    fn a_store_past_the_end_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let segment = Segment::create(&directory.path().join("segment"), 0o600).unwrap();
        segment.map(64).unwrap().store_bytes(57, &[0; 8]);
    }

    #[test]
    fn a_shrunk_segment_is_an_error_and_no_signal() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("segment");
        let segment = Segment::create(&path, 0o600).unwrap();
        segment.write_all_at(&[1; 10_000], 0).unwrap();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
        let error = segment.read_exact_at(&mut [0; 10_000], 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn links_directories_and_pipes_are_no_segments() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(Segment::open(&link, Access::Read).is_err());
        assert!(Segment::open(directory.path(), Access::Read).is_err());
        assert!(Segment::open(&directory.path().join("missing"), Access::Read).unwrap().is_none());
        let pipe = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(Segment::open(&pipe, Access::Read).is_err());
    }

    #[test]
    fn a_lock_is_held_until_its_open_file_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("segment");
        let first = Segment::create(&path, 0o600).unwrap();
        let second = Segment::open(&path, Access::ReadWrite).unwrap().unwrap();
        assert!(first.try_lock().unwrap());
        assert!(!second.try_lock().unwrap());
        drop(first);
        assert!(second.try_lock().unwrap());
    }
}
