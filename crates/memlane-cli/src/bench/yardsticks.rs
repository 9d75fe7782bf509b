//! What memlane is measured against, and is not written by us: the C library's locks, the best queue that is known, a
//! mapped file, and bare words in shared memory. All of it lies in raw regions, which both processes of a row open.
#![allow(unsafe_code)] // Types laid over shared bytes, and functions of C that take them by their address.

use crate::failure::{Exit, Failure, Outcome};
use memlane::{Raw, Space};
use rustix::fd::AsFd;
use rustix::mm::{MapFlags, ProtFlags};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The system does not give what measuring takes.
pub(super) fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failure, format!("the system refuses what is measured with: {error}"))
}

/// Far enough apart for two words never to travel together: processors fetch lines of 64 bytes in pairs.
const APART: usize = 128;

/// Words on lines of their own, all 0 at first.
pub(super) struct Lines(Raw);

impl Lines {
    pub(super) fn open(space: &Space, id: &str, count: usize) -> Outcome<Self> {
        Ok(Self(Raw::open_or_create(space, id, count * APART)?))
    }

    pub(super) fn word(&self, index: usize) -> &AtomicU64 {
        // SAFETY: the line lies in the region, begins on a page plus a multiple of 128, stays mapped as long as `self`,
        // and is used as this one atomic by both processes.
        unsafe { &*self.line(index).cast() }
    }

    /// A word to sleep at, which the kernel wants to have 32 bits. A line is used by it or by [`word`](Self::word).
    pub(super) fn futex(&self, index: usize) -> &AtomicU32 {
        // SAFETY: as above.
        unsafe { &*self.line(index).cast() }
    }

    fn line(&self, index: usize) -> *mut u8 {
        assert!(index * APART < self.0.len(), "there are fewer lines than {index}");
        // SAFETY: within the region, as was just checked.
        unsafe { self.0.as_mut_ptr().add(index * APART) }
    }
}

/// Room for any of the C library's objects.
const OBJECT: usize = 256;

/// A `pthread_mutex_t` that processes share.
pub(super) struct Mutex(Raw);

impl Mutex {
    /// Made anew, by the one process that uses it.
    pub(super) fn create(space: &Space, id: &str, robust: bool) -> Outcome<Self> {
        let mutex = Self(Raw::create(space, id, OBJECT)?);
        // SAFETY: zeroed memory, aligned to a page, larger than the object; the attributes are initialised before use.
        unsafe {
            let mut attributes: libc::pthread_mutexattr_t = std::mem::zeroed();
            libc::pthread_mutexattr_init(&raw mut attributes);
            libc::pthread_mutexattr_setpshared(&raw mut attributes, libc::PTHREAD_PROCESS_SHARED);
            if robust {
                libc::pthread_mutexattr_setrobust(&raw mut attributes, libc::PTHREAD_MUTEX_ROBUST);
            }
            libc::pthread_mutex_init(mutex.0.as_mut_ptr().cast(), &raw const attributes);
        }
        Ok(mutex)
    }

    #[inline]
    pub(super) fn lock_and_unlock(&self) {
        let mutex = self.0.as_mut_ptr().cast();
        // SAFETY: initialised when it was made, and mapped as long as `self`.
        let _ = unsafe { (libc::pthread_mutex_lock(mutex), libc::pthread_mutex_unlock(mutex)) };
    }
}

/// A `pthread_rwlock_t` that processes share.
pub(super) struct RwLock(Raw);

impl RwLock {
    /// Made anew, by one of those who use it, before they do.
    pub(super) fn create(space: &Space, id: &str) -> Outcome<Self> {
        let lock = Self(Raw::create(space, id, OBJECT)?);
        // SAFETY: zeroed memory, aligned to a page, larger than the object; the attributes are initialised before use.
        unsafe {
            let mut attributes: libc::pthread_rwlockattr_t = std::mem::zeroed();
            libc::pthread_rwlockattr_init(&raw mut attributes);
            libc::pthread_rwlockattr_setpshared(&raw mut attributes, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_rwlock_init(lock.0.as_mut_ptr().cast(), &raw const attributes);
        }
        Ok(lock)
    }

    /// One that another process has made.
    pub(super) fn open(space: &Space, id: &str) -> memlane::Result<Self> {
        Raw::open(space, id).map(Self)
    }

    #[inline]
    pub(super) fn read_and_unlock(&self) {
        let lock = self.0.as_mut_ptr().cast();
        // SAFETY: initialised when it was made, and mapped as long as `self`.
        let _ = unsafe { (libc::pthread_rwlock_rdlock(lock), libc::pthread_rwlock_unlock(lock)) };
    }
}

/// A `sem_t` that processes share.
pub(super) struct Semaphore(Raw);

impl Semaphore {
    /// Made anew, by the one process that uses it.
    pub(super) fn create(space: &Space, id: &str) -> Outcome<Self> {
        let semaphore = Self(Raw::create(space, id, OBJECT)?);
        // SAFETY: zeroed memory, aligned to a page, larger than the object.
        unsafe { libc::sem_init(semaphore.0.as_mut_ptr().cast(), 1, 0) };
        Ok(semaphore)
    }

    #[inline]
    pub(super) fn post_and_wait(&self) {
        let semaphore = self.0.as_mut_ptr().cast();
        // SAFETY: initialised when it was made, and mapped as long as `self`.
        let _ = unsafe { (libc::sem_post(semaphore), libc::sem_wait(semaphore)) };
    }
}

/// A file that is mapped, and unmapped when dropped.
pub(super) struct Mapping {
    start: *mut std::ffi::c_void,
    size: usize,
}

impl Mapping {
    pub(super) fn of(file: impl AsFd, size: usize) -> Outcome<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, at a place that the kernel chooses.
        let start =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), size, access, MapFlags::SHARED, file, 0) };
        let start = start.map_err(refused)?;
        Ok(Self { start, size })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `of`, and no reference to it was ever made.
        let _ = unsafe { rustix::mm::munmap(self.start, self.size) };
    }
}

/// A bounded queue of cells of 64 bytes (D. Vyukov's MPMC queue): the best that is known, where nobody dies.
pub(super) struct Vyukov {
    memory: Raw,
}

const CELLS: u64 = 32;

/// The two ends on lines of their own, and the cells.
#[repr(C)]
struct Ring {
    tail: End,
    head: End,
    cells: [Cell; CELLS as usize],
}

#[repr(C, align(128))]
struct End(AtomicU64);

#[repr(C, align(128))]
struct Cell {
    sequence: AtomicU64,
    bytes: std::cell::UnsafeCell<[u8; 64]>,
}

impl Vyukov {
    /// Made anew, by one of those who use it, before they do.
    pub(super) fn create(space: &Space, id: &str) -> Outcome<Self> {
        let queue = Self { memory: Raw::create(space, id, size_of::<Ring>())? };
        let cells = queue.ring().cells.iter();
        cells.zip(0..).for_each(|(cell, index)| cell.sequence.store(index, Ordering::Relaxed));
        Ok(queue)
    }

    /// One that another process has made.
    pub(super) fn open(space: &Space, id: &str) -> memlane::Result<Self> {
        Raw::open(space, id).map(|memory| Self { memory })
    }

    fn ring(&self) -> &Ring {
        // SAFETY: the region is as large, begins on a page, stays mapped as long as `self`, and zeros are a valid ring.
        unsafe { &*self.memory.as_mut_ptr().cast() }
    }

    fn cell(&self, position: u64) -> &Cell {
        &self.ring().cells[(position % CELLS) as usize]
    }

    /// Waits until the cell at an end has that sequence, and takes the end past it.
    fn claim(&self, end: &End, ahead: u64) -> (u64, &Cell) {
        let mut position = end.0.load(Ordering::Relaxed);
        loop {
            let cell = self.cell(position);
            if cell.sequence.load(Ordering::Acquire) == position + ahead {
                let next = position + 1;
                match end.0.compare_exchange_weak(position, next, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => return (position, cell),
                    Err(changed) => position = changed,
                }
            } else {
                std::hint::spin_loop();
                position = end.0.load(Ordering::Relaxed);
            }
        }
    }

    pub(super) fn put(&self, message: &[u8; 64]) {
        let (position, cell) = self.claim(&self.ring().tail, 0);
        // SAFETY: the cell is this producer's until its sequence says otherwise.
        unsafe { *cell.bytes.get() = *message };
        cell.sequence.store(position + 1, Ordering::Release);
    }

    pub(super) fn get(&self) -> [u8; 64] {
        let (position, cell) = self.claim(&self.ring().head, 1);
        // SAFETY: the cell is this consumer's until its sequence says otherwise.
        let bytes = unsafe { *cell.bytes.get() };
        cell.sequence.store(position + CELLS, Ordering::Release);
        bytes
    }
}
