//! A worker: takes one job after the other, plans it, and does it with the arm, which another one may have.
//!
//! Killed with a job in hand, it has not acknowledged it, and somebody else gets the job. Done twice then, if it was
//! killed between the two: a job says where a part is to be, which is no worse for being said again.

use super::arm::{Arm, Side};
use super::message::Report;
use super::orders::{self, report};
use super::regions;
use crate::context::Context;
use crate::failure::Outcome;
use memlane::Error;
use std::thread;
use std::time::Duration;

/// Planning takes so much of the [power](regions::power).
const POWER: u32 = 1;
const PLANNING: Duration = Duration::from_millis(150);

pub(super) fn run(context: &Context) -> Outcome {
    // There are no orders for it, but their end is its end.
    let _orders = orders::listen();
    let space = context.space()?;
    let (arm, power) = (Arm::open_or_create(space)?, regions::power(space)?);
    let (jobs, done) = (regions::jobs(space)?, regions::jobs_done(space)?);
    let again = regions::jobs_again(space)?;
    loop {
        let job = match jobs.lease(None) {
            // By somebody who looks on; the demo makes another queue, and starts another worker for it.
            Err(Error::Closed { .. }) => return Ok(()),
            job => job?,
        };
        if job.redelivered() > 0 {
            again.add(1);
            report(Report::Again)?;
        }
        let permit = power.acquire(POWER, None)?;
        thread::sleep(PLANNING);
        drop(permit);
        arm.carry(Side::of(job.bytes()), |recovery| report(Report::Recovered(recovery)))?;
        job.acknowledge()?;
        done.add(1);
    }
}
