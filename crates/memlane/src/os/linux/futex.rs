//! Sleeping on a word of shared memory, and waking those who do.
//!
//! Every word may lie in memory shared between processes, so none of the calls is `FUTEX_PRIVATE`.
#![allow(unsafe_code)] // A 64-bit word is handed to the kernel by the address of its low half.

use crate::atomic::{AtomicU32, AtomicU64};
use rustix::io::Errno;
use rustix::thread::ClockId;
use rustix::thread::futex::{self, Flags, Timespec, WaitFlags, WaitvFlags, wait, waitv, wake};
use std::time::Duration;

/// Sleeps while `word == expected`, at most `slice`. Returns early for any reason: callers look again.
pub(crate) fn wait_u32(word: &AtomicU32, expected: u32, slice: Duration) {
    let slice = Timespec { tv_sec: slice.as_secs() as i64, tv_nsec: i64::from(slice.subsec_nanos()) };
    #[cfg(feature = "delays")]
    crate::atomic::delay();
    // Every outcome (woken, changed, interrupted, timed out) means the same to the caller: look again.
    let _ = wait(word, Flags::empty(), expected, Some(&slice));
}

/// Wakes up to `count` sleepers.
pub(crate) fn wake_u32(word: &AtomicU32, count: u32) {
    #[cfg(feature = "delays")]
    crate::atomic::delay();
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

/// Most words that [`wait_any`] can sleep on.
pub(crate) const MOST_WORDS: usize = 128;

/// Sleeps while each word is as expected (a 64-bit word: its low half), at most until `deadline` on the monotonic
/// clock. `false` when the kernel cannot wait for several (before Linux 5.16, or not let to by a sandbox).
pub(crate) fn wait_any(words: &[(&AtomicU32, u32)], deadline: u64) -> bool {
    let entry = |&(word, expected): &(&AtomicU32, u32)| {
        let mut entry = futex::Wait::new();
        entry.val = u64::from(expected);
        entry.uaddr = futex::WaitPtr::new(std::ptr::from_ref(word).cast_mut().cast());
        entry.flags = WaitFlags::SIZE_U32;
        entry
    };
    let entries: Vec<_> = words.iter().take(MOST_WORDS).map(entry).collect();
    let deadline = Timespec {
        tv_sec: (deadline / NANOSECONDS_PER_SECOND) as i64,
        tv_nsec: (deadline % NANOSECONDS_PER_SECOND) as i64,
    };
    let slept = waitv(&entries, WaitvFlags::empty(), Some(&deadline), ClockId::Monotonic);
    !matches!(slept, Err(Errno::NOSYS | Errno::PERM))
}

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// The half of a word that the kernel sleeps on.
pub(crate) fn low_half(word: &AtomicU64) -> &AtomicU32 {
    // SAFETY: the low half of a little-endian u64 is at its address, aligned and alive as long as the word;
    // only the kernel reads through it, so no Rust access mixes sizes.
    unsafe { &*std::ptr::from_ref(word).cast::<AtomicU32>() }
}
