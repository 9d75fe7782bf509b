//! A single permit, which comes back when its holder dies.

use anyhow::Result;
use harness::{Locking, Outcome, Terms};
use memlane::Semaphore;

use crate::space;

pub(crate) enum Permits {}

impl Locking for Permits {
    const NAME: &'static str = "semaphore";
    type Lock = Semaphore;

    fn open(terms: &Terms) -> Result<Semaphore> {
        Ok(Semaphore::open_or_create(space()?, &terms.name, 1)?)
    }

    fn with(semaphore: &mut Semaphore, work: impl FnOnce()) -> Result<Outcome> {
        let _permit = semaphore.acquire(1, None)?;
        work();
        Ok(Outcome::GoesOn)
    }
}
