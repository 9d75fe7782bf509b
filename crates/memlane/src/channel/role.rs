//! The publisher's role of a channel that has one at a time: a claim held for the publisher's life, taken over when it
//! dies.

use crate::atomic::{AtomicU32, Ordering::Relaxed};
use crate::error::{Error, Result};
use crate::layout::RoleLine;
use crate::os::clock;
use crate::participant::Participant;
use crate::region::Region;
use crate::sync::claim::{self, Claim};
use crate::sync::waiter::{TimedOut, Wait};
use std::time::{Duration, Instant};

/// Who publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublisherState {
    /// Nobody.
    None,
    /// This process.
    Alive(Participant),
    /// This process did until it died.
    Died(Participant),
}

/// Becomes the publisher, or says who is; waits up to `patience` for a present one to end.
pub(crate) fn take(region: &Region, line: &RoleLine, patience: Duration) -> Result<()> {
    let attachment = region.attachment().as_ref();
    let me = attachment.me()?;
    let word = &line.publisher;
    let start = Instant::now();
    let taken = claim::try_take_over(word, me, attachment).map_err(|_| TimedOut).or_else(|TimedOut| {
        if patience.is_zero() {
            return Err(TimedOut);
        }
        claim::acquire(word, me, attachment, &mut Wait::until(Some(patience)))
    });
    if taken.is_err() {
        let holder = Claim::in_word(word.load(Relaxed));
        let publisher =
            holder.map_or_else(|| "one that has just left".to_owned(), |claim| attachment.who(claim));
        let waited =
            if patience.is_zero() { String::new() } else { format!(", still after {:.1?}", start.elapsed()) };
        return Err(Error::PublisherExists { id: region.id().into(), publisher: publisher + &waited });
    }
    line.since.store(clock::monotonic_coarse(), Relaxed);
    Ok(())
}

/// Who has the role; `describe` is what the table knows of a claim.
pub(crate) fn state(word: &AtomicU32, describe: impl Fn(Claim) -> Option<Participant>) -> PublisherState {
    let mut publisher = Claim::in_word(word.load(Relaxed));
    loop {
        let Some(claim) = publisher else { return PublisherState::None };
        match describe(claim) {
            Some(participant) if participant.alive => return PublisherState::Alive(participant),
            Some(participant) => return PublisherState::Died(participant),
            None => {}
        }
        // Dead for good, unless it gave the role back and left while we looked.
        publisher = Claim::in_word(word.load(Relaxed));
        if publisher == Some(claim) {
            return PublisherState::Died(Participant::gone(claim));
        }
    }
}
