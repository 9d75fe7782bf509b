//! The example of the guide, run against a sensor on a pseudo-terminal.

use memlane::{Space, StreamSubscriber};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Option<Duration> = Some(Duration::from_mins(1));

fn terminal() -> (OwnedFd, String) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let mut settings = tcgetattr(&controller).unwrap();
    settings.make_raw();
    tcsetattr(&controller, OptionalActions::Now, &settings).unwrap();
    let path = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    (controller, path)
}

#[test]
fn the_example_streams_what_a_sensor_says() {
    let directory = tempfile::tempdir().unwrap();
    let (sensor, path) = terminal();
    // By Cargo, since a test of its own does not have the examples built.
    let mut streamer = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--package",
            "memlane-myo",
            "--example",
            "line_sensor",
            &path,
            "imu/samples",
        ])
        .env("MEMLANE_DIR", directory.path())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let space = Space::at(directory.path()).unwrap();
    let end = Instant::now() + Duration::from_mins(5);
    let samples = loop {
        match StreamSubscriber::open(&space, "imu/samples") {
            Ok(samples) => break samples,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(samples.schema().to_string(), "{f0:<f8,f1:[3]<i2}");
    // Opening a port throws away what came before, so the sensor repeats itself until it is heard.
    let heard = loop {
        rustix::io::write(&sensor, b"1250 -5 17 980\n").unwrap();
        if let Ok(record) = samples.next(Some(Duration::from_millis(20))) {
            break record;
        }
    };
    assert_eq!(samples.schema().decode(&heard.bytes).unwrap().to_string(), "{f0: 1.25, f1: [-5, 17, 980]}");
    for piece in ["nonsense\n", "1 2\n", "1 2 3 4 5\n", "1 2 3 99999\n", "20", "00 1", " 2 3", "\n"] {
        rustix::io::write(&sensor, piece.as_bytes()).unwrap();
    }
    let last = loop {
        let record = samples.schema().decode(&samples.next(PATIENCE).unwrap().bytes).unwrap().to_string();
        if record != "{f0: 1.25, f1: [-5, 17, 980]}" {
            break record;
        }
    };
    assert_eq!(last, "{f0: 2.0, f1: [1, 2, 3]}");
    drop(streamer.stdin.take());
    assert!(streamer.wait().unwrap().success());
}
