//! unsafe is fenced: every crate root denies it, the few files that need it allow it, and every block states
//! the fact that makes it sound.

use super::Finding;
use super::excuse::{Excuse, unexcused};
use super::repository::Repository;
use super::rust_file::RustFile;

/// Files that need unsafe code, and why.
const ALLOWED: &[Excuse] = &[
    Excuse {
        path: "crates/memlane/src/os/",
        text: ALLOW,
        reason: "system calls and mapped memory come as raw pointers",
    },
    Excuse {
        path: "crates/memlane/src/layout/",
        text: ALLOW,
        reason: "declares which types may be laid over shared bytes, beside the proofs that they may",
    },
    Excuse {
        path: "crates/memlane/src/channel/frames/publisher.rs",
        text: ALLOW,
        reason: "a loan is plain memory: the pool's protocol keeps everybody else out of it",
    },
    Excuse {
        path: "crates/memlane/src/channel/frames/subscriber.rs",
        text: ALLOW,
        reason: "a borrowed frame is plain memory: the pool's protocol keeps writers out of it",
    },
    Excuse {
        path: "crates/memlane/src/channel/ring.rs",
        text: ALLOW,
        reason: "messages are plain memory: who may touch which part of the ring is the queue's and the pipe's protocol",
    },
    Excuse {
        path: "crates/memlane/src/channel/queue/produce.rs",
        text: ALLOW,
        reason: "a message is plain memory: the producers' claim keeps everybody else out of it",
    },
    Excuse {
        path: "crates/memlane/src/channel/queue/consume.rs",
        text: ALLOW,
        reason: "a message is plain memory: the head, or its lease, keeps producers out of it",
    },
    Excuse {
        path: "crates/memlane/src/channel/pipe/halves.rs",
        text: ALLOW,
        reason: "a message is plain memory: tail and head say whose which part of the ring is",
    },
    Excuse {
        path: "bindings/python/src/",
        text: ALLOW,
        reason: "the buffer protocol, and raising in the running thread, are functions of C",
    },
    Excuse {
        path: "bindings/c/src/",
        text: ALLOW,
        reason: "pointers of C, and functions that C finds by their names",
    },
    Excuse {
        path: "crates/memlane-interop/src/segment.rs",
        text: ALLOW,
        reason: "maps foreign segments and makes atomics of their bytes",
    },
    Excuse {
        path: "crates/memlane-cli/src/bench/yardsticks.rs",
        text: ALLOW,
        reason: "what memlane is measured beside: the C library's locks, and bare words in shared memory",
    },
    Excuse {
        path: "comparison/harness/src/pages.rs",
        text: ALLOW,
        reason: "maps a file for peers that bring no shared memory, and makes atomics of its bytes",
    },
    Excuse {
        path: "comparison/peers/",
        text: ALLOW,
        reason: "bare futexes, pthread objects and C++ are used as they are: with raw pointers",
    },
];

const ALLOW: &str = "#![allow(unsafe_code)]";

/// How far above its block a `SAFETY:` comment may begin.
const COMMENT_LINES: usize = 6;

/// The compiler holds the fence, if it was told to.
pub(super) fn roots_deny(repository: &Repository) -> Vec<Finding> {
    let directories = repository.source_directories();
    let roots = directories.iter().flat_map(|source| [format!("{source}lib.rs"), format!("{source}main.rs")]);
    let roots: Vec<_> = roots.collect();
    let denies = |file: &RustFile| {
        ["deny", "forbid"].iter().any(|level| file.code.contains(&format!("#![{level}(unsafe_code)]")))
    };
    let open = repository.rust.iter().filter(|file| roots.contains(&file.path) && !denies(file));
    open.map(|file| file.finding(0, "this crate root lets unsafe code in", "write #![deny(unsafe_code)]"))
        .collect()
}

/// Allowing unsafe code is a decision, written down above.
pub(super) fn allowed_files(repository: &Repository) -> Vec<Finding> {
    let allows = repository.sources().filter_map(|file| Some((file, file.code.find(ALLOW)?)));
    let remedy = "list the file in xtask/src/tidy/unsafe_code.rs";
    let findings = allows.map(|(file, at)| file.finding(at, "unsafe code allowed", remedy)).collect();
    unexcused(ALLOWED, repository, findings)
}

pub(super) fn safety_comments(repository: &Repository) -> Vec<Finding> {
    repository.rust.iter().flat_map(unexplained).collect()
}

fn unexplained(file: &RustFile) -> Vec<Finding> {
    let needs_fact = |at: &usize| {
        let rest = file.code[at + "unsafe".len()..].trim_start();
        rest.starts_with('{') || rest.starts_with("impl")
    };
    let explained = |at: &usize| {
        let line = file.line(*at);
        (line.saturating_sub(COMMENT_LINES).max(1)..=line)
            .any(|near| file.line_text(near).contains("SAFETY:"))
    };
    let bare = file.find_code("unsafe").filter(needs_fact).filter(|at| !explained(at));
    bare.map(|at| file.finding(at, "unsafe without its reason", "state the fact in `// SAFETY:` above it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(findings: &[Finding]) -> Vec<(&str, usize)> {
        findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect()
    }

    #[test]
    fn every_block_and_impl_has_its_fact_nearby() {
        let text = "// SAFETY: so\nlet a = unsafe { b() };\n\n\n\n\n\n\nunsafe { c() }\nunsafe impl Send for A {}\n\
                    unsafe fn d() {}\n// unsafe { }\n";
        assert_eq!(places(&unexplained(&RustFile::new("a.rs", text))), [("a.rs", 9), ("a.rs", 10)]);
    }

    #[test]
    fn only_listed_files_allow_it() {
        let repository = Repository::of(&[
            ("crates/memlane/Cargo.toml", "[package]"),
            ("crates/memlane/src/os/linux.rs", ALLOW),
            ("crates/memlane/src/lock.rs", ALLOW),
        ]);
        assert_eq!(places(&allowed_files(&repository)), [("crates/memlane/src/lock.rs", 1)]);
    }

    #[test]
    fn every_root_denies_it() {
        let repository = Repository::of(&[
            ("a/Cargo.toml", "[package]"),
            ("a/src/lib.rs", "#![deny(unsafe_code)]"),
            ("a/src/main.rs", "#![forbid(unsafe_code)]"),
            ("b/Cargo.toml", "[package]"),
            ("b/src/lib.rs", "// #![deny(unsafe_code)]"),
        ]);
        assert_eq!(places(&roots_deny(&repository)), [("b/src/lib.rs", 1)]);
    }
}
