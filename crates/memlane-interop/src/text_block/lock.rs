//! The lock byte: memlane's processes take turns, the one whose turn it is notes what it does and does it.
//!
//! A turn is the kernel's lock on the block and ends with its process. So whoever has it knows that the record
//! beside the block was written by somebody who is done or dead, and the record says whose a 1 is. It says too
//! what a dead one was writing: while the byte is 1 no foreign program looks, so whoever takes over ends it.

use super::image::{IMAGE_BYTES, Image, LENGTH_OFFSET};
use super::record::{Record, State};
use crate::segment::{Mapping, Segment};
use std::io;
use std::sync::atomic::{Ordering::SeqCst, fence};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// Where the lock byte is.
pub const LOCK_OFFSET: usize = 0;
/// The longest anybody waits for the lock.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

const FREE: u8 = 0;
const HELD: u8 = 1;

/// The original's pace: nobody is woken.
const POLL: Duration = Duration::from_millis(10);

/// A foreign program holds the lock while it copies 4096 bytes. A 1 that may be a dead process's is one after
/// so long.
const DOUBT: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct Lock {
    block: Segment,
    inode: u64,
    memory: Mapping,
    record: Record,
    /// The kernel's lock belongs to the open file, which the threads of a process share.
    threads: Mutex<()>,
}

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    lock: &'a Lock,
    _turn: Turn<'a>,
}

/// The right to read and write the record.
#[derive(Debug)]
struct Turn<'a> {
    block: &'a Segment,
    _thread: MutexGuard<'a, ()>,
}

impl Lock {
    pub(super) fn new(block: Segment, length: usize, record: Record) -> io::Result<Self> {
        let (inode, memory) = (block.identity()?.inode(), block.map(length)?);
        Ok(Self { block, inode, memory, record, threads: Mutex::new(()) })
    }

    pub(super) fn block(&self) -> &Segment {
        &self.block
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// Whether anybody holds it at this moment.
    pub(super) fn is_held(&self) -> bool {
        self.memory.load_u8(LOCK_OFFSET) != FREE
    }

    /// Takes the lock; `None` after [`LOCK_TIMEOUT`].
    pub(super) fn acquire(&self) -> io::Result<Option<Held<'_>>> {
        let started = Instant::now();
        let mut doubtful_since = None;
        loop {
            if let Some(held) = self.try_acquire(&mut doubtful_since)? {
                return Ok(Some(held));
            }
            let left = LOCK_TIMEOUT.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            thread::sleep(left.min(POLL));
        }
    }

    fn try_acquire(&self, doubtful_since: &mut Option<Instant>) -> io::Result<Option<Held<'_>>> {
        let Some(turn) = self.try_turn()? else { return Ok(None) };
        let state = self.record.state(self.inode)?;
        if self.is_held() {
            let is_a_dead_one_s = match state {
                State::Free => false,
                State::Held | State::Writing => true,
                State::Changing => doubtful_since.get_or_insert_with(Instant::now).elapsed() >= DOUBT,
            };
            if !is_a_dead_one_s {
                return Ok(None);
            }
            if state == State::Writing {
                self.memory.store_bytes(LENGTH_OFFSET, &self.record.image()?);
            }
            self.free();
        }
        self.note(State::Changing);
        if self.memory.compare_exchange_u8(LOCK_OFFSET, FREE, HELD) {
            self.note(State::Held);
            return Ok(Some(Held { lock: self, _turn: turn }));
        }
        self.note(State::Free);
        Ok(None)
    }

    fn try_turn(&self) -> io::Result<Option<Turn<'_>>> {
        let thread = match self.threads.try_lock() {
            Ok(thread) => thread,
            // It guards nothing that a panic could have left half done.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        Ok(self.block.try_lock()?.then_some(Turn { block: &self.block, _thread: thread }))
    }

    fn free(&self) {
        self.note(State::Changing);
        self.memory.store_u8(LOCK_OFFSET, FREE);
        self.note(State::Free);
    }

    /// What a process did before its death is a beginning of what it would have done in this order. For the
    /// text it is the lock's release and acquire too.
    fn note(&self, state: State) {
        fence(SeqCst);
        self.record.note(state);
        fence(SeqCst);
    }
}

impl Held<'_> {
    /// What stands behind the lock byte.
    pub(super) fn image(&self) -> io::Result<Image> {
        let mut image = [0; IMAGE_BYTES];
        self.lock.block.read_exact_at(&mut image, LENGTH_OFFSET)?;
        Ok(image)
    }

    /// Replaces it, as a whole also if this process dies; says whether it stands.
    pub(super) fn write(&self, image: &Image) -> io::Result<bool> {
        self.lock.record.store_image(image);
        self.lock.note(State::Writing);
        self.lock.memory.store_bytes(LENGTH_OFFSET, image);
        let stands = self.image()? == *image;
        self.lock.note(State::Held);
        Ok(stands)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.lock.free();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let unlocked = self.block.unlock();
        debug_assert!(unlocked.is_ok(), "giving back a lock of ours can only succeed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use tempfile::TempDir;

    const BYTES: usize = 4096;

    fn lock() -> (TempDir, Lock) {
        let directory = tempfile::tempdir().unwrap();
        let name = Name::in_directory(directory.path(), "block").unwrap();
        let block = Segment::create(name.path(), 0o600).unwrap();
        let lock = Lock::new(block, BYTES, Record::beside(&name).unwrap()).unwrap();
        (directory, lock)
    }

    /// As a process leaves it that is killed there.
    fn dead(state: State, byte: u8) -> (TempDir, Lock) {
        let (directory, lock) = lock();
        assert_eq!(lock.record.state(lock.inode).unwrap(), State::Free, "it is about this block now");
        lock.record.note(state);
        lock.memory.store_u8(LOCK_OFFSET, byte);
        (directory, lock)
    }

    fn waited(lock: &Lock) -> Duration {
        let started = Instant::now();
        assert!(lock.acquire().unwrap().is_some());
        started.elapsed()
    }

    #[test]
    fn it_is_held_until_dropped() {
        let (_directory, lock) = lock();
        let held = lock.acquire().unwrap().unwrap();
        assert!(lock.is_held());
        assert_eq!(lock.record.state(lock.inode).unwrap(), State::Held);
        drop(held);
        assert!(!lock.is_held());
        assert_eq!(lock.record.state(lock.inode).unwrap(), State::Free);
    }

    #[test]
    fn every_death_is_recovered() {
        for state in [State::Free, State::Held, State::Changing, State::Writing] {
            assert!(waited(&dead(state, FREE).1) < DOUBT, "{state:?}");
        }
        assert!(waited(&dead(State::Held, HELD).1) < DOUBT);
        let doubtful = waited(&dead(State::Changing, HELD).1);
        assert!((DOUBT..LOCK_TIMEOUT).contains(&doubtful), "{doubtful:?}");
    }

    #[test]
    fn a_dead_writer_s_text_is_written_to_its_end() {
        let (_directory, lock) = dead(State::Writing, HELD);
        lock.record.store_image(&[7; IMAGE_BYTES]);
        lock.memory.store_bytes(LENGTH_OFFSET, &[7; 100]);
        assert_eq!(lock.acquire().unwrap().unwrap().image().unwrap(), [7; IMAGE_BYTES]);
        let (_directory, lock) = dead(State::Writing, FREE);
        lock.record.store_image(&[7; IMAGE_BYTES]);
        let image = lock.acquire().unwrap().unwrap().image().unwrap();
        assert_eq!(image, [0; IMAGE_BYTES], "a foreign program has had the lock since");
    }

    #[test]
    fn a_note_about_an_earlier_block_is_void() {
        let (_directory, lock) = dead(State::Held, HELD);
        lock.record.state(lock.inode + 1).unwrap();
        assert_eq!(lock.record.state(lock.inode).unwrap(), State::Free);
        assert!(lock.try_acquire(&mut None).unwrap().is_none(), "the byte is a foreign program's");
    }

    #[test]
    fn a_foreign_holder_is_waited_for_and_never_robbed() {
        let (_directory, lock) = dead(State::Free, HELD);
        let started = Instant::now();
        assert!(lock.acquire().unwrap().is_none());
        assert!(started.elapsed() >= LOCK_TIMEOUT);
        assert!(lock.is_held());
        thread::scope(|scope| {
            let waiter = scope.spawn(|| waited(&lock));
            lock.memory.store_u8(LOCK_OFFSET, FREE);
            assert!(waiter.join().unwrap() < LOCK_TIMEOUT);
        });
    }

    #[test]
    fn threads_exclude_each_other() {
        let (_directory, lock) = lock();
        let (inside, entered) = (Mutex::new(()), std::sync::atomic::AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _held = lock.acquire().unwrap().unwrap();
                        drop(inside.try_lock().expect("nobody else is inside"));
                        entered.fetch_add(1, SeqCst);
                    }
                });
            }
        });
        assert_eq!(entered.into_inner(), 200);
    }
}
