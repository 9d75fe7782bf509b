//! When a frame was captured, on two clocks.

use crate::os::clock;
use std::time::Duration;

/// A moment on the monotonic clock (to compare within the machine) and on the wall clock (to compare with the
/// world).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timestamp {
    /// Nanoseconds of the monotonic clock.
    pub monotonic: u64,
    /// Nanoseconds since the Unix epoch.
    pub wall: u64,
}

impl Timestamp {
    /// Now. Costs a look at a clock, 20–30 ns. Of the wall clock, a step that somebody makes is seen a millisecond
    /// late.
    #[must_use]
    pub fn now() -> Self {
        let (monotonic, wall) = clock::monotonic_and_wall();
        Self { monotonic, wall }
    }

    /// How long ago it was.
    #[must_use]
    pub fn age(self) -> Duration {
        Duration::from_nanos(clock::monotonic().saturating_sub(self.monotonic))
    }
}
