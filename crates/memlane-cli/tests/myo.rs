//! The Myo's streamer as a process: every sample once, at its time; killed and started again; stopped at once.
//!
//! The dongle is simulated in a thread of the test, on a real pseudo-terminal, so that the test knows when each sample
//! was due. Times are compared with the dongle's own deadlines, not with a clock that a busy machine holds up.

use memlane::{Space, StreamSubscriber};
use memlane_interop::libemg::{EMG, Error, IMU, Reader, Tags};
use memlane_myo::Stop;
use memlane_myo::simulator::{Dongle, Fault, Options, Pacing, Signal, Terminal, ramp_number};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Long enough for a busy machine; a test that reaches it has failed.
const PATIENCE: Option<Duration> = Some(Duration::from_mins(1));
/// The long form sets it (`cargo xtask myo --minutes N`).
const SECONDS_VARIABLE: &str = "MEMLANE_MYO_SECONDS";
const DEFAULT_SECONDS: u64 = 30;
const SAMPLES_PER_SECOND: u64 = 200;

/// A space, and a dongle in a thread.
struct Bench {
    directory: TempDir,
    stop: Stop,
    dongle: Option<JoinHandle<()>>,
    pacing: Pacing,
}

impl Bench {
    fn new(faults: &[Fault]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut terminal = Terminal::open(&directory.path().join("dongle")).unwrap();
        let options = Options { signal: Signal::Ramp, faults: faults.to_vec(), ..Options::default() };
        let mut dongle = Dongle::new(options);
        let pacing = dongle.pacing();
        let stop = Stop::default();
        let asked = stop.clone();
        let dongle = thread::spawn(move || terminal.serve(&mut dongle, &asked).unwrap());
        Self { directory, stop, dongle: Some(dongle), pacing }
    }

    fn space_directory(&self) -> PathBuf {
        self.directory.path().join("space")
    }

    fn space(&self) -> Space {
        Space::at(self.space_directory()).unwrap()
    }

    fn memlane(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_memlane"));
        command.arg("--space").arg(self.space_directory()).args(arguments);
        command
    }

    fn start_streamer(&self, arguments: &[&str]) -> Process {
        let port = self.directory.path().join("dongle");
        let mut command = self.memlane(&["myo", "--port", port.to_str().unwrap()]);
        Process(command.args(arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    /// Waits until a streamer has published something.
    fn subscribe(&self) -> Emg {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            match StreamSubscriber::open(&self.space(), "myo/emg") {
                Ok(reader) => return Emg { reader: reader.history(u64::MAX), last: None },
                Err(error) => assert!(Instant::now() < end, "{error}"),
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.request();
        self.dongle.take().map(JoinHandle::join);
    }
}

/// A process that does not outlive the test.
struct Process(Child);

impl Process {
    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    fn end(&mut self) -> ExitStatus {
        self.signal("INT");
        self.0.wait().unwrap()
    }

    /// Time of the processor that it used so far.
    fn processor_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        // Linux tells it in hundredths of a second, whatever the kernel counts in.
        Duration::from_millis(10 * ticks)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Emg {
    reader: StreamSubscriber,
    last: Option<u64>,
}

/// Time in seconds, samples lost before it, number in the ramp.
struct Sample {
    time: f64,
    lost: u32,
    ramp: u32,
}

impl Emg {
    /// The next sample, which must be numbered right behind the one before.
    fn next(&mut self) -> Sample {
        let record = self.reader.next(PATIENCE).unwrap();
        assert_eq!(self.reader.lost(), 0);
        assert!(self.last.is_none_or(|last| record.sequence == last + 1));
        self.last = Some(record.sequence);
        let (time, rest) = record.bytes.split_first_chunk().unwrap();
        let (lost, emg) = rest.split_first_chunk().unwrap();
        let emg: [u8; 8] = emg.try_into().unwrap();
        Sample {
            time: f64::from_le_bytes(*time),
            lost: u32::from_le_bytes(*lost),
            ramp: ramp_number(&emg.map(u8::cast_signed)).expect("a sample that was sent"),
        }
    }
}

#[test]
fn every_sample_arrives_once_at_its_time_and_costs_little() {
    let seconds = std::env::var(SECONDS_VARIABLE).map_or(DEFAULT_SECONDS, |text| text.parse().unwrap());
    let bench = Bench::new(&[]);
    let mut streamer = bench.start_streamer(&[]);
    let mut emg = bench.subscribe();
    // A reader that never reads, and one that is stopped in the middle of reading.
    let _idle = StreamSubscriber::open(&bench.space(), "myo/emg").unwrap();
    let tail = bench.memlane(&["stream", "tail", "--follow", "myo/emg"]).stdout(Stdio::null()).spawn();
    let stalled = Process(tail.unwrap());

    let mut worst: f64 = 0.0;
    let mut last = None;
    let mut from = (Duration::ZERO, Instant::now());
    for number in 0..seconds * SAMPLES_PER_SECOND {
        let sample = emg.next();
        assert_eq!(sample.lost, 0);
        assert_eq!(last.map_or(0, |last| last + 1), sample.ramp, "each once, none invented");
        last = Some(sample.ramp);
        if number == SAMPLES_PER_SECOND {
            stalled.signal("STOP");
            from = (streamer.processor_time(), Instant::now());
        }
        // The first second finds the pace.
        if number >= SAMPLES_PER_SECOND {
            let due = bench.pacing.sample_time(sample.ramp.into()).unwrap() as f64 / 1e9;
            worst = worst.max((sample.time - due).abs());
        }
    }
    let used = streamer.processor_time().saturating_sub(from.0);
    let share = used.as_secs_f64() / from.1.elapsed().as_secs_f64() * 100.0;
    println!(
        "{seconds} s: every sample once; times within {:.3} ms; the streamer used {share:.2} % of a processor",
        worst * 1e3
    );
    assert!(worst < 0.001, "times are {worst} s from the armband's");
    assert!(share < 2.0, "{share} % of a processor");
    assert!(streamer.end().success());
}

#[test]
fn killed_in_the_middle_of_a_packet_it_leaves_what_it_published_and_the_next_goes_on() {
    let bench = Bench::new(&[Fault::Pieces]);
    let prefix = format!("test{}_", std::process::id());
    let libemg = format!("--libemg={prefix}");
    let _segments = Segments(prefix.clone());
    let mut streamer = bench.start_streamer(&[&libemg]);
    let mut emg = bench.subscribe();
    let mut seen: Option<Sample> = None;
    let mut check = |emg: &mut Emg| {
        let sample = emg.next();
        if let Some(last) = &seen {
            // A reconnection loses what was measured meanwhile; nothing comes twice.
            assert!(sample.ramp > last.ramp && sample.time > last.time);
        }
        seen = Some(sample);
    };
    for round in 0..8_u64 {
        (0..60).for_each(|_| check(&mut emg));
        // With packets in pieces that come half a millisecond apart, most of the time one is under way.
        thread::sleep(Duration::from_micros(700 * round));
        streamer.signal("KILL");
        assert_eq!(streamer.0.wait().unwrap().signal(), Some(9));
        // What was published is there still.
        let published = emg.reader.published();
        let newest = emg.reader.latest().unwrap();
        assert_eq!(newest.sequence + 1, published);
        while emg.reader.cursor() < published {
            check(&mut emg);
        }
        streamer = bench.start_streamer(&[&libemg]);
    }
    (0..60).for_each(|_| check(&mut emg));
    let doctor = bench.memlane(&["doctor"]).output().unwrap();
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
    assert!(streamer.end().success());
    // Each killed streamer may have stored rows that it did not count, or published samples that it did not store.
    let published = i32::try_from(emg.reader.published()).unwrap();
    let recent = Reader::open(&Tags::with_prefix(&prefix), EMG).unwrap().read().unwrap();
    assert!((published - 2 * 8..=published).contains(&recent.count), "{} of {published}", recent.count);
}

/// LibEMG's segments, removed at the end.
struct Segments(String);

impl Drop for Segments {
    fn drop(&mut self) {
        for tag in ["emg", "emg_count", "imu", "imu_count"] {
            let _ = fs::remove_file(Path::new("/dev/shm").join(format!("{}{tag}", self.0)));
        }
    }
}

#[test]
fn libemg_gets_the_same_samples_newest_first() {
    let bench = Bench::new(&[]);
    let prefix = format!("same{}_", std::process::id());
    let _segments = Segments(prefix.clone());
    let mut streamer = bench.start_streamer(&[&format!("--libemg={prefix}")]);
    let mut emg = bench.subscribe();
    let tags = Tags::with_prefix(&prefix);
    emg.next();
    let (mut rows, motion) = (Reader::open(&tags, EMG).unwrap(), Reader::open(&tags, IMU).unwrap());
    // From where the reader was opened.
    let mut next = None;
    while next < Some(1_200) {
        emg.next();
        let recent = rows.read().unwrap();
        let newest = ramp_number(&recent.rows()[0].map(|value| value as i8)).unwrap_or(0);
        assert!(newest + 1 >= recent.count as u32, "the count {} is ahead of {newest}", recent.count);
        let fresh = match rows.fresh() {
            Ok(fresh) => fresh,
            // The streamer was put to sleep while rows moved.
            Err(Error::Unsteady { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(fresh.dropped, 0);
        for row in fresh.rows {
            let number = ramp_number(&row.map(|value| value as i8)).expect("a sample that was sent");
            assert_eq!(next.unwrap_or(number), number);
            next = Some(number + 1);
        }
    }
    let motion = motion.read().unwrap();
    assert!(motion.count > 100);
    // In a ramp, the numbers of a packet of motion count from its number on.
    assert_eq!(motion.rows()[0][0], f64::from(motion.count - 1));
    assert_eq!(motion.rows()[1][9], f64::from(motion.count - 2 + 9));
    assert!(streamer.end().success());
}

#[test]
fn it_stops_at_once_also_when_nothing_comes() {
    // One that sends packets, and one that never answers: the first command again and again.
    let muted: Vec<_> = (1..100).map(Fault::Mute).collect();
    for faults in [&[][..], &muted] {
        let bench = Bench::new(faults);
        let stop_time = |_| {
            let mut streamer = bench.start_streamer(&[]);
            // It listens to signals before it makes its regions.
            let mut emg = bench.subscribe();
            if faults.is_empty() {
                emg.next();
            }
            let started = Instant::now();
            let status = streamer.end();
            let took = started.elapsed();
            assert!(status.success(), "{status}");
            // The next one is to be waited for anew.
            bench.space().remove("myo/emg").unwrap();
            took
        };
        // The best of a few: others may be in the way of any one.
        let best = (0..5).map(stop_time).min().unwrap();
        println!("stopped after {best:?}");
        assert!(best < Duration::from_millis(50), "{best:?}");
    }
}

#[test]
fn a_second_streamer_is_told_who_streams() {
    let bench = Bench::new(&[]);
    let _streamer = bench.start_streamer(&[]);
    bench.subscribe().next();
    let second = bench.memlane(&["myo", "--simulate"]).output().unwrap();
    assert_eq!(second.status.code(), Some(7));
    let message = String::from_utf8(second.stderr).unwrap();
    assert!(message.contains("myo/emg"), "{message}");
}

#[test]
fn the_simulated_dongle_is_a_process_of_its_own_too() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("dongle");
    let memlane = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_memlane"));
        command.arg("--space").arg(directory.path().join("space"));
        command
    };
    let mut command = memlane();
    command.arg("myo-dongle").arg(&link).args(["--ramp", "--fault", "strangers", "--fault", "lose=11"]);
    let mut dongle = Process(command.stdout(Stdio::null()).spawn().unwrap());
    let streamed = memlane()
        .args(["--json", "myo", "--duration", "3s", "--port"])
        .arg(&link)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(streamed.status.success());
    let counters: serde_json::Value = serde_json::from_slice(&streamed.stdout).unwrap();
    assert!(counters["samples"].as_u64().unwrap() > 100, "{counters}");
    assert!(counters["lost"].as_u64().unwrap() > 10, "{counters}");
    assert!(dongle.end().success());
    assert!(!link.is_symlink());
    let wrong = memlane().args(["myo-dongle", "x", "--fault", "lose=0"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}
