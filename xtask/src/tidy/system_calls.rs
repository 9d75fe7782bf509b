//! Who may talk to the system: in a library only the files listed, and nobody prints or keeps mutable
//! statics.

use super::Finding;
use super::excuse::{Excuse, unexcused};
use super::mask::in_name;
use super::repository::Repository;
use super::rust_file::RustFile;

/// A library and the part of it that makes its system calls.
struct Fence {
    library: &'static str,
    /// Files, or directories ending in `/`.
    inside: &'static [&'static str],
}

const FENCES: &[Fence] = &[
    Fence { library: "crates/memlane/src/", inside: &["crates/memlane/src/os/"] },
    Fence {
        library: "crates/memlane-interop/src/",
        inside: &["crates/memlane-interop/src/segment.rs", "crates/memlane-interop/src/draft.rs"],
    },
];

const SYSTEM: &[&str] = &["rustix", "libc", "std::fs", "std::net", "std::process", "std::thread"];

/// Types that do nothing by themselves: an error's number, a descriptor.
const VOCABULARY: &[&str] = &["rustix::fd", "rustix::io::Errno"];

/// Nowhere in a library, not even inside the fence.
const NOWHERE: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "static mut"];

const EXCUSES: &[Excuse] = &[
    Excuse {
        path: "crates/memlane-interop/src/mmap_frame/reader.rs",
        text: "use std::thread;",
        reason: "the foreign layout wakes nobody, so its reader sleeps between looks",
    },
    Excuse {
        path: "crates/memlane-interop/src/text_block/lock.rs",
        text: "use std::thread;",
        reason: "the foreign lock wakes nobody, so whoever wants it sleeps between looks",
    },
];

pub(super) fn fences(repository: &Repository) -> Vec<Finding> {
    unexcused(EXCUSES, repository, all_crossings(repository))
}

fn all_crossings(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for fence in FENCES {
        for file in repository.rust.iter().filter(|file| file.path.starts_with(fence.library)) {
            if !fence.inside.iter().any(|inside| file.path.starts_with(inside)) {
                findings.extend(system_calls(file));
            }
            for forbidden in NOWHERE {
                let places = file.find_code(forbidden).filter(|at| !file.is_test(*at));
                findings.extend(places.map(|at| file.finding(at, *forbidden, "return values instead")));
            }
        }
    }
    findings
}

fn system_calls(file: &RustFile) -> Vec<Finding> {
    let mut places = imports(&file.code);
    places.extend(inline_paths(&file.code));
    places.retain(|(at, path)| !file.is_test(*at) && is_system(path));
    places.sort();
    places.dedup_by_key(|(at, _)| file.line(*at));
    let finding = |(at, path): (usize, String)| {
        file.finding(at, path, "call it where xtask/src/tidy/system_calls.rs allows it")
    };
    places.into_iter().map(finding).collect()
}

fn is_system(path: &str) -> bool {
    let path = path.trim_start_matches("::");
    let lies_in = |module: &&str| {
        path.strip_prefix(*module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    SYSTEM.iter().any(&lies_in) && !VOCABULARY.iter().any(lies_in)
}

/// Every path that a `use` item names, its groups multiplied out.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut imports = Vec::new();
    for (at, _) in code.match_indices("use ").filter(|(at, _)| !code[..*at].ends_with(in_name)) {
        let tree = code[at + "use ".len()..].split(';').next().unwrap_or_default();
        let compact: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        expand("", &compact, &mut |path| imports.push((at, path)));
    }
    imports
}

fn expand(prefix: &str, tree: &str, found: &mut impl FnMut(String)) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        return found(format!("{prefix}{path}").trim_end_matches("::self").to_owned());
    };
    let prefix = format!("{prefix}{}", head.trim());
    for part in split_group(group.strip_suffix('}').unwrap_or(group)) {
        expand(&prefix, part, found);
    }
}

/// At the commas that are in no group of their own.
fn split_group(group: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let separates = |character: char| {
        depth += i32::from(character == '{') - i32::from(character == '}');
        character == ',' && depth == 0
    };
    group.split(separates).collect()
}

/// Paths written out where they are used.
fn inline_paths(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for module in SYSTEM {
        let pattern = format!("{module}::");
        for (at, _) in code.match_indices(&pattern) {
            let before = &code[..at];
            let foreign = before.trim_end_matches("::");
            let inside_another = before.len() != foreign.len() && foreign.ends_with(in_name);
            if !before.ends_with(in_name) && !inside_another {
                let path = code[at..].split(|character| !in_name(character) && character != ':').next();
                // A path that ends in `::` goes on with a group: an import.
                paths.extend(path.filter(|path| !path.ends_with("::")).map(|path| (at, path.to_owned())));
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossings(path: &str, text: &str) -> Vec<usize> {
        all_crossings(&Repository::of(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    const OUTSIDE: &str = "crates/memlane/src/lock.rs";

    #[test]
    fn system_calls_are_found_in_every_spelling() {
        let text = "use rustix::fs;\nuse std::{io, fs};\nuse std::{io::{self, Read}, thread as t};\n\
                    fn a() { ::std::process::exit(1) }\nfn b() { libc::getpid() }\nuse libc;\n\
                    use std::{\n    collections::HashMap,\n    net::TcpStream,\n};\nuse rustix::{fd::AsFd, mm};\n";
        assert_eq!(crossings(OUTSIDE, text), [1, 2, 3, 4, 5, 6, 7, 11]);
        assert_eq!(crossings("crates/memlane/src/os/linux.rs", text), [0; 0]);
        assert_eq!(crossings("crates/memlane-interop/src/segment.rs", text), [0; 0]);
        assert_eq!(crossings("crates/memlane-interop/src/frame.rs", text).len(), 8);
        assert_eq!(crossings("crates/memlane-cli/src/main.rs", text), [0; 0]);
    }

    #[test]
    fn others_of_similar_name_are_free() {
        let text = "use std::{io, time::Duration};\nuse crate::os::libc::x;\nuse std::fsx;\nuse loom::thread;\n\
                    use rustix::{io::Errno, fd::AsFd};\n\
                    fn b() -> rustix::io::Errno {}\n\
                    // std::fs::read\nfn a() { crate::os::std::fs::read() }\nthread_local!();\n\
                    #[cfg(test)]\nmod tests { use std::fs; fn a() { std::thread::spawn(b); println!(); } }\n";
        assert_eq!(crossings(OUTSIDE, text), [0; 0]);
    }

    #[test]
    fn nothing_prints_and_no_static_is_mutable() {
        let text =
            "fn a() { println!() }\nstatic mut B: u8 = 0;\nfn c() { writeln!(d) }\nfn e() { eprint!() }";
        assert_eq!(crossings("crates/memlane/src/os/linux.rs", text), [1, 4, 2]);
    }
}
