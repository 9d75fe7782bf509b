//! Works with regions: attaching to one, making many.

use anyhow::{Context, Result, ensure};
use rustix::fs::statvfs;

use crate::{Open, Said, Terms, Work};

/// Regions, or what the peer has in their place: a topic, a service, a segment.
pub trait Attaching: 'static {
    /// What the peer calls it.
    const NAME: &'static str;
    /// One that this process has open.
    type Region: 'static;

    /// Makes one of [`Terms::size`] bytes that has not been there.
    fn make(terms: &Terms, id: &str) -> Result<Self::Region>;

    /// Opens one that another process has made.
    fn open(terms: &Terms, id: &str) -> Result<Self::Region>;
}

pub(crate) fn works<A: Attaching>() -> [(&'static str, Open); 2] {
    [("attach", attach::<A>), ("many", many::<A>)]
}

/// The first side makes one and keeps it; the second opens and closes it, again and again.
fn attach<A: Attaching>(terms: &Terms, index: usize) -> Result<Work> {
    let terms = terms.clone();
    let id = format!("{}-one", terms.name);
    let made = if index == 0 { Some(A::make(&terms, &id)?) } else { None };
    Ok(Box::new(move |count| {
        if made.is_none() {
            for _ in 0..count {
                drop(A::open(&terms, &id)?);
            }
        }
        Ok(Said::default())
    }))
}

/// Makes so many more, and keeps them; says how much memory they take, shared and of this process.
fn many<A: Attaching>(terms: &Terms, index: usize) -> Result<Work> {
    ensure!(index == 0, "one process makes them all");
    let terms = terms.clone();
    let mut regions = Vec::new();
    Ok(Box::new(move |count| {
        let before = memory()?;
        for _ in 0..count {
            let id = format!("{}-{}", terms.name, regions.len());
            regions.push(A::make(&terms, &id).with_context(|| format!("the {}th of many", regions.len()))?);
        }
        Ok(Said { bytes: Some(memory()?.saturating_sub(before)), ..Said::default() })
    }))
}

/// Bytes in use: shared memory of all processes, and what is this process's alone.
fn memory() -> Result<u64> {
    let shared = statvfs("/dev/shm").context("/dev/shm")?;
    let own = std::fs::read_to_string("/proc/self/status")?
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:")?.split_whitespace().next()?.parse::<u64>().ok())
        .context("RssAnon of /proc/self/status")?;
    Ok((shared.f_blocks - shared.f_bfree) * shared.f_frsize + own * 1024)
}
