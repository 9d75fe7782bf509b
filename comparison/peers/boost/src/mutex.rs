//! A mutex in shared memory, which waits for ever for a holder that died.

use anyhow::Result;
use harness::{Locking, Outcome, Terms};

use crate::shim::Mutex;

pub(crate) enum InterprocessMutex {}

impl Locking for InterprocessMutex {
    const NAME: &'static str = "interprocess_mutex";
    type Lock = Mutex;

    fn open(terms: &Terms) -> Result<Mutex> {
        Mutex::open(&terms.name)
    }

    fn with(lock: &mut Mutex, work: impl FnOnce()) -> Result<Outcome> {
        lock.with(work)?;
        Ok(Outcome::GoesOn)
    }
}
