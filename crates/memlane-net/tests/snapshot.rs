//! What is seen of a space by looking again and again, while real processes work in it and are killed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memlane::frames::Onlooker;
use memlane::{
    FramePublisher, FrameSpec, FrameSubscriber, Lock, Observer, Queue, QueueSpec, Result, Space,
    StreamPublisher, StreamSpec, Value,
};
use memlane_net::view::snapshot::{Rows, Snapshot};
use role::{DEADLINE, Part, Role, listen, say};
use rustix::time::{ClockId, clock_gettime};
use scratch::Scratch;
use serde_json::{Value as Json, json};

#[path = "../../memlane/tests/role/mod.rs"]
mod role;
#[path = "../../memlane/tests/scratch/mod.rs"]
mod scratch;

const FRAME: usize = 1000;
/// Between two frames of the producer.
const PERIOD: Duration = Duration::from_millis(10);
/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(250);
const REGIONS: usize = 10_000;
/// Of one core, at four looks a second, on a machine with much else to do and in any build: several times what it takes
/// on one that is quiet. The figures themselves are printed.
const SHARE: f64 = 1.0;

#[test]
fn role() {
    role::play(|part: &Part| perform(part).unwrap());
}

fn perform(part: &Part) -> Result<()> {
    let space = Space::at(&part.directory)?;
    match part.role.as_str() {
        "producer" => produce(&space),
        "holder" => {
            let lock = Lock::open_or_create(&space, "arm")?;
            let _guard = lock.lock()?;
            say("held");
            listen();
            Ok(())
        }
        "owner" => own(&space),
        "subscriber" => {
            let _subscriber = FrameSubscriber::open(&space, "camera")?;
            say("attached");
            listen();
            Ok(())
        }
        "onlooker" => {
            let _onlooker = Onlooker::open(&space, "camera")?;
            say("attached");
            listen();
            Ok(())
        }
        other => panic!("there is no role {other}"),
    }
}

/// Publishes frames at a steady rate until told to stop, and then just lives.
fn produce(space: &Space) -> Result<()> {
    let mut camera = FramePublisher::open_or_create(space, "camera", &FrameSpec::bytes(FRAME))?;
    let stop = std::thread::spawn(listen);
    camera.loan()?.publish();
    say("publishes");
    let mut due = Instant::now();
    while !stop.is_finished() {
        camera.loan()?.publish();
        due += PERIOD;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    say("stopped");
    listen();
    Ok(())
}

/// Makes ten thousand regions, lives in all of them, and changes those that it is told.
fn own(space: &Space) -> Result<()> {
    let id = |index: usize| format!("folder-{}/value-{index}", index % 100);
    let cells: Result<Vec<_>> =
        (0..REGIONS).map(|index| Value::create(space, &id(index), index as u64)).collect();
    let cells = cells?;
    say("made");
    while let Some(index) = listen() {
        cells[index.parse::<usize>().expect("the parent gave a number")].store(1);
        say("changed");
    }
    Ok(())
}

/// Somebody who looks, at times of a clock.
struct Watcher {
    snapshot: Snapshot,
    due: Instant,
}

impl Watcher {
    fn new(scratch: &Scratch) -> Self {
        Self { snapshot: Snapshot::new(scratch.space()), due: Instant::now() }
    }

    fn look(&mut self) -> Arc<Rows> {
        std::thread::sleep(self.due.saturating_duration_since(Instant::now()));
        self.due = Instant::now() + INTERVAL;
        self.snapshot.look().unwrap()
    }

    fn row(&mut self, id: &str) -> Arc<Json> {
        Arc::clone(&self.look()[id].document)
    }

    /// Looks until the row is as wanted.
    fn await_row(&mut self, id: &str, wanted: impl Fn(&Json) -> bool) -> Arc<Json> {
        let start = Instant::now();
        loop {
            let row = self.row(id);
            if wanted(&row) {
                return row;
            }
            assert!(start.elapsed() < DEADLINE, "{row}");
        }
    }
}

#[test]
fn a_producer_is_live_then_late_then_dead() {
    let scratch = Scratch::new();
    let mut producer = Role::start("producer", scratch.path(), &[]);
    producer.expect("publishes");
    let mut watcher = Watcher::new(&scratch);
    let first = watcher.row("camera");
    assert_eq!((&first["rate"], &first["bytes_per_second"]), (&json!(null), &json!(null)));
    let begin = (Instant::now(), first["version"].as_u64().unwrap());
    for _ in 0..8 {
        watcher.look();
    }
    let row = watcher.row("camera");
    let true_rate = (row["version"].as_u64().unwrap() - begin.1) as f64 / begin.0.elapsed().as_secs_f64();
    let rate = row["rate"].as_f64().unwrap();
    assert!((rate / true_rate - 1.0).abs() < 0.5, "{rate} instead of {true_rate}");
    assert_eq!(row["bytes_per_second"].as_f64().unwrap(), (rate * FRAME as f64).round());
    assert_eq!((&row["state"], &row["readers"]), (&json!("live"), &json!(0)));
    assert!(row["writer"].as_str().unwrap().contains(&producer.pid().to_string()), "{row}");
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    assert!(wall.abs_diff(row["changed_at"].as_u64().unwrap()) < DEADLINE.as_nanos() as u64);

    producer.tell("stop");
    producer.expect("stopped");
    let late = watcher.await_row("camera", |row| row["state"] == "stale");
    assert_eq!((&late["rate"], &late["bytes_per_second"]), (&json!(0.0), &json!(0)));
    producer.kill_and_wait();
    let dead = watcher.row("camera");
    assert_eq!((&dead["state"], &dead["dead"]), (&json!("dead_publisher"), &json!(1)));
}

#[test]
fn readers_of_a_channel_are_its_subscribers_and_nobody_who_looks_on() {
    let scratch = Scratch::new();
    let mut camera = FramePublisher::create(&scratch.space(), "camera", &FrameSpec::bytes(FRAME)).unwrap();
    camera.loan().unwrap().publish();
    let mut watcher = Watcher::new(&scratch);
    let onlooker = Role::start("onlooker", scratch.path(), &[]);
    onlooker.expect("attached");
    let row = watcher.row("camera");
    assert_eq!((&row["alive"], &row["readers"]), (&json!(2), &json!(0)));
    let mut subscriber = Role::start("subscriber", scratch.path(), &[]);
    subscriber.expect("attached");
    watcher.await_row("camera", |row| row["readers"] == 1);
    subscriber.kill_and_wait();
    watcher.await_row("camera", |row| row["readers"] == 0);
}

#[test]
fn a_killed_holder_is_seen_at_the_next_look() {
    let scratch = Scratch::new();
    let mut watcher = Watcher::new(&scratch);
    let mut holder = Role::start("holder", scratch.path(), &[]);
    holder.expect("held");
    assert!(watcher.row("arm")["lock_holder"].as_str().unwrap().contains(&holder.pid().to_string()));
    holder.kill_and_wait();
    assert_eq!(watcher.row("arm")["state"], "dead_owner");
    let lock = Lock::open(&scratch.space(), "arm").unwrap();
    drop(lock.lock().unwrap());
    let row = watcher.row("arm");
    assert_eq!((&row["state"], &row["rate"]), (&json!("inconsistent"), &json!(null)));
    lock.lock().unwrap().make_consistent();
    assert_eq!(watcher.row("arm")["state"], "live");
    watcher.await_row("arm", |row| row["state"] == "quiet");
}

#[test]
fn rows_where_nothing_happens_are_the_very_same_and_nobody_sees_the_looks() {
    let scratch = Scratch::new();
    let space = scratch.space();
    let speed = Value::create(&space, "robot/speed", 1.5).unwrap();
    let queue = Queue::create(&space, "jobs", &QueueSpec::bytes(4096)).unwrap();
    queue.put(b"first", None).unwrap();
    let mut stream = StreamPublisher::create(&space, "samples", &StreamSpec::of("f8")).unwrap();
    stream.append(&2.5_f64.to_le_bytes()).unwrap();
    let before = std::fs::read(scratch.path().join("robot/speed")).unwrap();
    let mut watcher = Watcher::new(&scratch);
    watcher.look();
    // Of one that does not move, the rate is known to be zero after the second look, and so it stays.
    let quiet = watcher.look();
    for _ in 0..4 {
        assert!(Arc::ptr_eq(&quiet, &watcher.look()), "a quiet space has new rows");
    }
    assert_eq!(quiet["samples"].document["preview"].as_str().unwrap().split(',').nth(1), Some(" newest 2.5"));
    speed.store(2.5);
    let moved = watcher.look();
    let looks: Vec<_> = moved.values().map(|row| row.look).collect();
    assert_eq!(looks.iter().filter(|look| **look == 7).count(), 1, "{looks:?}");
    assert_eq!(moved["robot/speed"].document["preview"], "2.5");
    speed.store(1.5);
    let participants = Observer::open(&space, "robot/speed").unwrap().participants();
    assert_eq!(participants.len(), 1, "{participants:?}");
    // But for the counter and the scalar, which are the store's, the file has not changed by a byte.
    let after = std::fs::read(scratch.path().join("robot/speed")).unwrap();
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert!(changed <= size_of::<u64>(), "{changed} bytes");
}

#[test]
fn a_name_given_again_is_another_region() {
    let scratch = Scratch::new();
    let space = scratch.space();
    Value::create(&space, "v", 1_u8).unwrap();
    std::fs::write(scratch.path().join("garbage"), b"no region").unwrap();
    let mut watcher = Watcher::new(&scratch);
    let rows = watcher.look();
    let garbage = &rows["garbage"].document;
    assert_eq!(garbage["state"], "unreadable");
    assert!(garbage["error"].as_str().unwrap().contains("not a region"), "{garbage}");
    space.remove("v").unwrap();
    Value::create(&space, "v", 2_u8).unwrap();
    std::fs::remove_file(scratch.path().join("garbage")).unwrap();
    let rows = watcher.look();
    assert_eq!((rows["v"].document["preview"].as_str(), rows.len()), (Some("2"), 1));
    space.remove("v").unwrap();
    assert!(watcher.look().is_empty());
}

/// Processor time of this thread.
fn spent() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

#[test]
fn ten_thousand_regions_cost_little() {
    let scratch = Scratch::new();
    // It lives: each region costs a question to the kernel.
    let mut owner = Role::start("owner", scratch.path(), &[]);
    owner.expect("made");
    let mut watcher = Watcher::new(&scratch);
    let start = spent();
    assert_eq!(watcher.look().len(), REGIONS);
    println!("the first look took {:.1?}", spent().saturating_sub(start));
    watcher.look();
    let mut looks: Vec<_> = (0..20)
        .map(|_| {
            let start = spent();
            watcher.snapshot.look().unwrap();
            spent().saturating_sub(start)
        })
        .collect();
    looks.sort_unstable();
    let median = looks[looks.len() / 2];
    let share = median.as_secs_f64() / INTERVAL.as_secs_f64();
    println!("a look at {REGIONS} regions takes {median:.1?}: {:.1} % of a core", share * 100.0);
    owner.tell("7777");
    owner.expect("changed");
    let row = watcher.row("folder-77/value-7777");
    assert_eq!(row["preview"], "1");
    assert!(share < SHARE, "a look takes {median:?}");
}
