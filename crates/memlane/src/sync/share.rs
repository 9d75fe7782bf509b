//! A participant's share: how many of something it holds, in a word that dies with it.
//!
//! ```text
//! bits 0–31    how many
//! bits 32–63   generation of the participant
//! ```
//!
//! The sum of the living shares is the truth about permits and read locks; nothing else is stored that could
//! disagree with it. A share of another generation than its slot's is nobody's, and is overwritten by the next holder
//! of the slot: a death needs no repair. The threads of a process have one share between them.

use crate::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};
use crate::sync::claim::Claim;

/// The share in a word: whose, and how many. `None` when it is nobody's.
#[inline]
#[must_use]
pub fn read(word: u64, slot: u16) -> Option<(Claim, u32)> {
    match word as u32 {
        0 => None,
        count => Some((Claim::new(slot, (word >> 32) as u32)?, count)),
    }
}

#[inline]
fn pack(claim: Claim, count: u32) -> u64 {
    u64::from(claim.generation()) << 32 | u64::from(count)
}

/// Adds to `me`'s share; `None` when there would be too many.
#[inline]
pub fn add(share: &AtomicU64, me: Claim, count: u32) -> Option<u32> {
    let mut seen = share.load(Relaxed);
    loop {
        let held = match read(seen, me.slot()) {
            Some((claim, held)) if claim == me => held,
            // What a dead one held is gone.
            _ => 0,
        };
        let sum = held.checked_add(count)?;
        match share.compare_exchange(seen, pack(me, sum), AcqRel, Relaxed) {
            Ok(_) => return Some(sum),
            Err(changed) => seen = changed,
        }
    }
}

/// Takes from `me`'s share; `None` when it has not as many.
#[inline]
pub fn subtract(share: &AtomicU64, me: Claim, count: u32) -> Option<u32> {
    let mut seen = share.load(Relaxed);
    loop {
        let (_, held) = read(seen, me.slot()).filter(|(claim, _)| *claim == me)?;
        let rest = held.checked_sub(count)?;
        match share.compare_exchange(seen, pack(me, rest), AcqRel, Relaxed) {
            Ok(_) => return Some(rest),
            Err(changed) => seen = changed,
        }
    }
}

/// All shares that are not empty.
pub fn all(shares: &[AtomicU64]) -> impl Iterator<Item = (Claim, u32)> {
    (0..).zip(shares).filter_map(|(slot, share)| read(share.load(Acquire), slot))
}
