//! The tree of `mod` declarations: a source file that none of them reaches is dead, and one that only tests
//! reach is test code.

use std::collections::HashMap;

use super::Finding;
use super::mask::in_name;
use super::repository::Repository;
use super::rust_file::{RustFile, item_end};

/// A file that a `mod` line may mean.
struct Child {
    path: String,
    only_in_tests: bool,
}

pub(super) fn dead_files(repository: &Repository) -> Vec<Finding> {
    let reached = reach(repository);
    let dead = repository.sources().filter(|file| !reached.contains_key(&file.path));
    dead.map(|file| file.finding(0, "no `mod` line reaches this file", "declare it or delete it")).collect()
}

/// Files whose `mod` line is under `#[cfg(test)]` are tests as a whole.
pub(super) fn mark_test_files(repository: &mut Repository) {
    let reached = reach(repository);
    let only_in_tests = |file: &&mut RustFile| reached.get(&file.path) == Some(&true);
    repository.rust.iter_mut().filter(only_in_tests).for_each(RustFile::make_test);
}

/// The files reached from the roots of all packages; the value tells whether only tests reach it.
fn reach(repository: &Repository) -> HashMap<String, bool> {
    let files: HashMap<_, _> = repository.rust.iter().map(|file| (file.path.as_str(), file)).collect();
    let roots = repository.source_directories();
    let is_root = |path: &str| roots.iter().any(|source| path.strip_prefix(source).is_some_and(is_root_name));
    let mut waiting: Vec<_> = files
        .keys()
        .filter(|path| is_root(path))
        .map(|path| Child { path: (*path).to_owned(), only_in_tests: false })
        .collect();
    let mut reached = HashMap::new();
    while let Some(child) = waiting.pop() {
        let Some(file) = files.get(child.path.as_str()) else { continue };
        // A file that tests and others reach is no test file.
        if reached.get(&child.path).is_some_and(|before| !before || child.only_in_tests) {
            continue;
        }
        for grandchild in children(file) {
            let only_in_tests = child.only_in_tests || grandchild.only_in_tests;
            waiting.push(Child { path: grandchild.path, only_in_tests });
        }
        reached.insert(child.path, child.only_in_tests);
    }
    reached
}

/// What cargo takes for the root of a library or program.
fn is_root_name(path: &str) -> bool {
    let program =
        path.strip_prefix("bin/").is_some_and(|rest| !rest.contains('/') || rest.ends_with("/main.rs"));
    matches!(path, "lib.rs" | "main.rs") || program
}

/// The files that the `mod` lines of a file may mean; those that do not exist are harmless.
fn children(file: &RustFile) -> Vec<Child> {
    let mut children = Vec::new();
    let mut inline: Vec<(&str, usize)> = Vec::new();
    for at in file.find_code("mod") {
        let rest = file.code[at + "mod".len()..].trim_start();
        let name = rest.split(|character| !in_name(character)).next().unwrap_or_default();
        inline.retain(|(_, end)| *end > at);
        match rest[name.len()..].trim_start().chars().next() {
            Some('{') => inline.push((name, item_end(&file.code, at))),
            Some(';') => declared(file, at, name, &inline, &mut children),
            _ => {}
        }
    }
    children
}

fn declared(file: &RustFile, at: usize, name: &str, inline: &[(&str, usize)], children: &mut Vec<Child>) {
    let attributes = attributes(file, at);
    let only_in_tests = file.is_test(at) || attributes.contains("cfg(test)");
    let directory = file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut add = |path: String| children.push(Child { path, only_in_tests });
    for path in path_attributes(attributes) {
        add(format!("{directory}/{path}"));
    }
    let mut base = child_directory(&file.path, directory);
    for (module, _) in inline {
        base = format!("{base}/{module}");
    }
    add(format!("{base}/{name}.rs"));
    add(format!("{base}/{name}/mod.rs"));
}

/// What stands between the item before and the keyword, as written.
fn attributes(file: &RustFile, at: usize) -> &str {
    let start = file.code[..at].rfind([';', '{', '}']).map_or(0, |end| end + 1);
    &file.text[start..at]
}

/// The values of `path = "…"`, in `#[path]` as in `#[cfg_attr(…, path)]`.
fn path_attributes(attributes: &str) -> impl Iterator<Item = &str> {
    attributes.split("path = \"").skip(1).filter_map(|rest| rest.split('"').next())
}

fn child_directory(path: &str, directory: &str) -> String {
    let name = &path[directory.len()..].trim_start_matches('/');
    if matches!(*name, "lib.rs" | "main.rs" | "mod.rs") || directory.ends_with("src/bin") {
        return directory.to_owned();
    }
    path.trim_end_matches(".rs").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        let mut all = vec![("a/Cargo.toml", "[package]")];
        all.extend(files);
        dead_files(&Repository::of(&all)).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn files_are_reached_as_the_compiler_reaches_them() {
        let alive = [
            (
                "a/src/lib.rs",
                "mod lock;\npub(crate) mod cell;\nmod inner { mod deep; }\n#[path = \"odd/place.rs\"] mod x;",
            ),
            ("a/src/lock.rs", "mod slow;"),
            ("a/src/lock/slow.rs", ""),
            ("a/src/cell/mod.rs", "mod record;"),
            ("a/src/cell/record.rs", ""),
            ("a/src/inner/deep.rs", ""),
            ("a/src/odd/place.rs", ""),
            ("a/src/bin/tool.rs", ""),
            ("a/tests/not_a_source.rs", ""),
        ];
        assert_eq!(dead(&alive), [""; 0]);
    }

    #[test]
    fn unreached_files_are_dead() {
        let files = [
            ("a/src/lib.rs", "// mod commented;\nconst S: &str = \"mod quoted;\";\nmod inline {}\nmod lock;"),
            ("a/src/commented.rs", ""),
            ("a/src/quoted.rs", ""),
            ("a/src/inline.rs", ""),
            ("a/src/lock.rs", ""),
            ("a/src/forgotten.rs", "mod child;"),
            ("a/src/forgotten/child.rs", ""),
        ];
        let expected = [
            "a/src/commented.rs",
            "a/src/forgotten.rs",
            "a/src/forgotten/child.rs",
            "a/src/inline.rs",
            "a/src/quoted.rs",
        ];
        assert_eq!(dead(&files), expected);
    }

    #[test]
    fn files_that_only_tests_declare_are_tests() {
        let repository = Repository::of(&[
            ("a/Cargo.toml", "[package]"),
            ("a/src/lib.rs", "#[cfg(test)]\nmod model;\nmod lock;"),
            ("a/src/model.rs", "mod deep;"),
            ("a/src/model/deep.rs", "x"),
            ("a/src/lock.rs", "x"),
        ]);
        let is_test = |path: &str| repository.rust.iter().find(|file| file.path == path).unwrap().is_test(0);
        assert!(is_test("a/src/model/deep.rs"));
        assert!(!is_test("a/src/lock.rs"));
    }
}
