//! One patch: a unified diff below comment lines that say what it weakens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process;

pub(super) struct Patch {
    /// The file's name without extension.
    pub(super) name: String,
    /// What is weakened, and which test must catch it.
    pub(super) title: String,
    /// The test that must catch it, where one is named and it is not expected to survive.
    pub(super) test: Option<String>,
    /// Why it is expected to survive.
    pub(super) equivalent: Option<String>,
    pub(super) path: PathBuf,
}

/// The patches of a directory whose names contain `filter`, in order of their names. None at all is an error:
/// it would look like success.
pub(super) fn read_all(directory: &Path, filter: &str) -> Outcome<Vec<Patch>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(directory).map_err(Failure::at(directory))? {
        let path = entry.map_err(Failure::at(directory))?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "patch") && name.contains(filter) {
            let text = fs::read_to_string(&path).map_err(Failure::at(&path))?;
            patches.push(Patch::parse(name, path, &text)?);
        }
    }
    if patches.is_empty() {
        return Err(Failure::new(format!(
            "{}: no patch whose name contains {filter:?}",
            directory.display()
        )));
    }
    patches.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(patches)
}

impl Patch {
    fn parse(name: String, path: PathBuf, text: &str) -> Outcome<Self> {
        let comments = || text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
        let Some(title) = comments().find(|line| !line.is_empty()).map(str::to_owned) else {
            return Err(Failure::new(format!(
                "{}: expected a first line `# what is weakened, and which test must catch it`",
                path.display()
            )));
        };
        let equivalent = comments().find_map(|line| line.strip_prefix("equivalent:"));
        let test = title
            .rsplit_once("; ")
            .map(|(_, test)| test)
            .filter(|test| test.contains("::") && equivalent.is_none());
        Ok(Self {
            name,
            test: test.map(str::to_owned),
            equivalent: equivalent.map(|why| why.trim().to_owned()),
            title,
            path,
        })
    }

    /// Changes the sources; the inner error is git's reason for refusing.
    pub(super) fn apply(&self, sources: &Path) -> Outcome<Result<(), String>> {
        let mut apply = Command::new("git");
        apply.args(["apply", "--whitespace=nowarn"]).arg(&self.path).current_dir(sources);
        // Inside the repository git would take the paths relative to its root and, finding them elsewhere, do
        // nothing.
        apply.env("GIT_CEILING_DIRECTORIES", sources.parent().unwrap_or(sources));
        let output = process::output(&mut apply)?;
        let reason = || String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(if output.status.success() { Ok(()) } else { Err(reason()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Outcome<Patch> {
        Patch::parse("one".to_owned(), PathBuf::from("one.patch"), text)
    }

    #[test]
    fn the_header_says_what_is_weakened_and_whether_it_matters() {
        let patch = parse("# unlock is relaxed; lock::handoff\n--- a/x\n+++ b/x\n# no header\n").unwrap();
        assert_eq!((patch.title.as_str(), patch.equivalent), ("unlock is relaxed; lock::handoff", None));
        assert_eq!(patch.test.as_deref(), Some("lock::handoff"));

        let patch = parse("# spin once less\n# equivalent: only slower\n--- a/x\n").unwrap();
        assert_eq!(patch.equivalent.as_deref(), Some("only slower"));

        assert!(parse("--- a/x\n+++ b/x\n").is_err());
    }
}
