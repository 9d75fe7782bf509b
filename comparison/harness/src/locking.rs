//! Works with a lock between processes.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{Open, Outcome, Said, Terms, Work};

/// A lock between processes.
pub trait Locking: 'static {
    /// What the peer calls it.
    const NAME: &'static str;
    /// The lock, as one process has it open.
    type Lock: 'static;

    /// Opens it, and makes it first if it is not there; two processes may do so at once.
    fn open(terms: &Terms) -> Result<Self::Lock>;

    /// Does the work with the lock held. Says whether its last holder died, where the peer tells; what is protected is
    /// put right then.
    fn with(lock: &mut Self::Lock, work: impl FnOnce()) -> Result<Outcome>;
}

pub(crate) fn works<L: Locking>() -> [(&'static str, Open); 2] {
    [("lock", lock::<L>), ("holder dies", die::<L>)]
}

/// Each side takes it and gives it back; with one side it is never taken.
fn lock<L: Locking>(terms: &Terms, _: usize) -> Result<Work> {
    let mut lock = L::open(terms)?;
    Ok(Box::new(move |count| {
        for _ in 0..count {
            let outcome = L::with(&mut lock, || ())?;
            ensure!(outcome == Outcome::GoesOn, "a holder is said to have died");
        }
        Ok(Said::default())
    }))
}

/// The first side holds it until it is killed; it says so by a line on its standard error. The second takes it then.
fn die<L: Locking>(terms: &Terms, index: usize) -> Result<Work> {
    let mut lock = L::open(terms)?;
    Ok(Box::new(move |_| {
        if index == 0 {
            L::with(&mut lock, || {
                eprintln!("held");
                std::thread::sleep(Duration::MAX);
            })?;
        }
        Ok(Said { outcome: Some(L::with(&mut lock, || ())?), ..Said::default() })
    }))
}
