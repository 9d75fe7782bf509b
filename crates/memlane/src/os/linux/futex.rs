//! Sleeping on a word of shared memory, and waking those who do.
//!
//! Every word may lie in memory shared between processes, so none of the calls is `FUTEX_PRIVATE`.
#![allow(unsafe_code)] // A 64-bit word is handed to the kernel by the address of its low half.

use crate::atomic::{AtomicU32, AtomicU64};
use rustix::thread::futex::{Flags, Timespec, wait, wake};
use std::time::Duration;

/// Sleeps while `word == expected`, at most `slice`. Returns early for any reason: callers look again.
pub(crate) fn wait_u32(word: &AtomicU32, expected: u32, slice: Duration) {
    let slice = Timespec { tv_sec: slice.as_secs() as i64, tv_nsec: i64::from(slice.subsec_nanos()) };
    // Every outcome (woken, changed, interrupted, timed out) means the same to the caller: look again.
    let _ = wait(word, Flags::empty(), expected, Some(&slice));
}

/// Wakes up to `count` sleepers.
pub(crate) fn wake_u32(word: &AtomicU32, count: u32) {
    // The kernel can only refuse an address that is not ours, which a reference excludes.
    let _ = wake(word, Flags::empty(), count.min(i32::MAX as u32));
}

/// [`wait_u32`] on the low half of a 64-bit word.
pub(crate) fn wait_u64(word: &AtomicU64, expected: u64, slice: Duration) {
    wait_u32(low_half(word), expected as u32, slice);
}

/// [`wake_u32`] on the low half of a 64-bit word.
pub(crate) fn wake_u64(word: &AtomicU64, count: u32) {
    wake_u32(low_half(word), count);
}

fn low_half(word: &AtomicU64) -> &AtomicU32 {
    // SAFETY: the low half of a little-endian u64 is at its address, aligned and alive as long as the word;
    // only the kernel reads through it, so no Rust access mixes sizes.
    unsafe { &*std::ptr::from_ref(word).cast::<AtomicU32>() }
}
