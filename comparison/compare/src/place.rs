//! Where one measurement takes place: a directory in shared memory and a name that nothing else has.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::failed::{Failed, Outcome};

const SHARED_MEMORY: &str = "/dev/shm";

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Both are removed when it is dropped, and whatever in shared memory has the name in its own.
pub(crate) struct Place {
    name: String,
    directory: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Outcome<Self> {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cmp-{}-{count:05}", std::process::id());
        let directory = Path::new(SHARED_MEMORY).join(format!("{name}-space"));
        fs::create_dir(&directory).map_err(|error| Failed(format!("{}: {error}", directory.display())))?;
        Ok(Self { name, directory })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// For what can be told where to put its files.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What a killed process left is nobody else's to remove; what cannot be removed does no harm to the next one,
        // which has another name.
        let Ok(entries) = fs::read_dir(SHARED_MEMORY) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_ours =
                path.file_name().is_some_and(|entry| entry.to_string_lossy().contains(self.name.as_str()));
            if is_ours {
                let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_name_goes_with_the_place() {
        let (place, other) = (Place::new().unwrap(), Place::new().unwrap());
        let left = Path::new(SHARED_MEMORY).join(format!("sem.{}-there", place.name()));
        fs::write(&left, "").unwrap();
        fs::write(place.directory().join("region"), "").unwrap();
        let directory = place.directory().to_owned();
        drop(place);
        assert!(!left.exists() && !directory.exists());
        assert!(other.directory().is_dir());
    }
}
