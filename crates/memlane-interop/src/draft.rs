//! A draft: a segment that is prepared under a temporary name and becomes visible by one rename.
//!
//! Whoever opens the real name finds the old segment or the finished new one, never something between. The
//! rename is the commit: nobody changes the file afterwards who does not say so.
//!
//! | writer killed | what remains | who cleans up |
//! |---|---|---|
//! | before the file is made | nothing | - |
//! | until the rename | `.memlane-draft-…`, its lock gone with its writer | the directory's next writer |
//! | after the rename | the published segment | - |
//!
//! A draft is locked by its writer for as long as that lives, so a sweep tells the dead's drafts from the
//! living's by the kernel's word, across containers too, where a process id would mean nothing.

use crate::segment::{self, Identity, Segment};
use rustix::fs::{CWD, RenameFlags};
use rustix::rand::GetRandomFlags;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// How the name of every draft begins. The dot keeps it out of plain listings.
pub(crate) const DRAFT_PREFIX: &str = ".memlane-draft-";

/// A draft can lose its file to a sweep only between creation and lock; a second loss in a row is already
/// improbable.
const CREATE_ATTEMPTS: usize = 16;

/// What the rename may find at the real name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replace {
    /// Nothing: an existing segment is an `AlreadyExists` error and stays.
    Nothing,
    /// The segment that the caller has locked.
    Existing,
}

/// A locked segment without its real name yet. Dropped unpublished, it takes its file along.
#[derive(Debug)]
pub(crate) struct Draft {
    path: TemporaryPath,
    segment: Segment,
}

impl Draft {
    /// Makes an empty draft in `directory`, which must be that of the real name.
    pub(crate) fn create(directory: &Path, mode: u32) -> io::Result<Self> {
        for _ in 0..CREATE_ATTEMPTS {
            let path = directory.join(random_name()?);
            let segment = Segment::create(&path, mode)?;
            let path = TemporaryPath(path);
            // A sweep may have locked the new file first, or have locked, removed and released it already.
            if segment.try_lock()? && Identity::at(&path.0)?.is_some() {
                return Ok(Self { path, segment });
            }
        }
        Err(io::Error::other("every new draft was swept away while it was made"))
    }

    /// Writes at `offset`, growing the draft.
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: usize) -> io::Result<()> {
        self.segment.write_all_at(bytes, offset)
    }

    /// Gives the draft its real name. The segment stays locked.
    pub(crate) fn publish(self, path: &Path, replace: Replace) -> io::Result<Segment> {
        let flags = match replace {
            Replace::Nothing => RenameFlags::NOREPLACE,
            Replace::Existing => RenameFlags::empty(),
        };
        rustix::fs::renameat_with(CWD, &self.path.0, CWD, path, flags)?;
        Ok(self.segment)
    }
}

/// Removes what is still there under a draft's name when the draft ends: nothing, if it was published.
#[derive(Debug)]
struct TemporaryPath(PathBuf);

impl Drop for TemporaryPath {
    fn drop(&mut self) {
        // Whatever stays behind is swept by the next writer.
        let _ = fs::remove_file(&self.0);
    }
}

/// Removes the drafts in `directory` whose writers are dead, as far as this user may.
pub(crate) fn sweep(directory: &Path) -> io::Result<()> {
    segment::sweep(directory, DRAFT_PREFIX, |_| false)
}

fn random_name() -> io::Result<String> {
    let mut bytes = [0; size_of::<u64>()];
    rustix::rand::getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(format!("{DRAFT_PREFIX}{:016x}", u64::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_invisible_until_it_is_published_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("name");
        let draft = Draft::create(directory.path(), 0o600).unwrap();
        draft.write_all_at(b"content", 0).unwrap();
        assert!(!path.exists());
        let _published = draft.publish(&path, Replace::Nothing).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"content");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_dropped_draft_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        drop(Draft::create(directory.path(), 0o600).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn publishing_over_a_stranger_is_refused_and_leaves_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("name");
        fs::write(&path, "stranger").unwrap();
        let draft = Draft::create(directory.path(), 0o600).unwrap();
        let error = draft.publish(&path, Replace::Nothing).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"stranger");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the draft is gone");
    }

    #[test]
    fn a_sweep_takes_the_drafts_of_the_dead_and_spares_the_living() {
        let directory = tempfile::tempdir().unwrap();
        let orphan = directory.path().join(format!("{DRAFT_PREFIX}orphan"));
        let bystander = directory.path().join("bystander");
        fs::write(&orphan, "left behind").unwrap();
        fs::write(&bystander, "not a draft").unwrap();
        let living = Draft::create(directory.path(), 0o600).unwrap();
        sweep(directory.path()).unwrap();
        assert!(!orphan.exists());
        assert!(bystander.exists());
        assert!(living.path.0.exists());
    }
}
