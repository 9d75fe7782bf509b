//! The libraries do not panic: their input is other processes' memory.

use super::Finding;
use super::excuse::{Excuse, unexcused};
use super::repository::Repository;
use super::rust_file::RustFile;

const LIBRARIES: &[&str] = &["crates/memlane/src/", "crates/memlane-interop/src/", "crates/memlane-myo/src/"];

const PANICS: &[&str] = &[".unwrap()", ".expect(", "panic!", "unreachable!"];

const EXCUSES: &[Excuse] = &[];

pub(super) fn panics(repository: &Repository) -> Vec<Finding> {
    unexcused(EXCUSES, repository, all_panics(repository))
}

fn all_panics(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repository.rust.iter().filter(|file| LIBRARIES.iter().any(|path| file.path.starts_with(path)))
    {
        for panic in PANICS {
            let places =
                file.find_code(panic).filter(|at| !file.is_test(*at) && is_panic(file, at + panic.len()));
            findings.extend(
                places.map(|at| file.finding(at, *panic, "return an error or use a type that cannot fail")),
            );
        }
    }
    findings
}

/// `Option::expect` takes a message; methods of that name that take something else are somebody's own.
fn is_panic(file: &RustFile, end: usize) -> bool {
    let is_method = file.code[..end].ends_with(".expect(");
    !is_method || file.text[end..].trim_start().starts_with(['"', '&'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_found_outside_tests_and_docs() {
        let text = "/// x.unwrap()\n#[expect(dead_code)]\nfn a() { x.unwrap(); }\nfn b() { x.unwrap_or(1); }\n\
                    fn c() { y.expect(\"y\"); unreachable!() }\nfn d() { self.expect(close)?; }\n\
                    #[cfg(test)]\nmod tests { fn e() { panic!() } }\n";
        let found = |path| {
            let findings = all_panics(&Repository::of(&[(path, text)]));
            findings.iter().map(|finding| finding.line).collect::<Vec<_>>()
        };
        assert_eq!(found("crates/memlane/src/a.rs"), [3, 5, 5]);
        assert_eq!(found("crates/memlane-cli/src/a.rs"), [0; 0]);
    }
}
