//! How long to leave a failing device alone: twice as long each time, up to a few seconds.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// The next pause.
#[derive(Debug, Clone)]
pub struct BackOff {
    pause: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { pause: SHORTEST }
    }
}

impl BackOff {
    /// The device works: the next failure is the first.
    pub fn reset(&mut self) {
        self.pause = SHORTEST;
    }

    /// How long to wait now: 100 ms, 200 ms … 5 s.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_begin_again() {
        let mut back_off = BackOff::default();
        let pauses: Vec<_> = (0..8).map(|_| back_off.next_pause().as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        back_off.reset();
        assert_eq!(back_off.next_pause(), SHORTEST);
    }
}
