//! LibEMG's shared memory: its bytes, its counters, and LibEMG itself on the other side.

mod peers;

use memlane_interop::libemg::{EMG, Error, IMU, Reader, Tags, Writer};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn private() -> (TempDir, Tags) {
    let directory = tempfile::tempdir().unwrap();
    let tags = Tags::in_directory(directory.path(), "");
    (directory, tags)
}

/// Rows with their number in every column.
fn rows<const COLUMNS: usize>(numbers: impl IntoIterator<Item = u32>) -> Vec<[f64; COLUMNS]> {
    numbers.into_iter().map(|number| [f64::from(number); COLUMNS]).collect()
}

fn numbers<const COLUMNS: usize>(rows: &[[f64; COLUMNS]]) -> Vec<u32> {
    let number = |row: &[f64; COLUMNS]| {
        assert!(row.iter().all(|value| *value == row[0]), "a torn row: {row:?}");
        row[0] as u32
    };
    rows.iter().map(number).collect()
}

#[test]
fn the_bytes_are_libemgs() {
    let (directory, tags) = private();
    let mut emg = Writer::open(&tags, EMG).unwrap();
    let mut imu = Writer::open(&tags, IMU).unwrap();
    let size = |name: &str| fs::metadata(directory.path().join(name)).unwrap();
    for (name, bytes) in [("emg", 64_000), ("emg_count", 4), ("imu", 20_000), ("imu_count", 4)] {
        assert_eq!((size(name).len(), size(name).mode() & 0o777), (bytes, 0o600), "{name}");
        assert!(fs::read(directory.path().join(name)).unwrap().iter().all(|byte| *byte == 0));
    }
    emg.append(&[[1.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0], [4.0; 8]]).unwrap();
    imu.append(&[[16384.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, -9.0]]).unwrap();
    let bytes = |name: &str| fs::read(directory.path().join(name)).unwrap();
    assert_eq!(bytes("emg")[..64], [4.0_f64.to_le_bytes(); 8].concat());
    assert_eq!(bytes("emg")[64..80], [1.0_f64.to_le_bytes(), (-2.0_f64).to_le_bytes()].concat());
    assert_eq!(bytes("imu")[72..80], (-9.0_f64).to_le_bytes());
    assert_eq!((bytes("emg_count"), bytes("imu_count")), (vec![2, 0, 0, 0], vec![1, 0, 0, 0]));
}

#[test]
fn the_newest_rows_are_on_top_and_the_oldest_fall_out() {
    let (_directory, tags) = private();
    let mut writer = Writer::open(&tags, EMG).unwrap();
    let mut reader = Reader::open(&tags, EMG).unwrap();
    for packet in 0..695_u32 {
        writer.append(&rows([2 * packet + 1, 2 * packet + 2])).unwrap();
    }
    let all = reader.fresh().unwrap();
    assert_eq!((all.count, all.dropped, numbers(&all.rows)), (1_390, 390, (391..=1_390).collect()));
    writer.append(&rows(1_391..=1_400)).unwrap();
    let recent = reader.read().unwrap();
    assert_eq!(recent.count, 1_400);
    assert_eq!(numbers(recent.rows()), (401..=1_400).rev().collect::<Vec<_>>());
    let fresh = reader.fresh().unwrap();
    assert_eq!((fresh.count, fresh.dropped, numbers(&fresh.rows)), (1_400, 0, (1_391..=1_400).collect()));
    assert_eq!(reader.fresh().unwrap().rows, [[0.0; 8]; 0]);
    // More than there is room for.
    writer.append(&rows(2_001..=3_500)).unwrap();
    let recent = reader.read().unwrap();
    assert_eq!((recent.count, numbers(recent.rows())), (2_900, (2_501..=3_500).rev().collect()));
    let fresh = reader.fresh().unwrap();
    assert_eq!((fresh.dropped, numbers(&fresh.rows)), (500, (2_501..=3_500).collect()));
}

#[test]
fn samples_are_taken_once_although_their_count_comes_later() {
    let (directory, tags) = private();
    let mut writer = Writer::open(&tags, EMG).unwrap();
    let mut reader = Reader::open(&tags, EMG).unwrap();
    let count = |count: u8| fs::write(directory.path().join("emg_count"), [count, 0, 0, 0]).unwrap();
    writer.append(&rows(1..=10)).unwrap();
    assert_eq!(numbers(&reader.fresh().unwrap().rows), (1..=10).collect::<Vec<_>>());
    // Stored, and not counted yet.
    writer.append(&rows(11..=12)).unwrap();
    count(10);
    assert_eq!(numbers(&reader.fresh().unwrap().rows), [0; 0]);
    count(12);
    assert_eq!(numbers(&reader.fresh().unwrap().rows), [11, 12]);
    writer.append(&rows(13..=16)).unwrap();
    count(14);
    assert_eq!(numbers(&reader.fresh().unwrap().rows), [13, 14]);
    count(16);
    assert_eq!(numbers(&reader.fresh().unwrap().rows), [15, 16]);
    // Opened between the two: what it begins behind is not counted twice.
    writer.append(&rows(17..=18)).unwrap();
    count(16);
    let mut late = Reader::open(&tags, EMG).unwrap();
    count(18);
    assert_eq!(numbers(&late.fresh().unwrap().rows), [0; 0]);
    writer.append(&rows(19..=20)).unwrap();
    assert_eq!(numbers(&late.fresh().unwrap().rows), [19, 20]);
    assert_eq!(numbers(&reader.fresh().unwrap().rows), [17, 18, 19, 20]);
    // Other rows altogether, and a count that does not say so.
    writer.append(&rows(101..=1_100)).unwrap();
    count(24);
    assert!(matches!(reader.fresh(), Err(Error::Unsteady { .. })));
}

#[test]
fn a_new_writer_goes_on_and_a_second_one_is_refused() {
    let (_directory, tags) = private();
    let mut writer = Writer::open(&tags, EMG).unwrap();
    writer.append(&rows(1..=5)).unwrap();
    assert!(matches!(Writer::open(&tags, EMG), Err(Error::Busy { .. })));
    drop(writer);
    let mut writer = Writer::open(&tags, EMG).unwrap();
    writer.append(&rows(6..=6)).unwrap();
    let recent = Reader::open(&tags, EMG).unwrap().read().unwrap();
    assert_eq!((recent.count, numbers(&recent.rows()[..6])), (6, vec![6, 5, 4, 3, 2, 1]));
}

#[test]
fn a_name_that_somebody_removes_comes_back_to_the_same_segment() {
    let (directory, tags) = private();
    let mut writer = Writer::open(&tags, EMG).unwrap();
    writer.append(&rows(1..=1)).unwrap();
    let early = Reader::open(&tags, EMG).unwrap();
    fs::remove_file(directory.path().join("emg")).unwrap();
    fs::remove_file(directory.path().join("emg_count")).unwrap();
    assert!(matches!(Reader::open(&tags, EMG), Err(Error::NotFound { .. })));
    writer.append(&rows(2..=2)).unwrap();
    for reader in [early, Reader::open(&tags, EMG).unwrap()] {
        assert_eq!(numbers(&reader.read().unwrap().rows()[..3]), [2, 1, 0]);
    }
    drop(writer);
    let left: Vec<_> =
        fs::read_dir(directory.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "the hidden names are gone: {left:?}");
}

#[test]
fn a_segment_in_its_place_is_taken_over() {
    let (directory, tags) = private();
    let mut writer = Writer::open(&tags, IMU).unwrap();
    writer.append(&rows(1..=9)).unwrap();
    for (name, bytes) in [("imu", 20_000), ("imu_count", 4)] {
        fs::remove_file(directory.path().join(name)).unwrap();
        fs::write(directory.path().join(name), vec![0; bytes]).unwrap();
    }
    writer.append(&rows(1..=1)).unwrap();
    let recent = Reader::open(&tags, IMU).unwrap().read().unwrap();
    assert_eq!((recent.count, numbers(&recent.rows()[..2])), (1, vec![1, 0]));
}

#[test]
fn other_sizes_and_names_are_refused_and_left_alone() {
    let (directory, tags) = private();
    fs::write(directory.path().join("emg"), "precious").unwrap();
    assert!(matches!(Writer::open(&tags, EMG), Err(Error::Size { expected: 64_000, found: 8, .. })));
    assert_eq!(fs::read(directory.path().join("emg")).unwrap(), b"precious");
    let bad = Tags::in_directory(directory.path(), "a/");
    assert!(matches!(Writer::open(&bad, EMG), Err(Error::Name(_))));
}

#[test]
fn a_count_is_never_ahead_of_its_rows() {
    let (_directory, tags) = private();
    let mut writer = Writer::open(&tags, EMG).unwrap();
    let reader = Reader::open(&tags, EMG).unwrap();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for packet in 0..5_000_u32 {
                writer.append(&rows([2 * packet + 1, 2 * packet + 2])).unwrap();
            }
            ended.store(true, Relaxed);
        });
        let mut count = 0;
        while !ended.load(Relaxed) {
            match reader.read() {
                Ok(recent) => {
                    let newest = numbers(&recent.rows()[..1])[0];
                    assert!(newest >= recent.count as u32, "{} and {newest}", recent.count);
                    assert!(recent.count >= count);
                    count = recent.count;
                }
                Err(error) => assert!(matches!(error, Error::Unsteady { .. }), "{error}"),
            }
        }
    });
    assert_eq!(numbers(&reader.read().unwrap().rows()[..2]), [10_000, 9_999]);
}

/// Segments in POSIX shared memory, where LibEMG looks for them; removed at the end.
struct Shared(String);

impl Shared {
    fn new(name: &str) -> Self {
        Self(format!("{name}{}_", std::process::id()))
    }

    fn tags(&self) -> Tags {
        Tags::with_prefix(self.0.as_str())
    }

    fn path(&self, tag: &str) -> PathBuf {
        Path::new("/dev/shm").join(format!("{}{tag}", self.0))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for tag in ["emg", "emg_count", "imu", "imu_count"] {
            let _ = fs::remove_file(self.path(tag));
        }
    }
}

#[test]
fn libemg_reads_what_is_written_here() {
    let shared = Shared::new("ours");
    let Some(mut libemg) = peers::libemg(&shared.0) else { return };
    assert_eq!(libemg.ask("find"), "False");
    let mut emg = Writer::open(&shared.tags(), EMG).unwrap();
    let mut imu = Writer::open(&shared.tags(), IMU).unwrap();
    assert_eq!(libemg.ask("find"), "True");
    assert_eq!(libemg.ask("look emg"), "0 0 0 0 0 0");
    emg.append(&rows([1, 2])).unwrap();
    imu.append(&rows([7])).unwrap();
    assert_eq!(libemg.ask("look emg"), "2 2 1 0 0 0");
    assert_eq!(libemg.ask("look imu"), "1 7 0 0 0 0");
    emg.append(&rows([3, 4])).unwrap();
    assert_eq!(libemg.ask("look emg"), "4 4 3 2 1 0");
    // Alongside each other.
    libemg.tell("watch emg 6000");
    for packet in 2..3_000_u32 {
        emg.append(&rows([2 * packet + 1, 2 * packet + 2])).unwrap();
        // Packets do not come faster than they can be read.
        thread::sleep(Duration::from_micros(300));
    }
    assert_eq!(libemg.hear(), "as it should be");
    // A reset by LibEMG holds.
    assert_eq!(libemg.ask("reset emg"), "reset");
    emg.append(&rows([1, 2])).unwrap();
    assert_eq!(libemg.ask("look emg"), "2 2 1 0 0 0");
    // When it ends, Python removes the names of what it had opened: they come back.
    libemg.end();
    // By a process of its own, which may come a little later.
    let names = ["emg", "emg_count", "imu", "imu_count"].map(|tag| shared.path(tag));
    let end = Instant::now() + Duration::from_secs(20);
    while names.iter().any(|name| name.exists()) && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    emg.append(&rows([3, 4])).unwrap();
    imu.append(&rows([8])).unwrap();
    let mut next = peers::libemg(&shared.0).unwrap();
    assert_eq!(next.ask("find"), "True");
    assert_eq!(next.ask("look emg"), "4 4 3 2 1 0");
}

#[test]
fn what_libemg_writes_is_read_here() {
    let shared = Shared::new("theirs");
    let Some(mut libemg) = peers::libemg(&shared.0) else { return };
    assert!(matches!(Reader::open(&shared.tags(), EMG), Err(Error::NotFound { .. })));
    assert_eq!(libemg.ask("create"), "True");
    let mut emg = Reader::open(&shared.tags(), EMG).unwrap();
    let imu = Reader::open(&shared.tags(), IMU).unwrap();
    // Alongside each other.
    libemg.tell("stream emg 2000");
    let mut seen = Vec::new();
    while seen.len() < 4_000 {
        match emg.fresh() {
            Ok(fresh) => {
                assert_eq!(fresh.dropped, 0);
                seen.extend(numbers(&fresh.rows));
            }
            Err(error) => assert!(matches!(error, Error::Unsteady { .. }), "{error}"),
        }
    }
    assert_eq!(libemg.hear(), "streamed");
    assert_eq!(seen, (1..=4_000).collect::<Vec<_>>());
    libemg.ask("add imu 1 1");
    assert_eq!(imu.read().unwrap().rows()[0], [1.0; 10]);
    libemg.ask("reset emg");
    libemg.ask("add emg 1 2");
    let fresh = emg.fresh().unwrap();
    assert_eq!((fresh.count, numbers(&fresh.rows)), (2, vec![1, 2]));
    // Two writers would be one too many, but ours can take over.
    let mut writer = Writer::open(&shared.tags(), EMG).unwrap();
    writer.append(&rows([3, 4])).unwrap();
    assert_eq!(libemg.ask("look emg"), "4 4 3 2 1 0");
}
