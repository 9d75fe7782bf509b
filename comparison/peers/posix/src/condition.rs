//! Room for one message, a mutex, and a condition for each end.
#![allow(unsafe_code)] // Functions of pthread.h, and what the mutex protects.

use std::mem::zeroed;
use std::slice;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Result, ensure};
use harness::{Keeps, Pages, Passing, Receiver, Sender, Terms, Wait};
use libc::{
    PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED, pthread_cond_init, pthread_cond_signal, pthread_cond_t,
    pthread_cond_wait, pthread_condattr_init, pthread_condattr_setpshared, pthread_mutex_lock,
    pthread_mutex_t, pthread_mutex_unlock,
};

use crate::{check, mutex};

pub(crate) enum Mailbox {}

impl Passing for Mailbox {
    const NAME: &'static str = "condition";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = true;
    type Sender = Slot;
    type Receiver = Slot;

    fn sender(terms: &Terms, lane: &str) -> Result<Slot> {
        Slot::open(terms, lane)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Slot> {
        Slot::open(terms, lane)
    }
}

/// Where things are.
const MUTEX: usize = 0;
const EMPTIED: usize = 128;
const FILLED: usize = 256;
const IS_FULL: usize = 384;
const MESSAGE: usize = 512;

pub(crate) struct Slot {
    pages: Pages,
    size: usize,
}

impl Slot {
    fn open(terms: &Terms, lane: &str) -> Result<Self> {
        ensure!(terms.wait == Wait::Asleep, "it sleeps always");
        ensure!(terms.readers == 1, "a message goes to one reader");
        let pages = Pages::open_or_create(lane, MESSAGE + terms.size, |pages| {
            mutex::initialise(pages.at(MUTEX), PTHREAD_MUTEX_STALLED)?;
            initialise(pages.at(EMPTIED))?;
            initialise(pages.at(FILLED))
        })?;
        Ok(Self { pages, size: terms.size })
    }

    /// Waits until it is full or not, lets `work` have it, and says that it is the contrary.
    fn turn<R>(&self, is_full: u64, work: impl FnOnce(&mut [u8]) -> R) -> Result<R> {
        let (awaited, other) = if is_full == 1 { (FILLED, EMPTIED) } else { (EMPTIED, FILLED) };
        let mutex = self.pages.at::<pthread_mutex_t>(MUTEX);
        let word = self.pages.word(IS_FULL);
        // SAFETY: mutex and conditions were initialised before anybody saw them, and stay where they are mapped.
        check(unsafe { pthread_mutex_lock(mutex) })?;
        while word.load(Relaxed) != is_full {
            // SAFETY: as above, and this thread holds the mutex.
            check(unsafe { pthread_cond_wait(self.pages.at::<pthread_cond_t>(awaited), mutex) })?;
        }
        // SAFETY: within the pages, and protected by the mutex, which this thread holds.
        let result =
            work(unsafe { slice::from_raw_parts_mut(self.pages.bytes(MESSAGE, self.size), self.size) });
        word.store(1 - is_full, Relaxed);
        // SAFETY: as above.
        check(unsafe { pthread_mutex_unlock(mutex) })?;
        // SAFETY: as above.
        check(unsafe { pthread_cond_signal(self.pages.at::<pthread_cond_t>(other)) })?;
        Ok(result)
    }
}

impl Sender for Slot {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        self.send_in_place(|place| place.copy_from_slice(message))
    }

    fn send_in_place(&mut self, write: impl FnOnce(&mut [u8])) -> Result<()> {
        self.turn(0, write)
    }
}

impl Receiver for Slot {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        self.turn(1, |message| look(message))
    }
}

fn initialise(condition: *mut pthread_cond_t) -> Result<()> {
    // SAFETY: attributes are filled in before they are used; the condition is in mapped memory that is aligned for it,
    // and that nobody uses yet.
    unsafe {
        let mut attributes = zeroed();
        check(pthread_condattr_init(&raw mut attributes))?;
        check(pthread_condattr_setpshared(&raw mut attributes, PTHREAD_PROCESS_SHARED))?;
        check(pthread_cond_init(condition, &raw const attributes))
    }
}
