//! The foreign picture layout: its bytes, hostile bytes, deaths, and the company of programs that know
//! nothing of memlane.

mod peers;

use memlane_interop::Name;
use memlane_interop::mmap_frame::{
    Error, MmapFrameReader, MmapFrameWriter, PICTURE_BYTES_MAX, Picture, Publish,
};
use peers::{Peer, frame_of, pixels_of};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed, Ordering::SeqCst, fence};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 404;
const PIXEL_BYTES: usize = 640 * 404 * 3;

/// Long enough for any step of a test on a busy machine, short enough to fail in the reader's lifetime.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));
const ONE_LOOK: Option<Duration> = Some(Duration::ZERO);
const MOMENT: Option<Duration> = Some(Duration::from_millis(20));

/// Names the directory in which a victim is to write.
const VICTIM_DIRECTORY: &str = "MEMLANE_TEST_VICTIM_DIRECTORY";

// The bytes.

#[test]
fn writer_produces_the_known_bytes() {
    for publish in [Publish::InPlace, Publish::Rename] {
        let (_directory, name) = private_name();
        let mut writer = MmapFrameWriter::create(&name, publish).unwrap();
        for frame in 0..3 {
            let pixels = pixels_of(frame, PIXEL_BYTES);
            let timestamp = writer.write(WIDTH, HEIGHT, 3, &pixels).unwrap();
            let bytes = fs::read(name.path()).unwrap();
            assert_eq!(bytes.len(), 775_704);
            assert_eq!(bytes[..12], [0x80, 0x02, 0, 0, 0x94, 0x01, 0, 0, 3, 0, 0, 0]);
            assert_eq!(bytes[12..20], timestamp.to_le_bytes());
            assert_eq!(bytes[20..24], [1, 0, 0, 0]);
            assert_eq!(bytes[24..], pixels);
        }
    }
}

#[test]
fn reader_takes_bytes_that_another_program_wrote() {
    let (_directory, name) = private_name();
    fs::write(name.path(), segment(2, 1, 3, 1_700_000_000_123, 1, &[1, 2, 3, 4, 5, 6])).unwrap();
    let picture = MmapFrameReader::open(&name).read(ONE_LOOK).unwrap();
    let pixels = vec![1, 2, 3, 4, 5, 6];
    assert_eq!(picture, Picture { width: 2, height: 1, channels: 3, timestamp: 1_700_000_000_123, pixels });
}

#[test]
fn a_longer_file_is_fine() {
    let (_directory, name) = private_name();
    fs::write(name.path(), segment(1, 1, 1, 5, 1, &[7, 8, 9])).unwrap();
    assert_eq!(MmapFrameReader::open(&name).read(ONE_LOOK).unwrap().pixels, [7]);
}

#[test]
fn timestamps_are_the_clock_and_strictly_increase() {
    let (_directory, name) = private_name();
    let mut writer = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
    let before = milliseconds_since_epoch();
    let first = writer.write(1, 1, 1, &[0]).unwrap();
    assert!((before..=milliseconds_since_epoch()).contains(&first));
    let mut last = first;
    for _ in 0..1000 {
        let timestamp = writer.write(1, 1, 1, &[0]).unwrap();
        assert!(timestamp > last);
        last = timestamp;
    }
}

// Hostile and unfinished bytes.

#[test]
fn impossible_headers_are_errors() {
    let cases = [
        (-640, 404, 3, 1, "width", -640),
        (640, 0, 3, 1, "height", 0),
        (640, 404, i32::MIN, 1, "channels", i64::from(i32::MIN)),
        (640, 404, 3, 2, "valid", 2),
        (640, 404, 3, -1, "valid", -1),
        (1 << 16, 1 << 16, 1, 1, "width * height * channels", 1 << 32),
        (i32::MAX, i32::MAX, i32::MAX, 1, "width * height * channels", i64::MAX),
    ];
    let (_directory, name) = private_name();
    for (width, height, channels, valid, expected_field, expected_value) in cases {
        fs::write(name.path(), segment(width, height, channels, 5, valid, &[0; 64])).unwrap();
        match MmapFrameReader::open(&name).read(PATIENCE).unwrap_err() {
            Error::Malformed { field, found, .. } => {
                assert_eq!((field, found), (expected_field, expected_value));
            }
            other => panic!("expected a malformed {expected_field}, found {other}"),
        }
    }
}

#[test]
fn a_file_shorter_than_its_picture_is_an_error() {
    let (_directory, name) = private_name();
    let mut reader = MmapFrameReader::open(&name);
    for missing in [1, 24, PIXEL_BYTES] {
        let whole = segment(640, 404, 3, 5, 1, &pixels_of(1, PIXEL_BYTES));
        fs::write(name.path(), &whole[..whole.len() - missing]).unwrap();
        match reader.read(PATIENCE).unwrap_err() {
            Error::Truncated { expected, found, .. } => {
                assert_eq!((expected, found), (775_704, 775_704 - missing as u64));
            }
            other => panic!("expected a truncated file, found {other}"),
        }
    }
}

#[test]
fn a_file_shorter_than_its_header_is_awaited_then_an_error() {
    let (_directory, name) = private_name();
    for length in [0, 23] {
        fs::write(name.path(), vec![0; length]).unwrap();
        let started = Instant::now();
        let error = MmapFrameReader::open(&name).read(MOMENT).unwrap_err();
        assert!(
            matches!(error, Error::Truncated { expected: 24, found, .. } if found == length as u64),
            "{error}"
        );
        assert!(started.elapsed() >= MOMENT.unwrap(), "a segment that is just being made gets its time");
    }
}

/// A mapped read would end the process by SIGBUS.
#[test]
fn a_file_that_shrinks_under_the_reader_is_an_error_at_worst() {
    let (_directory, name) = private_name();
    let whole = segment(640, 404, 3, 5, 1, &pixels_of(1, PIXEL_BYTES));
    fs::write(name.path(), &whole).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _stop = SetOnDrop(&done);
        scope.spawn(|| {
            let file = File::options().write(true).open(name.path()).unwrap();
            while !done.load(Relaxed) {
                file.set_len(1000).unwrap();
                file.write_all_at(&whole, 0).unwrap();
            }
        });
        let mut reader = MmapFrameReader::open(&name);
        let (mut pictures, mut truncated) = (0, 0);
        while pictures < 20 || truncated < 20 {
            match reader.read(PATIENCE) {
                Ok(picture) => pictures += u32::from(picture.pixels.len() == PIXEL_BYTES),
                Err(Error::Truncated { .. }) => truncated += 1,
                Err(error) => panic!("{error}"),
            }
        }
    });
}

#[test]
fn a_missing_segment_is_awaited_then_an_error_that_says_what_to_do() {
    let (_directory, name) = private_name();
    let started = Instant::now();
    let error = MmapFrameReader::open(&name).read(MOMENT).unwrap_err();
    assert!(started.elapsed() >= MOMENT.unwrap());
    assert!(matches!(error, Error::NotFound { .. }) && error.is_timeout());
    let message = error.to_string();
    assert!(message.contains(&name.to_string()) && message.contains("start its writer"), "{message}");
}

#[test]
fn a_segment_that_appears_late_is_read() {
    let (_directory, name) = private_name();
    thread::scope(|scope| {
        let picture = scope.spawn(|| MmapFrameReader::open(&name).read(PATIENCE).unwrap());
        let mut writer = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
        writer.write(2, 2, 1, &[1, 2, 3, 4]).unwrap();
        assert_eq!(picture.join().unwrap().pixels, [1, 2, 3, 4]);
    });
}

#[test]
fn next_waits_for_another_picture() {
    let (_directory, name) = private_name();
    let mut writer = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
    let mut reader = MmapFrameReader::open(&name);
    let timestamp = writer.write(1, 1, 1, &[1]).unwrap();
    assert_eq!(reader.next(ONE_LOOK).unwrap().pixels, [1]);
    let error = reader.next(MOMENT).unwrap_err();
    assert!(matches!(error, Error::Timeout { newest, .. } if newest == timestamp), "{error}");
    assert_eq!(
        reader.read(ONE_LOOK).unwrap().pixels,
        [1],
        "the newest picture is still there for those who ask for it"
    );
    writer.write(1, 1, 1, &[2]).unwrap();
    assert_eq!(reader.next(ONE_LOOK).unwrap().pixels, [2]);
}

#[test]
fn impossible_pictures_are_not_written() {
    let (_directory, name) = private_name();
    let mut writer = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
    let too_few = writer.write(2, 2, 3, &[0; 11]).unwrap_err();
    assert!(matches!(too_few, Error::PixelCount { expected: 12, found: 11, .. }));
    assert!(matches!(
        writer.write(0, 2, 3, &[]).unwrap_err(),
        Error::PictureSize { field: "width", found: 0, .. }
    ));
    assert!(matches!(
        writer.write(u32::MAX, u32::MAX, u32::MAX, &[]).unwrap_err(),
        Error::PictureSize { .. }
    ));
    let limit = PICTURE_BYTES_MAX as u32;
    assert!(matches!(writer.write(limit, 1, 2, &[]).unwrap_err(), Error::PictureSize { .. }));
    assert!(!name.path().exists());
}

// Writers that come, go and die.

/// Each state in which a death during an in-place write can leave the segment, made by hand.
#[test]
fn every_unfinished_state_is_told_apart_and_healed_by_the_next_writer() {
    let old = segment(4, 1, 1, 1000, 0, &[1; 4]);
    let new = segment(4, 1, 1, 2000, 0, &[2; 4]);
    for stored in [0, 4, 8, 12, 16, 20, 24, 25, 28] {
        let (_directory, name) = private_name();
        fs::write(name.path(), [&new[..stored], &old[stored..]].concat()).unwrap();
        let begun = if stored < 16 { 1000 } else { 2000 };
        let mut reader = MmapFrameReader::open(&name);
        let error = reader.read(MOMENT).unwrap_err();
        assert!(
            matches!(error, Error::Unfinished { begun: found, .. } if found == begun),
            "{stored}: {error}"
        );
        assert!(error.is_timeout());

        let mut writer = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
        writer.write(4, 1, 1, &[3; 4]).unwrap();
        assert_eq!(reader.read(ONE_LOOK).unwrap().pixels, [3; 4]);
    }
}

#[test]
fn a_restarted_writer_goes_on_in_the_same_inode_with_later_timestamps() {
    let (_directory, name) = private_name();
    let mut first = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
    let mut reader = MmapFrameReader::open(&name);
    let mut timestamp = 0;
    for _ in 0..50 {
        timestamp = first.write(1, 1, 3, &[1, 1, 1]).unwrap(); // ahead of the clock by now
    }
    let inode = inode(name.path());
    reader.read(ONE_LOOK).unwrap();
    drop(first);
    assert_eq!(reader.read(ONE_LOOK).unwrap().pixels, [1, 1, 1], "the picture outlives its writer");

    let mut second = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
    assert!(second.write(1, 1, 3, &[2, 2, 2]).unwrap() > timestamp);
    assert_eq!(self::inode(name.path()), inode);
    assert_eq!(reader.next(ONE_LOOK).unwrap().pixels, [2, 2, 2]);
}

#[test]
fn a_timestamp_from_the_far_future_is_not_continued() {
    let (_directory, name) = private_name();
    fs::write(name.path(), segment(1, 1, 1, i64::MAX, 1, &[1])).unwrap();
    let mut writer = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
    let timestamp = writer.write(1, 1, 1, &[2]).unwrap();
    assert!(timestamp <= milliseconds_since_epoch());
    assert_eq!(MmapFrameReader::open(&name).read(ONE_LOOK).unwrap().pixels, [2]);
}

/// A foreign writer unlinks and re-creates; whoever kept the old map would see a frozen picture.
#[test]
fn the_reader_follows_a_writer_that_recreated_the_segment() {
    let (_directory, name) = private_name();
    fs::write(name.path(), segment(1, 1, 1, 1000, 1, &[1])).unwrap();
    let mut reader = MmapFrameReader::open(&name);
    assert_eq!(reader.next(ONE_LOOK).unwrap().pixels, [1]);

    let kept = File::open(name.path()).unwrap();
    fs::remove_file(name.path()).unwrap();
    assert!(matches!(reader.next(MOMENT).unwrap_err(), Error::NotFound { .. }));
    // The same timestamp, in another inode: another picture.
    fs::write(name.path(), segment(1, 1, 1, 1000, 1, &[2])).unwrap();
    assert_ne!(kept.metadata().unwrap().ino(), inode(name.path()));
    assert_eq!(reader.next(ONE_LOOK).unwrap().pixels, [2]);
}

#[test]
fn a_new_size_is_a_new_inode_and_the_old_one_stays_as_it_was() {
    let (_directory, name) = private_name();
    let mut writer = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
    let mut reader = MmapFrameReader::open(&name);
    writer.write(2, 2, 3, &[1; 12]).unwrap();
    let old = File::open(name.path()).unwrap();
    writer.write(4, 2, 3, &[2; 24]).unwrap();
    assert_eq!(old.metadata().unwrap().len(), 24 + 12);
    let mut old_pixels = [0; 12];
    old.read_exact_at(&mut old_pixels, 24).unwrap();
    assert_eq!(old_pixels, [1; 12]);
    let picture = reader.read(ONE_LOOK).unwrap();
    assert_eq!((picture.width, picture.pixels), (4, vec![2; 24]));
}

#[test]
fn in_place_keeps_the_inode_and_rename_makes_one_for_each_picture() {
    for (publish, same) in [(Publish::InPlace, true), (Publish::Rename, false)] {
        let (directory, name) = private_name();
        let mut writer = MmapFrameWriter::create(&name, publish).unwrap();
        writer.write(1, 1, 1, &[1]).unwrap();
        let kept = File::open(name.path()).unwrap();
        writer.write(1, 1, 1, &[2]).unwrap();
        assert_eq!(kept.metadata().unwrap().ino() == inode(name.path()), same);
        let mut kept_pixel = [0];
        kept.read_exact_at(&mut kept_pixel, 24).unwrap();
        assert_eq!(kept_pixel, if same { [2] } else { [1] });
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing but the segment");
    }
}

#[test]
fn a_second_writer_is_refused_while_the_first_lives() {
    for publish in [Publish::InPlace, Publish::Rename] {
        let (_directory, name) = private_name();
        let mut first = MmapFrameWriter::create(&name, publish).unwrap();
        for frame in 0..2 {
            first.write(1, 1, 1, &[frame]).unwrap();
            assert!(matches!(MmapFrameWriter::create(&name, publish).unwrap_err(), Error::Busy { .. }));
        }
        drop(first);
        assert!(MmapFrameWriter::create(&name, publish).is_ok());
    }
}

#[test]
fn a_writer_notices_that_its_segment_was_removed_or_replaced() {
    for publish in [Publish::InPlace, Publish::Rename] {
        let (_directory, name) = private_name();
        let mut writer = MmapFrameWriter::create(&name, publish).unwrap();
        writer.write(1, 1, 1, &[1]).unwrap();
        fs::remove_file(name.path()).unwrap();
        writer.write(1, 1, 1, &[2]).unwrap();
        assert_eq!(MmapFrameReader::open(&name).read(ONE_LOOK).unwrap().pixels, [2]);

        let stranger = segment(1, 1, 1, 1000, 1, &[3]);
        fs::remove_file(name.path()).unwrap();
        fs::write(name.path(), &stranger).unwrap();
        assert!(matches!(writer.write(1, 1, 1, &[4]).unwrap_err(), Error::Replaced { .. }));
        assert!(matches!(writer.unlink().unwrap_err(), Error::Replaced { .. }));
        assert_eq!(fs::read(name.path()).unwrap(), stranger);
    }
}

#[test]
fn the_first_picture_does_not_overwrite_a_writer_that_came_in_between() {
    let (_directory, name) = private_name();
    let mut writer = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
    fs::write(name.path(), segment(1, 1, 1, 1000, 1, &[3])).unwrap();
    assert!(matches!(writer.write(1, 1, 1, &[4]).unwrap_err(), Error::Replaced { .. }));
    assert_eq!(MmapFrameReader::open(&name).read(ONE_LOOK).unwrap().pixels, [3]);
}

#[test]
fn unlink_removes_the_segment_and_nothing_twice() {
    let (directory, name) = private_name();
    let mut writer = MmapFrameWriter::create(&name, Publish::Rename).unwrap();
    writer.write(1, 1, 1, &[1]).unwrap();
    writer.unlink().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    MmapFrameWriter::create(&name, Publish::Rename).unwrap().unlink().unwrap();
}

#[test]
fn permissions_are_private_unless_widened_and_an_inode_that_grants_more_is_not_reused() {
    let (_directory, name) = private_name();
    let permissions = || fs::metadata(name.path()).unwrap().mode() & 0o777;
    let mut open = MmapFrameWriter::create(&name, Publish::InPlace).unwrap().mode(0o666);
    open.write(1, 1, 1, &[1]).unwrap();
    assert_eq!(permissions(), 0o666 & !umask());
    drop(open);
    let mut private = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
    private.write(1, 1, 1, &[2]).unwrap();
    assert_eq!(permissions(), 0o600 & !umask());
}

#[test]
fn a_missing_directory_is_an_error_with_its_name() {
    let (directory, _) = private_name();
    let name = Name::in_directory(directory.path().join("missing"), "picture").unwrap();
    let error = MmapFrameWriter::create(&name, Publish::InPlace).unwrap_err();
    assert!(matches!(&error, Error::Io { .. }) && error.to_string().contains("missing/picture"), "{error}");
}

// Reading while it is written.

/// Bursts, because a writer that is at it all the time leaves no moment in which a picture stands still.
#[test]
fn no_torn_picture_from_our_own_writers_in_bursts() {
    const BURST: u64 = 5;
    for publish in [Publish::InPlace, Publish::Rename] {
        let name = shared_name();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let _stop = SetOnDrop(&done);
            scope.spawn(|| {
                let mut writer = MmapFrameWriter::create(&name.0, publish).unwrap();
                for frame in (0..).take_while(|_| !done.load(Relaxed)) {
                    writer.write(64, 64, 3, &pixels_of(frame, 64 * 64 * 3)).unwrap();
                    if frame % BURST == 0 {
                        thread::sleep(Duration::from_micros(200));
                    }
                }
            });
            let mut reader = MmapFrameReader::open(&name.0);
            let mut last = None;
            for _ in 0..2000 {
                let picture = reader.next(PATIENCE).unwrap();
                let frame = frame_of(&picture.pixels);
                assert!(frame.is_some(), "torn");
                assert!(frame > last, "frames only move on");
                last = frame;
            }
        });
    }
}

/// A foreign writer may begin many frames in one millisecond; here all are of the same, and headers alone
/// cannot tell them apart. A frame is its number in the first and the last pixels: quickly written, so that
/// whole frames pass during one copy.
#[test]
fn no_torn_picture_where_every_frame_has_the_same_timestamp() {
    const LAST: usize = PIXEL_BYTES - 8;
    let SharedName(name, _) = &shared_name();
    let timestamp = milliseconds_since_epoch() + 3_600_000;
    fs::write(name.path(), segment(640, 404, 3, timestamp, 1, &vec![0; PIXEL_BYTES])).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _stop = SetOnDrop(&done);
        scope.spawn(|| {
            let file = File::options().write(true).open(name.path()).unwrap();
            for frame in (1_u64..).take_while(|_| !done.load(Relaxed)) {
                let number = frame.to_le_bytes();
                let valid: [&[u8]; 2] = [&[0, 0, 0, 0], &[1, 0, 0, 0]];
                for (bytes, offset) in [(valid[0], 20), (&number, 24), (&number, 24 + LAST), (valid[1], 20)] {
                    file.write_all_at(bytes, offset as u64).unwrap();
                    fence(SeqCst);
                }
                thread::sleep(Duration::from_micros(frame % 4 * 100));
            }
        });
        let mut reader = MmapFrameReader::open(name);
        for _ in 0..5000 {
            let pixels = reader.read(PATIENCE).unwrap().pixels;
            assert_eq!(pixels[..8], pixels[LAST..], "torn");
        }
    });
}

/// Small pictures, so that several of them bear the same timestamp.
#[test]
fn no_torn_picture_from_the_cpp_writer_flat_out() {
    assert_whole_pictures_from_the_cpp_writer((320, 202), 10_000, Duration::ZERO);
}

#[test]
fn no_torn_picture_from_the_cpp_writer_every_millisecond() {
    assert_whole_pictures_from_the_cpp_writer((WIDTH, HEIGHT), 5_000, Duration::from_millis(1));
}

/// Frames some milliseconds apart are read in one pass; those who never stop reading are often in it when
/// the next begins.
#[test]
fn no_torn_picture_for_a_reader_that_never_pauses() {
    let name = shared_name();
    let Some(mut writer) = peers::cpp_writer(&name.1, (WIDTH, HEIGHT), 250, Duration::from_millis(4)) else {
        return;
    };
    let mut reader = MmapFrameReader::open(&name.0);
    let mut last = None;
    while writer.0.try_wait().unwrap().is_none() {
        let frame = frame_of(&reader.read(PATIENCE).unwrap().pixels);
        assert!(frame.is_some(), "torn");
        assert!(frame >= last, "frames only move on");
        last = frame;
    }
    assert_eq!(frame_of(&reader.read(ONE_LOOK).unwrap().pixels), Some(249));
}

#[test]
fn the_reader_follows_a_restarted_cpp_writer() {
    let name = shared_name();
    let mut reader = MmapFrameReader::open(&name.0);
    for (width, frames) in [(64, 3), (32, 5), (32, 7)] {
        let period = Duration::from_millis(2);
        let Some(mut writer) = peers::cpp_writer(&name.1, (width, 16), frames, period) else { return };
        while frame_of(&reader.next(PATIENCE).unwrap().pixels) != Some(frames - 1) {}
        assert!(writer.0.wait().unwrap().success());
    }
}

#[test]
fn the_unmodified_python_reader_never_tears_on_renamed_pictures() {
    const PICTURES: usize = 1500;
    let name = shared_name();
    let mut writer = MmapFrameWriter::create(&name.0, Publish::Rename).unwrap();
    writer.write(WIDTH, HEIGHT, 3, &pixels_of(0, PIXEL_BYTES)).unwrap();
    let Some(mut reader) =
        peers::python("tests/peers/mmap_reader.py", &[&name.1, "640", "404", &PICTURES.to_string()])
    else {
        return;
    };
    let done = AtomicBool::new(false);
    let facts: Vec<String> = thread::scope(|scope| {
        let _stop = SetOnDrop(&done);
        scope.spawn(|| {
            for frame in (1..).take_while(|_| !done.load(Relaxed)) {
                writer.write(WIDTH, HEIGHT, 3, &pixels_of(frame, PIXEL_BYTES)).unwrap();
            }
        });
        reader.facts.by_ref().map(Result::unwrap).collect()
    });
    assert!(reader.peer.0.wait().unwrap().success());
    assert_eq!(facts.len(), PICTURES);
    assert!(facts.iter().all(|fact| !fact.ends_with("torn")));
    let mut distinct = facts;
    distinct.dedup();
    assert!(distinct.len() > PICTURES / 10, "only {} different pictures", distinct.len());
}

/// The reader has read each picture before the next is written, so even one that checks nothing sees each
/// of them whole.
#[test]
fn the_unmodified_python_reader_sees_exactly_what_is_written_in_place() {
    let name = shared_name();
    let mut writer = MmapFrameWriter::create(&name.0, Publish::InPlace).unwrap();
    let Some(mut reader) =
        peers::python("tests/peers/mmap_reader.py", &[&name.1, "640", "404", "100", "lockstep"])
    else {
        return;
    };
    for frame in 0..100 {
        let timestamp = writer.write(WIDTH, HEIGHT, 3, &pixels_of(frame, PIXEL_BYTES)).unwrap();
        std::io::Write::write_all(&mut reader.input, b"\n").unwrap();
        let fact = reader.facts.next().unwrap().unwrap();
        assert_eq!(fact, format!("{timestamp} 640 404 3 {frame}"));
    }
}

// Death at any moment.

#[test]
fn a_writer_killed_in_place_leaves_a_whole_picture_or_says_unfinished() {
    become_the_victim_if_asked(Publish::InPlace);
    let test = "a_writer_killed_in_place_leaves_a_whole_picture_or_says_unfinished";
    let unfinished = kill_writers(test, |outcome| matches!(outcome, Err(Error::Unfinished { .. })));
    assert!(unfinished > 0, "no kill hit the middle of a frame");
}

#[test]
fn a_writer_killed_while_renaming_leaves_a_whole_picture() {
    become_the_victim_if_asked(Publish::Rename);
    let unfinished = kill_writers("a_writer_killed_while_renaming_leaves_a_whole_picture", |_| false);
    assert_eq!(unfinished, 0);
}

/// A victim is a process of its own: this test program again, told by the environment to run one test, which
/// then writes until it is killed.
fn become_the_victim_if_asked(publish: Publish) {
    let Some(directory) = std::env::var_os(VICTIM_DIRECTORY) else { return };
    let name = Name::in_directory(Path::new(&directory), "picture").unwrap();
    let mut writer = MmapFrameWriter::create(&name, publish).unwrap();
    for frame in 0.. {
        writer.write(WIDTH, HEIGHT, 3, &pixels_of(frame, PIXEL_BYTES)).unwrap();
    }
}

/// Kills writers at random moments; returns how many left the state that is allowed besides a whole
/// picture. After each, the next writer must find everything in order.
fn kill_writers(test: &str, is_allowed: fn(&Result<Picture, Error>) -> bool) -> u32 {
    const KILLS: u32 = 30;
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let name = Name::in_directory(directory.path(), "picture").unwrap();
    let mut reader = MmapFrameReader::open(&name);
    let mut allowed = 0;
    for round in 0..KILLS {
        let before = reader.read(ONE_LOOK).map_or(0, |picture| picture.timestamp);
        let mut victim = spawn_victim(directory.path(), test);
        wait_until_written(&name, before, &mut victim);
        spin(Duration::from_micros(u64::from(round) * 53));
        victim.0.kill().unwrap();
        victim.0.wait().unwrap();

        let outcome = reader.read(MOMENT);
        match &outcome {
            Ok(picture) => assert!(frame_of(&picture.pixels).is_some(), "torn by a kill"),
            other => assert!(is_allowed(other), "{other:?}"),
        }
        allowed += u32::from(outcome.is_err());
        let left = header_timestamp(&name);
        let mut survivor = MmapFrameWriter::create(&name, Publish::InPlace).unwrap();
        assert!(survivor.write(WIDTH, HEIGHT, 3, &pixels_of(7, PIXEL_BYTES)).unwrap() > left);
        assert_eq!(frame_of(&reader.read(ONE_LOOK).unwrap().pixels), Some(7));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the dead writer's drafts are swept");
    }
    allowed
}

fn spawn_victim(directory: &Path, test: &str) -> Peer {
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["--exact", test]).env(VICTIM_DIRECTORY, directory).stdout(Stdio::null());
    Peer(victim.spawn().unwrap())
}

/// Until the header bears a later timestamp, finished or not.
fn wait_until_written(name: &Name, after: i64, victim: &mut Peer) {
    while !name.path().exists() || header_timestamp(name) <= after {
        assert!(victim.0.try_wait().unwrap().is_none(), "the victim ended by itself");
        thread::yield_now();
    }
}

fn spin(duration: Duration) {
    let started = Instant::now();
    while started.elapsed() < duration {
        std::hint::spin_loop();
    }
}

fn header_timestamp(name: &Name) -> i64 {
    let mut bytes = [0; 8];
    File::open(name.path()).and_then(|file| file.read_exact_at(&mut bytes, 12)).unwrap();
    i64::from_le_bytes(bytes)
}

fn assert_whole_pictures_from_the_cpp_writer(size: (u32, u32), frames: u64, period: Duration) {
    let name = shared_name();
    let Some(mut writer) = peers::cpp_writer(&name.1, size, frames, period) else { return };
    let mut reader = MmapFrameReader::open(&name.0);
    let (mut pictures, mut last) = (0, None);
    loop {
        match reader.next(Some(Duration::from_millis(200))) {
            Ok(picture) => {
                let frame = frame_of(&picture.pixels);
                assert!(frame.is_some(), "picture {pictures} is torn");
                assert!(frame > last, "frame {frame:?} came after {last:?}");
                last = frame;
                pictures += 1;
            }
            Err(error) if !error.is_timeout() => panic!("{error}"),
            Err(_) => {
                if let Some(status) = writer.0.try_wait().unwrap() {
                    assert!(status.success());
                    break;
                }
            }
        }
    }
    assert!(pictures > frames / 20, "only {pictures} of {frames} frames were read");
}

/// A name in a directory of its own, which goes with it.
fn private_name() -> (TempDir, Name) {
    let directory = tempfile::tempdir().unwrap();
    let name = Name::in_directory(directory.path(), "picture").unwrap();
    (directory, name)
}

/// A name in `/dev/shm`, where foreign programs look, and its text; the segment goes with it, whatever
/// becomes of the test.
struct SharedName(Name, String);

fn shared_name() -> SharedName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let text = format!("memlane-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
    SharedName(Name::new(&text).unwrap(), text)
}

impl Drop for SharedName {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0.path());
    }
}

/// Ends the thread of a writer also when the assertions about its pictures fail.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn segment(width: i32, height: i32, channels: i32, timestamp: i64, valid: i32, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for size in [width, height, channels] {
        bytes.extend(size.to_le_bytes());
    }
    bytes.extend(timestamp.to_le_bytes());
    bytes.extend(valid.to_le_bytes());
    bytes.extend(pixels);
    bytes
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

fn milliseconds_since_epoch() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

/// Read, not asked for: asking the system call would change it.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:")).unwrap();
    u32::from_str_radix(mask.trim(), 8).unwrap()
}
