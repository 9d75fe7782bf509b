//! Files say what they are: by their name, and by their first line.

use super::Finding;
use super::repository::Repository;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "prelude", "misc"];

/// Every source file begins with a module doc; only inner attributes and their comments may come first.
pub(super) fn module_docs(repository: &Repository) -> Vec<Finding> {
    let begins_with_doc = |text: &str| {
        let mut lines = text.lines().map(str::trim);
        let first = lines.find(|line| {
            let preamble = line.starts_with("#![") || (line.starts_with("//") && !line.starts_with("//!"));
            !line.is_empty() && !preamble
        });
        first.is_some_and(|line| line.strip_prefix("//!").is_some_and(|doc| !doc.trim().is_empty()))
    };
    let silent = repository.sources().filter(|file| !begins_with_doc(&file.text));
    silent.map(|file| file.finding(0, "no module doc", "say in `//!` what this file is for")).collect()
}

/// No file or directory of Rust code has a name that fits everything.
pub(super) fn file_names(repository: &Repository) -> Vec<Finding> {
    let empty = |path: &str| {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        stem.split('/').any(|part| EMPTY_NAMES.contains(&part))
    };
    let nameless = repository.rust.iter().filter(|file| empty(&file.path));
    nameless
        .map(|file| file.finding(0, "a name that says nothing", "name the file after its concept"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.path.as_str()).collect()
    }

    #[test]
    fn sources_begin_with_a_doc() {
        let repository = Repository::of(&[
            ("a/Cargo.toml", "[package]"),
            ("a/src/lib.rs", "//! What it is.\n"),
            ("a/src/allowed.rs", "#![allow(unsafe_code)]\n// The reason.\n\n//! What it is.\n"),
            ("a/src/code.rs", "mod a;\n//! Too late.\n"),
            ("a/src/comment.rs", "// Not a doc.\n"),
            ("a/src/void.rs", "//!\n"),
            ("a/tests/free.rs", "fn a() {}\n"),
        ]);
        assert_eq!(paths(&module_docs(&repository)), ["a/src/code.rs", "a/src/comment.rs", "a/src/void.rs"]);
    }

    #[test]
    fn names_mean_something() {
        let repository = Repository::of(&[
            ("src/lock.rs", ""),
            ("src/utils.rs", ""),
            ("tests/common/mod.rs", ""),
            ("common.md", ""),
        ]);
        assert_eq!(paths(&file_names(&repository)), ["src/utils.rs", "tests/common/mod.rs"]);
    }
}
