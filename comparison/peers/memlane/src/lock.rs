//! One at a time; who comes after a death is told.

use anyhow::Result;
use harness::{Attaching, Locking, Outcome, Terms};
use memlane::Lock;

use crate::space;

pub(crate) enum Exclusive {}

impl Locking for Exclusive {
    const NAME: &'static str = "lock";
    type Lock = Lock;

    fn open(terms: &Terms) -> Result<Lock> {
        Ok(Lock::open_or_create(space()?, &terms.name)?)
    }

    fn with(lock: &mut Lock, work: impl FnOnce()) -> Result<Outcome> {
        let guard = lock.lock()?;
        let died = guard.owner_died();
        if died {
            guard.make_consistent();
        }
        work();
        Ok(if died { Outcome::IsTold } else { Outcome::GoesOn })
    }
}

impl Attaching for Exclusive {
    const NAME: &'static str = "lock";
    type Region = Lock;

    fn make(_: &Terms, id: &str) -> Result<Lock> {
        Ok(Lock::create(space()?, id)?)
    }

    fn open(_: &Terms, id: &str) -> Result<Lock> {
        Ok(Lock::open(space()?, id)?)
    }
}
