//! A publisher, or the stand-by of the one there is.
//!
//! The number sealed into a frame is the frame's own and its publisher's pid: a subscriber sees who made it.

use crate::ground::{self, Count, FRAME, Ground};
use crate::random::Random;
use crate::sealed;
use memlane::{Error, FramePublisher, Result, Space};
use std::time::Duration;

/// A stand-by looks up so often to say that it is there.
const PATIENCE: Duration = Duration::from_millis(200);
const PACE: Duration = Duration::from_micros(100);
const PID_BITS: u32 = 22;

pub(crate) fn perform(space: &Space, member: u64) -> Result<()> {
    let ground = Ground::open(space)?;
    let mut random = Random::new(u64::from(std::process::id()));
    while !ground.is_over() {
        match ground::publisher(space, PATIENCE) {
            Ok(publisher) => publish(publisher, &ground, member, &mut random)?,
            Err(Error::PublisherExists { .. }) => ground.go_on(member),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The number of a frame, and the pid of whoever published it.
pub(crate) fn parts(number: u64) -> (u64, u64) {
    (number >> PID_BITS, number & ((1 << PID_BITS) - 1))
}

fn publish(mut publisher: FramePublisher, ground: &Ground, member: u64, random: &mut Random) -> Result<()> {
    ground.add(Count::PublishersReplaced);
    while !ground.is_over() {
        let mut loan = publisher.loan()?;
        let length = sealed::HEADER + random.index(FRAME - sealed::HEADER);
        loan.set_len(length)?;
        let number = loan.sequence() << PID_BITS | u64::from(std::process::id());
        sealed::seal(&mut loan[..length], number);
        loan.publish();
        ground.add(Count::FramesPublished);
        ground.go_on(member);
        std::thread::sleep(PACE);
    }
    Ok(())
}
