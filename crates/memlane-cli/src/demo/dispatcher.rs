//! The dispatcher: puts jobs into the queue, several at a time, so that it fills and empties.

use super::arm::Side;
use super::{orders, regions};
use crate::context::Context;
use crate::failure::Outcome;
use crate::frame::interrupt::Interrupt;
use crate::frame::pace::Pace;
use memlane::{Error, Tag};

/// Jobs at a time, and how often; two workers are done with them before the next ones come.
const BATCH: u64 = 8;
const RATE: f64 = 0.25;

pub(super) fn run(context: &Context) -> Outcome {
    let interrupt = Interrupt::listen()?;
    let _orders = orders::listen();
    let jobs = regions::jobs(context.space()?)?;
    let mut pace = Pace::new(Some(RATE));
    let mut number = 0_u64;
    loop {
        pace.wait(&interrupt);
        if interrupt.requested() {
            return Ok(());
        }
        let side = if (number / BATCH).is_multiple_of(2) { Side::Right } else { Side::Left };
        for _ in 0..BATCH {
            number += 1;
            let job = format!("{number}: a part to the {}", side.name());
            // Waits while the queue is full.
            match jobs.put_tagged(Tag::Utf8, job.as_bytes(), None) {
                // As for a worker.
                Err(Error::Closed { .. }) => return Ok(()),
                put => put?,
            }
        }
    }
}
