//! Hostile files: whatever stands in a region, using it gives content or an error. Never a panic, a wild read
//! or a hang.
//!
//! A thousand seeded corruptions of a file of each kind are opened in every way and used. Batches run in
//! processes of their own, so that a signal or a hang is seen, and tied to the case that caused it. Not tried
//! is shrinking a file while it is mapped, which ends in SIGBUS, as documented. `MEMLANE_TEST_SEED` tries
//! other corruptions.

mod exercise;
mod random;
mod role;
mod scratch;
mod specimen;

use exercise::exercise;
use memlane::{Kind, Space};
use random::{Random, mix};
use role::{Part, Role, say};
use scratch::Scratch;
use specimen::{HEADER_FIELDS, KINDS, SCHEMA, SHARED, disown, renew_checksum, specimen};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

const CASES: u64 = 1000;
const BATCHES: u64 = 4;

const SEED_VARIABLE: &str = "MEMLANE_TEST_SEED";
const DEFAULT_SEED: u64 = 20_26;

/// The region that every case writes anew.
const ID: &str = "case";

#[test]
fn role() {
    role::play(|part| {
        let [kind, first, count, seed] = [0, 1, 2, 3].map(|index| part.number(index));
        let kind = KINDS[kind as usize];
        perform(part, kind, seed, first..first + count);
    });
}

/// A number that leads to other decisions in the code than its neighbours.
const HOSTILE: &[u64] = &[
    0,
    1,
    2,
    0x7f,
    0xfff,
    0x1000,
    0x1001,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 46,
    (1 << 46) + 1,
    1 << 62,
    u64::MAX >> 1,
    u64::MAX - 7,
    u64::MAX,
];

/// Child: tries some cases.
fn perform(part: &Part, kind: Kind, seed: u64, cases: std::ops::Range<u64>) {
    let space = Space::at(&part.directory).expect("the parent made the space");
    let whole = specimen(kind, &space);
    space.remove(kind.name()).expect("the specimen was just made");
    let path = part.directory.join(ID);
    let mut open = 0;
    for case in cases {
        say(&format!("case {case}"));
        let mut file = whole.clone();
        corrupt(&mut file, &mut Random::new(mix(seed ^ mix(case))));
        disown(&mut file);
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, &file).expect("the space is writable");
        match catch_unwind(AssertUnwindSafe(|| exercise(&space, ID))) {
            Ok(ways) => open += u64::from(ways > 0),
            Err(_) => say(&format!("panic in case {case}")),
        }
    }
    say(&format!("open {open}"));
}

fn corrupt(file: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        match random.below(8) {
            0 => flip_bits(file, 0, random),
            1 => flip_bits(file, SHARED, random),
            2 | 3 => set_header_field(file, random),
            4 => spoil_schema(file, random),
            5 => zero_a_range(file, random),
            6 => set_shared_words(file, random),
            _ => file.truncate(random.index(file.len() + 1)),
        }
    }
    if random.chance(80) {
        renew_checksum(file);
    }
}

fn flip_bits(file: &mut [u8], from: usize, random: &mut Random) {
    for _ in 0..=random.below(16) {
        let index = from + random.index(file.len().saturating_sub(from));
        if let Some(byte) = file.get_mut(index) {
            *byte ^= 1 << random.below(8);
        }
    }
}

fn set_header_field(file: &mut [u8], random: &mut Random) {
    let (offset, size) = random.pick(HEADER_FIELDS);
    let Some(field) = file.get_mut(offset..offset + size) else { return };
    let mut old = [0; 8];
    old[..size].copy_from_slice(field);
    let new = hostile(u64::from_le_bytes(old), random);
    field.copy_from_slice(&new.to_le_bytes()[..size]);
}

/// Another number near or far.
fn hostile(old: u64, random: &mut Random) -> u64 {
    match random.below(4) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_sub(1 << random.below(13)),
        2 => random.next() >> random.below(64),
        _ => random.pick(HOSTILE),
    }
}

/// Characters that mean something in a schema, at random places of it.
fn spoil_schema(file: &mut [u8], random: &mut Random) {
    let Some(schema) = file.get_mut(SCHEMA) else { return };
    let used = schema.iter().position(|byte| *byte == 0).unwrap_or(schema.len());
    for _ in 0..=random.below(3) {
        schema[random.index(used + 1)] = random.pick(b"0123456789[]{}|<>:;,@buifS\"= x\xff");
    }
}

fn zero_a_range(file: &mut [u8], random: &mut Random) {
    let start = random.index(file.len());
    let end = (start + random.index(600)).min(file.len());
    file[start..end].fill(0);
}

fn set_shared_words(file: &mut [u8], random: &mut Random) {
    for _ in 0..=random.below(4) {
        let size = random.pick(&[4, 8]);
        let words = file.len().saturating_sub(SHARED) / size;
        let offset = SHARED + random.index(words) * size;
        if let Some(word) = file.get_mut(offset..offset + size) {
            let old = word.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
            word.copy_from_slice(&hostile(old, random).to_le_bytes()[..size]);
        }
    }
}

/// Tries all cases of a kind, in several processes one after the other.
fn try_all(kind: Kind) {
    let seed =
        std::env::var(SEED_VARIABLE).map_or(DEFAULT_SEED, |seed| seed.parse().expect("a seed is a number"));
    let number = KINDS.iter().position(|known| *known == kind).expect("there is a specimen");
    let seed = mix(seed ^ mix(number as u64));
    let start = Instant::now();
    let opened: u64 = (0..BATCHES).map(|batch| try_some(number, seed, batch * CASES / BATCHES)).sum();
    println!("{kind}: {opened} of {CASES} corrupted files could be opened, {:.1?}", start.elapsed());
    assert!(opened > CASES / 10 && opened < CASES, "the corruptions are too strong or too weak: {opened}");
}

/// Gives back how many of the cases could be opened.
fn try_some(kind: usize, seed: u64, first: u64) -> u64 {
    let scratch = Scratch::new();
    let arguments = [kind as u64, first, CASES / BATCHES, seed].map(|number| number.to_string());
    let batch = Role::start("batch", scratch.path(), &arguments.each_ref().map(String::as_str));
    let (mut panics, mut last, mut open) = (Vec::new(), String::new(), None);
    while let Some(line) = batch.hear_or_end() {
        match line.split_once(' ') {
            Some(("open", count)) => open = count.parse().ok(),
            Some(("panic", _)) => panics.push(line),
            _ => last = line,
        }
    }
    let status = batch.finish();
    assert!(status.success(), "{} {last}: {status}", KINDS[kind]);
    assert!(panics.is_empty(), "{}: {panics:?}, see above", KINDS[kind]);
    open.expect("the batch ended well")
}

#[test]
fn whole_files_can_be_used() {
    for kind in KINDS {
        let scratch = Scratch::new();
        let mut file = specimen(kind, &scratch.space());
        renew_checksum(&mut file);
        std::fs::write(scratch.path().join(ID), &file).expect("the space is writable");
        assert!(exercise(&scratch.space(), ID) >= 2, "{kind}");
    }
}

#[test]
fn values() {
    try_all(Kind::Value);
}

#[test]
fn records() {
    try_all(Kind::Record);
}

#[test]
fn arrays() {
    try_all(Kind::Array);
}

#[test]
fn texts() {
    try_all(Kind::Text);
}

#[test]
fn locks() {
    try_all(Kind::Lock);
}

#[test]
fn frames() {
    try_all(Kind::Frames);
}

#[test]
fn rlocks() {
    try_all(Kind::Rlock);
}

#[test]
fn rwlocks() {
    try_all(Kind::Rwlock);
}

#[test]
fn semaphores() {
    try_all(Kind::Semaphore);
}

#[test]
fn events() {
    try_all(Kind::Event);
}

#[test]
fn conditions() {
    try_all(Kind::Condition);
}

#[test]
fn barriers() {
    try_all(Kind::Barrier);
}

#[test]
fn queues() {
    try_all(Kind::Queue);
}

#[test]
fn pipes() {
    try_all(Kind::Pipe);
}

#[test]
fn streams() {
    try_all(Kind::Stream);
}

#[test]
fn raws() {
    try_all(Kind::Raw);
}
