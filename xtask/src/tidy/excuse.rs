//! Exceptions from a rule: data with a reason, and themselves checked, so that none outlives its cause.

use super::Finding;
use super::repository::Repository;

/// Allows what a rule finds on lines that contain a text.
pub(super) struct Excuse {
    /// A file, or a directory ending in `/`.
    pub(super) path: &'static str,
    /// Empty for every line.
    pub(super) text: &'static str,
    /// For whoever reads the list. An empty one is a finding.
    pub(super) reason: &'static str,
}

impl Excuse {
    fn is_for(&self, path: &str) -> bool {
        path == self.path || (self.path.ends_with('/') && path.starts_with(self.path))
    }

    fn covers(&self, repository: &Repository, finding: &Finding) -> bool {
        let text = repository.text(&finding.path).unwrap_or_default();
        let line = text.lines().nth(finding.line - 1).unwrap_or_default();
        self.is_for(&finding.path) && line.contains(self.text)
    }
}

/// The findings that no excuse covers, and a finding for each excuse that covers none.
pub(super) fn unexcused(excuses: &[Excuse], repository: &Repository, findings: Vec<Finding>) -> Vec<Finding> {
    let useful = |excuse: &Excuse| findings.iter().any(|finding| excuse.covers(repository, finding));
    // The rules' own tests look at parts of a tree: an excuse for what is not there is not idle.
    let present = |excuse: &&Excuse| repository.paths().any(|path| excuse.is_for(path));
    let idle = excuses.iter().filter(present).filter(|excuse| excuse.reason.is_empty() || !useful(excuse));
    let mut left: Vec<_> = idle.map(complaint).collect();
    let excused = |finding: &Finding| excuses.iter().any(|excuse| excuse.covers(repository, finding));
    left.extend(findings.into_iter().filter(|finding| !excused(finding)));
    left
}

fn complaint(excuse: &Excuse) -> Finding {
    Finding {
        path: excuse.path.to_owned(),
        line: 1,
        what: format!("the excuse for {:?} in xtask/src/tidy is idle or has no reason", excuse.text),
        remedy: "delete it or give its reason",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCUSES: &[Excuse] = &[
        Excuse { path: "a.rs", text: "known", reason: "it cannot happen" },
        Excuse { path: "a.rs", text: "gone", reason: "was needed once" },
        Excuse { path: "inner/", text: "", reason: "all of it" },
        Excuse { path: "elsewhere.rs", text: "known", reason: "not in this tree" },
    ];

    fn finding(path: &str, line: usize) -> Finding {
        Finding { path: path.to_owned(), line, what: "offence".to_owned(), remedy: "mend it" }
    }

    #[test]
    fn an_excuse_covers_its_lines_only_and_must_cover_something() {
        let repository =
            Repository::of(&[("a.rs", "known\nunwell\nother"), ("b.rs", "known"), ("inner/c.rs", "x")]);
        let findings =
            vec![finding("a.rs", 1), finding("a.rs", 3), finding("b.rs", 1), finding("inner/c.rs", 1)];
        let left = unexcused(EXCUSES, &repository, findings);
        let places: Vec<_> = left.iter().map(|finding| (finding.path.as_str(), finding.line)).collect();
        assert_eq!(places, [("a.rs", 1), ("a.rs", 3), ("b.rs", 1)]);
        assert!(left[0].what.contains("gone"));
    }
}
