//! Two copies and a version that picks one: content that changes as a whole, whatever happens to its writer.
//!
//! ```text
//! version even → copy 0 is the content, copy 1 is being prepared or is the content before
//! version odd  → the other way round
//! ```
//!
//! A writer fills the copy nobody is sent to and then moves the version by one: that store is the commit.
//! Killed before, the old content stands, and the half-filled copy is simply filled again by the next writer;
//! killed after, the new content stands. There is nothing to repair. (A seqlock with one copy would leave
//! readers waiting for ever for a dead writer's second store.) Writers exclude each other by a claim word;
//! readers take nothing, and a reader that dies leaves nothing.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | before the version moves | a torn inactive copy | the next writer, by writing | the old content |
//! | after it | the new content | nobody | the new content |
//! | after it, before the wake | sleepers asleep | they, after a slice | the new content, late |

use crate::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, fence};
use crate::sync::version;
use crate::sync::waiter::Peers;

/// The version word and the two copies it picks from.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    /// An eventcount whose count is the version.
    pub version: &'a AtomicU64,
    /// Copies of equal length.
    pub copies: [&'a [AtomicU64]; 2],
}

impl<'a> Snapshot<'a> {
    /// Lets `fill` turn the current content into the next one and commits that. The caller holds the writer's
    /// claim.
    pub fn write(&self, peers: &impl Peers, fill: impl FnOnce(&'a [AtomicU64], &'a [AtomicU64])) -> u64 {
        // Only writers move the version, and there is one at a time.
        let current = version::count(self.version.load(Relaxed));
        // A reader of the copy we are about to overwrite that sees any of our words must also see that the
        // version moved on from it: pairs with the fence in `read`.
        fence(Release);
        fill(self.copy(current), self.copy(current + 1));
        version::commit(self.version, current + 1, peers);
        current + 1
    }

    /// Lets `copy_out` copy the current content; `None` when it was overwritten meanwhile and what was copied
    /// is torn.
    pub fn read<T>(&self, copy_out: impl FnOnce(&'a [AtomicU64]) -> T) -> Option<(u64, T)> {
        let before = version::count(self.version.load(Acquire));
        let copied = copy_out(self.copy(before));
        // The copied words first, then the version again: pairs with the fence in `write`.
        fence(Acquire);
        let after = version::count(self.version.load(Relaxed));
        (before == after).then_some((before, copied))
    }

    fn copy(&self, version: u64) -> &'a [AtomicU64] {
        let [even, odd] = self.copies;
        if version & 1 == 0 { even } else { odd }
    }
}

/// Copies bytes into words, the last one zero-padded; as much as fits.
pub fn store_bytes(words: &[AtomicU64], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<8>();
    for (word, chunk) in words.iter().zip(whole) {
        word.store(u64::from_le_bytes(*chunk), Relaxed);
    }
    if let Some(word) = words.get(whole.len()).filter(|_| !rest.is_empty()) {
        let mut chunk = [0; 8];
        chunk[..rest.len()].copy_from_slice(rest);
        word.store(u64::from_le_bytes(chunk), Relaxed);
    }
}

/// Copies words out as bytes; as much as there is.
pub fn load_bytes(words: &[AtomicU64], bytes: &mut [u8]) {
    let (whole, rest) = bytes.as_chunks_mut::<8>();
    let count = whole.len();
    for (word, chunk) in words.iter().zip(whole) {
        *chunk = word.load(Relaxed).to_le_bytes();
    }
    if let Some(word) = words.get(count) {
        let length = rest.len();
        rest.copy_from_slice(&word.load(Relaxed).to_le_bytes()[..length]);
    }
}
