//! What an algorithm needs from the world: to sleep on a word, to wake sleepers, and to know who is dead.
//!
//! Every wait is level-triggered and in bounded slices: whoever wakes looks at the word again, so no
//! information is carried by a wake alone, and a wake that died with its sender costs one slice.

use crate::atomic::{AtomicU32, AtomicU64};
use crate::sync::claim::Claim;

/// The world as an algorithm sees it: other processes in production, a model under loom.
pub trait Peers {
    /// Sleeps while `word == expected`, a slice at most. Says whether the deadline has passed.
    fn wait_u32(&self, word: &AtomicU32, expected: u32, wait: &mut Wait) -> Expired;
    /// [`Self::wait_u32`] on the low half of a 64-bit word.
    fn wait_u64(&self, word: &AtomicU64, expected: u64, wait: &mut Wait) -> Expired;
    /// Wakes up to `count` sleepers.
    fn wake_u32(&self, word: &AtomicU32, count: u32);
    /// [`Self::wake_u32`] on the low half of a 64-bit word.
    fn wake_u64(&self, word: &AtomicU64, count: u32);
    /// Whether the participant that made this claim is gone. Stable: a dead claim never lives again.
    fn is_dead(&self, claim: Claim) -> bool;
}

/// Wakes everybody.
pub const ALL: u32 = i32::MAX as u32;

/// Whether a wait's deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Expired {
    /// There is time left (or no deadline).
    No,
    /// The deadline has passed.
    Yes,
}

/// One blocking call's patience: until when, and how often it has slept.
#[derive(Debug, Clone)]
#[cfg_attr(loom, expect(dead_code, reason = "in a model the world alone decides when a sleep ends"))]
pub struct Wait {
    /// Monotonic nanoseconds; `None` waits for ever.
    pub(crate) deadline: Option<u64>,
    /// How many slices were slept through; the world makes later ones longer.
    pub(crate) slices: u32,
}

impl Wait {
    /// Waits for ever.
    pub const FOREVER: Self = Self { deadline: None, slices: 0 };

    /// Does not wait: its deadline has passed.
    pub const AT_ONCE: Self = Self { deadline: Some(0), slices: 0 };
}

/// The deadline passed before the state came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut;
