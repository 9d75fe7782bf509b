//! Latencies: a histogram that takes any number of them in constant memory and time.
//!
//! Each power of two is divided into 32 steps, so that a percentile is at most 3 % too high; the maximum is
//! exact.

use std::time::Duration;

const STEP_BITS: u32 = 5;
const STEPS: u64 = 1 << STEP_BITS;
/// One group of steps for the small numbers, and one for each higher bit.
const BUCKETS: usize = ((u64::BITS - STEP_BITS + 1) as usize) << STEP_BITS;

/// How long things took.
#[derive(Debug, Clone)]
pub(crate) struct Latencies {
    counts: Vec<u64>,
    total: u64,
    longest: Duration,
}

/// What is said of many latencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Percentiles {
    pub(crate) half: Duration,
    pub(crate) ninety: Duration,
    pub(crate) ninety_nine: Duration,
    pub(crate) longest: Duration,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, longest: Duration::ZERO }
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket_of(nanoseconds)) {
            *count += 1;
            self.total += 1;
        }
        self.longest = self.longest.max(latency);
    }

    /// `None` when nothing was recorded.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        Some(Percentiles {
            half: self.percentile(50)?,
            ninety: self.percentile(90)?,
            ninety_nine: self.percentile(99)?,
            longest: self.longest,
        })
    }

    /// The latency that `percent` of all did not exceed.
    fn percentile(&self, percent: u64) -> Option<Duration> {
        let wanted = (self.total * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map(|bucket| Duration::from_nanos(end_of(bucket)).min(self.longest))
    }
}

/// Small numbers have a bucket each; of larger ones the highest bits choose it.
fn bucket_of(nanoseconds: u64) -> usize {
    let group = (u64::BITS - nanoseconds.leading_zeros()).saturating_sub(STEP_BITS + 1);
    let step = nanoseconds >> group;
    (u64::from(group) * STEPS + step) as usize
}

/// The largest number of a bucket.
fn end_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let group = (bucket / STEPS).saturating_sub(1);
    let step = bucket - group * STEPS;
    ((step + 1) << group).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_lies_in_its_bucket_and_the_bucket_is_narrow() {
        let numbers = (0..1000)
            .chain((10..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]))
            .chain([u64::MAX]);
        for number in numbers {
            let bucket = bucket_of(number);
            assert!(bucket < BUCKETS);
            assert!(end_of(bucket) >= number, "{number}");
            assert!(end_of(bucket) - number <= number / STEPS, "{number}");
            assert!(bucket == 0 || end_of(bucket - 1) < number, "{number}");
        }
    }

    #[test]
    fn percentiles_of_known_numbers() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.percentiles(), None);
        for micros in 1..=1000 {
            latencies.record(Duration::from_micros(micros));
        }
        let found = latencies.percentiles().expect("a thousand were recorded");
        for (found, exact) in [(found.half, 500), (found.ninety, 900), (found.ninety_nine, 990)] {
            let exact = Duration::from_micros(exact);
            assert!(found >= exact && found <= exact + exact / 31, "{found:?} instead of {exact:?}");
        }
        assert_eq!(found.longest, Duration::from_millis(1));
    }
}
