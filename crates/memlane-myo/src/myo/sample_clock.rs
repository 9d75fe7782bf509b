//! When a packet was measured, from when it arrived.
//!
//! The armband measures at its own steady pace and gives no time. What arrives is late: by the radio's interval, by
//! the dongle, by a busy machine. It is never early; so the packets that come earliest, each against its turn, show
//! the armband's pace, and the time of every packet is its turn in that. An armband whose clock is slower than ours
//! drifts away from it: the pace follows by at most 200 millionths. When a whole window of packets is late, more were
//! lost than could be counted, and the pace is taken from that window.

/// The fastest that the pace follows late packets: more than crystals differ.
const DRIFT_DIVISOR: u64 = 5_000;
/// Packets of a window, and by how much all of them must be late.
const WINDOW: u32 = 64;
const LATE: u64 = 5_000_000;

/// The least between two times, so that they differ also as seconds in floating point.
const STEP: u64 = 2_000;

/// The time of packets that are measured once in a period. All times are nanoseconds of the monotonic clock.
#[derive(Debug, Clone)]
pub struct SampleClock {
    period: u64,
    /// When the next packet is measured, at the pace that is known.
    next: Option<u64>,
    /// The last time given out.
    last: u64,
    /// Packets of the window, and by how much the earliest of them was late.
    window: (u32, u64),
}

impl SampleClock {
    /// For packets that come once in `period` nanoseconds.
    #[must_use]
    pub fn new(period: u64) -> Self {
        Self { period, next: None, last: 0, window: (0, u64::MAX) }
    }

    /// The time of a packet that arrived then, `lost` others having been lost before it. Times only grow.
    pub fn arrived(&mut self, at: u64, lost: u64) -> u64 {
        let expected = self.next.map_or(at, |next| next + lost * self.period);
        let late = at.saturating_sub(expected);
        let time = at.min(expected) + late.min(self.period / DRIFT_DIVISOR);
        let time = time + self.catch_up(at.saturating_sub(time));
        self.next = Some(time + self.period);
        self.last = time.max(self.last + STEP);
        self.last
    }

    /// By how much a window of late packets moves the pace.
    fn catch_up(&mut self, late: u64) -> u64 {
        let (count, earliest) = self.window;
        self.window = (count + 1, earliest.min(late));
        if self.window.0 < WINDOW {
            return 0;
        }
        let (_, earliest) = std::mem::replace(&mut self.window, (0, u64::MAX));
        if earliest > LATE { earliest } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: u64 = 10_000_000;
    const START: u64 = 1_000_000_000;

    /// How far the times are from the truth at most, once the first packets are over.
    fn error(arrivals: impl Iterator<Item = (u64, u64, u64)>) -> u64 {
        let mut clock = SampleClock::new(PERIOD);
        let mut last = 0;
        let times = arrivals.map(|(truth, at, lost)| {
            let time = clock.arrived(at, lost);
            assert!(time > last, "times grow");
            last = time;
            time.abs_diff(truth)
        });
        times.skip(100).max().unwrap()
    }

    /// Late by something between 0 and `most`, in no order.
    fn lateness(number: u64, most: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % most
    }

    #[test]
    fn late_packets_do_not_disturb_the_pace() {
        let jitter =
            (0..10_000).map(|n| (START + n * PERIOD, n)).map(|(t, n)| (t, t + lateness(n, 30_000_000), 0));
        assert!(error(jitter) < 1_000_000);
        // A backlog: forty packets at once.
        let burst = (0..10_000).map(|n| (START + n * PERIOD, START + (n / 40 * 40 + 39) * PERIOD, 0));
        assert!(error(burst) < 1_000_000);
    }

    #[test]
    fn counted_losses_keep_the_pace() {
        let lossy = (0..10_000).filter(|n| n % 7 != 3);
        let arrivals = lossy.map(|n| (START + n * PERIOD, START + n * PERIOD, u64::from(n % 7 == 4)));
        assert_eq!(error(arrivals), 0);
    }

    #[test]
    fn losses_that_nobody_counted_are_caught_up_with() {
        let mut clock = SampleClock::new(PERIOD);
        for n in 0..200 {
            clock.arrived(START + n * PERIOD, 0);
        }
        let times = (1_000..1_200).map(|n| clock.arrived(START + n * PERIOD, 0).abs_diff(START + n * PERIOD));
        assert!(times.skip(2 * WINDOW as usize).all(|error| error < 1_000_000));
    }

    #[test]
    fn a_slow_armband_is_followed() {
        let drifting = (0..100_000).map(|n| (START + n * (PERIOD + 1_000), START + n * (PERIOD + 1_000), 0));
        assert!(error(drifting) < 10_000);
    }
}
