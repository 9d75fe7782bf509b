//! What the kinds that synchronise and pass on are measured against.
#![allow(unsafe_code)] // Bare system calls, pthread objects and anonymous mappings.

use crate::shared_memory;
use std::sync::atomic::{AtomicU64, Ordering};

/// A bounded queue of cells of 64 bytes in shared memory (D. Vyukov's MPMC queue): the best that is known, where nobody
/// dies.
pub(crate) struct Vyukov {
    tail: *const AtomicU64,
    head: *const AtomicU64,
    cells: *mut Cell,
}

const CELLS: u64 = 32;

#[repr(C, align(128))]
struct Cell {
    sequence: AtomicU64,
    bytes: [u8; 64],
}

impl Vyukov {
    pub(crate) fn new() -> Self {
        let start = shared_memory::<u8>();
        // SAFETY: the mapping has 4096 zeroed bytes, here 128 for each end, and the cells in a mapping of their own.
        let (tail, head) = unsafe { (start.cast(), start.add(128).cast()) };
        let size = CELLS as usize * size_of::<Cell>();
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh anonymous mapping.
        let cells = unsafe {
            libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        assert_ne!(cells, libc::MAP_FAILED, "no shared memory");
        let queue = Self { tail, head, cells: cells.cast() };
        (0..CELLS).for_each(|index| queue.cell(index).sequence.store(index, Ordering::Relaxed));
        queue
    }

    fn cell(&self, position: u64) -> &Cell {
        // SAFETY: the index is below the number of cells, which live to the end.
        unsafe { &*self.cells.add((position % CELLS) as usize) }
    }

    pub(crate) fn put(&self, message: &[u8; 64]) {
        // SAFETY: the mapping lives to the end.
        let tail = unsafe { &*self.tail };
        let mut position = tail.load(Ordering::Relaxed);
        loop {
            let sequence = self.cell(position).sequence.load(Ordering::Acquire);
            if sequence == position {
                let next =
                    tail.compare_exchange_weak(position, position + 1, Ordering::Relaxed, Ordering::Relaxed);
                match next {
                    Ok(_) => break,
                    Err(changed) => position = changed,
                }
            } else {
                std::hint::spin_loop();
                position = tail.load(Ordering::Relaxed);
            }
        }
        // SAFETY: the cell is this producer's until its sequence says otherwise.
        unsafe { (*self.cells.add((position % CELLS) as usize)).bytes = *message };
        self.cell(position).sequence.store(position + 1, Ordering::Release);
    }

    pub(crate) fn get(&self) -> [u8; 64] {
        // SAFETY: the mapping lives to the end.
        let head = unsafe { &*self.head };
        let mut position = head.load(Ordering::Relaxed);
        loop {
            let sequence = self.cell(position).sequence.load(Ordering::Acquire);
            if sequence == position + 1 {
                let next =
                    head.compare_exchange_weak(position, position + 1, Ordering::Relaxed, Ordering::Relaxed);
                match next {
                    Ok(_) => break,
                    Err(changed) => position = changed,
                }
            } else {
                std::hint::spin_loop();
                position = head.load(Ordering::Relaxed);
            }
        }
        let bytes = self.cell(position).bytes;
        self.cell(position).sequence.store(position + CELLS, Ordering::Release);
        bytes
    }
}

/// The two ends of what the kernel passes messages through.
#[derive(Clone, Copy)]
pub(crate) struct Descriptors {
    pub(crate) input: i32,
    pub(crate) output: i32,
}

impl Descriptors {
    pub(crate) fn socket() -> Self {
        let mut ends = [0; 2];
        // SAFETY: room for two descriptors.
        let made = unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, ends.as_mut_ptr()) };
        assert_eq!(made, 0, "no sockets");
        Self { input: ends[0], output: ends[1] }
    }

    pub(crate) fn pipe() -> Self {
        let mut ends = [0; 2];
        // SAFETY: room for two descriptors.
        assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0, "no pipe");
        Self { input: ends[1], output: ends[0] }
    }

    pub(crate) fn put(self, message: &[u8; 64]) {
        // SAFETY: the message is as long as is said.
        let written = unsafe { libc::write(self.input, message.as_ptr().cast(), message.len()) };
        assert_eq!(written, 64, "half a message");
    }

    pub(crate) fn get(self) -> [u8; 64] {
        let mut message = [0; 64];
        // SAFETY: there is as much room as is said.
        let read = unsafe { libc::read(self.output, message.as_mut_ptr().cast(), message.len()) };
        assert_eq!(read, 64, "half a message");
        message
    }
}

/// A POSIX semaphore in shared memory.
pub(crate) fn posix_semaphore(value: u32) -> *mut libc::sem_t {
    let semaphore = shared_memory::<libc::sem_t>();
    // SAFETY: zeroed memory, large enough and alive to the end.
    assert_eq!(unsafe { libc::sem_init(semaphore, 1, value) }, 0, "no semaphore");
    semaphore
}

/// A POSIX readers-writer lock in shared memory.
pub(crate) fn posix_rwlock() -> *mut libc::pthread_rwlock_t {
    let lock = shared_memory::<libc::pthread_rwlock_t>();
    // SAFETY: zeroed memory, large enough and alive to the end; the attributes are initialised before use.
    unsafe {
        let mut attributes: libc::pthread_rwlockattr_t = std::mem::zeroed();
        libc::pthread_rwlockattr_init(&raw mut attributes);
        libc::pthread_rwlockattr_setpshared(&raw mut attributes, libc::PTHREAD_PROCESS_SHARED);
        libc::pthread_rwlock_init(lock, &raw const attributes);
    }
    lock
}
