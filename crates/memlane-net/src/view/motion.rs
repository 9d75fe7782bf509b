//! How a region moves: how often it changes, and for how long it has not. Knows no clock: whoever looks says when.

use std::time::{Duration, Instant};

/// What changed less than this long ago is live; what did not, changes zero times a second.
pub const QUIET: Duration = Duration::from_secs(2);
/// How far back a rate reaches, as the time constant of an exponential mean.
const SMOOTHING: Duration = Duration::from_secs(2);
/// Looks that are closer to each other than this count as one, or a single change would make a rate of hundreds.
const SHORTEST_SAMPLE: Duration = Duration::from_millis(200);
/// Of its usual intervals, how many may pass before a publisher is late.
const PATIENCE: u32 = 5;

/// When somebody looked, or something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// For differences.
    pub monotonic: Instant,
    /// For people: nanoseconds since the Unix epoch.
    pub wall: u64,
}

/// What is known of a region's changes from looking again and again.
#[derive(Debug, Clone)]
pub struct Motion {
    /// How many changes there were when the rate was last reckoned.
    sample: (u64, Instant),
    count: u64,
    rate: Option<f64>,
    changed: Option<Moment>,
    /// Between two changes, usually.
    interval: Option<Duration>,
}

impl Moment {
    /// Now, by the system's clocks.
    pub fn now() -> Self {
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self { monotonic: Instant::now(), wall: wall.as_nanos() as u64 }
    }

    /// So much earlier.
    pub fn before(self, ago: Duration) -> Option<Self> {
        let wall = self.wall.checked_sub(ago.as_nanos() as u64)?;
        Some(Self { monotonic: self.monotonic.checked_sub(ago)?, wall })
    }
}

impl Motion {
    /// After the first look, at which `count` changes had been counted, the last of them at `changed` as far as the
    /// region itself says so.
    pub fn begin(count: u64, now: Moment, changed: Option<Moment>) -> Self {
        Self { sample: (count, now.monotonic), count, rate: None, changed, interval: None }
    }

    /// After one more look. `has_changed`: also by what is not counted.
    pub fn follow(&mut self, count: u64, has_changed: bool, now: Moment) {
        if has_changed {
            let changes = u32::try_from(count.saturating_sub(self.count)).unwrap_or(u32::MAX).max(1);
            if let Some(last) = self.changed {
                let fresh = (now.monotonic - last.monotonic) / changes;
                self.interval = Some(self.interval.map_or(fresh, |usual| (usual * 3 + fresh) / 4));
            }
            self.changed = Some(now);
        }
        self.count = count;
        let elapsed = now.monotonic - self.sample.1;
        if elapsed < SHORTEST_SAMPLE {
            return;
        }
        let fresh = count.saturating_sub(self.sample.0) as f64 / elapsed.as_secs_f64();
        let weight = 1.0 - (-elapsed.as_secs_f64() / SMOOTHING.as_secs_f64()).exp();
        let smooth = self.rate.map_or(fresh, |rate| rate + (fresh - rate) * weight);
        self.rate = Some(if self.is_live(now) { smooth } else { 0.0 });
        self.sample = (count, now.monotonic);
    }

    /// Changes a second, to three digits; nothing after a single look.
    pub fn rate(&self) -> Option<f64> {
        self.rate.map(rounded)
    }

    /// When the last change was seen.
    pub fn changed(&self) -> Option<Moment> {
        self.changed
    }

    /// Whether it changed just now.
    pub fn is_live(&self, now: Moment) -> bool {
        self.silence(now).is_some_and(|silence| silence < QUIET)
    }

    /// Whether it changed before and has not for far longer than it usually takes.
    pub fn is_overdue(&self, now: Moment) -> bool {
        let usual = self.interval.unwrap_or_default() * PATIENCE;
        self.silence(now).is_some_and(|silence| silence >= usual.max(QUIET))
    }

    fn silence(&self, now: Moment) -> Option<Duration> {
        self.changed.map(|changed| now.monotonic.saturating_duration_since(changed.monotonic))
    }
}

/// To three digits: a rate that trembles behind them is the same to whoever is told of changes.
fn rounded(rate: f64) -> f64 {
    if rate < 1e-3 {
        return 0.0;
    }
    let unit = 10_f64.powi(rate.log10().floor() as i32 - 2);
    // Divided, where the unit is small: 0.1 is exact as 1 / 10 only.
    if unit < 1.0 { (rate / unit).round() / (1.0 / unit).round() } else { (rate / unit).round() * unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same clock for a whole test.
    struct Clock(Moment);

    impl Clock {
        fn at(&self, milliseconds: u64) -> Moment {
            let later = Duration::from_millis(milliseconds);
            Moment { monotonic: self.0.monotonic + later, wall: self.0.wall + later.as_nanos() as u64 }
        }
    }

    /// Looks every 250 ms until `end` at something that counts `rate` a second from the beginning.
    fn watched(clock: &Clock, motion: &mut Motion, from: u64, end: u64, count: impl Fn(u64) -> u64) {
        let mut before = count(from);
        for time in (from + 250..=end).step_by(250) {
            motion.follow(count(time), count(time) != before, clock.at(time));
            before = count(time);
        }
    }

    #[test]
    fn a_steady_rate_is_told_at_once_and_stays() {
        let clock = Clock(Moment::now());
        let mut motion = Motion::begin(7, clock.at(0), None);
        assert_eq!((motion.rate(), motion.changed()), (None, None));
        let count = |time: u64| 7 + time * 60 / 1000;
        watched(&clock, &mut motion, 0, 250, count);
        assert_eq!(motion.rate(), Some(60.0));
        watched(&clock, &mut motion, 250, 10_000, count);
        assert!((59.0..=61.0).contains(&motion.rate().unwrap()), "{motion:?}");
        assert_eq!(motion.changed(), Some(clock.at(10_000)));
    }

    #[test]
    fn what_stops_is_zero_after_two_seconds_and_late_when_it_used_to_change() {
        let clock = Clock(Moment::now());
        let mut motion = Motion::begin(0, clock.at(0), None);
        let count = |time: u64| time.min(4_000) / 100;
        watched(&clock, &mut motion, 0, 4_000, count);
        assert!(motion.is_live(clock.at(4_000)) && motion.rate().unwrap() > 9.0);
        watched(&clock, &mut motion, 4_000, 6_000, count);
        assert_eq!(motion.rate(), Some(0.0));
        assert!(!motion.is_live(clock.at(6_000)) && motion.is_overdue(clock.at(6_000)));
    }

    #[test]
    fn what_is_slow_is_not_late() {
        let clock = Clock(Moment::now());
        let mut motion = Motion::begin(0, clock.at(0), None);
        watched(&clock, &mut motion, 0, 20_000, |time| time / 5_000);
        assert!(!motion.is_live(clock.at(24_000)) && !motion.is_overdue(clock.at(24_000)));
        assert!(motion.is_overdue(clock.at(60_000)));
    }

    #[test]
    fn looks_in_quick_succession_make_no_rate() {
        let clock = Clock(Moment::now());
        let mut motion = Motion::begin(0, clock.at(0), None);
        motion.follow(1, true, clock.at(1));
        assert_eq!((motion.rate(), motion.changed()), (None, Some(clock.at(1))));
        motion.follow(1, false, clock.at(200));
        assert_eq!(motion.rate(), Some(5.0));
    }

    #[test]
    fn rates_have_three_digits() {
        let shown = [0.0, 1e-9, 0.123_456, 9.996, 59.97, 123.4, 98_765.4].map(rounded);
        assert_eq!(shown, [0.0, 0.0, 0.123, 10.0, 60.0, 123.0, 98_800.0]);
    }

    #[test]
    fn a_counter_that_goes_back_is_no_rate() {
        let clock = Clock(Moment::now());
        let mut motion = Motion::begin(u64::MAX, clock.at(0), None);
        motion.follow(3, true, clock.at(1_000));
        assert_eq!(motion.rate(), Some(0.0));
    }
}
