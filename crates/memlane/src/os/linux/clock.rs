//! Three clocks, in nanoseconds.

use rustix::time::{ClockId, clock_gettime};

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

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * NANOSECONDS_PER_SECOND + time.tv_nsec as u64
}
