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
    /// Now. Costs two looks at a clock, 50 ns or so.
    #[must_use]
    pub fn now() -> Self {
        Self { monotonic: clock::monotonic(), wall: clock::wall() }
    }

    /// How long ago it was.
    #[must_use]
    pub fn age(self) -> Duration {
        Duration::from_nanos(clock::monotonic().saturating_sub(self.monotonic))
    }
}
