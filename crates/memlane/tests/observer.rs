//! Observers: they see what is there, leave no trace, need no more than read permission, and never hang.

mod left_out;
mod patience;
mod random;
mod role;
mod scratch;
mod sealed;

use left_out::can_become_another_user;
use memlane::frames::PublisherState;
use memlane::observer::Content;
use memlane::schema::Datum;
use memlane::{
    AnyArray, Array, Error, FramePublisher, FrameSpec, FrameSubscriber, Lock, Observer, Record, Region,
    Result, Space, Text, Timestamp, Value,
};
use patience::{DEADLINE, measured};
use random::Random;
use role::{Role, say};
use rustix::fs::Uid;
use scratch::Scratch;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Some user who is not root, and whom nobody has to know.
const STRANGER: u32 = 60_123;

/// How long an observer tries, as documented.
const PATIENCE: Duration = Duration::from_millis(200);

const KINDS: [&str; 6] = ["value", "record", "array", "text", "lock", "frames"];

#[test]
fn role() {
    role::play(|part| {
        let user = Uid::from_raw(part.number(0) as u32);
        if !user.is_root() {
            rustix::thread::set_thread_uid(user).expect("root becomes whoever it wants");
        }
        let space = Space::at(&part.directory).expect("the parent made the space");
        match Region::open(&space, "text") {
            Err(error) => say(&error.to_string()),
            Ok(_) => say("there was no need to observe"),
        }
        match Observer::open(&space, "text")
            .and_then(|observer| Ok((observer.participants().len(), observer.read()?)))
        {
            Ok((participants, seen)) => say(&format!("{participants} {} {}", seen.version, seen.content)),
            Err(error) => say(&error.to_string()),
        }
    });
}

/// One region of each kind with something in it, and the handles that keep it busy.
struct Populated {
    value: Value<f64>,
    record: Record,
    array: Array<u16>,
    text: Text,
    lock: Lock,
    publisher: FramePublisher,
    subscriber: FrameSubscriber,
}

impl Populated {
    fn new(space: &Space) -> Result<Self> {
        let mut publisher =
            FramePublisher::create(space, "frames", &FrameSpec::bytes(100).history(3).borrows(5))?;
        let populated = Self {
            value: Value::create(space, "value", 1.5)?,
            record: Record::create(space, "record", "{x:<f4,name:|S3}")?,
            array: Array::create(space, "array", &[2, 2])?,
            text: Text::create(space, "text", 100)?,
            lock: Lock::create(space, "lock")?,
            subscriber: FrameSubscriber::open_with(space, "frames", 3)?,
            publisher: {
                for content in [&b"first"[..], b"second"] {
                    let mut loan = publisher.loan()?;
                    loan[..content.len()].copy_from_slice(content);
                    loan.set_len(content.len())?;
                    loan.publish_captured(Timestamp { monotonic: 3, wall: 5 });
                }
                publisher
            },
        };
        populated.record.write_field("x", &Datum::Float(0.5))?;
        populated.array.store(3, 7)?;
        populated.text.write("before")?;
        populated.text.write("\"now\"")?;
        Ok(populated)
    }
}

#[test]
fn every_kind_is_shown() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let populated = Populated::new(&space)?;
    let shown = [
        ("value", 0, "1.5"),
        ("record", 1, "{x: 0.5, name: b'\\x00\\x00\\x00'}"),
        ("array", 1, "[0, 0, 0, 7]"),
        ("text", 2, "\"\\\"now\\\"\""),
        ("lock", 0, ""),
        ("frames", 2, ""),
    ];
    for (id, version, content) in shown {
        let observer = Observer::open(&space, id)?;
        let seen = observer.read()?;
        assert_eq!((seen.version, &*seen.content.to_string()), (version, content), "{id}");
        assert_eq!((observer.version(), observer.id(), observer.unlinked()), (version, id, false));
        assert_eq!(observer.description().kind.name(), id);
        assert_eq!(observer.participants().len(), 1);
    }
    assert_eq!(
        Observer::open(&space, "value")?.read()?.content,
        Content::Datum(Datum::Float(populated.value.load()))
    );
    let elements = Observer::open(&space, "array")?.read()?.content;
    let schema = populated.array.region().description().schema.clone().expect("arrays have one");
    assert_eq!(elements, Content::Elements(vec![0, 0, 0, 0, 0, 0, 7, 0], schema));
    Ok(())
}

#[test]
fn long_arrays_are_cut_to_a_line() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let array = Array::<u8>::create(&space, "long", &[17])?;
    array.store(0, 9)?;
    let shown = Observer::open(&space, "long")?.read()?.content.to_string();
    assert_eq!(shown, "[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, …]");
    let points = "[2]{x:|u1,y:|i1}".parse().expect("it is a schema");
    let points = AnyArray::create(&space, "points", points)?;
    points.store(1, &Datum::Struct(vec![("x".into(), Datum::Int(1)), ("y".into(), Datum::Int(-1))]))?;
    let shown = Observer::open(&space, "points")?.read()?.content.to_string();
    assert_eq!(shown, "[{x: 0, y: 0}, {x: 1, y: -1}]");
    Ok(())
}

#[test]
fn a_channel_is_shown_with_its_publisher_and_subscribers() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let empty = FramePublisher::create(&space, "empty", &FrameSpec::bytes(100))?;
    drop(empty);
    let state = Observer::open(&space, "empty")?.frames()?;
    assert_eq!((state.newest, state.captured, state.length, state.subscribers.len()), (0, None, 0, 0));
    assert_eq!((state.history, state.borrows, state.publisher), (2, 8, PublisherState::None));
    assert!(Observer::open(&space, "empty")?.latest_frame()?.is_none());

    let populated = Populated::new(&space)?;
    let observer = Observer::open(&space, "frames")?;
    let state = observer.frames()?;
    assert_eq!((state.newest, state.length, state.history, state.borrows), (2, 6, 3, 5));
    assert_eq!(state.captured, Some(Timestamp { monotonic: 3, wall: 5 }));
    assert_eq!(populated.publisher.region().description().uuid, observer.description().uuid);
    let pids: Vec<_> = state.subscribers.iter().map(|subscriber| subscriber.pid).collect();
    assert_eq!(pids, [std::process::id(); 3], "one for each entry");
    assert_eq!(state.publisher, populated.subscriber.publisher());
    let frame = observer.latest_frame()?.expect("there are two");
    assert_eq!((frame.sequence, &*frame.bytes), (2, &b"second"[..]));
    drop(populated);
    assert_eq!(observer.frames()?.publisher, PublisherState::None);
    assert_eq!(observer.latest_frame()?.map(|frame| frame.bytes), Some(b"second".to_vec()));
    for id in ["value", "lock"] {
        let error = Observer::open(&space, id)?.frames().expect_err("it has no frames");
        assert_eq!(error.to_string(), format!("region `{id}` is of kind {id}, not frames"));
        assert!(matches!(Observer::open(&space, id)?.latest_frame(), Err(Error::WrongKind { .. })));
    }
    Ok(())
}

/// Looks at everything an observer can look at.
fn look(space: &Space, id: &str) -> Result<()> {
    let observer = Observer::open(space, id)?;
    observer.read()?;
    let _ = (observer.version(), observer.participants(), observer.lock(), observer.unlinked());
    if id == "frames" {
        observer.frames()?;
        observer.latest_frame()?;
    }
    Ok(())
}

#[test]
fn looking_leaves_no_trace() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let populated = Populated::new(&space)?;
    let held = populated.subscriber.latest()?;
    let guard = populated.lock.lock()?;
    let attached = Observer::open(&space, "lock")?.participants();
    let bytes = |id: &str| fs::read(scratch.path().join(id)).expect("it is there");
    let before = KINDS.map(bytes);
    for id in KINDS {
        look(&space, id)?;
    }
    assert!(KINDS.map(bytes) == before, "a byte has changed");
    assert_eq!(Observer::open(&space, "lock")?.participants(), attached);
    assert_eq!(populated.lock.region().participants().len(), 1);
    drop((held, guard));
    drop(populated);
    for id in KINDS {
        look(&space, id)?;
        assert_eq!(Observer::open(&space, id)?.participants(), []);
    }
    Ok(())
}

#[test]
fn anybody_who_may_read_a_region_may_observe_it() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let text = Text::create(&space, "text", 100)?;
    text.write("for all to see")?;
    let set_mode = |id: &str, mode: u32| {
        fs::set_permissions(scratch.path().join(id), fs::Permissions::from_mode(mode)).expect("it is mine");
    };
    set_mode("", 0o755);
    let root = rustix::process::geteuid().is_root();
    let user = if can_become_another_user("observers that are another user") { STRANGER } else { 0 };
    let look = |action: &str| {
        let child = Role::start("stranger", scratch.path(), &[&user.to_string()]);
        let expected = format!(
            "no permission to {action} region `text` in {}: ask its owner for group access, or run as the owner",
            scratch.path().display()
        );
        assert_eq!(child.hear(), expected);
        let seen = child.hear();
        assert!(child.finish().success());
        seen
    };
    set_mode("text", 0o444);
    assert_eq!(look("open"), "1 1 \"for all to see\"");
    // The owner's own right to read goes by other bits.
    set_mode("text", if root { 0o600 } else { 0o200 });
    assert!(look("open").starts_with("no permission to observe region `text` in "));
    Ok(())
}

#[test]
fn a_held_lock_is_seen_with_its_holder() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = Lock::create(&space, "lock")?;
    let observer = Observer::open(&space, "lock")?;
    assert_eq!(observer.lock(), lock.state());
    let guard = lock.lock()?;
    let holder = observer.lock().holder.expect("this thread holds it");
    assert_eq!(holder.participant.pid, std::process::id());
    assert_eq!(holder.thread, rustix::thread::gettid().as_raw_pid() as u32);
    guard.abandon();
    let state = observer.lock();
    assert!(state.holder.is_none() && state.inconsistent);
    Ok(())
}

/// The text is so long that it is often replaced while it is copied.
#[test]
fn a_text_that_changes_all_the_time_is_seen_whole_or_busy() -> Result<()> {
    const SIZE: usize = 400_000;
    const LOOKS: usize = 6;
    let scratch = Scratch::new();
    let space = scratch.space();
    let text = Text::create(&space, "text", 2 * SIZE)?;
    let contents = [1, 2, 3].map(|number| sealed::seal_text(number, SIZE));
    text.write(&contents[0])?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| -> Result<()> {
            for content in contents.iter().cycle() {
                text.write(content)?;
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
            Ok(())
        });
        let observer = Observer::open(&space, "text")?;
        for _ in 0..LOOKS {
            let (seen, elapsed) = measured(|| observer.read());
            match seen.map(|seen| seen.content) {
                Ok(Content::Text(content)) => drop(sealed::unseal_text(&content).expect("it is whole")),
                Err(Error::Busy { waited, .. }) => assert!(PATIENCE <= waited && waited <= elapsed),
                other => panic!("{other:?}"),
            }
            assert!(elapsed < DEADLINE, "{elapsed:?}");
        }
        done.store(true, Ordering::Relaxed);
        writer.join().expect("it does not panic")
    })?;
    assert_eq!(Observer::open(&space, "text")?.read()?.content, Content::Text(text.read()?.0));
    Ok(())
}

#[test]
fn frames_that_come_all_the_time_are_seen_whole_or_busy() -> Result<()> {
    const FRAMES: u64 = 20_000;
    const CAPACITY: usize = 8_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut publisher =
        FramePublisher::create(&space, "frames", &FrameSpec::bytes(CAPACITY).history(1).borrows(1))?;
    thread::scope(|scope| {
        let watcher = scope.spawn(|| -> Result<()> {
            let observer = Observer::open(&space, "frames")?;
            let mut newest = 0;
            while newest < FRAMES {
                match observer.latest_frame() {
                    Ok(None) | Err(Error::Busy { .. }) => {}
                    Ok(Some(frame)) => {
                        assert_eq!(sealed::unseal(&frame.bytes), Ok(frame.sequence));
                        assert!(frame.sequence >= newest, "{} came after {newest}", frame.sequence);
                        newest = frame.sequence;
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        let mut random = Random::new(5);
        for number in 1..=FRAMES {
            let length = sealed::HEADER + random.index(CAPACITY - sealed::HEADER + 1);
            let mut loan = publisher.loan()?;
            sealed::seal(&mut loan[..length], number);
            loan.set_len(length)?;
            loan.publish();
        }
        watcher.join().expect("it does not panic")
    })
}

/// What a look would find if the publisher took each frame off the offer before it can be copied: forged,
/// because no publisher is always that fast.
#[test]
fn an_observer_gives_up_on_a_frame_that_is_always_gone() -> Result<()> {
    /// Where the first slot says which frame it offers, in a channel for 64 participants.
    const FIRST_SEQUENCE: u64 = 4096 + 64 * 128 + 8;
    let scratch = Scratch::new();
    let mut publisher = FramePublisher::create(&scratch.space(), "frames", &FrameSpec::bytes(8))?;
    publisher.loan()?.publish();
    let observer = Observer::open(&scratch.space(), "frames")?;
    assert_eq!(observer.latest_frame()?.map(|frame| frame.sequence), Some(1));
    let file = fs::File::options().write(true).open(scratch.path().join("frames")).expect("it is mine");
    file.write_all_at(&0_u64.to_le_bytes(), FIRST_SEQUENCE).expect("it is that long");
    let (outcome, elapsed) = measured(|| observer.latest_frame());
    let Err(Error::Busy { waited, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(PATIENCE <= waited && waited <= elapsed && elapsed < DEADLINE, "{waited:?} {elapsed:?}");
    Ok(())
}
