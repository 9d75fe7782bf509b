//! Killed while it makes, joins, leaves or removes a region.

use super::{Deaths, ID, Scenario, assert_alone};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::{Error, FramePublisher, FrameSpec, FrameSubscriber, Lock, Value};
use std::os::unix::fs::PermissionsExt;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("region: create a value", Deaths::AtEveryEffect, create_value),
    Scenario::new("region: create a value in a folder", Deaths::AtEveryEffect, create_in_folder)
        .in_file(IN_FOLDER),
    Scenario::new(
        "region: create a value in a folder for all",
        Deaths::AtEveryEffect,
        create_in_folder_for_all,
    )
    .in_file(IN_FOLDER),
    Scenario::new("region: create frames", Deaths::AtEveryEffect, create_frames),
    Scenario::new("region: open or create a lock, not there", Deaths::AtEveryEffect, create_lock),
    Scenario::new("region: open or create a lock, there", Deaths::AtEveryEffect, attach),
    Scenario::new("region: leave", Deaths::AtEveryEffect, leave),
    Scenario::new("region: remove", Deaths::AtEveryEffect, remove).in_file(IN_FOLDER),
    Scenario::new("ephemeral region: create", Deaths::AtEveryEffect, create_ephemeral).in_file(EPHEMERAL),
    Scenario::new("ephemeral region: leave as the last", Deaths::AtEveryEffect, leave_ephemeral)
        .in_file(EPHEMERAL),
    Scenario::new("region: slots of a hundred dead", Deaths::ByTheStory, slots_come_back),
];

const FOLDER: &str = "robot/";
const IN_FOLDER: &str = "robot/arm";
const TEMPORARY: &str = ".tmp-";
const EPHEMERAL_FOLDER: &str = ".ephemeral/";
const EPHEMERAL: &str = ".ephemeral/region";

const INITIAL: u64 = 7;

/// What is in the space is among `allowed`.
fn assert_nothing_but(stage: &Stage<'_>, allowed: &[&str]) {
    let files = stage.files();
    assert!(files.iter().all(|file| allowed.contains(&file.as_str())), "left behind: {files:?}");
}

/// The value `id` is made or found, works, and goes when it is removed.
fn assert_usable(stage: &Stage<'_>, id: &str) {
    let value = Value::open_or_create(stage.space(), id, INITIAL).unwrap();
    assert_eq!(value.load(), INITIAL);
    assert_eq!(value.add(1), INITIAL + 1);
    assert_eq!(stage.space().list().unwrap(), [id]);
    assert_alone(value.region());
    stage.space().remove(id).unwrap();
    assert!(value.region().unlinked());
    assert_nothing_but(stage, &[]);
}

fn create_value(stage: &Stage<'_>) {
    stage.victim(|| operation(|| Value::create(stage.space(), ID, INITIAL).unwrap())).dies();
    assert_nothing_but(stage, &[ID]);
    assert_usable(stage, ID);
}

fn create_in_folder(stage: &Stage<'_>) {
    stage.victim(|| operation(|| Value::create(stage.space(), IN_FOLDER, INITIAL).unwrap())).dies();
    assert_nothing_but(stage, &[FOLDER, IN_FOLDER]);
    // An empty folder does not keep its name from a region.
    if !stage.space().contains(IN_FOLDER).unwrap() {
        assert_usable(stage, FOLDER.trim_end_matches('/'));
    }
    assert_usable(stage, IN_FOLDER);
}

/// Nobody ever finds a folder that lacks rights; one that never got to its place is put away later.
fn create_in_folder_for_all(stage: &Stage<'_>) {
    let space = stage.space().clone().mode(0o666);
    stage.victim(|| operation(|| Value::create(&space, IN_FOLDER, INITIAL).unwrap())).dies();
    let folder = stage.space().directory().join(FOLDER);
    if let Ok(metadata) = std::fs::metadata(&folder) {
        assert_eq!(metadata.permissions().mode() & 0o777, 0o777);
    }
    let mut left = stage.files();
    left.retain(|file| !file.starts_with(TEMPORARY));
    assert!(left.iter().all(|file| [FOLDER, IN_FOLDER].contains(&file.as_str())), "left behind: {left:?}");
    assert_eq!(Value::open_or_create(&space, IN_FOLDER, INITIAL).unwrap().load(), INITIAL);
}

fn create_frames(stage: &Stage<'_>) {
    let spec = FrameSpec::bytes(64).history(1).borrows(1);
    let create = || FramePublisher::create(stage.space(), ID, &spec).unwrap();
    stage.victim(|| operation(create)).dies();
    assert_nothing_but(stage, &[ID]);
    let mut publisher = FramePublisher::open_or_create(stage.space(), ID, &spec).unwrap();
    let reader = FrameSubscriber::open_with(stage.space(), ID, 1).unwrap();
    assert_eq!(reader.latest().unwrap().map(|frame| frame.sequence()), None);
    let mut loan = publisher.loan().unwrap();
    loan.fill(1);
    assert_eq!(loan.publish(), 1);
    assert_eq!(*reader.next(None).unwrap(), [1; 64]);
    assert_alone(publisher.region());
}

fn create_lock(stage: &Stage<'_>) {
    stage.victim(|| operation(|| Lock::open_or_create(stage.space(), ID).unwrap())).dies();
    assert_nothing_but(stage, &[ID]);
    assert_lockable(stage);
}

fn attach(stage: &Stage<'_>) {
    drop(Lock::create(stage.space(), ID).unwrap());
    stage.victim(|| operation(|| Lock::open_or_create(stage.space(), ID).unwrap())).dies();
    assert_nothing_but(stage, &[ID]);
    assert_lockable(stage);
}

fn leave(stage: &Stage<'_>) {
    drop(Lock::create(stage.space(), ID).unwrap());
    let victim = stage.victim(|| {
        let lock = Lock::open(stage.space(), ID).unwrap();
        operation(|| drop(lock));
    });
    victim.dies();
    assert_lockable(stage);
}

fn assert_lockable(stage: &Stage<'_>) {
    let lock = Lock::open_or_create(stage.space(), ID).unwrap();
    let guard = lock.try_lock().unwrap().expect("nobody held it");
    assert!(!guard.owner_died());
    assert_alone(lock.region());
}

fn remove(stage: &Stage<'_>) {
    let witness = Value::create(stage.space(), IN_FOLDER, INITIAL).unwrap();
    stage.victim(|| operation(|| stage.space().remove(IN_FOLDER).unwrap())).dies();
    assert_nothing_but(stage, &[FOLDER, IN_FOLDER]);
    assert_eq!(witness.add(1), INITIAL + 1);
    if stage.space().contains(IN_FOLDER).unwrap() {
        stage.space().remove(IN_FOLDER).unwrap();
    }
    assert!(witness.region().unlinked());
    assert_usable(stage, IN_FOLDER);
}

fn create_ephemeral(stage: &Stage<'_>) {
    let space = stage.space().clone().ephemeral();
    stage.victim(|| operation(|| Value::create(&space, ID, INITIAL).unwrap())).dies();
    assert_comes_and_goes(stage);
}

fn leave_ephemeral(stage: &Stage<'_>) {
    let space = stage.space().clone().ephemeral();
    let victim = stage.victim(|| {
        let value = Value::create(&space, ID, INITIAL).unwrap();
        operation(|| drop(value));
    });
    victim.dies();
    assert_comes_and_goes(stage);
}

/// The region is whole or not there, and goes with the last who leaves it: a dead one's presence would keep
/// it.
fn assert_comes_and_goes(stage: &Stage<'_>) {
    assert_nothing_but(stage, &[EPHEMERAL_FOLDER, EPHEMERAL]);
    let space = stage.space().clone().ephemeral();
    // In a process of its own: whoever makes an ephemeral region sweeps, but only once a second.
    let survivor = stage.victim(|| {
        let value = Value::open_or_create(&space, ID, INITIAL).unwrap();
        assert_eq!(value.add(1), INITIAL + 1);
        assert_alone(value.region());
        drop(value);
        operation(|| ());
    });
    drop(survivor);
    assert_nothing_but(stage, &[EPHEMERAL_FOLDER]);
}

/// Fewer slots than deaths by far.
const SLOTS: u16 = 4;
const DEATHS: usize = 100;

fn slots_come_back(stage: &Stage<'_>) {
    let space = stage.space().clone().participants(SLOTS);
    drop(Lock::create(&space, ID).unwrap());
    let join = || operation(|| Lock::open(&space, ID).unwrap());
    let (film, _) = stage.victim(join).dies_filmed();
    for moment in film.effects.iter().cycle().take(DEATHS.max(film.effects.len())) {
        stage.victim(join).dies_at(*moment);
    }
    let live = || {
        let lock = Lock::open(&space, ID).unwrap();
        operation(|| ());
        lock
    };
    let mut living: Vec<_> = (0..SLOTS).map(|_| stage.victim(live)).collect();
    assert!(matches!(Lock::open(&space, ID), Err(Error::TooManyParticipants { slots: SLOTS, .. })));
    living.pop();
    let lock = Lock::open(&space, ID).unwrap();
    assert_eq!(
        lock.region().participants().iter().filter(|participant| participant.alive).count(),
        SLOTS.into()
    );
    drop(living);
    assert_alone(lock.region());
}
