//! The client against the host.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, Space, StreamPublisher, StreamSpec};
use memlane_net::client::{Client, Error, Mode, Options};
use memlane_net::host::Host;
use memlane_net::protocol::event::Delivery;
use memlane_net::protocol::operation::{Operation, Specification};
use serde_json::json;
use served::{HostProcess, Served};

mod served;

const SOON: Option<Duration> = Some(Duration::from_secs(10));

fn of(kind: &str) -> Specification {
    Specification { kind: kind.into(), ..Specification::default() }
}

fn schema(kind: &str, schema: &str) -> Specification {
    Specification { schema: Some(schema.into()), ..of(kind) }
}

fn capacity(kind: &str, capacity: u64) -> Specification {
    Specification { capacity: Some(capacity), ..of(kind) }
}

#[test]
fn on_the_same_machine_it_is_the_memory_itself_and_needs_no_host() {
    let Served { directory: _directory, space, host } = Served::new(|host| host);
    let client = Client::connect(&host.address().to_string(), Options::new().token("wrong")).unwrap();
    assert_eq!(client.mode(), Mode::Local, "{}", client.why());
    assert!(!client.why().is_empty());
    let here = client.space().unwrap().clone();
    assert_eq!(here.directory().canonicalize().unwrap(), space.directory().canonicalize().unwrap());
    let value = memlane::Value::<i64>::create(&here, "a", 1).unwrap();
    host.stop().unwrap();
    value.store(2);
    assert_eq!(memlane::Value::<i64>::open(&space, "a").unwrap().load(), 2);
    memlane::Value::<i64>::create(&here, "b", 3).unwrap();
}

#[test]
fn a_wrong_token_is_refused_with_advice() {
    let fixture = Served::new(|host| host);
    let address = fixture.address().to_string();
    for options in [Options::new().token("wrong").remote(), Options::new().token("").remote()] {
        let error = Client::connect(&address, options).unwrap_err();
        assert_eq!(error.code(), Some("unauthorised"), "{error}");
        assert!(error.to_string().contains("MEMLANE_TOKEN"), "{error}");
    }
    let token = fixture.host.tokens().read_only().unwrap();
    let looking = Client::connect(&address, Options::new().token(token).remote()).unwrap();
    let error = looking.delete("a").unwrap_err();
    assert_eq!(error.code(), Some("read_only"), "{error}");
    looking.list(&[]).unwrap();
}

#[test]
fn why_it_is_remote_is_said() {
    let fixture = Served::new(|host| host);
    let client = fixture.remote();
    assert_eq!(client.mode(), Mode::Remote);
    assert!(client.why().contains("told not to try"), "{}", client.why());
    assert!(client.space().is_none());
}

#[test]
fn contents() {
    let fixture = Served::new(|host| host);
    let client = fixture.remote();
    client.create("v", Specification { initial: Some(json!(5)), ..schema("value", "i64") }, false).unwrap();
    let value = client.value("v");
    assert_eq!(value.read::<i64>().unwrap().0, 5);
    value.store(&7).unwrap();
    assert_eq!(value.add(&-2).unwrap(), 5);
    assert_eq!(value.compare_exchange(&5, &6).unwrap(), Ok(5));
    assert_eq!(value.compare_exchange(&5, &6).unwrap(), Err(6));
    assert_eq!(memlane::Value::<i64>::open(&fixture.space, "v").unwrap().load(), 6);

    client.create("t", capacity("text", 2 << 20), false).unwrap();
    let text = client.text("t");
    let version = text.write("grüße").unwrap();
    assert_eq!(text.read().unwrap(), ("grüße".into(), version));
    let long = "é".repeat(500_000);
    let version = text.write(&long).unwrap();
    assert!(text.read().unwrap() == (long, version));
    let conflict = text.write_if(version - 1, "late").unwrap().unwrap_err();
    assert_eq!(conflict.version, version);
    let version = text.write_if(version, "").unwrap().unwrap();
    assert_eq!(text.read().unwrap(), (String::new(), version));
    let waiting = {
        let text = text.clone();
        thread::spawn(move || text.wait(version, SOON))
    };
    memlane::Text::open(&fixture.space, "t").unwrap().write("new").unwrap();
    assert_eq!(waiting.join().unwrap().unwrap().0, "new");
    assert!(text.wait(text.read().unwrap().1, Some(Duration::from_millis(30))).unwrap_err().is_timeout());

    client.create("r", schema("record", "{x:f64,n:i32}"), false).unwrap();
    let record = client.record("r");
    record.write(&json!({"x": 1.5, "n": 2})).unwrap();
    let version = record.write_field("n", &3).unwrap();
    assert_eq!(record.read::<serde_json::Value>().unwrap(), (json!({"x": 1.5, "n": 3}), version));
    assert_eq!(record.read_field::<f64>("x").unwrap(), (1.5, version));
    let conflict = record.write_if(version - 1, &json!({"x": 0.0, "n": 0})).unwrap().unwrap_err();
    assert_eq!((conflict.version, conflict.content["n"].clone()), (version, json!(3)));
    let (bytes, _) = record.read_bytes().unwrap();
    assert_eq!(&bytes[..8], 1.5f64.to_ne_bytes());

    client.create("a", schema("array", "[2,3]i32"), false).unwrap();
    let array = client.array("a");
    array.write(&[[1, 2, 3], [4, 5, 6]]).unwrap();
    array.store(&[1, 2], &60).unwrap();
    assert_eq!(array.load::<i32>(&[1, 2]).unwrap(), 60);
    assert_eq!(array.add(&[0, 0], &9).unwrap(), 10);
    array.write_run(1, &[20, 30]).unwrap();
    assert_eq!(array.read_run::<i32>(0..4).unwrap(), [10, 20, 30, 4]);
    assert_eq!(array.read::<Vec<Vec<i32>>>().unwrap(), [[10, 20, 30], [4, 5, 60]]);
    assert_eq!(array.read_bytes().unwrap().len(), 24);

    client.create("raw", capacity("raw", 64), false).unwrap();
    client.raw("raw").write(3, b"abc".as_slice()).unwrap();
    assert_eq!(client.raw("raw").read(2..7).unwrap(), b"\0abc\0".as_slice());

    let ids: Vec<_> = client.list(&[]).unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, ["a", "r", "raw", "t", "v"]);
    assert_eq!(client.describe("v").unwrap()["kind"], "value");
    client.delete("v").unwrap();
    let error = value.read::<i64>().unwrap_err();
    assert!(error.code() == Some("not_found") && error.to_string().contains("no region `v`"), "{error}");
}

#[test]
fn what_is_held() {
    let fixture = Served::new(|host| host);
    let (one, other) = (fixture.remote(), fixture.remote());
    one.create("lock", of("lock"), false).unwrap();
    let guard = one.lock("lock").lock(SOON).unwrap();
    assert!(!guard.owner_died());
    assert!(other.lock("lock").lock(Some(Duration::from_millis(50))).unwrap_err().is_timeout());
    let held = one.locks(false).unwrap();
    assert_eq!(held.len(), 1);
    let holder = &held[0]["holder"];
    assert!(
        holder["session"].is_string() && holder["from"].as_str().unwrap().starts_with("127.0.0.1"),
        "{held:?}"
    );
    guard.release().unwrap();
    let guard = other.lock("lock").lock(SOON).unwrap();
    guard.abandon().unwrap();
    let mut guard = one.lock("lock").lock(SOON).unwrap();
    assert!(guard.owner_died() && guard.is_inconsistent());
    guard.make_consistent().unwrap();
    drop(guard);
    drop(other.lock("lock").lock(SOON).unwrap());

    one.create("rw", of("rwlock"), false).unwrap();
    let readers = (one.rwlock("rw").read(SOON).unwrap(), other.rwlock("rw").read(SOON).unwrap());
    assert!(one.rwlock("rw").write(Some(Duration::from_millis(50))).unwrap_err().is_timeout());
    drop(readers);
    drop(one.rwlock("rw").write(SOON).unwrap());

    one.create("sem", Specification { count: Some(2), ..of("semaphore") }, false).unwrap();
    let permits = one.semaphore("sem").acquire(2, SOON).unwrap();
    assert!(other.semaphore("sem").acquire(1, Some(Duration::from_millis(50))).unwrap_err().is_timeout());
    permits.release().unwrap();
    drop(other.semaphore("sem").acquire(1, SOON).unwrap());

    // The end of a client gives back what it holds.
    let _held = one.lock("lock").lock(SOON).unwrap();
    let kept = fixture.remote();
    let guard = kept.semaphore("sem").acquire(2, SOON).unwrap();
    std::mem::forget(guard);
    drop(kept);
}

#[test]
fn meetings_and_signals() {
    let fixture = Served::new(|host| host);
    let client = fixture.remote();
    client.create("event", of("event"), false).unwrap();
    let waiting = {
        let event = client.event("event");
        thread::spawn(move || event.wait(SOON))
    };
    client.event("event").set().unwrap();
    waiting.join().unwrap().unwrap();
    assert!(client.event("event").clear().unwrap() && !client.event("event").clear().unwrap());

    client.create("barrier", Specification { count: Some(2), ..of("barrier") }, false).unwrap();
    let waiting = {
        let barrier = client.barrier("barrier");
        thread::spawn(move || barrier.wait(SOON))
    };
    let mut indices = [client.barrier("barrier").wait(SOON).unwrap(), waiting.join().unwrap().unwrap()];
    indices.sort_unstable();
    assert_eq!(indices, [0, 1]);

    client.create("lock", of("lock"), false).unwrap();
    client.create("condition", of("condition"), false).unwrap();
    let waiting = {
        let client = client.clone();
        thread::spawn(move || {
            let mut guard = client.lock("lock").lock(SOON).unwrap();
            client.condition("condition").wait(&mut guard, SOON).unwrap()
        })
    };
    let end = Instant::now() + Duration::from_secs(10);
    while client.condition("condition").notify(None).unwrap() == 0 {
        assert!(Instant::now() < end, "nobody waits");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(waiting.join().unwrap());
}

#[test]
fn messages() {
    let fixture = Served::new(|host| host);
    let client = fixture.remote();
    client.create("q", Specification { acknowledged: true, ..capacity("queue", 4096) }, false).unwrap();
    let queue = client.queue("q");
    for message in [b"one".as_slice(), b"", b"three"] {
        queue.put(message, SOON).unwrap();
    }
    assert_eq!(queue.peek(9).unwrap().len(), 3);
    let leased = queue.get_leased(SOON).unwrap();
    assert_eq!(leased.message().bytes, b"one".as_slice());
    drop(leased);
    let again = queue.get_leased(SOON).unwrap();
    assert_eq!(again.message().redelivered, 1);
    assert_eq!(again.acknowledge().unwrap().bytes, b"one".as_slice());
    let rest: Vec<_> = queue.get_many(9, SOON).unwrap().into_iter().map(|message| message.bytes).collect();
    assert_eq!(rest, [b"".as_slice(), b"three"]);
    assert!(queue.get(Some(Duration::from_millis(20))).unwrap_err().is_timeout());
    queue.close().unwrap();
    assert_eq!(queue.get(SOON).unwrap_err().code(), Some("closed"));

    client.create("p", capacity("pipe", 4096), false).unwrap();
    let (left, right) = (
        client.pipe("p").take(memlane::Side::Left).unwrap(),
        client.pipe("p").take(memlane::Side::Right).unwrap(),
    );
    left.send(b"there".as_slice(), SOON).unwrap();
    right.send(b"back".as_slice(), SOON).unwrap();
    assert_eq!(right.receive(SOON).unwrap(), ("bytes".into(), b"there".as_slice().into()));
    assert_eq!(left.receive(SOON).unwrap().1, b"back".as_slice());
    drop(left);
    assert_eq!(right.receive(SOON).unwrap_err().code(), Some("end_of_pipe"));
}

#[test]
fn channels() {
    let fixture = Served::new(|host| host);
    let client = fixture.remote();
    let spec = FrameSpec::image(4, 6, 3, Primitive::U8).encoding("bgr8");
    let mut camera = FramePublisher::create(&fixture.space, "camera", &spec).unwrap();
    camera.loan().unwrap().publish();
    let frames = client.frames("camera").subscribe(Delivery::default()).unwrap();
    let first = frames.next(SOON).unwrap().unwrap();
    assert_eq!((first.sequence, first.missed, first.bytes.len()), (1, 0, 72));
    assert_eq!((first.shape.as_slice(), first.encoding.as_deref()), ([4, 6, 3].as_slice(), Some("bgr8")));
    for shade in 2..=50 {
        let mut frame = camera.loan().unwrap();
        frame.fill(shade);
        frame.publish();
    }
    let (mut seen, mut missed) = (1, 0);
    while seen + missed < 50 {
        let frame = frames.next(SOON).unwrap().expect("the newest comes");
        (seen, missed) = (seen + 1, missed + frame.missed);
        assert_eq!(frame.sequence, seen + missed, "every frame is seen or missed");
        assert_eq!(frame.bytes[0], frame.sequence as u8);
    }
    assert_eq!(frames.next(Some(Duration::from_millis(50))).unwrap(), None);
    assert_eq!(client.frames("camera").newest().unwrap().sequence, 50);
    drop(camera);
    let mut publisher = client.frames("camera").publisher();
    assert_eq!(publisher.publish(vec![9; 72]).unwrap(), 51);
    assert_eq!(publisher.publish(vec![9; 72]).unwrap(), 52);
    drop(publisher);
    assert_eq!(fixture.remote().frames("camera").publisher().publish(vec![8; 72]).unwrap(), 53);

    let spec = StreamSpec::of("{n:u32}".parse::<memlane::schema::Schema>().unwrap()).capacity(64);
    drop(StreamPublisher::create(&fixture.space, "stream", &spec).unwrap());
    let records = client.stream("stream").subscribe(Delivery::default()).unwrap();
    let mut publisher = client.stream("stream").publisher();
    let bytes = |numbers: std::ops::Range<u32>| numbers.flat_map(u32::to_ne_bytes).collect::<Vec<_>>();
    assert_eq!(publisher.append(bytes(0..3)).unwrap(), 0);
    assert_eq!(publisher.append(bytes(3..5)).unwrap(), 3);
    let mut got = Vec::new();
    while got.len() < 20 {
        let batch = records.next(SOON).unwrap().expect("they come");
        assert_eq!((batch.first as usize * 4, batch.lost), (got.len(), 0));
        got.extend_from_slice(&batch.bytes);
    }
    assert_eq!(got, bytes(0..5));
    assert_eq!(client.stream("stream").records(Some(1), 2).unwrap().bytes, bytes(1..3));
}

#[test]
fn eight_threads_share_a_client() {
    let fixture = Served::new(|host| host);
    let client = fixture.remote();
    client.create("sum", schema("value", "i64"), false).unwrap();
    client.create("q", capacity("queue", 1 << 20), false).unwrap();
    let threads: Vec<_> = (0..8_u8)
        .map(|thread| {
            let client = client.clone();
            thread::spawn(move || {
                for round in 0..200_u8 {
                    client.value("sum").add(&1).unwrap();
                    client.queue("q").put(vec![thread, round], SOON).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(client.value("sum").read::<i64>().unwrap().0, 1600);
    let mut next = [0; 8];
    for _ in 0..1600 {
        let message = client.queue("q").get(SOON).unwrap();
        let thread = usize::from(message.bytes[0]);
        assert_eq!(message.bytes[1], next[thread], "in order");
        next[thread] += 1;
    }
}

#[test]
fn the_news_of_the_list() {
    let fixture = Served::new(|host| host);
    let client = fixture.remote();
    let news = client.subscribe(Operation::Watch { patterns: Vec::new(), rate: None }).unwrap();
    client.create("a", schema("value", "i64"), false).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let event = news.next(SOON).unwrap().expect("something changed");
        let changed = event.body["changed"].as_array().cloned().unwrap_or_default();
        if changed.iter().any(|row| row["id"] == "a") {
            break;
        }
        assert!(Instant::now() < end, "it never came");
    }
}

/// Not a test: the host that others kill.
#[test]
fn host_process() {
    served::serve_if_ordered();
}

#[test]
fn a_host_that_is_killed_in_the_middle_of_adds_does_each_once_or_leaves_it_unknown() {
    let directory = tempfile::tempdir().unwrap();
    let space = Space::at(directory.path().join("space")).unwrap();
    let sum = memlane::Value::<i64>::create(&space, "sum", 0).unwrap();
    let mut host = HostProcess::start(space.directory(), served::free_port());
    // The proof is the way in; what is added goes through the host all the same.
    let client = Client::connect(&host.address.to_string(), Options::new()).unwrap();
    let adding: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            thread::spawn(move || {
                let (mut done, mut unknown) = (0, 0);
                for _ in 0..3000 {
                    match client.value("sum").add(&1_i64) {
                        Ok(_) => done += 1,
                        Err(Error::OutcomeUnknown { .. }) => unknown += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
                (done, unknown)
            })
        })
        .collect();
    for round in 1..=5 {
        while sum.load() < round * 1500 && !adding.iter().all(thread::JoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(1));
        }
        let port = host.kill();
        host = HostProcess::start(space.directory(), port);
    }
    let counts: Vec<(i64, i64)> = adding.into_iter().map(|thread| thread.join().unwrap()).collect();
    let (done, unknown) = counts.iter().fold((0, 0), |sums, counts| (sums.0 + counts.0, sums.1 + counts.1));
    assert_eq!(done + unknown, 12_000);
    assert!(
        (done..=done + unknown).contains(&sum.load()),
        "{} of {done} done and {unknown} unknown",
        sum.load()
    );
    assert!(unknown <= 5 * 4, "at most one of each thread was underway: {unknown}");
    println!("{done} done, {unknown} unknown, the sum is {}", sum.load());
    host.kill();
}

#[test]
fn what_was_held_at_a_host_that_was_killed_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    let space = Space::at(directory.path().join("space")).unwrap();
    memlane::Lock::create(&space, "lock").unwrap();
    let host = HostProcess::start(space.directory(), served::free_port());
    let client = Client::connect(&host.address.to_string(), Options::new()).unwrap();
    let mut guard = client.lock("lock").lock(SOON).unwrap();
    let port = host.kill();
    let host = HostProcess::start(space.directory(), port);
    let taken = client.lock("lock").lock(SOON).unwrap();
    assert!(taken.owner_died(), "the host died with it");
    assert_eq!(guard.make_consistent().unwrap_err().code(), Some("lease_ended"));
    drop(guard);
    assert!(
        client.lock("lock").lock(Some(Duration::from_millis(50))).unwrap_err().is_timeout(),
        "it was not released by the old number"
    );
    drop(taken);
    host.kill();
}

#[test]
fn a_subscription_goes_on_at_the_next_host_and_counts_what_it_missed() {
    let directory = tempfile::tempdir().unwrap();
    let space = Space::at(directory.path().join("space")).unwrap();
    let spec = FrameSpec::image(1, 8, 1, Primitive::U8);
    let mut camera = FramePublisher::create(&space, "camera", &spec).unwrap();
    let host = HostProcess::start(space.directory(), served::free_port());
    let client = Client::connect(&host.address.to_string(), Options::new()).unwrap();
    let frames = client.frames("camera").subscribe(Delivery::default()).unwrap();
    camera.loan().unwrap().publish();
    assert_eq!(frames.next(SOON).unwrap().unwrap().sequence, 1);
    let port = host.kill();
    for _ in 0..4 {
        camera.loan().unwrap().publish();
    }
    let host = HostProcess::start(space.directory(), port);
    let frame = frames.next(SOON).unwrap().unwrap();
    assert_eq!((frame.sequence, frame.missed), (5, 3));
    host.kill();
}

/// Names a directory to a process that was started to be a user whom file modes bind.
const ORDINARY: &str = "MEMLANE_TEST_ORDINARY";

/// Not a test: what the next one does as such a user.
#[test]
fn ordinary_process() {
    let Some(directory) = std::env::var_os(ORDINARY) else { return };
    let space = Space::at(Path::new(&directory).join("space")).unwrap();
    let host = Host::new(space.clone()).listen(([127, 0, 0, 1], 0).into()).start().unwrap();
    let client = Client::connect(&host.address().to_string(), Options::new()).unwrap();
    assert_eq!(client.mode(), Mode::Local, "{}", client.why());
    let notes = client.text("notes");
    assert_eq!(notes.place().mode(), Mode::Local, "it is not there yet, and may be made");
    client.create("notes", capacity("text", 100), false).unwrap();
    notes.write("as long as it may").unwrap();
    assert_eq!((notes.place().mode(), notes.place().why().as_str()), (Mode::Local, client.why()));

    let file = space.directory().join("notes");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
    let place = notes.place();
    assert!(place.space().is_none() && client.space().is_some());
    assert_eq!(place.mode(), Mode::Remote);
    let why = place.why();
    assert!(why.contains("may not write") && why.contains("goes through the host"), "{why}");
    notes.write("and through the host").unwrap();
    assert_eq!(memlane::Observer::open(&space, "notes").unwrap().version(), notes.read().unwrap().1);
    assert_eq!(notes.read().unwrap().0, "and through the host");
    println!("\nWENT THROUGH");
}

#[test]
fn a_region_that_a_local_client_may_not_write_goes_through_the_host() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "ordinary_process", "--nocapture"]).env(ORDINARY, directory.path());
    if rustix::process::geteuid().is_root() {
        program.uid(65534).gid(65534);
    }
    match program.output() {
        Err(error) => {
            eprintln!("LEFT OUT: an ordinary user's region (this program is out of its reach: {error})");
        }
        Ok(ran) => {
            let told = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            assert!(ran.status.success() && told[0].contains("WENT THROUGH"), "{told:?}");
        }
    }
}
