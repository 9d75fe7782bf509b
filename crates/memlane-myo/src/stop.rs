//! The wish to end, seen by whatever waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a wait goes on without looking: what it takes to stop when no byte comes.
pub(crate) const LOOK: Duration = Duration::from_millis(10);

/// A flag that its copies share, requested once and for good.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks everybody who looks at it to end.
    pub fn request(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Lets the time go by, or less of it when asked to end.
    pub fn sleep(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.is_requested() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(LOOK));
        }
    }
}

/// For whoever notes signals in a flag.
impl From<Arc<AtomicBool>> for Stop {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}
