//! Cadence: how often something happens, measured from one happening to another, so that a window's edges do
//! not count.

use std::time::{Duration, Instant};

/// Counts happenings since the last look.
#[derive(Debug, Default)]
pub(crate) struct Cadence {
    count: u64,
    /// The last happening of the window before, or the very first; and the last one of this window.
    window: Option<(Instant, Instant)>,
}

impl Cadence {
    pub(crate) fn count(&mut self, now: Instant) {
        match &mut self.window {
            None => self.window = Some((now, now)),
            Some((_, last)) => {
                *last = now;
                self.count += 1;
            }
        }
    }

    /// From the first happening to the last.
    pub(crate) fn span(&self) -> Duration {
        self.window.map_or(Duration::ZERO, |(from, last)| last - from)
    }

    /// Happenings a second; 0 when there were none.
    pub(crate) fn rate(&self) -> f64 {
        let seconds = self.span().as_secs_f64();
        if seconds > 0.0 { self.count as f64 / seconds } else { 0.0 }
    }

    /// The rate since the last call.
    pub(crate) fn take(&mut self) -> f64 {
        let rate = self.rate();
        self.count = 0;
        self.window = self.window.map(|(_, last)| (last, last));
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_do_not_fit_the_period_do_not_shake_it() {
        let start = Instant::now();
        let mut cadence = Cadence::default();
        for tenth in 0..=7 {
            cadence.count(start + Duration::from_millis(100) * tenth);
        }
        assert!((cadence.take() - 10.0).abs() < 1e-9);
        assert_eq!(cadence.take(), 0.0);
        cadence.count(start + Duration::from_millis(1200));
        assert!((cadence.take() - 2.0).abs() < 1e-9);
    }
}
