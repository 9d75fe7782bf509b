//! `pthread_mutex_t`, between processes.
#![allow(unsafe_code)] // Functions of pthread.h.

use std::mem::zeroed;

use anyhow::Result;
use harness::{Locking, Outcome, Pages, Terms};
use libc::{
    EOWNERDEAD, PTHREAD_MUTEX_ROBUST, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED,
    pthread_mutex_consistent, pthread_mutex_init, pthread_mutex_lock, pthread_mutex_t, pthread_mutex_unlock,
    pthread_mutexattr_init, pthread_mutexattr_setpshared, pthread_mutexattr_setrobust,
};

use crate::check;

/// Waits for ever for a holder that died.
pub(crate) enum Plain {}

impl Locking for Plain {
    const NAME: &'static str = "mutex";
    type Lock = Mutex;

    fn open(terms: &Terms) -> Result<Mutex> {
        Mutex::open(terms, PTHREAD_MUTEX_STALLED)
    }

    fn with(mutex: &mut Mutex, work: impl FnOnce()) -> Result<Outcome> {
        mutex.with(work)
    }
}

/// The same, but who comes after a death is told.
pub(crate) enum Robust {}

impl Locking for Robust {
    const NAME: &'static str = "robust mutex";
    type Lock = Mutex;

    fn open(terms: &Terms) -> Result<Mutex> {
        Mutex::open(terms, PTHREAD_MUTEX_ROBUST)
    }

    fn with(mutex: &mut Mutex, work: impl FnOnce()) -> Result<Outcome> {
        mutex.with(work)
    }
}

pub(crate) struct Mutex(Pages);

impl Mutex {
    fn open(terms: &Terms, robust: i32) -> Result<Self> {
        let prepare = |pages: &Pages| initialise(pages.at(0), robust);
        Ok(Self(Pages::open_or_create(&terms.name, size_of::<pthread_mutex_t>(), prepare)?))
    }

    fn with(&self, work: impl FnOnce()) -> Result<Outcome> {
        let mutex = self.0.at::<pthread_mutex_t>(0);
        // SAFETY: it was initialised before anybody saw it, and stays where it is mapped.
        let outcome = match unsafe { pthread_mutex_lock(mutex) } {
            EOWNERDEAD => {
                // SAFETY: as above, and this thread holds it.
                check(unsafe { pthread_mutex_consistent(mutex) })?;
                Outcome::IsTold
            }
            error => {
                check(error)?;
                Outcome::GoesOn
            }
        };
        work();
        // SAFETY: as above.
        check(unsafe { pthread_mutex_unlock(mutex) })?;
        Ok(outcome)
    }
}

/// Makes a mutex for several processes, of memory that nobody uses yet.
pub(crate) fn initialise(mutex: *mut pthread_mutex_t, robust: i32) -> Result<()> {
    // SAFETY: attributes are filled in before they are used; the mutex is in mapped memory that is aligned for it.
    unsafe {
        let mut attributes = zeroed();
        check(pthread_mutexattr_init(&raw mut attributes))?;
        check(pthread_mutexattr_setpshared(&raw mut attributes, PTHREAD_PROCESS_SHARED))?;
        check(pthread_mutexattr_setrobust(&raw mut attributes, robust))?;
        check(pthread_mutex_init(mutex, &raw const attributes))
    }
}
