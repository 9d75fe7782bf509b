//! Regions: what they say of themselves, opening what is not what was asked for, participants, ephemeral and
//! resident ones, and sizes at both ends of what a machine has.

mod left_out;
mod role;
mod scratch;

use left_out::leave_out;
use memlane::schema::{Datum, Primitive};
use memlane::{
    AnyValue, Array, Error, FramePublisher, FrameSpec, FrameSubscriber, Kind, Lock, Observer, Record, Region,
    Result, Space, Text, Value,
};
use role::{Part, Role, listen, say};
use rustix::fs::statvfs;
use scratch::Scratch;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

const ID: &str = "robot/speed";

const GIBIBYTE: u64 = 1 << 30;

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        match part.role.as_str() {
            "member" => join(&space, part),
            "guest" => join(&space.ephemeral(), part),
            "camera" => {
                // As `PR_SET_NAME` does, from any thread.
                std::fs::write("/proc/self/comm", &part.role).expect("a process names itself");
                join(&space, part);
            }
            other => panic!("there is no role {other}"),
        }
    });
}

/// Attaches to the regions it is told, says how that went, and stays until told otherwise.
fn join(space: &Space, part: &Part) {
    let joined: Result<Vec<_>> = part.arguments.iter().map(|id| Region::open(space, id)).collect();
    match &joined {
        Ok(_) => say("joined"),
        Err(error) => say(&error.to_string()),
    }
    listen();
    drop(joined);
    say("left");
    listen();
}

fn message<T>(outcome: Result<T>) -> String {
    outcome.err().map(|error| error.to_string()).unwrap_or_default()
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).expect("it is not 1969").as_nanos() as u64
}

#[test]
fn a_region_describes_itself() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space().participants(3).note("how fast");
    let before = nanoseconds(SystemTime::now());
    let speed = Value::create(&space, ID, 1.5_f64)?;
    let region = Region::open(&space, ID)?;
    let description = region.description();
    assert_eq!((region.id(), description.kind, description.participants), (ID, Kind::Value, 3));
    assert_eq!(description.schema.as_ref().map(ToString::to_string).as_deref(), Some("<f8"));
    let file = fs::metadata(scratch.path().join(ID)).expect("it has a name");
    assert_eq!(description.total_size, file.len());
    assert!((before..=nanoseconds(SystemTime::now())).contains(&description.created));
    assert_eq!((description.creator_pid, &*description.note), (std::process::id(), "how fast"));
    let program = std::env::current_exe().expect("/proc is mounted");
    assert!(program.ends_with(&description.creator), "{}", description.creator);
    assert!(!description.ephemeral);
    let other = Lock::create(&space, "other")?;
    assert_ne!(description.uuid, other.region().description().uuid);
    assert_eq!(other.region().description().schema, None);
    assert_eq!(description.uuid, speed.region().description().uuid);
    Ok(())
}

/// One region of each kind that there is.
fn make_one_of_each(space: &Space) -> Result<()> {
    Value::create(space, "value", 1_i32)?;
    Record::create(space, "record", "{x:<f4}")?;
    Array::<u8>::create(space, "array", &[3])?;
    Text::create(space, "text", 100)?;
    Lock::create(space, "lock")?;
    FramePublisher::create(space, "frames", &FrameSpec::bytes(100)).map(drop)
}

#[test]
fn a_region_is_made_once_and_opened_when_it_is_there() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let place = space.directory().display();
    for id in ["value", "record", "array", "text", "lock", "frames"] {
        let expected = format!("no region `{id}` in {place}; list what is there with `memlane ls`");
        assert_eq!(message(Region::open(&space, id)), expected);
        assert_eq!(message(Observer::open(&space, id)), expected);
    }
    make_one_of_each(&space)?;
    let again = [
        ("value", message(Value::create(&space, "value", 1_i32))),
        ("value", message(AnyValue::create(&space, "value", Primitive::I32, &Datum::Int(1)))),
        ("record", message(Record::create(&space, "record", "{x:<f4}"))),
        ("array", message(Array::<u8>::create(&space, "array", &[3]))),
        ("text", message(Text::create(&space, "text", 100))),
        ("lock", message(Lock::create(&space, "lock"))),
        ("frames", message(FramePublisher::create(&space, "frames", &FrameSpec::bytes(100)))),
    ];
    for (id, refusal) in again {
        let expected =
            format!("region `{id}` exists already in {place}; open it, or remove it with `memlane rm {id}`");
        assert_eq!(refusal, expected);
    }
    assert_eq!(space.list()?, ["array", "frames", "lock", "record", "text", "value"]);
    Ok(())
}

#[test]
fn another_kind_is_refused_by_name() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    make_one_of_each(&space)?;
    for found in ["value", "record", "array", "text", "lock", "frames"] {
        let openings = [
            ("value", message(Value::<i32>::open(&space, found))),
            ("value", message(Value::open_or_create(&space, found, 1_i32))),
            ("value", message(AnyValue::open(&space, found))),
            ("record", message(Record::open(&space, found))),
            ("record", message(Record::open_or_create(&space, found, "{x:<f4}"))),
            ("array", message(Array::<u8>::open(&space, found))),
            ("array", message(Array::<u8>::open_or_create(&space, found, &[3]))),
            ("text", message(Text::open(&space, found))),
            ("text", message(Text::open_or_create(&space, found, 100))),
            ("lock", message(Lock::open(&space, found))),
            ("lock", message(Lock::open_or_create(&space, found))),
            ("frames", message(FramePublisher::open(&space, found))),
            ("frames", message(FramePublisher::open_or_create(&space, found, &FrameSpec::bytes(100)))),
            ("frames", message(FrameSubscriber::open(&space, found))),
        ];
        for (expected, refusal) in openings {
            let wrong = format!("region `{found}` is of kind {found}, not {expected}");
            assert_eq!(refusal, if expected == found { String::new() } else { wrong });
        }
    }
    Ok(())
}

#[test]
fn another_schema_or_parameter_is_refused_and_both_are_shown() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    make_one_of_each(&space)?;
    let schemas = [
        ("value", "<i4", "<u4", message(Value::<u32>::open(&space, "value"))),
        ("value", "<i4", "<f8", message(Value::open_or_create(&space, "value", 1.0))),
        ("record", "{x:<f4}", "{x:>f4}", message(Record::open_or_create(&space, "record", "{x:>f4}"))),
        ("array", "[3]|u1", "[4]|u1", message(Array::<u8>::open_or_create(&space, "array", &[4]))),
        (
            "text",
            "|S100 encoding=\"utf-8\"",
            "|S99 encoding=\"utf-8\"",
            message(Text::open_or_create(&space, "text", 99)),
        ),
        (
            "frames",
            "[100]|u1",
            "[99]|u1",
            message(FramePublisher::open_or_create(&space, "frames", &FrameSpec::bytes(99))),
        ),
    ];
    for (id, found, expected, refusal) in schemas {
        let wrong = format!(
            "region `{id}` has the schema {found}, but {expected} was expected; use that one, or remove the region first"
        );
        assert_eq!(refusal, wrong);
    }
    let schema = "[100]|u1".parse().map_err(|source| Error::Schema { id: "frames".into(), source })?;
    let parameters = [
        (FrameSpec::bytes(100).history(5), "history 2, but 5"),
        (FrameSpec::bytes(100).borrows(3), "borrows 8, but 3"),
        (FrameSpec::of(schema), "variable length 1, but 0"),
    ];
    for (spec, difference) in parameters {
        let refusal = message(FramePublisher::open_or_create(&space, "frames", &spec));
        let wrong = format!(
            "region `frames` was made with {difference} was asked for; ask for that, or remove the region first"
        );
        assert_eq!(refusal, wrong);
    }
    Ok(())
}

#[test]
fn a_process_is_one_participant_whatever_it_opens() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let first = Value::create(&space, ID, 1_u8)?;
    let second = Region::open(&scratch.space(), ID)?;
    let third = second.clone();
    let fourth = std::thread::scope(|scope| {
        scope.spawn(|| Region::open(&space, ID)).join().expect("it does not panic")
    })?;
    let _frames = [FramePublisher::create(&space, "frames", &FrameSpec::bytes(8))?.region().clone()];
    let _subscribers = [FrameSubscriber::open(&space, "frames")?, FrameSubscriber::open(&space, "frames")?];
    for region in [first.region(), &second, &third, &fourth] {
        let [only] = region.participants().try_into().expect("there is one");
        assert_eq!((only.pid, only.slot, only.generation, only.alive), (std::process::id(), 0, 1, true));
    }
    assert_eq!(Region::open(&space, "frames")?.participants().len(), 1);
    drop((first, third, fourth));
    assert_eq!(second.participants().len(), 1);
    drop(second);
    // The slot is free again, and its next use another generation.
    let [only] = Region::open(&space, ID)?.participants().try_into().expect("there is one");
    assert_eq!((only.slot, only.generation), (0, 2));
    Ok(())
}

#[test]
fn another_process_is_another_participant_until_it_leaves() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let (first, second) = (Lock::create(&space, "first")?, Lock::create(&space, "second")?);
    let mut child = Role::start("member", scratch.path(), &["first", "first", "second"]);
    child.expect("joined");
    let others = [&first, &second].map(|lock| {
        let [own, other] = lock.region().participants().try_into().expect("there are two");
        assert_eq!([own.pid, other.pid], [std::process::id(), child.pid()]);
        assert!(
            own.alive && other.alive && own.process != other.process && other.program.starts_with("region-")
        );
        other
    });
    assert_eq!(others[0].process, others[1].process);
    child.tell("leave");
    child.expect("left");
    assert_eq!(first.region().participants().len(), 1);
    assert!(child.finish().success());
    Ok(())
}

/// Programs of several processes were all called by the one program's name, and nobody knew who held what.
#[test]
fn a_process_that_names_itself_is_known_by_that_name() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), "lock")?;
    let child = Role::start("camera", scratch.path(), &["lock"]);
    child.expect("joined");
    let [_, other] = lock.region().participants().try_into().expect("there are two");
    assert_eq!((other.pid, other.program.as_str()), (child.pid(), "camera"));
    Ok(())
}

#[test]
fn a_region_takes_as_many_participants_as_it_was_made_for() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space().participants(1), "small")?;
    let again = Region::open(&scratch.space(), "small")?;
    let child = Role::start("member", scratch.path(), &["small"]);
    child.expect(
        "region `small` has 1 participants already, as many as it was made for; make it with more `participants`",
    );
    assert!(child.finish().success());
    drop((lock, again));
    let mut child = Role::start("member", scratch.path(), &["small"]);
    child.expect("joined");
    assert!(matches!(
        Lock::open(&scratch.space(), "small"),
        Err(Error::TooManyParticipants { slots: 1, .. })
    ));
    assert_eq!(Observer::open(&scratch.space(), "small")?.participants().len(), 1);
    child.tell("leave");
    child.expect("left");
    Lock::open(&scratch.space(), "small").map(drop)
}

#[test]
fn a_removed_region_lives_on_for_those_who_have_it() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let old = Value::create(&space, ID, 1_u8)?;
    let observer = Observer::open(&space, ID)?;
    assert!(!old.region().unlinked() && !observer.unlinked());
    space.remove(ID)?;
    assert!(old.region().unlinked() && observer.unlinked());
    let new = Value::create(&space, ID, 2_u8)?;
    old.store(3);
    assert_eq!((old.load(), new.load()), (3, 2));
    assert_eq!(observer.read()?.content.to_string(), "3");
    assert_ne!(old.region().description().uuid, new.region().description().uuid);
    assert!(old.region().unlinked() && !new.region().unlinked());
    Ok(())
}

#[test]
fn an_ephemeral_region_goes_with_its_last_participant() -> Result<()> {
    let scratch = Scratch::new();
    let ephemeral = scratch.space().ephemeral();
    let path = scratch.path().join(".ephemeral/pool/semaphore");
    let lock = Lock::create(&ephemeral, "pool/semaphore")?;
    assert!(lock.region().description().ephemeral);
    assert_eq!((scratch.space().list()?.len(), ephemeral.list()?), (0, vec!["pool/semaphore".to_owned()]));

    let again = Lock::open(&ephemeral, "pool/semaphore")?;
    drop(lock);
    assert!(path.exists(), "a handle is left");
    let mut child = Role::start("guest", scratch.path(), &["pool/semaphore"]);
    child.expect("joined");
    drop(again);
    assert!(path.exists(), "a process is left");
    child.tell("leave");
    child.expect("left");
    assert_eq!(ephemeral.list()?, [""; 0]);
    assert!(!path.exists() && !scratch.path().join(".ephemeral/pool").exists());
    assert!(child.finish().success());
    Ok(())
}

/// Its name may be another region's by the time the last participant leaves.
#[test]
fn an_ephemeral_region_removes_only_itself() -> Result<()> {
    let scratch = Scratch::new();
    let ephemeral = scratch.space().ephemeral();
    let old = Value::create(&ephemeral, ID, 1_u8)?;
    ephemeral.remove(ID)?;
    let new = Value::create(&ephemeral, ID, 2_u8)?;
    drop(old);
    assert_eq!((Value::<u8>::open(&ephemeral, ID)?.load(), ephemeral.list()?.len()), (2, 1));
    drop(new);
    assert_eq!(ephemeral.list()?.len(), 0);
    Ok(())
}

#[test]
fn a_resident_region_is_locked_in_memory() -> Result<()> {
    const SIZE: usize = 64 * 1024;
    let scratch = Scratch::new();
    let (usual, resident) = (scratch.space(), scratch.space().resident());
    let path = scratch.path().join(ID);
    // Mapped by its name only by those who come later: a region is made before it has one.
    Array::<u8>::create(&usual, ID, &[SIZE])?;
    let array = Array::<u8>::open(&usual, ID)?;
    let size = array.region().description().total_size;
    assert_eq!(locked_bytes(&path), Some(0));
    drop(array);
    match Array::<u8>::open(&resident, ID) {
        Err(Error::System { action, source, .. }) if action.starts_with("lock in memory") => {
            leave_out("resident regions", &format!("{source}; raise `ulimit -l`"));
        }
        array => {
            let _array = array?;
            assert_eq!(locked_bytes(&path), Some(size));
        }
    }
    Ok(())
}

/// How much of a file's largest mapping in this process the kernel keeps in memory.
fn locked_bytes(path: &Path) -> Option<u64> {
    let name = path.to_string_lossy();
    let map = fs::read_to_string("/proc/self/smaps").expect("/proc is mounted");
    let mappings = map.split_inclusive("VmFlags:").filter(|mapping| mapping.contains(&*name));
    let locked = mappings.filter_map(|mapping| mapping.lines().find_map(|line| line.strip_prefix("Locked:")));
    let kibibytes = locked.map(|size| size.trim().trim_end_matches(" kB").parse::<u64>());
    kibibytes.map(|size| size.expect("the kernel writes a number") * 1024).max()
}

/// Asked for at once, so that the kernel refuses before it has filled anything.
#[test]
fn a_region_larger_than_its_file_system_is_refused_and_leaves_nothing() {
    let scratch = Scratch::new();
    let space = scratch.space();
    let place = space.directory().display();
    let total = total_bytes(scratch.path()).filter(|_| is_memory(scratch.path()));
    let Some(total) = total else {
        return leave_out("a full file system", "there is no tmpfs of limited size at /dev/shm");
    };
    let spec = FrameSpec::bytes(total as usize).history(1).borrows(1);
    match FramePublisher::create(&space, "deep/down/huge", &spec) {
        Err(Error::NoSpace { id, size, .. }) => assert!(id == "deep/down/huge" && size > 3 * total),
        other => panic!("{other:?} in {place}"),
    }
    let refusal = message(Array::<u64>::create(&space, "beyond", &[1 << 43]));
    assert!(refusal.starts_with("no room for the 7036874418"), "{refusal}");
    let left = fs::read_dir(scratch.path()).expect("it is a directory").count();
    assert_eq!(left, 0);
}

fn total_bytes(path: &Path) -> Option<u64> {
    let system = statvfs(path).ok()?;
    Some(system.f_blocks * system.f_frsize).filter(|total| *total > 0)
}

fn is_memory(path: &Path) -> bool {
    path.starts_with("/dev/shm")
}

/// Memory for files below `path`, as far as the file system and the machine have it.
fn free_bytes(path: &Path) -> u64 {
    let on_disk = statvfs(path).map_or(0, |system| system.f_bavail * system.f_frsize);
    let information = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = information.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kibibytes = available.and_then(|size| size.trim().trim_end_matches(" kB").parse::<u64>().ok());
    if is_memory(path) { on_disk.min(kibibytes.unwrap_or(0) * 1024) } else { on_disk }
}

#[test]
fn a_region_of_several_gibibytes_works_to_its_last_byte() -> Result<()> {
    const FRAME: u64 = GIBIBYTE;
    let scratch = Scratch::new();
    let free = free_bytes(scratch.path());
    if free < 6 * GIBIBYTE {
        leave_out("a region of 3 GiB", &format!("{} MiB are free for it instead of 6 GiB", free >> 20));
        return Ok(());
    }
    let space = scratch.space();
    let spec = FrameSpec::bytes(FRAME as usize).history(1).borrows(1);
    let mut publisher = FramePublisher::create(&space, "huge", &spec)?;
    let subscriber = FrameSubscriber::open_with(&space, "huge", 1)?;
    // The first frame is held and the second on offer, so the third lies in the last of three slots.
    publisher.loan()?.publish();
    let held = subscriber.next(None)?;
    publisher.loan()?.publish();
    let mut loan = publisher.loan()?;
    let last = loan.len() - 1;
    (loan[0], loan[last]) = (1, 2);
    loan.publish();
    drop(held);
    let frame = subscriber.next(None)?;
    assert_eq!((frame.sequence(), frame.len() as u64, frame[0], frame[last]), (3, FRAME, 1, 2));
    let size = publisher.region().description().total_size;
    assert_eq!(byte_at(&scratch.path().join("huge"), size - 1), 2, "it was not the last slot");
    assert!(size > 3 * FRAME);
    drop((frame, publisher));
    space.remove("huge")?;
    drop(subscriber);
    // With neither a name nor a mapping the memory is given back.
    assert_eq!((scratch.files().len(), scratch::mappings_of(scratch.path()).len()), (0, 0));
    Ok(())
}

fn byte_at(path: &Path, offset: u64) -> u8 {
    let mut byte = [0];
    let file = fs::File::open(path).expect("it has a name");
    file.read_exact_at(&mut byte, offset).expect("the file is that long");
    byte[0]
}
