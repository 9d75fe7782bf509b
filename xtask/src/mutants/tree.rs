//! The copy of the sources that mutants are made of.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};

/// What a build does not need, or makes itself. `.venv` alone is hundreds of megabytes.
const LEFT_BEHIND: &[&str] = &["target", ".git", ".venv"];

/// Makes `copy` equal to `original`. Files that are equal already are not written, so their times stand and
/// cargo rebuilds only what differs.
pub(super) fn synchronise(original: &Path, copy: &Path) -> Outcome {
    fs::create_dir_all(copy).map_err(Failure::at(copy))?;
    let wanted = names(original)?;
    for name in names(copy)?.difference(&wanted) {
        remove(&copy.join(name))?;
    }
    for name in &wanted {
        let (source, target) = (original.join(name), copy.join(name));
        if source.is_dir() {
            synchronise(&source, &target)?;
        } else {
            copy_if_different(&source, &target)?;
        }
    }
    Ok(())
}

fn names(directory: &Path) -> Outcome<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory).map_err(Failure::at(directory))? {
        names.insert(entry.map_err(Failure::at(directory))?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| !LEFT_BEHIND.contains(&name.as_str()));
    Ok(names)
}

fn copy_if_different(source: &Path, target: &Path) -> Outcome {
    let wanted = fs::read(source).map_err(Failure::at(source))?;
    if fs::read(target).is_ok_and(|present| present == wanted) {
        return Ok(());
    }
    fs::write(target, wanted).map_err(Failure::at(target))
}

fn remove(path: &Path) -> Outcome {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(Failure::at(path))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("memlane-xtask-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("original/src")).unwrap();
        directory
    }

    #[test]
    fn the_copy_becomes_equal_and_equal_files_keep_their_time() {
        let directory = scratch("synchronise");
        let (original, copy) = (directory.join("original"), directory.join("copy"));
        fs::write(original.join("src/kept.rs"), "kept").unwrap();
        fs::write(original.join("src/spoilt.rs"), "sound").unwrap();
        fs::create_dir_all(original.join(".git")).unwrap();
        synchronise(&original, &copy).unwrap();
        let time = fs::metadata(copy.join("src/kept.rs")).unwrap().modified().unwrap();

        fs::write(copy.join("src/spoilt.rs"), "mutated").unwrap();
        fs::write(copy.join("src/added.rs"), "by a mutant").unwrap();
        synchronise(&original, &copy).unwrap();

        assert_eq!(fs::read(copy.join("src/spoilt.rs")).unwrap(), b"sound");
        assert_eq!(fs::metadata(copy.join("src/kept.rs")).unwrap().modified().unwrap(), time);
        assert!(!copy.join("src/added.rs").exists());
        assert!(!copy.join(".git").exists());
        fs::remove_dir_all(directory).unwrap();
    }
}
