//! A directory for a test's space, in memory where there is some, gone with the test.
#![allow(dead_code)] // Every suite uses a part.

use memlane::Space;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where Linux keeps files in memory.
const SHARED_MEMORY: &str = "/dev/shm";

/// A temporary space.
#[derive(Debug)]
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        let memory = Path::new(SHARED_MEMORY);
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let directory = tempfile::Builder::new().prefix("memlane-test-").tempdir_in(parent);
        Self(directory.expect("a temporary directory can be made"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn space(&self) -> Space {
        Space::at(self.path()).expect("a fresh directory can hold a space")
    }

    /// Every file below the directory, whatever its name, and every folder that never got its own.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let is_unfinished = entry.file_name().as_encoded_bytes().starts_with(b".tmp-");
                let found = if is_folder && !is_unfinished { &mut folders } else { &mut files };
                found.push(entry.path());
            }
        }
        files
    }
}

/// Lines of this process's memory map that name something below `directory`.
pub(crate) fn mappings_of(directory: &Path) -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
    let name = directory.to_string_lossy();
    maps.lines().filter(|line| line.contains(&*name)).map(str::to_owned).collect()
}
