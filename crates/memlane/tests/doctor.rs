//! The doctor: every finding is made, nothing else is, and putting away takes nothing from anybody. The dead
//! here ended by themselves, with everything they had in their hands.

mod role;
mod scratch;

use memlane::doctor::{self, Finding, Problem};
use memlane::frames::PublisherState;
use memlane::{
    FramePublisher, FrameSpec, FrameSubscriber, Lock, Observer, Region, Result, Space, Text, Value,
};
use role::{Role, listen, say};
use scratch::Scratch;
use std::fs;
use std::mem::forget;

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let outcome = match part.role.as_str() {
            "visitor" => Region::open(&space, "visited").map(forget),
            "owner" => Lock::open(&space, "owned").map(|lock| {
                forget(lock.lock());
                forget(lock);
            }),
            "publisher" => FramePublisher::open(&space, "frames").map(forget),
            "subscriber" => FrameSubscriber::open_with(&space, "frames", 3).map(|subscriber| {
                forget(subscriber.latest());
                forget(subscriber);
            }),
            other => panic!("there is no role {other}"),
        };
        outcome.expect("the role can be played");
        say("done");
        listen();
    });
}

/// Plays roles that end without a goodbye, all together, so that none gets another's slot; gives back their
/// pids.
fn end_as<const N: usize>(roles: [&str; N], scratch: &Scratch) -> [u32; N] {
    let children = roles.map(|role| {
        let child = Role::start(role, scratch.path(), &[]);
        child.expect("done");
        child
    });
    children.map(|child| {
        let pid = child.pid();
        assert!(child.finish().success());
        pid
    })
}

fn in_words(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

/// What there is to say, before and after fixing, and once more: then there is nothing left to fix.
fn examine_and_fix(space: &Space) -> Result<[Vec<String>; 3]> {
    let found = doctor::examine(space)?;
    assert!(found.iter().all(|finding| !finding.fixed));
    assert_eq!(doctor::examine(space)?, found, "examining changes nothing");
    let fixed = doctor::fix(space)?;
    let again = doctor::fix(space)?;
    assert!(again.iter().all(|finding| !finding.fixed && !finding.problem.is_fixable()), "{again:?}");
    Ok([in_words(&found), in_words(&fixed), in_words(&again)])
}

#[test]
fn the_living_are_healthy() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let _value = Value::create(&space, "robot/speed", 1_u8)?;
    let text = Text::create(&space, "notes", 10)?;
    let lock = Lock::create(&space, "lock")?;
    let _guard = lock.lock()?;
    let mut publisher = FramePublisher::create(&space, "frames", &FrameSpec::bytes(8))?;
    publisher.loan()?.publish();
    let subscriber = FrameSubscriber::open(&space, "frames")?;
    let held = subscriber.latest()?;
    assert_eq!(doctor::fix(&space)?, []);
    assert_eq!((held.map(|frame| frame.sequence()), text.region().participants().len()), (Some(1), 1));
    assert!(lock.state().holder.is_some());
    Ok(())
}

#[test]
fn an_abandoned_lock_is_for_people_to_judge() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), "arm")?;
    lock.lock()?.abandon();
    let said =
        "arm: an owner of its lock died or abandoned it, and nobody has called make_consistent() since";
    assert_eq!(examine_and_fix(&scratch.space())?, [[said]; 3]);
    let guard = lock.lock()?;
    assert!(guard.owner_died(), "the next owner is told all the same");
    guard.make_consistent();
    assert_eq!(doctor::examine(&scratch.space())?, []);
    Ok(())
}

#[test]
fn a_file_that_is_no_region_is_left_alone() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let path = |name: &str| scratch.path().join(name);
    drop(Value::create(&space, "whole", 1_u8)?);
    let whole = fs::read(path("whole")).expect("it is there");
    let mut changed = whole.clone();
    changed[20] ^= 1;
    let files =
        [("a", &whole[..100]), ("b", &b"text"[..]), ("c", &whole[..whole.len() - 1]), ("d", &changed[..])];
    for (name, bytes) in files {
        fs::write(path(name), bytes).expect("a file can be written");
    }
    let complaints = [
        "it has 100 bytes, and the header alone takes 2816",
        "it has 4 bytes, and the header alone takes 2816",
        "it is truncated: 12287 of 12288 bytes are left",
        "its header's checksum is ",
    ];
    let [found, fixed, again] = examine_and_fix(&space)?;
    assert_eq!((&found, &fixed), (&fixed, &again));
    assert_eq!(found.len(), complaints.len());
    for ((said, complaint), (name, bytes)) in found.iter().zip(complaints).zip(files) {
        let beginning = format!("{name}: region `{name}` is damaged or not a region: {complaint}");
        assert!(said.starts_with(&beginning), "{said}");
        assert!(said.ends_with("; remove it with `memlane rm` when nobody needs it"), "{said}");
        assert_eq!(fs::read(path(name)).expect("it is there"), bytes);
    }
    Ok(())
}

#[test]
fn empty_folders_are_put_away() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    drop(Value::create(&space, "a/used", 1_u8)?);
    for folder in ["a/b/c", "d", ".ours/empty"] {
        fs::create_dir_all(scratch.path().join(folder)).expect("folders can be made");
    }
    let [mut found, mut fixed, again] = examine_and_fix(&space)?;
    found.sort();
    fixed.sort();
    assert_eq!(found, ["a/b/c: an empty folder", "d: an empty folder"]);
    assert_eq!(fixed, ["a/b/c: an empty folder (fixed)", "d: an empty folder (fixed)"]);
    assert_eq!(again.len(), 0);
    let there = |folder: &str| scratch.path().join(folder).exists();
    assert!(there("a/used") && there(".ours/empty") && !there("a/b") && !there("d"));
    Ok(())
}

/// They may belong to somebody who is about to give them a name, or to attach.
#[test]
fn young_leftovers_are_spared() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    fs::create_dir_all(scratch.path().join(".memlane")).expect("folders can be made");
    let temporary = scratch.path().join(".memlane/.tmp-0123456789abcdef");
    fs::write(&temporary, "half a region").expect("a file can be written");
    let ephemeral = Lock::create(&space.clone().ephemeral(), "pool/semaphore")?;
    let path = scratch.path().join(".ephemeral/pool/semaphore");
    // As a killed process leaves it: whole, and without participants.
    let bytes = fs::read(&path).expect("it is there");
    drop(ephemeral);
    fs::create_dir_all(scratch.path().join(".ephemeral/pool")).expect("folders can be made");
    fs::write(&path, bytes).expect("a file can be written");
    assert_eq!(doctor::fix(&space)?, []);
    assert!(temporary.exists() && path.exists());
    Ok(())
}

#[test]
fn a_dead_visitor_is_forgotten() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), "visited")?;
    end_as(["visitor"], &scratch);
    assert_eq!(lock.region().participants().iter().filter(|participant| !participant.alive).count(), 1);
    let [found, fixed, again] = examine_and_fix(&scratch.space())?;
    assert_eq!(found, ["visited: 1 participant died attached; harmless"]);
    assert_eq!(fixed, ["visited: 1 participant died attached; harmless (fixed)"]);
    assert_eq!((again.len(), lock.region().participants().len()), (0, 1));
    Ok(())
}

/// Its description is put away, but not that it holds the lock: that is for the next locker to know.
#[test]
fn a_dead_owner_is_left_for_the_next_locker() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::create(&scratch.space(), "owned")?;
    let [pid] = end_as(["owner"], &scratch);
    let [found, fixed, again] = examine_and_fix(&scratch.space())?;
    let visitor = "owned: 1 participant died attached; harmless";
    assert_eq!((&*found[0], &*fixed[0]), (visitor, &*format!("{visitor} (fixed)")));
    assert_eq!(found[1], fixed[1]);
    assert!(found[1].starts_with("owned: its lock is held by the dead doctor-"), "{found:?}");
    assert!(found[1].ends_with(&format!(" (pid {pid}); the next locker gets it")), "{found:?}");
    assert_eq!(again, ["owned: its lock is held by the dead (unknown process); the next locker gets it"]);
    assert!(lock.state().holder.is_some_and(|holder| !holder.participant.alive));
    let guard = lock.lock()?;
    assert!(guard.owner_died());
    guard.make_consistent();
    drop(guard);
    assert_eq!(doctor::examine(&scratch.space())?, []);
    Ok(())
}

/// A slot may be taken again before anybody has looked.
#[test]
fn a_dead_owner_is_seen_although_its_slot_is_anothers() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    drop(Lock::create(&space, "owned")?);
    end_as(["owner"], &scratch);
    let lock = Lock::open(&space, "owned")?;
    let [only] = lock.region().participants().try_into().expect("there is one");
    assert_eq!((only.slot, only.generation, only.pid), (0, 3, std::process::id()));
    let holder = lock.state().holder.expect("nobody has taken it over");
    assert_eq!((holder.participant.alive, holder.participant.generation), (false, 2));
    assert_eq!(Observer::open(&space, "owned")?.lock(), lock.state());
    assert!(lock.lock()?.owner_died());
    assert!(lock.state().holder.is_none());
    Ok(())
}

#[test]
fn a_dead_publisher_is_left_for_the_next_one_and_dead_borrows_are_given_back() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let spec = FrameSpec::bytes(8).borrows(3);
    FramePublisher::create(&space, "frames", &spec)?.loan()?.publish();
    let [pid, _] = end_as(["publisher", "subscriber"], &scratch);
    let [found, fixed, again] = examine_and_fix(&space)?;
    let (visitors, borrows) = (
        "frames: 2 participants died attached; harmless",
        "frames: 3 borrow entries belong to dead subscribers",
    );
    assert_eq!([&found[0], &found[2]], [visitors, borrows]);
    assert!(found[1].starts_with("frames: its publisher doctor-"), "{found:?}");
    assert!(found[1].ends_with(&format!(" (pid {pid}) died; the next one takes over")), "{found:?}");
    assert_eq!([&fixed[0], &fixed[2]], [&format!("{visitors} (fixed)"), &format!("{borrows} (fixed)")]);
    assert_eq!(again, ["frames: its publisher (unknown process) died; the next one takes over"]);

    let state = Observer::open(&space, "frames")?.frames()?;
    assert_eq!((state.subscribers.len(), state.newest), (0, 1));
    let all = FrameSubscriber::open_with(&space, "frames", 3)?.history(1);
    assert!(matches!(all.publisher(), PublisherState::Died(_)));
    let mut next = FramePublisher::open(&space, "frames")?;
    assert_eq!((next.loan()?.publish(), all.next(None)?.sequence()), (2, 1));
    Ok(())
}

#[test]
fn a_space_that_is_gone_has_nothing_to_say() -> Result<()> {
    let scratch = Scratch::new();
    let space = Space::at(scratch.path().join("gone"))?;
    fs::remove_dir(scratch.path().join("gone")).expect("it is empty");
    assert_eq!(doctor::examine(&space)?, []);
    assert_eq!(Problem::Leftovers(2).to_string(), "2 files that dead processes left");
    Ok(())
}
