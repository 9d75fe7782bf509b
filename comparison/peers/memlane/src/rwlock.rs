//! The writers' side of a lock that readers can share.

use anyhow::Result;
use harness::{Locking, Outcome, Terms};
use memlane::RwLock;

use crate::space;

pub(crate) enum Writing {}

impl Locking for Writing {
    const NAME: &'static str = "rwlock";
    type Lock = RwLock;

    fn open(terms: &Terms) -> Result<RwLock> {
        Ok(RwLock::open_or_create(space()?, &terms.name)?)
    }

    fn with(lock: &mut RwLock, work: impl FnOnce()) -> Result<Outcome> {
        let guard = lock.write(None)?;
        let died = guard.owner_died();
        if died {
            guard.make_consistent();
        }
        work();
        Ok(if died { Outcome::IsTold } else { Outcome::GoesOn })
    }
}
