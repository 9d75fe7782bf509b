//! The sensor: an armband that is not there, whose wearer moves the hand and turns.

use super::message::Report;
use super::orders::{self, report};
use super::regions;
use crate::context::Context;
use crate::failure::Outcome;
use crate::frame::cadence::Cadence;
use crate::frame::interrupt::Interrupt;
use crate::frame::pace::Pace;
use memlane::Timestamp;
use memlane_myo::simulator::{Gesture, Synthesizer, turning};
use memlane_myo::streamer::{emg_record, imu_record};
use std::process;
use std::time::{Duration, Instant};

/// Samples a second.
const RATE: f64 = 200.0;
/// A reading of the motion comes with each so many samples.
const MOTION: u64 = 4;
const REPORT_PERIOD: Duration = Duration::from_millis(500);

pub(super) fn run(context: &Context) -> Outcome {
    let interrupt = Interrupt::listen()?;
    let _orders = orders::listen();
    let (mut emg, imu) = (regions::emg(context.space()?)?, regions::imu(context.space()?)?);
    let mut synthesizer = Synthesizer::new(process::id().into());
    let (mut pace, mut cadence) = (Pace::new(Some(RATE)), Cadence::default());
    let mut due = Instant::now() + REPORT_PERIOD;
    while !interrupt.requested() {
        pace.wait(&interrupt);
        let (number, at) = (emg.published(), Timestamp::now().monotonic);
        let channels = synthesizer.next_sample(Gesture::Changing.at(number), false);
        emg.append(&emg_record(at, 0, channels))?;
        if number.is_multiple_of(MOTION) {
            imu.write_bytes(&imu_record(at, turning(number / MOTION)))?;
        }
        let now = Instant::now();
        cadence.count(now);
        if now >= due {
            due = now + REPORT_PERIOD;
            report(Report::Sent { sequence: number + 1, rate: cadence.take() })?;
        }
    }
    Ok(())
}
