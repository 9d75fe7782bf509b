//! Looking without sleeping, as long as a subscriber was told to.

use crate::atomic::pause;
use crate::os::clock;
use crate::sync::waiter::Wait;
use std::time::Duration;

/// Looks between two looks at the clock.
const LOOKS: u32 = 64;

/// How long to look before sleeping; not at all when it is zero.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spin(pub(crate) Duration);

impl Spin {
    /// Looks for a microsecond or two. The clock is not asked, as an answer may come sooner than the clock's.
    #[inline]
    pub(crate) fn briefly(self, timeout: Option<Duration>, is_there: impl FnMut() -> bool) -> bool {
        !self.0.is_zero() && timeout != Some(Duration::ZERO) && look(is_there)
    }

    /// Looks until it is there, or the time or the deadline is over.
    pub(crate) fn for_long(self, wait: &Wait, mut is_there: impl FnMut() -> bool) -> bool {
        if self.0.is_zero() {
            return false;
        }
        let end = clock::monotonic() + self.0.as_nanos() as u64;
        let end = wait.deadline.map_or(end, |deadline| deadline.min(end));
        while clock::monotonic() < end {
            if look(&mut is_there) {
                return true;
            }
        }
        false
    }
}

#[inline]
fn look(mut is_there: impl FnMut() -> bool) -> bool {
    (0..LOOKS).any(|_| {
        is_there() || {
            pause();
            false
        }
    })
}
