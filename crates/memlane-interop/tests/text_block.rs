//! The shared text of 4096 bytes: its bytes, its lock, deaths, and the company of programs that know nothing of
//! memlane.

mod peers;
#[path = "../../memlane/tests/role/mod.rs"]
mod role;

use memlane_interop::Name;
use memlane_interop::text_block::{BLOCK_BYTES, Error, LOCK_TIMEOUT, TextBlock};
use role::{Part, Role};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SCRIPT: &str = "tests/peers/text_block.py";

#[test]
fn role() {
    role::play(|part: &Part| {
        let name = Name::in_directory(&part.directory, "block").unwrap();
        let block = TextBlock::attach(&name).unwrap();
        role::say("ready");
        for number in 0_u64.. {
            block.write(&text_of(number)).unwrap();
        }
    });
}

/// A text that shows whether it is whole.
fn text_of(number: u64) -> String {
    format!("{number} 你好 ").repeat(200).trim_end().to_owned()
}

fn is_whole(text: &str) -> bool {
    let number = text.split(' ').next().and_then(|number| number.parse().ok());
    number.is_some_and(|number| text == text_of(number))
}

fn private_name() -> (TempDir, Name) {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let name = Name::in_directory(directory.path(), "block").unwrap();
    (directory, name)
}

/// A name where foreign programs look; what bears it goes with the test.
struct SharedName(Name);

fn shared_name() -> SharedName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let text = format!("memlane-test-text-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
    SharedName(Name::new(&text).unwrap())
}

impl Drop for SharedName {
    fn drop(&mut self) {
        for prefix in ["", ".memlane-keep-", ".memlane-owner-"] {
            let _ = fs::remove_file(self.0.directory().join(format!("{prefix}{}", self.0.text())));
        }
    }
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

// The bytes.

#[test]
fn a_block_has_its_documented_bytes() {
    let (_directory, name) = private_name();
    let block = TextBlock::create(&name).unwrap();
    assert_eq!(fs::read(name.path()).unwrap(), [0; BLOCK_BYTES]);
    block.write(&"x".repeat(4091)).unwrap();
    block.write("你好").unwrap();
    let bytes = fs::read(name.path()).unwrap();
    assert_eq!(bytes[..11], [0, 6, 0, 0, 0, 0xe4, 0xbd, 0xa0, 0xe5, 0xa5, 0xbd]);
    assert_eq!((bytes.len(), bytes[11..].iter().all(|byte| *byte == 0)), (4096, true));
    assert_eq!(block.read().unwrap(), "你好");
}

#[test]
fn what_no_block_can_hold_changes_nothing() {
    let (_directory, name) = private_name();
    let block = TextBlock::create(&name).unwrap();
    block.write("stays").unwrap();
    assert!(matches!(block.write(&"a".repeat(4092)).unwrap_err(), Error::TooLong { found: 4092 }));
    assert!(matches!(block.write("a\0").unwrap_err(), Error::Nul { offset: 1 }));
    assert_eq!(block.read().unwrap(), "stays");
}

#[test]
fn a_conditional_write_does_not_overwrite_what_was_not_seen() {
    let (_directory, name) = private_name();
    let block = TextBlock::create(&name).unwrap();
    block.write("one").unwrap();
    assert_eq!(block.write_if("one", "two").unwrap(), Ok(()));
    assert_eq!(block.write_if("one", "three").unwrap(), Err("two".to_owned()));
    assert_eq!(block.read().unwrap(), "two");
}

#[test]
fn what_is_too_short_or_missing_is_told() {
    let (_directory, name) = private_name();
    assert!(matches!(TextBlock::attach(&name).unwrap_err(), Error::NotFound { .. }));
    fs::write(name.path(), [0; 4095]).unwrap();
    assert!(matches!(TextBlock::attach(&name).unwrap_err(), Error::Truncated { found: 4095, .. }));
}

// Hosts that come, go and die.

#[test]
fn a_host_leaves_nothing_and_only_one_lives() {
    let (directory, name) = private_name();
    let host = TextBlock::create(&name).unwrap();
    assert!(matches!(TextBlock::create(&name).unwrap_err(), Error::Busy { .. }));
    let member = TextBlock::attach(&name).unwrap();
    host.write("text").unwrap();
    host.unlink().unwrap();
    assert_eq!(files(directory.path()), 0);
    assert_eq!(member.read().unwrap(), "text", "whoever is attached keeps the memory");
}

#[test]
fn a_block_that_a_dead_host_left_is_taken_over_with_its_text() {
    let (_directory, name) = private_name();
    let host = TextBlock::create(&name).unwrap();
    host.write("before").unwrap();
    drop(host); // what a kill leaves: the files, without their lock
    assert_eq!(TextBlock::create(&name).unwrap().read().unwrap(), "before");
    fs::remove_file(name.path()).unwrap();
    assert_eq!(TextBlock::create(&name).unwrap().read().unwrap(), "before", "also without its first name");
}

#[test]
fn somebody_else_s_block_is_left_alone() {
    let (directory, name) = private_name();
    fs::write(name.path(), [0; BLOCK_BYTES]).unwrap();
    assert!(matches!(TextBlock::create(&name).unwrap_err(), Error::Exists { .. }));
    assert_eq!(files(directory.path()), 1);
    let member = TextBlock::attach(&name).unwrap();
    member.unlink().unwrap();
    assert!(name.path().exists(), "it is its host's to remove");
    fs::remove_file(name.path()).unwrap();
    drop(member);
    assert!(TextBlock::attach(&name).is_err());
    assert_eq!(files(directory.path()), 0, "what stood beside a block that is gone is swept away");
}

#[test]
fn a_name_that_leads_to_another_block_by_now_is_told_and_spared() {
    let (_directory, name) = private_name();
    let host = TextBlock::create(&name).unwrap();
    fs::remove_file(name.path()).unwrap();
    fs::write(name.path(), "another's").unwrap();
    assert!(matches!(host.ensure_named().unwrap_err(), Error::Replaced { .. }));
    host.unlink().unwrap();
    assert_eq!(fs::read(name.path()).unwrap(), b"another's");
}

// Death at any moment.

#[test]
fn a_holder_that_is_killed_is_recovered_at_once() {
    const KILLS: u32 = 40;
    let (directory, name) = private_name();
    let host = TextBlock::create(&name).unwrap();
    let mut held = 0;
    for round in 0..KILLS {
        let mut victim = Role::start("writer", directory.path(), &[]);
        victim.expect("ready");
        thread::sleep(Duration::from_micros(u64::from(round) * 137));
        victim.kill_and_wait();
        held += u32::from(host.is_locked());
        let started = Instant::now();
        let text = host.read().unwrap();
        assert!(text.is_empty() || is_whole(&text), "torn by a kill: {text}");
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "waited {:?} for a dead holder",
            started.elapsed()
        );
        host.write(&text_of(7)).unwrap();
        assert_eq!(host.read().unwrap(), text_of(7));
    }
    assert!(held > 0, "no kill hit a holder");
}

#[test]
fn processes_exclude_each_other() {
    let (directory, name) = private_name();
    let host = TextBlock::create(&name).unwrap();
    host.write(&text_of(1)).unwrap();
    let writers: Vec<_> = (0..2).map(|_| Role::start("writer", directory.path(), &[])).collect();
    for writer in &writers {
        writer.expect("ready");
    }
    let mut seen = std::collections::HashSet::new();
    await_true(|| {
        let text = host.read().unwrap();
        assert!(is_whole(&text), "torn: {text}");
        seen.insert(text);
        seen.len() == 20
    });
}

// The company of the original.

#[test]
fn both_readers_of_the_original_find_what_is_written() {
    let name = shared_name();
    let host = TextBlock::create(&name.0).unwrap();
    for text in ["", "plain", "共享内存 ✓", &"界".repeat(1363), &"a".repeat(256)] {
        host.write(&"#".repeat(4091)).unwrap();
        host.write(text).unwrap();
        let Some(mut reader) = peers::python(SCRIPT, &[name.0.text(), "read"]) else { return };
        let heard = reader.hear();
        reader.finish();
        let expected: String = text.chars().map(json_character).collect();
        assert_eq!(heard, format!("[\"{expected}\", \"{expected}\"]"));
    }
}

/// As Python's JSON has it.
fn json_character(character: char) -> String {
    if character.is_ascii() { character.to_string() } else { format!("\\u{:04x}", u32::from(character)) }
}

#[test]
fn what_either_writer_of_the_original_wrote_is_read() {
    let name = shared_name();
    let host = TextBlock::create(&name.0).unwrap();
    let lengths = [0, 1, 255, 256, 257, 512, 4090, 4091];
    for text in lengths.map(|length| "q".repeat(length)).iter().map(String::as_str).chain(["你好\n世界 \n"])
    {
        for form in ["code", "documented"] {
            host.write("something longer than that").unwrap();
            let Some(writer) = peers::python(SCRIPT, &[name.0.text(), form, text]) else { return };
            writer.finish();
            assert_eq!(host.read().unwrap(), text.trim_end(), "{form}");
        }
    }
}

#[test]
fn a_block_that_the_original_made_is_joined() {
    let name = shared_name();
    let Some(mut original) = peers::python(SCRIPT, &[name.0.text(), "create"]) else { return };
    assert_eq!(original.hear(), "ready");
    let member = TextBlock::attach(&name.0).unwrap();
    member.write("from memlane").unwrap();
    assert!(matches!(TextBlock::create(&name.0).unwrap_err(), Error::Exists { .. }));
    original.finish();
    assert!(!name.0.path().exists());
}

/// Trap: the resource tracker of a Python before 3.13 removes what its process attached.
#[test]
fn a_host_gives_its_block_the_name_back() {
    let name = shared_name();
    let host = TextBlock::create(&name.0).unwrap();
    host.write("stays").unwrap();
    let Some(mut visitor) = peers::python(SCRIPT, &[name.0.text(), "attach"]) else { return };
    assert_eq!(visitor.hear(), "ready");
    assert!(!host.ensure_named().unwrap());
    visitor.finish();
    await_true(|| !name.0.path().exists());
    assert!(host.ensure_named().unwrap());
    assert_eq!(TextBlock::attach(&name.0).unwrap().read().unwrap(), "stays");
}

#[test]
fn a_lock_that_the_original_holds_is_waited_for_and_then_told() {
    let name = shared_name();
    let host = TextBlock::create(&name.0).unwrap();
    let Some(mut holder) = peers::python(SCRIPT, &[name.0.text(), "hold"]) else { return };
    assert_eq!(holder.hear(), "ready");
    assert!(host.is_locked());
    let started = Instant::now();
    let error = host.read().unwrap_err();
    assert!(started.elapsed() >= LOCK_TIMEOUT);
    assert_eq!(error.to_string(), "获取锁超时（5.0秒）");
    thread::scope(|scope| {
        let written = scope.spawn(|| host.write("after it"));
        holder.finish();
        written.join().unwrap().unwrap();
    });
    assert_eq!(host.read().unwrap(), "after it");
}

/// The original's lock is not atomic, so two may write at once; what memlane says it has written stood there.
#[test]
fn writes_beside_an_original_that_writes_all_the_time_stand_or_are_told() {
    let name = shared_name();
    let host = TextBlock::create(&name.0).unwrap();
    let text = "code ".repeat(500);
    let Some(mut writer) = peers::python(SCRIPT, &[name.0.text(), "code", &text, "3000"]) else { return };
    let mut written = 0;
    while writer.peer.0.try_wait().unwrap().is_none() {
        match host.write(&text_of(written)) {
            Ok(()) => written += 1,
            Err(error) => assert!(matches!(error, Error::Overwritten { .. }), "{error}"),
        }
    }
    assert!(written > 0);
    host.write("last").unwrap();
    assert_eq!(host.read().unwrap(), "last");
}

fn await_true(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < role::DEADLINE, "it never came true");
        thread::yield_now();
    }
}
