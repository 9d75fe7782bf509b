//! Pace: so many frames a second by absolute deadlines, so that no error adds up.

use super::interrupt::Interrupt;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Whoever is this late (a stopped process, a sleeping machine) begins anew instead of catching up in a
/// burst.
const LATENESS_MAX: Duration = Duration::from_millis(500);

/// What can be asked for: a frame a day, or one a microsecond.
const RATES: RangeInclusive<f64> = 1e-5..=1e6;

/// When the next frame is due.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Option<f64>,
    /// The first frame's time, and how many there were since.
    schedule: Option<(Instant, u64)>,
}

impl Pace {
    /// `None`: as fast as it goes.
    pub(crate) fn new(rate: Option<f64>) -> Self {
        Self { rate, schedule: None }
    }

    /// Waits until the next frame is due, or an interrupt. The first is due when it is there.
    pub(crate) fn wait(&mut self, interrupt: &Interrupt) {
        if let Some(rate) = self.rate {
            interrupt.sleep_until(self.next_deadline(rate, Instant::now()));
        }
    }

    fn next_deadline(&mut self, rate: f64, now: Instant) -> Instant {
        let (start, frames) = self.schedule.unwrap_or((now, 0));
        let deadline = start + Duration::from_secs_f64(frames as f64 / rate);
        let (start, frames, deadline) =
            if now > deadline + LATENESS_MAX { (now, 0, now) } else { (start, frames, deadline) };
        self.schedule = Some((start, frames + 1));
        deadline
    }
}

/// Frames a second, from the command line.
pub(crate) fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| RATES.contains(rate));
    rate.ok_or_else(|| format!("expected frames a second, {} to {}", RATES.start(), RATES.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_do_not_drift_and_short_lateness_is_caught_up() {
        let mut pace = Pace::new(Some(60.0));
        let start = Instant::now();
        assert_eq!(pace.next_deadline(60.0, start), start);
        let late = start + Duration::from_millis(100);
        let deadlines: Vec<_> = (1..=60).map(|_| pace.next_deadline(60.0, late)).collect();
        assert_eq!(deadlines.first(), Some(&(start + Duration::from_secs_f64(1.0 / 60.0))));
        assert_eq!(deadlines.last(), Some(&(start + Duration::from_secs(1))));
    }

    #[test]
    fn long_lateness_begins_anew() {
        let mut pace = Pace::new(Some(10.0));
        let start = Instant::now();
        pace.next_deadline(10.0, start);
        let late = start + Duration::from_secs(100);
        assert_eq!(pace.next_deadline(10.0, late), late);
        assert_eq!(pace.next_deadline(10.0, late), late + Duration::from_millis(100));
    }
}
