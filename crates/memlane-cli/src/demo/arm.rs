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
use std::fmt;
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

/// How the arm went from a dead holder to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recovery {
    pub(super) dead: u32,
    pub(super) heir: u32,
    /// A part was at no side.
    pub(super) missing: bool,
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
            "whoever moves the arm has it; demo/kill-holder kills the worker that has it",
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

    /// Puts a part to that side, if there is one at the other; waits for the arm. If it was a dead holder's, says so
    /// to `told` before.
    pub(super) fn carry(&self, to: Side, told: impl FnOnce(Recovery) -> Outcome) -> Outcome {
        let guard = self.lock.lock()?;
        if let Some(recovery) = self.make_whole(&guard)? {
            told(recovery)?;
        }
        self.put("process", process::id())?;
        let _power = self.power.acquire(POWER, None)?;
        let from = to.other();
        let there = self.parts(from.name())?;
        if there > 0 {
            self.put(from.name(), there - 1)?;
            self.put("hand", 1_u32)?;
            self.turn(to)?;
            self.put("hand", 0_u32)?;
            // Whatever somebody writes there meanwhile, it is a number of parts, and too many are put right above.
            self.put(to.name(), self.parts(to.name())?.saturating_add(1))?;
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

    /// Sees to it that all parts are at a side: after a holder's death, at the very beginning, and when somebody
    /// changed the record by hand.
    fn make_whole(&self, guard: &LockGuard<'_>) -> Outcome<Option<Recovery>> {
        let [left, hand, right] = [self.parts("left")?, self.parts("hand")?, self.parts("right")?];
        let missing = hand > 0 || u64::from(left) + u64::from(right) != PARTS;
        if missing {
            let right = u64::from(right).min(PARTS);
            self.put("hand", 0_u32)?;
            self.put("right", right)?;
            self.put("left", PARTS - right)?;
        }
        if !guard.is_inconsistent() {
            return Ok(None);
        }
        let recovery = Recovery { dead: self.parts("process")?, heir: process::id(), missing };
        self.story.write(&recovery.to_string())?;
        self.recoveries.add(1);
        guard.make_consistent();
        Ok(Some(recovery))
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

impl fmt::Display for Recovery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dead, heir, missing } = self;
        let found = if *missing { "put its part back" } else { "found every part in its place" };
        write!(formatter, "the arm of process {dead} went to process {heir}, which was told, and {found}")
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
        let mut recovered = Vec::new();
        let mut carry = |to| {
            let told = |recovery| {
                recovered.push(recovery);
                Ok(())
            };
            arm.carry(to, told).expect("the arm is free");
        };
        carry(Side::Right);
        assert_eq!(parts(&arm), [11, 0, 1]);
        let guard = arm.lock.lock().expect("the arm is free");
        arm.put("left", 10_u32).expect("a field");
        arm.put("hand", 1_u32).expect("a field");
        guard.abandon();
        carry(Side::Left);
        assert_eq!((parts(&arm), arm.recoveries()), ([12, 0, 0], 1));
        assert!(!arm.lock.is_inconsistent());
        carry(Side::Left);
        assert_eq!((parts(&arm), arm.recoveries()), ([12, 0, 0], 1), "there was nothing to carry");
        let me = process::id();
        assert_eq!(recovered, [Recovery { dead: me, heir: me, missing: true }]);
        assert_eq!(arm.story.read().expect("a text").0, recovered[0].to_string());
    }

    #[test]
    fn whatever_somebody_writes_into_the_record_is_put_right() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let arm = Arm::open_or_create(&Space::at(directory.path()).expect("a space")).expect("an arm");
        thread::scope(|scope| {
            let carrying = scope.spawn(|| arm.carry(Side::Right, |_| Ok(())).expect("the arm is free"));
            while !carrying.is_finished() {
                for field in ["left", "hand", "right", "process"] {
                    arm.put(field, u32::MAX).expect("a field");
                }
            }
        });
        arm.carry(Side::Left, |_| Ok(())).expect("the arm is free");
        let [left, hand, right] = parts(&arm);
        assert_eq!((u64::from(left + right), hand), (PARTS, 0));
    }

    #[test]
    fn a_job_says_where_to() {
        assert_eq!(Side::of(b"part 3 to the left"), Side::Left);
        assert_eq!((Side::of(b"part 4 to the right"), Side::of(b"")), (Side::Right, Side::Right));
    }
}
