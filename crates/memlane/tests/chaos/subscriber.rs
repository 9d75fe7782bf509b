//! A subscriber that holds frames for a while, and trusts none of them.

use crate::ground::{BORROWS, CHANNEL, Count, Ground};
use crate::publisher::parts;
use crate::sealed;
use memlane::frames::Frame;
use memlane::{Error, FrameSubscriber, Result, Space};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a wait for the next frame is before the subscriber looks whether the run is over.
const PATIENCE: Duration = Duration::from_millis(200);
/// A frame is held at most while so many others come.
const LONGEST_HOLD: u64 = 1000;

pub(crate) fn perform(space: &Space, member: u64) -> Result<()> {
    let ground = Ground::open(space)?;
    while !ground.is_over() {
        match space.wait_for(CHANNEL, Some(PATIENCE)) {
            Ok(()) => break,
            Err(Error::Timeout { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    if ground.is_over() {
        return Ok(());
    }
    let subscriber = FrameSubscriber::open_with(space, CHANNEL, BORROWS)?;
    let mut reader = Reader { ground: &ground, last: None, received: 0, held: VecDeque::new() };
    while !ground.is_over() {
        match subscriber.next(Some(PATIENCE)) {
            Ok(frame) => {
                reader.receive(frame, subscriber.missed());
                ground.go_on(member);
            }
            Err(Error::Timeout { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

struct Reader<'a> {
    ground: &'a Ground,
    /// Number of the last frame, and how many the frames received and missed do not account for.
    last: Option<(u64, u64)>,
    received: u64,
    /// The frames in hand, and the pids of their publishers. The first one is held until another publisher
    /// comes.
    held: VecDeque<(Frame<'a>, u64)>,
}

impl<'a> Reader<'a> {
    fn receive(&mut self, frame: Frame<'a>, missed: u64) {
        let sequence = frame.sequence();
        let publisher = verify(&frame);
        self.received += 1;
        let before = sequence.checked_sub(self.received + missed).expect("no frame is counted twice");
        if let Some((last, unaccounted)) = self.last {
            assert!(sequence > last, "frame {sequence} came after {last}");
            assert_eq!(
                before, unaccounted,
                "{missed} frames missed and {} received are not all",
                self.received
            );
        }
        self.last = Some((sequence, before));
        self.ground.add(Count::FramesRead);
        self.held.push_back((frame, publisher));
        self.let_go(sequence, publisher);
    }

    /// Looks again at a frame that is not held any longer.
    fn let_go(&mut self, newest: u64, publisher: u64) {
        let Some((first, its_publisher)) = self.held.front() else { return };
        let outlived = *its_publisher != publisher;
        let surplus = self.held.len() == BORROWS as usize;
        let index = usize::from(!outlived && newest - first.sequence() < LONGEST_HOLD);
        if (surplus || outlived)
            && let Some((frame, its_publisher)) = self.held.remove(index)
        {
            assert_eq!(verify(&frame), its_publisher, "a held frame changed");
            self.ground.add(Count::FramesVerifiedAgain);
            if outlived {
                self.ground.add(Count::FramesHeldOverDeath);
            }
        }
    }
}

/// The pid of the publisher of a whole frame.
fn verify(frame: &Frame<'_>) -> u64 {
    let number =
        sealed::unseal(frame).unwrap_or_else(|why| panic!("frame {} is torn: {why}", frame.sequence()));
    let (sequence, publisher) = parts(number);
    assert_eq!(sequence, frame.sequence(), "a frame holds another's content");
    publisher
}
