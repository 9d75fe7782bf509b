//! `sem_t` with one permit, for several processes.
#![allow(unsafe_code)] // Functions of semaphore.h.

use std::io::Error;

use anyhow::{Result, ensure};
use harness::{Locking, Outcome, Pages, Terms};
use libc::{sem_init, sem_post, sem_t, sem_wait};

pub(crate) enum Semaphore {}

impl Locking for Semaphore {
    const NAME: &'static str = "semaphore";
    type Lock = Pages;

    fn open(terms: &Terms) -> Result<Pages> {
        Pages::open_or_create(&terms.name, size_of::<sem_t>(), |pages| {
            // SAFETY: mapped memory that is aligned for it, and that nobody uses yet.
            ensure!(unsafe { sem_init(pages.at(0), 1, 1) } == 0, "{}", Error::last_os_error());
            Ok(())
        })
    }

    fn with(pages: &mut Pages, work: impl FnOnce()) -> Result<Outcome> {
        let semaphore = pages.at::<sem_t>(0);
        // SAFETY: it was initialised before anybody saw it, and stays where it is mapped.
        ensure!(unsafe { sem_wait(semaphore) } == 0, "{}", Error::last_os_error());
        work();
        // SAFETY: as above.
        ensure!(unsafe { sem_post(semaphore) } == 0, "{}", Error::last_os_error());
        Ok(Outcome::GoesOn)
    }
}
