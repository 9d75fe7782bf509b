//! Eight bytes to another process and back, by each way there is: polled, or with both asleep in between.

use super::figures::{Figures, median, time};
use super::ground::{Follow, Ground, Lead};
use crate::failure::{Exit, Failure, Outcome};
use std::time::Duration;

/// A way there and a way back.
pub(super) trait Way: Sized {
    /// For the leader; for the follower it is the other way round.
    fn open(ground: &Ground, is_leader: bool, waiting: Waiting) -> Outcome<Self>;
    fn send(&mut self, number: u64) -> Outcome;
    fn receive(&mut self) -> Outcome<u64>;
}

/// How a side waits for the other one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Looking all the time: a core of its own for the least delay.
    Busy,
    Asleep,
}

/// Round trips of a part; those between sleepers begin with a pause each.
const BUSY_TRIPS: u32 = 20_000;
const PAUSED_TRIPS: usize = 50;
const PROMPT_TRIPS: u32 = 1000;

/// Long enough for the other side to fall asleep: without it the two find each other awake.
const PAUSE: Duration = Duration::from_micros(300);

/// One way, which is half a round trip, between two that poll.
pub(super) fn polled<Ours: Way, Theirs: Way>(ground: &Ground) -> Outcome<Figures> {
    lead::<Ours, Theirs>(ground, Waiting::Busy, |trip| Ok(time(BUSY_TRIPS, trip)? / 2.0))
}

pub(super) fn polled_answer<Ours: Way, Theirs: Way>(ground: &Ground) -> Outcome {
    follow::<Ours, Theirs>(ground, Waiting::Busy, BUSY_TRIPS)
}

/// A round trip that begins when both sleep.
pub(super) fn asleep<Ours: Way, Theirs: Way>(ground: &Ground) -> Outcome<Figures> {
    lead::<Ours, Theirs>(ground, Waiting::Asleep, |trip| {
        let one = |_| {
            std::thread::sleep(PAUSE);
            time(1, &mut *trip)
        };
        let trips = (0..PAUSED_TRIPS).map(one).collect::<Outcome<Vec<_>>>()?;
        Ok(median(&trips).unwrap_or_default())
    })
}

pub(super) fn asleep_answer<Ours: Way, Theirs: Way>(ground: &Ground) -> Outcome {
    follow::<Ours, Theirs>(ground, Waiting::Asleep, PAUSED_TRIPS as u32)
}

/// One round trip right after the other, between two that sleep where they have to wait.
pub(super) fn prompt<Ours: Way, Theirs: Way>(ground: &Ground) -> Outcome<Figures> {
    lead::<Ours, Theirs>(ground, Waiting::Asleep, |trip| time(PROMPT_TRIPS, trip))
}

pub(super) fn prompt_answer<Ours: Way, Theirs: Way>(ground: &Ground) -> Outcome {
    follow::<Ours, Theirs>(ground, Waiting::Asleep, PROMPT_TRIPS)
}

type Trip<'a> = &'a mut dyn FnMut() -> Outcome;

fn lead<Ours: Way, Theirs: Way>(
    ground: &Ground,
    waiting: Waiting,
    timed: impl Fn(Trip) -> Outcome<f64>,
) -> Outcome<Figures> {
    let mut ours = Ours::open(ground, true, waiting)?;
    let mut theirs = Theirs::open(ground, true, waiting)?;
    let (mut sent, mut also_sent) = (0, 0);
    let ours: Lead = &mut |_| timed(&mut || there_and_back(&mut ours, &mut sent));
    let theirs: Lead = &mut |_| timed(&mut || there_and_back(&mut theirs, &mut also_sent));
    ground.lead(ours, Some(theirs))
}

#[inline]
fn there_and_back(way: &mut impl Way, sent: &mut u64) -> Outcome {
    *sent += 1;
    way.send(*sent)?;
    let answer = way.receive()?;
    if answer == *sent {
        return Ok(());
    }
    Err(Failure::new(Exit::Failure, format!("expected the answer {sent}, found {answer}")))
}

fn follow<Ours: Way, Theirs: Way>(ground: &Ground, waiting: Waiting, trips: u32) -> Outcome {
    let mut ours = Ours::open(ground, false, waiting)?;
    let mut theirs = Theirs::open(ground, false, waiting)?;
    let ours: Follow = &mut |_| answer(&mut ours, trips);
    let theirs: Follow = &mut |_| answer(&mut theirs, trips);
    ground.follow(ours, Some(theirs))
}

fn answer(way: &mut impl Way, trips: u32) -> Outcome {
    for _ in 0..trips {
        let number = way.receive()?;
        way.send(number)?;
    }
    Ok(())
}
