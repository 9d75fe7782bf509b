//! Leases: whose a message is between being handed out and being acknowledged.
//!
//! ```text
//! bits 0–31   0 ready, a claim: handed out to it, DONE: acknowledged
//! bits 32–63  how often it was handed out
//! ```
//!
//! The word lies in the message itself. Handing out, acknowledging and giving back are one store each, of who has
//! the consumers' claim or of who holds the lease; the head passes messages that are done, and nothing else.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | before the message is its | nothing | nobody | a message |
//! | holding it | a lease of the dead | the next consumer that finds nothing new | the message, redelivered |
//! | giving it back, after the store | a message, ready, behind the cursor | the same | the message, redelivered |
//! | acknowledging, after the store | a done message at the head | the next who acknowledges or finds nothing new | nothing |

use crate::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::sync::claim::Claim;

/// No participant's claim: bit 31 alone.
const DONE: u32 = 1 << 31;

/// What a lease word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has it.
    Ready,
    /// It was handed out.
    Leased(Claim),
    /// It was acknowledged.
    Done,
}

/// The lease of a message.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a>(pub &'a AtomicU64);

impl Lease<'_> {
    /// Whose it is, and how often it was handed out.
    #[must_use]
    pub fn standing(self) -> (Standing, u32) {
        let word = self.0.load(Acquire);
        let standing = match (word as u32, Claim::in_word(word as u32)) {
            (DONE, _) => Standing::Done,
            (_, Some(claim)) => Standing::Leased(claim),
            (_, None) => Standing::Ready,
        };
        (standing, (word >> 32) as u32)
    }

    /// Hands it out to `me`; who calls has the consumers' claim. The commit. Gives back how often it was handed out
    /// before.
    pub fn hand_out(self, me: Claim) -> u32 {
        let before = (self.0.load(Relaxed) >> 32) as u32;
        self.0.store(u64::from(before.saturating_add(1)) << 32 | u64::from(me.bits()), Release);
        before
    }

    /// Who has it is done with it. The commit.
    pub fn acknowledge(self) {
        self.set(DONE);
    }

    /// Who has it gives it back. The commit.
    pub fn give_back(self) {
        self.set(0);
    }

    fn set(self, standing: u32) {
        let times = self.0.load(Relaxed) & !u64::from(u32::MAX);
        self.0.store(times | u64::from(standing), Release);
    }
}
