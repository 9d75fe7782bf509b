//! What a fork must not break: a child must never pass for its parent.
//!
//! A counter is bumped in every child, so a handle sees in one load that it was made by an ancestor. A lock
//! that `fork` itself takes keeps a fork out of the few instructions between opening a presence lock and
//! marking its mapping as not inherited.
#![allow(unsafe_code)] // pthread_atfork takes C functions.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);
static GATE: AtomicU32 = AtomicU32::new(OPEN);
static INSTALL: Once = Once::new();

const OPEN: u32 = 0;
const SHUT: u32 = 1;

/// How many forks lie between the first process that used the library and this one.
#[inline]
pub(crate) fn count() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Runs `work` while no thread of this process can fork. Not re-entrant.
pub(crate) fn excluded<T>(work: impl FnOnce() -> T) -> T {
    INSTALL.call_once(install);
    let _gate = ShutGate::new();
    work()
}

struct ShutGate;

impl ShutGate {
    fn new() -> Self {
        shut_gate();
        Self
    }
}

impl Drop for ShutGate {
    fn drop(&mut self) {
        open_gate();
    }
}

fn install() {
    // SAFETY: the three functions live as long as the program, take nothing, and touch only statics of this
    // file and the forking thread's own key.
    let refused = unsafe {
        libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child))
    };
    // Only ENOMEM can happen, at first use; going on without the handlers would let a child pass for its
    // parent.
    if refused != 0 {
        std::process::abort();
    }
}

extern "C" fn before_fork() {
    shut_gate();
}

extern "C" fn after_fork_in_parent() {
    open_gate();
}

extern "C" fn after_fork_in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    super::process::forget_thread_key();
    open_gate();
}

fn shut_gate() {
    while GATE.compare_exchange(OPEN, SHUT, Ordering::Acquire, Ordering::Relaxed).is_err() {
        // Held for microseconds (an attach): giving up the processor is enough, and safe inside fork.
        rustix::thread::sched_yield();
    }
}

fn open_gate() {
    GATE.store(OPEN, Ordering::Release);
}
