//! Commands that measure: hz, bw.

use crate::terminal::{Ran, Terminal};
use memlane::{FramePublisher, FrameSpec, Lock, Value};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs `work` again and again while `body` runs.
fn meanwhile<T>(mut work: impl FnMut() + Send, body: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                work();
                std::thread::yield_now();
            }
        });
        let result = body();
        done.store(true, Ordering::Relaxed);
        result
    })
}

#[test]
fn hz_counts_changes_and_tells_a_stall() {
    let terminal = Terminal::new();
    let speed = Value::create(&terminal.space, "speed", 0_u64).unwrap();
    let measure = ["hz", "speed", "--window", "100ms", "--count", "1"];
    let rate = meanwhile(|| speed.store(speed.load() + 1), || terminal.json(&measure));
    let (changes, hertz) = (rate["changes"].as_f64().unwrap(), rate["hz"].as_f64().unwrap());
    assert!(changes > 0.0 && changes <= speed.load() as f64, "{rate}");
    let seconds = rate["seconds"].as_f64().unwrap();
    assert!((0.1..30.0).contains(&seconds) && (hertz * seconds / changes - 1.0).abs() < 0.001, "{rate}");
    let stalled = terminal.output(&measure);
    assert!(stalled.trim_start().starts_with("0.00 Hz"), "{stalled}");
}

#[test]
fn bw_counts_the_bytes_of_frames() {
    let terminal = Terminal::new();
    let spec = FrameSpec::bytes(4096);
    let mut camera = FramePublisher::create(&terminal.space, "camera", &spec).unwrap();
    let publish = || {
        let mut loan = camera.loan().unwrap();
        loan.set_len(1000).unwrap();
        loan.publish();
    };
    let measure = ["bw", "camera", "--window", "100ms", "--count", "1"];
    let rate = meanwhile(publish, || terminal.json(&measure));
    assert_eq!(rate["size"], 1000);
    let number = |name: &str| rate[name].as_f64().unwrap();
    let (expected, found) = (number("changes") * 1000.0, number("bytes_per_second") * number("seconds"));
    assert!(expected > 0.0 && (found / expected - 1.0).abs() < 0.001, "{rate}");
    let stalled = terminal.output(&measure);
    assert!(stalled.trim_start().starts_with("0 B/s"), "{stalled}");
}

#[test]
fn what_does_not_change_cannot_be_measured() {
    let terminal = Terminal::new();
    Lock::create(&terminal.space, "arm").unwrap();
    terminal.run(&["hz", "arm"]).failed(5, &["is a lock, whose changes are not counted"]);
    terminal.run(&["bw", "leg"]).failed(3, &["no region `leg`"]);
    let ran = terminal.run(&["hz", "arm", "--window", "soon"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn measuring_ends_with_the_region() {
    let terminal = Terminal::new();
    Value::create(&terminal.space, "speed", 0_u64).unwrap();
    let mut hz = terminal.command(&["hz", "speed", "--window", "1ms"]);
    let mut hz = hz.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(hz.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    terminal.space.remove("speed").unwrap();
    let rest = output.lines().count();
    assert!(rest < 30_000, "{rest} more figures of a removed region");
    Ran::from(hz.wait_with_output().unwrap()).failed(3, &["`speed` was removed"]);
}
