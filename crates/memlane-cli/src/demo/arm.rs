//! The arm that the workers share: it carries parts from one side to the other, one at a time, and a record says
//! where they are.
//!
//! Carrying changes that record in several steps, under the lock:
//!
//! | the holder is killed | what remains | the next holder is told, and |
//! |---|---|---|
//! | before it counted the part off | all parts at a side | changes nothing |
//! | with the part in the hand | one part at no side | puts it to the left |
//! | after it counted the part in | all parts at a side | changes nothing |

use super::regions;
use crate::failure::Outcome;
use memlane::lock::LockState;
use memlane::schema::Datum;
use memlane::{Lock, LockGuard, Record, Semaphore, Space, Text, Value};
use std::process;
use std::thread;
use std::time::Duration;

/// Where the parts are, at which angle the arm is, and whose process moved it last.
const SCHEMA: &str = r#"{left:<u4,hand:<u4,right:<u4,angle:<f4 unit="deg",process:<u4}"#;
/// Parts at both sides together.
const PARTS: u64 = 12;
/// From one side to the other.
const STEPS: u16 = 15;
const STEP: Duration = Duration::from_millis(20);
const HALF_TURN: f32 = 180.0;
/// Moving takes so much of the [power](regions::power).
const POWER: u32 = 2;
/// What the story of a recovery may have.
const STORY_BYTES: usize = 256;

/// Where a part is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// The arm, as every process has it.
#[derive(Debug)]
pub(super) struct Arm {
    lock: Lock,
    record: Record,
    power: Semaphore,
    recoveries: Value<u64>,
    story: Text,
}

impl Arm {
    pub(super) fn open_or_create(space: &Space) -> Outcome<Self> {
        let [whose, parts, recoveries, story] = [
            "whoever moves the arm has it; demo/kill-holder kills whoever that is",
            "where the parts are; in the hand only while somebody has demo/arm",
            "how often the next one put right what a dead holder of demo/arm left",
            "how that went the last time",
        ]
        .map(|note| regions::noted(space, note));
        Ok(Self {
            lock: Lock::open_or_create(&whose, regions::ARM)?,
            record: Record::open_or_create(&parts, regions::ARM_STATE, SCHEMA)?,
            power: regions::power(space)?,
            recoveries: Value::open_or_create(&recoveries, regions::RECOVERIES, 0)?,
            story: Text::open_or_create(&story, regions::RECOVERY, STORY_BYTES)?,
        })
    }

    /// Puts a part to that side, if there is one at the other; waits for the arm.
    pub(super) fn carry(&self, to: Side) -> Outcome {
        let guard = self.lock.lock()?;
        self.make_whole(&guard)?;
        self.put("process", process::id())?;
        let _power = self.power.acquire(POWER, None)?;
        let from = to.other();
        let there = self.parts(from.name())?;
        if there > 0 {
            self.put(from.name(), there - 1)?;
            self.put("hand", 1_u32)?;
            self.turn(to)?;
            self.put("hand", 0_u32)?;
            self.put(to.name(), self.parts(to.name())? + 1)?;
        }
        drop(guard);
        Ok(())
    }

    /// Whose it is, and how often it was taken from the dead.
    pub(super) fn state(&self) -> LockState {
        self.lock.state()
    }

    /// How often the parts were put right after a holder's death.
    pub(super) fn recoveries(&self) -> u64 {
        self.recoveries.load()
    }

    /// How that went the last time.
    pub(super) fn last_recovery(&self) -> Outcome<String> {
        Ok(self.story.read()?.0)
    }

    /// Sees to it that all parts are at a side: after a holder's death, at the very beginning, and when somebody
    /// changed the record by hand.
    fn make_whole(&self, guard: &LockGuard<'_>) -> Outcome {
        let [left, hand, right] = [self.parts("left")?, self.parts("hand")?, self.parts("right")?];
        let missing = hand > 0 || u64::from(left) + u64::from(right) != PARTS;
        if missing {
            let right = u64::from(right).min(PARTS);
            self.put("hand", 0_u32)?;
            self.put("right", right)?;
            self.put("left", PARTS - right)?;
        }
        if guard.is_inconsistent() {
            let (dead, me) = (self.parts("process")?, process::id());
            let found = if missing { "put its part back" } else { "found every part in its place" };
            self.story.write(&format!(
                "the arm of process {dead} went to process {me}, which was told, and {found}"
            ))?;
            self.recoveries.add(1);
            guard.make_consistent();
        }
        Ok(())
    }

    fn turn(&self, to: Side) -> Outcome {
        for step in 1..=STEPS {
            thread::sleep(STEP);
            let way = f32::from(step) / f32::from(STEPS);
            let angle = HALF_TURN * if to == Side::Right { way } else { 1.0 - way };
            self.put("angle", angle)?;
        }
        Ok(())
    }

    fn parts(&self, field: &str) -> Outcome<u32> {
        let parts = self.record.read_field(field)?;
        Ok(parts.as_f64().map_or(0, |parts| parts as u32))
    }

    fn put(&self, field: &str, value: impl Into<Datum>) -> Outcome {
        Ok(self.record.write_field(field, &value.into())?)
    }
}

impl Side {
    /// Where a job says that the part is to go; whatever does not say it goes to the right.
    pub(super) fn of(job: &[u8]) -> Self {
        if job.ends_with(Self::Left.name().as_bytes()) { Self::Left } else { Self::Right }
    }

    /// The word for it, in a job and in the record.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(arm: &Arm) -> [u32; 3] {
        ["left", "hand", "right"].map(|field| arm.parts(field).expect("a field of the record"))
    }

    #[test]
    fn no_part_is_lost_whatever_the_holder_left() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let arm = Arm::open_or_create(&Space::at(directory.path()).expect("a space")).expect("an arm");
        arm.carry(Side::Right).expect("the arm is free");
        assert_eq!(parts(&arm), [11, 0, 1]);
        let guard = arm.lock.lock().expect("the arm is free");
        arm.put("left", 10_u32).expect("a field");
        arm.put("hand", 1_u32).expect("a field");
        guard.abandon();
        arm.carry(Side::Left).expect("the arm is free");
        assert_eq!((parts(&arm), arm.recoveries()), ([12, 0, 0], 1));
        assert!(arm.last_recovery().expect("a text").ends_with("put its part back"));
        assert!(!arm.lock.is_inconsistent());
        arm.carry(Side::Left).expect("the arm is free");
        assert_eq!((parts(&arm), arm.recoveries()), ([12, 0, 0], 1), "there was nothing to carry");
    }

    #[test]
    fn a_job_says_where_to() {
        assert_eq!(Side::of(b"part 3 to the left"), Side::Left);
        assert_eq!((Side::of(b"part 4 to the right"), Side::of(b"")), (Side::Right, Side::Right));
    }
}
