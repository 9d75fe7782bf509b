//! Three clocks, in nanoseconds.

use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// Time since boot without suspend, good to compare between processes of one machine. Costs 20–30 ns.
pub(crate) fn monotonic() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// The same clock as of the last timer tick (4 ms at worst). Costs 3 ns, so locks can afford to note it.
pub(crate) fn monotonic_coarse() -> u64 {
    nanoseconds(ClockId::MonotonicCoarse)
}

/// Time since the Unix epoch.
pub(crate) fn wall() -> u64 {
    nanoseconds(ClockId::Realtime)
}

/// How much later the wall clock is, and at which monotonic time it was asked.
static WALL_AHEAD: AtomicU64 = AtomicU64::new(0);
static ASKED: AtomicU64 = AtomicU64::new(0);

/// Both at the same moment: the monotonic time, and the wall clock's. They run at one speed, so the wall clock is asked
/// once in a millisecond, and a step of it (somebody sets the clock) is seen that much later.
pub(crate) fn monotonic_and_wall() -> (u64, u64) {
    const MILLISECOND: u64 = 1_000_000;
    let now = monotonic();
    // Acquire: with the time comes the difference of then, or a later one.
    if now.saturating_sub(ASKED.load(Acquire)) >= MILLISECOND {
        WALL_AHEAD.store(wall().wrapping_sub(now), Relaxed);
        ASKED.store(now, Release);
    }
    (now, now.wrapping_add(WALL_AHEAD.load(Relaxed)))
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * NANOSECONDS_PER_SECOND + time.tv_nsec as u64
}
