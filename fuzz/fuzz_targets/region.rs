//! Hostile region files: whatever stands in one, using it gives content or an error.
//!
//! The input is the file. Its checksum is renewed, since a wrong one is refused before anything else is
//! looked at. The corpus begins with a used region of each kind.
#![no_main]

#[path = "../../crates/memlane/tests/exercise/mod.rs"]
mod exercise;
#[path = "../../crates/memlane/tests/specimen/mod.rs"]
mod specimen;

use libfuzzer_sys::fuzz_target;
use memlane::Space;
use specimen::KINDS;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/region");
const ID: &str = "case";
const PREFIX: &str = "memlane-fuzz-";

static SPACE: LazyLock<Space> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    remove_abandoned(&parent);
    Space::at(parent.join(format!("{PREFIX}{}", std::process::id()))).expect("the directory can be made")
});

fuzz_target!(init: sow(), |bytes: &[u8]| {
    let mut file = bytes.to_vec();
    specimen::renew_checksum(&mut file);
    specimen::disown(&mut file);
    let path = SPACE.directory().join(ID);
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, &file).expect("the space is writable");
    exercise::exercise(&SPACE, ID);
    let _ = std::fs::remove_file(&path);
});

/// Lets the corpus begin with whole files.
fn sow() {
    std::fs::create_dir_all(CORPUS).expect("the corpus is writable");
    for kind in KINDS {
        let file = specimen::specimen(kind, &SPACE);
        SPACE.remove(kind.name()).expect("the specimen was just made");
        std::fs::write(PathBuf::from(CORPUS).join(kind.name()), file).expect("the corpus is writable");
    }
}

/// The fuzzer ends without a word: what an earlier run left is empty, and goes now.
fn remove_abandoned(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let _ = std::fs::remove_dir(entry.path());
        }
    }
}
