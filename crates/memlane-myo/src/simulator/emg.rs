//! Synthetic EMG: what eight electrodes around an arm would measure.
//!
//! `x = clip(round(-0.9 + A(t) · (e[n] − 0.35 e[n−1]) / 1.06 [+ 3 sin 2π 50 t]))`, with normal `e`, a tenth of them
//! three times as wide. `A` of a channel is 1.5 to 5 at rest, and 10 to 55 on the two or three neighbouring channels
//! of a gesture, which it takes 200 ms to reach. The hum of the mains is in raw EMG only. Filtered EMG is `17
//! √lowpass(x²)`.

use super::random::Random;
use crate::myo::{EMG_CHANNELS, Pose};
use std::f64::consts::TAU;

/// Samples a second.
const RATE: f64 = 200.0;
/// Samples from one amplitude to the next.
const RAMP_SAMPLES: f64 = 0.2 * RATE;
/// How long a gesture takes when they change, and the rest between them, in samples.
const GESTURE_SAMPLES: u64 = 400;
const OFFSET: f64 = -0.9;
const MAINS: f64 = 50.0;
const HUM: f64 = 3.0;
const OUTLIERS: f64 = 0.1;
const OUTLIER_WIDTH: f64 = 3.0;
/// How much of the last average the filter keeps: a tenth of a second or so.
const SMOOTHING: f64 = 0.95;
const FILTER_GAIN: f64 = 17.0;

/// What the simulated hand does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gesture {
    /// The same all the time.
    Held(Pose),
    /// Each in turn, with rests between them, two seconds each.
    #[default]
    Changing,
}

impl Gesture {
    /// What the hand does at a sample.
    #[must_use]
    pub fn at(self, sample: u64) -> Pose {
        match self {
            Self::Held(pose) => pose,
            Self::Changing => {
                let turn = sample / GESTURE_SAMPLES;
                let gesture = (turn / 2) as usize % (Pose::ALL.len() - 1);
                if turn.is_multiple_of(2) { Pose::Rest } else { Pose::ALL[gesture + 1] }
            }
        }
    }
}

/// Makes one sample after the other.
#[derive(Debug, Clone)]
pub struct Synthesizer {
    random: Random,
    rest: [f64; EMG_CHANNELS],
    amplitude: [f64; EMG_CHANNELS],
    step: [f64; EMG_CHANNELS],
    pose: Pose,
    last_noise: [f64; EMG_CHANNELS],
    power: [f64; EMG_CHANNELS],
    sample: u64,
}

impl Synthesizer {
    /// The signal that belongs to a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let rest = std::array::from_fn(|_| 1.5 + 3.5 * random.unit());
        let nothing = [0.0; EMG_CHANNELS];
        Self {
            random,
            rest,
            amplitude: rest,
            step: nothing,
            pose: Pose::Rest,
            last_noise: nothing,
            power: nothing,
            sample: 0,
        }
    }

    /// The next sample, of a hand that does this; with the hum of the mains or without.
    pub fn next_sample(&mut self, pose: Pose, hum: bool) -> [i8; EMG_CHANNELS] {
        self.approach(pose);
        let hum = if hum { HUM * (TAU * MAINS * self.sample as f64 / RATE).sin() } else { 0.0 };
        self.sample += 1;
        std::array::from_fn(|channel| {
            let wide = if self.random.unit() < OUTLIERS { OUTLIER_WIDTH } else { 1.0 };
            let noise = wide * self.random.normal();
            let coloured = (noise - 0.35 * self.last_noise[channel]) / 1.06;
            self.last_noise[channel] = noise;
            let value = OFFSET + self.amplitude[channel] * coloured + hum;
            // A cast of a float to an integer clips.
            let value = value.round() as i8;
            let power = &mut self.power[channel];
            *power = SMOOTHING * *power + (1.0 - SMOOTHING) * f64::from(value).powi(2);
            value
        })
    }

    /// Filtered EMG at the last sample.
    #[must_use]
    pub fn filtered(&self) -> [u16; EMG_CHANNELS] {
        self.power.map(|power| (FILTER_GAIN * power.sqrt()) as u16)
    }

    fn approach(&mut self, pose: Pose) {
        let wanted = self.amplitude_of(pose);
        if pose != self.pose {
            self.pose = pose;
            self.step = std::array::from_fn(|at| (wanted[at] - self.amplitude[at]) / RAMP_SAMPLES);
        }
        for (channel, wanted) in wanted.into_iter().enumerate() {
            let left = wanted - self.amplitude[channel];
            let step = self.step[channel];
            self.amplitude[channel] =
                if left.abs() <= step.abs() { wanted } else { self.amplitude[channel] + step };
        }
    }

    /// The pattern of a gesture over the rest.
    fn amplitude_of(&self, pose: Pose) -> [f64; EMG_CHANNELS] {
        let (first, strengths): (usize, &[f64]) = match pose {
            Pose::Rest | Pose::Unknown => (0, &[]),
            Pose::Fist => (2, &[38.0, 55.0, 32.0]),
            Pose::WaveIn => (5, &[30.0, 45.0]),
            Pose::WaveOut => (1, &[42.0, 34.0]),
            Pose::Spread => (3, &[22.0, 40.0, 26.0]),
            Pose::DoubleTap => (6, &[12.0, 18.0, 10.0]),
        };
        let mut amplitude = self.rest;
        for (offset, strength) in strengths.iter().enumerate() {
            amplitude[(first + offset) % EMG_CHANNELS] = *strength;
        }
        amplitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strength(pose: Pose) -> [f64; EMG_CHANNELS] {
        let mut synthesizer = Synthesizer::new(7);
        let mut sums = [0.0; EMG_CHANNELS];
        for sample in 0..2_000 {
            let values = synthesizer.next_sample(pose, false);
            if sample >= 200 {
                (0..EMG_CHANNELS).for_each(|at| sums[at] += f64::from(values[at]).powi(2));
            }
        }
        sums.map(|sum| (sum / 1_800.0).sqrt())
    }

    #[test]
    fn a_seed_has_its_signal() {
        let signal = |seed| {
            let mut synthesizer = Synthesizer::new(seed);
            (0..100).map(|_| synthesizer.next_sample(Pose::Fist, true)).collect::<Vec<_>>()
        };
        assert_eq!(signal(1), signal(1));
        assert_ne!(signal(1), signal(2));
    }

    #[test]
    fn gestures_are_stronger_than_rest_where_they_are_and_nowhere_else() {
        let rest = strength(Pose::Rest);
        assert!(rest.iter().all(|strength| (1.0..10.0).contains(strength)), "{rest:?}");
        for pose in &Pose::ALL[1..] {
            let gesture = strength(*pose);
            let active = (0..EMG_CHANNELS).filter(|at| gesture[*at] > 1.5 * rest[*at] + 3.0).count();
            assert!((2..=3).contains(&active), "{pose:?}: {gesture:?} over {rest:?}");
        }
    }

    #[test]
    fn gestures_take_their_turns() {
        let seen: Vec<_> = (0..10).map(|turn| Gesture::Changing.at(turn * GESTURE_SAMPLES)).collect();
        assert!(seen.iter().step_by(2).all(|pose| *pose == Pose::Rest));
        assert_eq!(seen.iter().skip(1).step_by(2).copied().collect::<Vec<_>>(), Pose::ALL[1..]);
    }
}
