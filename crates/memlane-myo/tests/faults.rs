//! What goes wrong with a dongle: the driver goes on or says what it is, and no sample is repeated or invented.
//!
//! The dongle is simulated on a real pseudo-terminal; its samples are numbered, so that each is known.

use memlane::{Queue, Record, Space, StreamSubscriber, Text, Value};
use memlane_myo::myo::{Control, EmgMode, ImuMode, Mode, Pose, Rgb, Settings, Vibration};
use memlane_myo::simulator::{Dongle, Fault, Gesture, Options, Pacing, Signal, Terminal, ramp_number};
use memlane_myo::{MyoStreamer, Port, Stop, StreamerOptions, streamer};
use std::time::{Duration, Instant};
use std::{fs, thread};
use tempfile::TempDir;

/// Long enough for a busy machine; a test that reaches it has failed.
const PATIENCE: Option<Duration> = Some(Duration::from_mins(1));

/// A simulated dongle and a streamer, in threads of their own until the end of the test.
struct Bench {
    directory: TempDir,
    space: Space,
    emg: StreamSubscriber,
}

struct Sample {
    time: f64,
    lost: u32,
    emg: [i8; 8],
}

impl Bench {
    fn run(options: Options, settings: Settings, check: impl FnOnce(&Self, &Pacing)) -> Vec<Control> {
        let directory = tempfile::tempdir().unwrap();
        let space = Space::at(directory.path().join("space")).unwrap();
        let link = directory.path().join("dongle");
        let mut terminal = Terminal::open(&link).unwrap();
        let mut dongle = Dongle::new(options);
        let pacing = dongle.pacing();
        let streamer_options = StreamerOptions { settings, ..StreamerOptions::default() };
        let mut myo = MyoStreamer::open(&space, Port::Path(link), streamer_options).unwrap();
        let emg = StreamSubscriber::open(&space, "myo/emg").unwrap();
        let bench = Self { directory, space, emg };
        let stop = Stop::default();
        thread::scope(|scope| {
            // Also when the check fails.
            let _end = End(&stop);
            scope.spawn(|| terminal.serve(&mut dongle, &stop).unwrap());
            scope.spawn(|| streamer::run(&mut myo, &stop).unwrap());
            check(&bench, &pacing);
        });
        dongle.told().to_vec()
    }

    fn next(&self) -> Sample {
        let record = self.emg.next(PATIENCE).unwrap();
        let (time, rest) = record.bytes.split_first_chunk().unwrap();
        let (lost, emg) = rest.split_first_chunk().unwrap();
        let emg: [u8; 8] = emg.try_into().unwrap();
        Sample {
            time: f64::from_le_bytes(*time),
            lost: u32::from_le_bytes(*lost),
            emg: emg.map(u8::cast_signed),
        }
    }

    /// The numbers of so many samples, and what is said to be lost before each.
    fn ramp(&self, count: usize) -> Vec<(u32, u32)> {
        let mut last = 0.0;
        let numbered = |_| {
            let sample = self.next();
            assert!(sample.time > last, "times grow");
            last = sample.time;
            (ramp_number(&sample.emg).expect("a sample that was sent"), sample.lost)
        };
        (0..count).map(numbered).collect()
    }

    fn status(&self) -> Record {
        Record::open(&self.space, "myo/status").unwrap()
    }

    fn status_text(&self, field: &str) -> String {
        let text = self.status().read_field(field).unwrap().to_string();
        text.trim_start_matches("b'").trim_end_matches('\'').replace("\\x00", "")
    }

    /// Waits until the status says so.
    fn wait_for_status(&self, field: &str, is_right: impl Fn(&str) -> bool) -> String {
        let status = self.status();
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let seen = status.version();
            let text = self.status_text(field);
            if is_right(&text) {
                return text;
            }
            assert!(Instant::now() < end, "{field} is {text}");
            // In vain when it was the last change: then the next look says so.
            let _ = status.wait_newer(seen, Some(Duration::from_secs(1)));
        }
    }
}

struct End<'a>(&'a Stop);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}

fn ramp(faults: &[Fault]) -> Options {
    Options { signal: Signal::Ramp, faults: faults.to_vec(), ..Options::default() }
}

/// Each number is the one before it, what is said to be lost, and one.
fn assert_accounted(samples: &[(u32, u32)]) {
    for pair in samples.windows(2) {
        let [(before, _), (number, lost)] = pair else { unreachable!() };
        assert_eq!(before + lost + 1, *number, "after {before} came {number}, {lost} said to be lost");
    }
}

fn all_arrive_with(faults: &[Fault], count: usize) {
    Bench::run(ramp(faults), Settings::default(), |bench, _| {
        let samples = bench.ramp(count);
        assert_accounted(&samples);
        assert_eq!(samples.iter().map(|(_, lost)| lost).sum::<u32>(), 0);
    });
}

#[test]
fn without_a_fault_every_sample_arrives_once() {
    all_arrive_with(&[], 400);
}

#[test]
fn events_before_responses_are_not_published_twice() {
    all_arrive_with(&[Fault::EventsFirst], 400);
}

#[test]
fn late_responses_are_waited_for() {
    all_arrive_with(&[Fault::Delay(Duration::from_millis(40))], 100);
}

#[test]
fn packets_in_pieces_are_put_together() {
    all_arrive_with(&[Fault::Pieces], 400);
}

#[test]
fn a_backlog_arrives_whole() {
    all_arrive_with(&[Fault::Backlog(Duration::from_millis(300))], 400);
}

#[test]
fn other_devices_are_left_alone() {
    all_arrive_with(&[Fault::Strangers], 100);
}

#[test]
fn lost_packets_are_counted() {
    Bench::run(ramp(&[Fault::Lose(7)]), Settings::default(), |bench, _| {
        let samples = bench.ramp(600);
        assert_accounted(&samples);
        let lost: u32 = samples.iter().map(|(_, lost)| lost).sum();
        let total = samples.len() as u32 + lost;
        assert!(lost.abs_diff(total / 7) <= 2, "{lost} of {total}");
        bench.wait_for_status("lost", |count| count.parse::<u32>().unwrap() >= lost);
    });
}

#[test]
fn noise_costs_packets_at_most_and_they_are_counted() {
    Bench::run(ramp(&[Fault::Noise]), Settings::default(), |bench, _| {
        let samples = bench.ramp(600);
        // Noise may take more packets than can be told apart, but never makes one.
        let mut last = samples[0].0;
        for (number, lost) in &samples[1..] {
            assert!(last + lost < *number, "{last}, {lost}, {number}");
            last = *number;
        }
    });
}

#[test]
fn a_missing_response_is_tried_again() {
    // The first is of the end of a procedure, which is asked twice; the seventh of reading the firmware's version.
    for number in [1, 7, 12] {
        all_arrive_with(&[Fault::Mute(number)], 50);
    }
}

#[test]
fn an_error_is_told_and_tried_again() {
    // 1 end, 2 to 4 disconnect, 5 discover, 6 end, 7 connect, 8 read.
    Bench::run(ramp(&[Fault::Refuse(8)]), Settings::default(), |bench, _| {
        bench.wait_for_status("message", |text| {
            text.contains(
                "attclient_read_by_handle of attribute 0x17 was refused: 0x0181 device in wrong state",
            )
        });
        assert_accounted(&bench.ramp(50));
    });
}

#[test]
fn a_connection_that_ends_is_made_again_and_numbers_go_on() {
    let faults = [Fault::Disconnect(Duration::from_millis(400))];
    Bench::run(ramp(&faults), Settings::default(), |bench, _| {
        let samples = bench.ramp(300);
        // While there is no connection the armband measures nothing: no sample is missing.
        assert_accounted(&samples);
        let connections = bench.wait_for_status("connections", |count| count.parse::<u32>().unwrap() >= 3);
        assert!(connections.parse::<u32>().unwrap() < 30);
    });
}

#[test]
fn a_dongle_that_is_pulled_out_is_found_again() {
    Bench::run(ramp(&[Fault::Unplug(Duration::from_millis(400))]), Settings::default(), |bench, _| {
        bench.wait_for_status("message", |text| text.contains("the dongle is gone"));
        bench.wait_for_status("connections", |count| count == "2");
        let samples = bench.ramp(200);
        let mut last = samples[0].0;
        for (number, _) in &samples[1..] {
            assert!(*number > last, "none twice");
            last = *number;
        }
    });
}

#[test]
fn several_faults_at_once() {
    let faults = [
        Fault::EventsFirst,
        Fault::Pieces,
        Fault::Strangers,
        Fault::Lose(5),
        Fault::Delay(Duration::from_millis(5)),
    ];
    Bench::run(ramp(&faults), Settings::default(), |bench, _| assert_accounted(&bench.ramp(600)));
}

#[test]
fn old_firmware_sends_filtered_emg() {
    let options = Options {
        gesture: Gesture::Held(Pose::Fist),
        faults: vec![Fault::OldFirmware],
        ..Options::default()
    };
    let told = Bench::run(options, Settings::default(), |bench, _| {
        bench.wait_for_status("state", |state| state == "streaming");
        let filtered = loop {
            if let Ok(filtered) = StreamSubscriber::open(&bench.space, "myo/filtered") {
                break filtered;
            }
            bench.wait_for_status("state", |state| state == "streaming");
            thread::yield_now();
        };
        let record = filtered.history(1).next(PATIENCE).unwrap();
        assert_eq!(record.bytes.len(), 8 + 16 + 1);
        assert_eq!(bench.status_text("firmware"), "[0, 8, 18, 1]");
        let pose = Text::open(&bench.space, "myo/pose").unwrap();
        if pose.read().unwrap().0 != "fist" {
            pose.wait_newer(0, PATIENCE).unwrap();
        }
        assert_eq!(pose.read().unwrap().0, "fist", "from three bytes");
    });
    assert_eq!(told, [Control::OldStart, Control::OldEmg]);
}

#[test]
fn commands_come_by_the_queue_and_nonsense_is_told() {
    let off = Mode { emg: EmgMode::Off, imu: ImuMode::Data, classifier: false };
    let told = Bench::run(ramp(&[]), Settings::default(), |bench, _| {
        bench.wait_for_status("state", |state| state == "streaming");
        let commands = Queue::open(&bench.space, "myo/commands").unwrap();
        for command in ["vibrate long", "leds ff0000 0000ff", "mode off data off", "dance"] {
            commands.put(command.as_bytes(), None).unwrap();
        }
        // Commands are done in their order: when this one is told, the others were.
        bench.wait_for_status("message", |text| text.contains("dance"));
    });
    let expected = [
        Control::Mode(Mode::default()),
        Control::NeverSleep,
        Control::Vibrate(Vibration::Long),
        Control::Leds(Rgb([0xff, 0, 0]), Rgb([0, 0, 0xff])),
        Control::Mode(off),
        Control::NeverSleep,
    ];
    assert_eq!(told, expected);
}

#[test]
fn all_that_the_armband_sends_is_there() {
    let options = Options { gesture: Gesture::Held(Pose::Spread), ..Options::default() };
    Bench::run(options, Settings::default(), |bench, _| {
        let imu = StreamSubscriber::open(&bench.space, "myo/imu").unwrap();
        let record = imu.schema().decode(&imu.next(PATIENCE).unwrap().bytes).unwrap().to_string();
        assert!(record.contains("acceleration: [0.0, 0.0, 1.0], rotation: [0.0, 0.0, 36.0]"), "{record}");
        assert_eq!(Value::<u8>::open(&bench.space, "myo/battery").unwrap().load(), 87);
        bench.wait_for_status("arm", |arm| arm == "right");
        assert_eq!(bench.status_text("name"), "Simulated Myo");
        assert_eq!(bench.status_text("address"), "C2:52:F5:37:29:5D");
        let pose = Text::open(&bench.space, "myo/pose").unwrap();
        if pose.read().unwrap().0 != "spread" {
            pose.wait_newer(0, PATIENCE).unwrap();
        }
        assert_eq!(pose.read().unwrap().0, "spread");
    });
}

#[test]
fn an_armband_that_is_silent_is_reported_and_tried_again() {
    // Nobody is at the other end: the streamer goes on trying, and stops at once when it is asked to.
    let directory = tempfile::tempdir().unwrap();
    let space = Space::at(directory.path().join("space")).unwrap();
    let port = Port::Path(directory.path().join("nothing"));
    let mut myo = MyoStreamer::open(&space, port, StreamerOptions::default()).unwrap();
    let stop = Stop::default();
    thread::scope(|scope| {
        let running = scope.spawn(|| streamer::run(&mut myo, &stop));
        let status = Record::open(&space, "myo/status").unwrap();
        while !status.read_field("message").unwrap().to_string().contains("cannot open the port") {
            status.wait_newer(status.version(), Some(Duration::from_millis(100))).ok();
        }
        stop.request();
        running.join().unwrap().unwrap();
    });
}

#[test]
fn what_is_no_link_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("precious");
    fs::write(&path, "data").unwrap();
    let error = Terminal::open(&path).unwrap_err();
    assert!(error.to_string().contains("choose another name"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"data");
}

#[test]
fn the_link_goes_with_the_dongle() {
    let mut link = None;
    Bench::run(ramp(&[]), Settings::default(), |bench, _| {
        bench.ramp(10);
        let path = bench.directory.path().join("dongle");
        assert!(path.is_symlink());
        link = Some(path);
    });
    assert!(!link.unwrap().is_symlink());
}

#[test]
fn times_keep_the_pace_of_the_armband() {
    Bench::run(ramp(&[]), Settings::default(), |bench, pacing| {
        let mut worst: f64 = 0.0;
        for number in 0..1_000 {
            let sample = bench.next();
            let ramp = ramp_number(&sample.emg).unwrap();
            let due = pacing.sample_time(ramp.into()).unwrap() as f64 / 1e9;
            // The first second finds the pace.
            if number >= 200 {
                worst = worst.max((sample.time - due).abs());
            }
        }
        println!("times are within {:.3} ms of the armband's", worst * 1e3);
        assert!(worst < 0.001, "{worst} s");
    });
}
