//! The repository's files, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::module_tree;
use super::rust_file::RustFile;
use crate::failure::{Failure, Outcome};

/// Directories that are made, not written.
const GENERATED: &[&str] = &["target", ".git", ".venv", "__pycache__", "node_modules"];

pub(super) struct Repository {
    /// Every file, relative with `/`; with its text unless it is binary.
    files: BTreeMap<String, Option<String>>,
    pub(super) rust: Vec<RustFile>,
}

impl Repository {
    pub(super) fn read(root: &Path) -> Outcome<Self> {
        let mut files = BTreeMap::new();
        read_directory(root, "", &mut files)?;
        Ok(Self::new(files))
    }

    /// A repository for the tests of the rules.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect())
    }

    fn new(files: BTreeMap<String, Option<String>>) -> Self {
        let is_rust = |path: &str| Path::new(path).extension().is_some_and(|extension| extension == "rs");
        let texts = files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)));
        let rust =
            texts.filter(|(path, _)| is_rust(path)).map(|(path, text)| RustFile::new(path, text)).collect();
        let mut repository = Self { files, rust };
        module_tree::mark_test_files(&mut repository);
        repository
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Every text file.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether a file or a directory of that name is there.
    pub(super) fn contains(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        path.is_empty() || self.files.contains_key(path) || self.paths().any(|file| file.starts_with(&inside))
    }

    /// The directories `src` of all packages.
    pub(super) fn source_directories(&self) -> BTreeSet<String> {
        let manifests = self.texts().filter(|(_, text)| text.contains("[package]"));
        manifests
            .filter_map(|(path, _)| path.strip_suffix("Cargo.toml"))
            .map(|package| format!("{package}src/"))
            .collect()
    }

    /// The Rust files below the `src` of any package.
    pub(super) fn sources(&self) -> impl Iterator<Item = &RustFile> {
        let directories = self.source_directories();
        self.rust.iter().filter(move |file| directories.iter().any(|source| file.path.starts_with(source)))
    }
}

fn read_directory(directory: &Path, prefix: &str, files: &mut BTreeMap<String, Option<String>>) -> Outcome {
    for entry in fs::read_dir(directory).map_err(Failure::at(directory))? {
        let entry = entry.map_err(Failure::at(directory))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if GENERATED.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            read_directory(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            let bytes = fs::read(&path).map_err(Failure::at(&path))?;
            files.insert(format!("{prefix}{name}"), String::from_utf8(bytes).ok());
        }
    }
    Ok(())
}
