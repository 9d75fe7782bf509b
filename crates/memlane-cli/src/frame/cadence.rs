//! Cadence: how often something happens, measured from one happening to another, so that a window's edges do not count.

use std::time::Instant;

/// Counts happenings since the last look.
#[derive(Debug)]
pub(crate) struct Cadence {
    count: u64,
    /// When the last happening of the window before was.
    from: Instant,
    last: Instant,
}

impl Cadence {
    pub(crate) fn new(now: Instant) -> Self {
        Self { count: 0, from: now, last: now }
    }

    pub(crate) fn count(&mut self, now: Instant) {
        self.count += 1;
        self.last = now;
    }

    /// Happenings a second since the last call; 0 when there were none.
    pub(crate) fn take(&mut self) -> f64 {
        let seconds = (self.last - self.from).as_secs_f64();
        let rate = if seconds > 0.0 { self.count as f64 / seconds } else { 0.0 };
        self.count = 0;
        self.from = self.last;
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn windows_that_do_not_fit_the_period_do_not_shake_it() {
        let start = Instant::now();
        let mut cadence = Cadence::new(start);
        for tenth in 1..=7 {
            cadence.count(start + Duration::from_millis(100) * tenth);
        }
        assert!((cadence.take() - 10.0).abs() < 1e-9);
        assert_eq!(cadence.take(), 0.0);
        cadence.count(start + Duration::from_millis(1200));
        assert!((cadence.take() - 2.0).abs() < 1e-9);
    }
}
