//! Makes, attaches, uses and removes regions until it is killed, and notes beforehand what it is about to do.

use crate::random::{Random, mix};
use memlane::{
    Array, Error, FramePublisher, FrameSpec, FrameSubscriber, Kind, Lock, Record, Region, Result, Space,
    Text, Value,
};
use std::time::Duration;

/// Regions that everybody makes and removes. Some names are folders of others: only one of the two can be.
pub(crate) const NAMES: [(&str, Kind); 8] = [
    ("single", Kind::Value),
    ("folder/text", Kind::Text),
    ("folder/lock", Kind::Lock),
    ("folder", Kind::Array),
    ("deep/er/est", Kind::Frames),
    ("deep/er", Kind::Record),
    ("deep", Kind::Value),
    ("solitary/frames", Kind::Frames),
];
/// Regions that go with their last participant.
pub(crate) const EPHEMERAL_NAMES: [(&str, Kind); 2] = [("unnamed", Kind::Value), ("loose/part", Kind::Lock)];
/// A region that stays, and notes what each maker does.
const STAGES: &str = "stages";
/// Regions that stay, to be attached and held.
const STEADY: &str = "steady";
pub(crate) const MAKERS: usize = 4;
/// The makers, their parent, and hardly more: a slot that is not given back is missed at once.
const PARTICIPANTS: u16 = MAKERS as u16 + 3;

/// One of so many makers only attaches, one only holds.
const HABITS: u64 = 10;
const EPHEMERAL_PERCENT: u64 = 20;
const PATIENCE: Duration = Duration::from_millis(20);

/// What a maker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Starting,
    Making,
    MakingEphemeral,
    Using,
    Removing,
    Attaching,
    Holding,
}

impl Stage {
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::Starting, "starting"),
        (Self::Making, "making a region"),
        (Self::MakingEphemeral, "making or leaving an ephemeral region"),
        (Self::Using, "using and leaving a region"),
        (Self::Removing, "removing a region"),
        (Self::Attaching, "attaching to a region"),
        (Self::Holding, "holding a lock and publishing"),
    ];
}

/// What each maker is doing, and to which of the names.
#[derive(Debug)]
pub(crate) struct Stages(Array<u64>);

impl Stages {
    pub(crate) fn open(space: &Space) -> Result<Self> {
        Array::open_or_create(&bounded(space), STAGES, &[MAKERS]).map(Self)
    }

    pub(crate) fn region(&self) -> &Region {
        self.0.region()
    }

    pub(crate) fn set(&self, maker: u64, stage: Stage, name: usize) {
        self.0.store(maker as usize, (stage as u64) << 8 | name as u64).expect("every maker has its element");
    }

    pub(crate) fn get(&self, maker: usize) -> (usize, usize) {
        let word = self.0.load(maker).expect("every maker has its element");
        ((word >> 8) as usize, (word & 0xff) as usize)
    }
}

/// The space as all makers see it: other users may do everything too.
pub(crate) fn open_to_all(space: &Space) -> Space {
    space.clone().mode(0o666)
}

pub(crate) fn bounded(space: &Space) -> Space {
    open_to_all(space).participants(PARTICIPANTS)
}

pub(crate) fn perform(space: &Space, maker: u64, seed: u64) -> Result<()> {
    let space = bounded(space);
    let stages = Stages::open(&space)?;
    let mut random = Random::new(mix(seed));
    let habit = random.below(HABITS);
    loop {
        match habit {
            0 => attach_again_and_again(&space, &stages, maker)?,
            1 => hold(&space, &stages, maker)?,
            _ => make_and_remove(&space, &stages, maker, &mut random)?,
        }
    }
}

fn attach_again_and_again(space: &Space, stages: &Stages, maker: u64) -> Result<()> {
    stages.set(maker, Stage::Attaching, 0);
    let lock = Lock::open_or_create(space, STEADY)?;
    drop(lock.lock()?);
    Ok(())
}

/// Holds what others wait for, most of the time.
fn hold(space: &Space, stages: &Stages, maker: u64) -> Result<()> {
    stages.set(maker, Stage::Holding, 0);
    let lock = Lock::open_or_create(space, STEADY)?;
    let guard = lock.lock()?;
    guard.make_consistent();
    publish(space, "steady-frames")
}

/// Removes a region, whoever has made it, makes it anew, and uses it; or one that goes by itself.
fn make_and_remove(space: &Space, stages: &Stages, maker: u64, random: &mut Random) -> Result<()> {
    let name = random.index(NAMES.len());
    if random.chance(EPHEMERAL_PERCENT) {
        let (id, kind) = random.pick(&EPHEMERAL_NAMES);
        stages.set(maker, Stage::MakingEphemeral, name);
        return tolerate(use_it(&space.clone().ephemeral(), id, kind));
    }
    let (id, kind) = NAMES[name];
    stages.set(maker, Stage::Removing, name);
    match space.remove(id) {
        Err(Error::NotFound { .. }) => {}
        removed => tolerate(removed)?,
    }
    stages.set(maker, Stage::Making, name);
    tolerate(make(space, id, kind))?;
    stages.set(maker, Stage::Using, name);
    tolerate(use_it(space, id, kind))
}

/// What may well be while others make and remove the same names. A region that is missing, damaged, forbidden
/// or full may not.
fn tolerate(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(
            Error::NameConflict { .. }
            | Error::PublisherExists { .. }
            | Error::SubscribersExhausted { .. }
            | Error::LockTimeout { .. }
            | Error::Timeout { .. },
        ) => Ok(()),
        other => other,
    }
}

/// Opens the region, or makes it.
fn make(space: &Space, id: &str, kind: Kind) -> Result<()> {
    match kind {
        Kind::Value => drop(Value::open_or_create(space, id, 1_u64)?),
        Kind::Text => drop(Text::open_or_create(space, id, 100)?),
        Kind::Record => drop(Record::open_or_create(space, id, "{x:<f8,y:<f8}")?),
        Kind::Array => drop(Array::<u16>::open_or_create(space, id, &[3, 3])?),
        Kind::Lock => drop(Lock::open_or_create(space, id)?),
        _ => return publish(space, id),
    }
    Ok(())
}

/// Opens the region, or makes it, and does what it is for.
pub(crate) fn use_it(space: &Space, id: &str, kind: Kind) -> Result<()> {
    match kind {
        Kind::Value => {
            let value = Value::open_or_create(space, id, 1_u64)?.add(1);
            assert!(value >= 2, "{id} was not made whole: {value}");
        }
        Kind::Text => {
            let text = Text::open_or_create(space, id, 100)?;
            let (content, _) = text.read()?;
            assert!(content.is_empty() || content == "content", "{id} was not made whole: {content}");
            text.write("content")?;
        }
        Kind::Record => drop(Record::open_or_create(space, id, "{x:<f8,y:<f8}")?.write_bytes(&[0; 16])?),
        Kind::Array => Array::<u16>::open_or_create(space, id, &[3, 3])?.lock()?.write(0, &[1; 9])?,
        Kind::Lock => drop(Lock::open_or_create(space, id)?.lock()?),
        _ => {
            publish(space, id)?;
            match FrameSubscriber::open(space, id) {
                // Somebody was here between the two.
                Err(Error::NotFound { .. }) => {}
                subscriber => {
                    let subscriber = subscriber?.history(1);
                    assert_eq!(subscriber.next(Some(PATIENCE))?[..], [7; 100]);
                }
            }
        }
    }
    Ok(())
}

fn publish(space: &Space, id: &str) -> Result<()> {
    let spec = FrameSpec::bytes(100).borrows(2 * u32::from(PARTICIPANTS));
    let mut publisher = FramePublisher::open_or_create_within(space, id, &spec, PATIENCE)?;
    let mut loan = publisher.loan()?;
    loan.fill(7);
    loan.publish();
    Ok(())
}
