//! `cargo xtask tidy`, and a test of `cargo test`: the rules of the tree that the compiler does not know. A
//! rule is a function from the repository's files to findings; exceptions are data beside the rule, each with
//! its reason.

mod excuse;
mod leftovers;
mod links;
mod manifest;
mod mask;
mod module_tree;
mod naming;
mod panics;
mod repository;
mod rust_file;
mod sizes;
mod system_calls;
mod unsafe_code;

use std::fmt;

use repository::Repository;

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

const RULES: &[fn(&Repository) -> Vec<Finding>] = &[
    naming::module_docs,
    naming::file_names,
    module_tree::dead_files,
    leftovers::leftovers,
    system_calls::fences,
    unsafe_code::roots_deny,
    unsafe_code::allowed_files,
    unsafe_code::safety_comments,
    panics::panics,
    sizes::functions,
    sizes::lines,
    manifest::reasons,
    links::links,
];

/// One offence: where, what, and what to do.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    what: String,
    remedy: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, remedy } = self;
        write!(formatter, "{path}:{line}: {what}, {remedy}")
    }
}

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let repository = Repository::read(&workspace.root)?;
    let findings = check(&repository);
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, {} rules", repository.paths().count(), RULES.len());
        return Ok(());
    }
    Err(Failure::new(format!("{} untidy places, see above", findings.len())))
}

fn check(repository: &Repository) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| rule(repository)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let repository = Repository::read(&Workspace::locate().root).unwrap();
        let findings: Vec<_> = check(&repository).iter().map(Finding::to_string).collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }

    #[test]
    fn a_finding_reads_like_a_compiler_message() {
        let finding = Finding { path: "a.rs".into(), line: 3, what: "no doc".into(), remedy: "write one" };
        assert_eq!(finding.to_string(), "a.rs:3: no doc, write one");
    }
}
