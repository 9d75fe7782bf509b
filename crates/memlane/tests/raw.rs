//! Raw regions: bytes against a vector, several writers at once, and writers in other processes, also killed ones.
#![allow(unsafe_code, clippy::cast_ptr_alignment)] // A pointer is to be followed, to where a body is aligned.

mod patience;
mod role;
mod scratch;

use memlane::observer::Content;
use memlane::{Error, Event, Observer, Raw, Record, Result, Space};
use patience::{DEADLINE, assert_in_vain};
use proptest::prelude::*;
use role::{Part, Role, listen, say};
use scratch::Scratch;
use std::slice;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

const ID: &str = "robot/scratch";
const PAGE: usize = 4096;

#[test]
fn role() {
    role::play(|part| match &*part.role {
        "mirror" => mirror(part).expect("the parent made the region"),
        "filler" => fill_for_ever(part).expect("the parent made the region"),
        other => panic!("nobody plays {other}"),
    });
}

/// All bytes, by atomics over the pointer.
fn through_pointer(raw: &Raw) -> &[AtomicU8] {
    // SAFETY: so many bytes lie there, other processes' writes are atomic here, and `raw` keeps them mapped.
    unsafe { slice::from_raw_parts(raw.as_mut_ptr().cast(), raw.len()) }
}

fn read(raw: &Raw) -> Result<Vec<u8>> {
    let mut bytes = vec![0xaa; raw.len()];
    raw.read(0, &mut bytes)?;
    Ok(bytes)
}

fn observed(space: &Space) -> Result<Vec<u8>> {
    match Observer::open(space, ID)?.read()?.content {
        Content::Elements(bytes, schema) => {
            assert_eq!(schema.to_string(), format!("[{}]|u1", bytes.len()));
            Ok(bytes)
        }
        other => panic!("{other} is not bytes"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// At every place and of every length, so that each way through a word is gone.
    #[test]
    fn bytes_are_as_in_a_vector(
        size in 1_usize..50,
        participants in 1_u16..70,
        writes in prop::collection::vec((0_usize..55, prop::collection::vec(any::<u8>(), 0..40)), 1..30),
    ) {
        let scratch = Scratch::new();
        let space = scratch.space().participants(participants);
        let raw = Raw::create(&space, ID, size)?;
        let other = Raw::open(&space, ID)?;
        prop_assert_eq!((other.len(), other.is_empty()), (size, false));
        prop_assert!(raw.as_mut_ptr().addr().is_multiple_of(PAGE));
        let (mut model, mut changes) = (vec![0; size], 0);
        for (offset, bytes) in writes {
            let mut back = vec![0; bytes.len()];
            let outcomes = [raw.write(offset, &bytes), other.read(offset, &mut back)];
            if let Some(place) = model.get_mut(offset..offset + bytes.len()) {
                place.copy_from_slice(&bytes);
                changes += 1;
                outcomes.into_iter().collect::<Result<()>>()?;
                prop_assert_eq!(back, bytes);
            } else {
                let last = (offset + bytes.len() - 1) as u64;
                for outcome in outcomes {
                    let (index, len) = match outcome {
                        Err(Error::OutOfRange { what: "byte", index, len, .. }) => (index, len),
                        other => panic!("{other:?} from {offset} of {size}"),
                    };
                    prop_assert_eq!((index, len), (last, size as u64));
                }
            }
            prop_assert_eq!(&read(&other)?, &model);
            prop_assert_eq!(&observed(&space)?, &model);
            let pointed: Vec<u8> = through_pointer(&other).iter().map(|byte| byte.load(Relaxed)).collect();
            prop_assert_eq!(&pointed, &model);
            prop_assert_eq!(raw.region().version(), changes);
        }
    }
}

#[test]
fn what_is_not_there_or_does_not_fit_is_refused() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let raw = Raw::create(&space, ID, 100)?;
    Record::create(&space, "robot/pose", "{x:<f8}")?;
    let refusals = [
        (raw.write(99, b"ab").err(), "region `robot/scratch` has no byte 100: there are 100"),
        (
            raw.read(usize::MAX, &mut [0; 2]).err(),
            "region `robot/scratch` has no byte 18446744073709551614: there are 100",
        ),
        (Raw::create(&space, "none", 0).err(), "the size of region `none` must be at least 1 byte, not 0"),
        (
            Raw::open_or_create(&space, ID, 4096).err(),
            "region `robot/scratch` has the schema [100]|u1, but [4096]|u1 was expected; \
             use that one, or remove the region first",
        ),
        (Raw::open(&space, "robot/pose").err(), "region `robot/pose` is of kind record, not raw"),
        (
            Raw::create(&space, "large", usize::MAX).err(),
            "region `large`: expected a body of at most 70368744177664 bytes, found more: make the shape smaller",
        ),
    ];
    for (error, message) in refusals {
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(message));
    }
    assert_eq!((Raw::open_or_create(&space, ID, 100)?.len(), raw.region().version()), (100, 0));
    Ok(())
}

/// Neighbours in one word do not lose each other's bytes.
#[test]
fn writers_of_neighbouring_bytes_spare_each_other() -> Result<()> {
    const WRITERS: usize = 4;
    const SHARE: usize = 3;
    const ROUNDS: u8 = 200;
    let scratch = Scratch::new();
    let space = scratch.space();
    let raw = Raw::create(&space, ID, WRITERS * SHARE)?;
    let work = |own: usize| -> Result<()> {
        let raw = Raw::open(&space, ID)?;
        for round in (1..=ROUNDS).cycle().take(20_000) {
            raw.write(own * SHARE, &[round; SHARE])?;
            let mut seen = [0; SHARE];
            raw.read(own * SHARE, &mut seen)?;
            assert_eq!(seen, [round; SHARE], "somebody else wrote the bytes of writer {own}");
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..WRITERS).map(|own| scope.spawn(move || work(own))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!(read(&raw)?, [ROUNDS; WRITERS * SHARE]);
    Ok(())
}

/// Child: writes through its pointer what it reads, one more in each byte, whenever something is newer.
fn mirror(part: &Part) -> Result<()> {
    let raw = Raw::open(&Space::at(&part.directory)?, ID)?;
    let mut seen = raw.region().version();
    say("ready");
    while listen().is_some() {
        seen = raw.wait_newer(seen, Some(DEADLINE))?;
        for byte in through_pointer(&raw) {
            byte.fetch_add(1, Relaxed);
        }
        raw.changed();
        seen += 1;
    }
    Ok(())
}

#[test]
fn another_process_sees_and_is_seen_also_through_its_pointer() -> Result<()> {
    let scratch = Scratch::new();
    let raw = Raw::create(&scratch.space(), ID, 1003)?;
    let mut mirror = Role::start("mirror", scratch.path(), &[]);
    mirror.expect("ready");
    for round in 0..20_u8 {
        mirror.tell("go on");
        raw.write(0, &vec![round; raw.len()])?;
        let mut seen = u64::from(round) * 2 + 1;
        while seen != u64::from(round) * 2 + 2 {
            seen = raw.wait_newer(seen, Some(DEADLINE))?;
        }
        assert_eq!(read(&raw)?, [round + 1; 1003]);
    }
    assert!(mirror.finish().success());
    Ok(())
}

/// What a filler writes: the same in each byte of a round.
const FILLINGS: [u8; 3] = [0x11, 0x22, 0x33];
const FILLED: std::ops::Range<usize> = 5..70_001;

/// Child: writes one filling after the other, until it is killed.
fn fill_for_ever(part: &Part) -> Result<()> {
    let space = Space::at(&part.directory)?;
    let (raw, started) = (Raw::open(&space, ID)?, Event::open(&space, "started")?);
    for filling in FILLINGS.iter().cycle() {
        raw.write(FILLED.start, &vec![*filling; FILLED.len()])?;
        if *filling == FILLINGS[2] {
            started.set();
        }
    }
    Ok(())
}

/// A write has no commit: each byte is what somebody wrote, eight aligned ones are of one write, and whoever comes
/// next writes as if nothing had been.
#[test]
fn a_killed_writer_leaves_bytes_that_it_wrote() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let raw = Raw::create(&space, ID, FILLED.end + 3)?;
    let started = Event::create(&space, "started")?;
    for _ in 0..20 {
        started.clear();
        let mut filler = Role::start("filler", scratch.path(), &[]);
        started.wait(Some(DEADLINE))?;
        filler.kill_and_wait();
        let bytes = read(&raw)?;
        assert!(bytes[FILLED].iter().all(|byte| FILLINGS.contains(byte)));
        let words = bytes[8..FILLED.end - 8].chunks_exact(8);
        assert!(words.into_iter().all(|word| *word == [word[0]; 8]), "a word is of two writes");
        assert_eq!((&bytes[..FILLED.start], &bytes[FILLED.end..]), (&[0; 5][..], &[0; 3][..]));
        let version = raw.region().version();
        raw.write(FILLED.start, &vec![FILLINGS[0]; FILLED.len()])?;
        assert_eq!(raw.wait_newer(version, Some(Duration::ZERO))?, version + 1);
        assert!(raw.region().lock().lock().is_ok_and(|guard| !guard.owner_died()));
    }
    Ok(())
}

/// A binding keeps a clone of the region, and no more.
#[test]
fn the_bytes_stay_mapped_as_long_as_a_handle_is_left() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let raw = Raw::create(&space, ID, 64)?;
    let (region, pointer) = (raw.region().clone(), raw.as_mut_ptr().cast::<AtomicU64>());
    let clone = raw.clone();
    assert_eq!(clone.as_mut_ptr(), raw.as_mut_ptr());
    drop((raw, clone));
    space.remove(ID)?;
    // SAFETY: `region` keeps the bytes mapped.
    let word = unsafe { &*pointer };
    word.store(u64::from_le_bytes(*b"longlife"), Relaxed);
    assert!(region.unlinked() && word.load(Relaxed).to_le_bytes() == *b"longlife");
    Ok(())
}

#[test]
fn a_wait_in_vain_takes_its_time() -> Result<()> {
    let scratch = Scratch::new();
    let raw = Raw::create(&scratch.space(), ID, 3)?;
    raw.changed();
    assert_in_vain(ID, "a newer content", |timeout| raw.wait_newer(1, timeout));
    assert_eq!(raw.wait_newer(0, Some(Duration::ZERO))?, 1);
    Ok(())
}
