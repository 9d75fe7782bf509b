//! Reception: what there is to say of frames that arrived.

use super::cadence::Cadence;
use super::latency::{Latencies, Percentiles};
use crate::human;
use serde_json::{Value, json};
use std::fmt;
use std::time::{Duration, Instant};

/// Counts frames as they arrive.
#[derive(Debug)]
pub(super) struct Reception {
    frames: u64,
    sequences: Option<(u64, u64)>,
    cadence: Cadence,
    latencies: Latencies,
    pub(super) missed: u64,
    /// `None` when nobody looked.
    pub(super) torn: Option<u64>,
    /// `None` when nobody would have told.
    pub(super) publishers_died: Option<u64>,
    /// Latencies are between the wall clocks of two machines.
    pub(super) by_wall_clocks: bool,
}

impl Reception {
    pub(super) fn new() -> Self {
        Self {
            frames: 0,
            sequences: None,
            cadence: Cadence::default(),
            latencies: Latencies::new(),
            missed: 0,
            torn: None,
            publishers_died: None,
            by_wall_clocks: false,
        }
    }

    /// A frame that arrived; without a latency when it was there before anybody waited for it.
    pub(super) fn frame(&mut self, sequence: u64, latency: Option<Duration>) {
        self.frames += 1;
        self.sequences = Some((self.sequences.map_or(sequence, |(first, _)| first), sequence));
        self.cadence.count(Instant::now());
        if let Some(latency) = latency {
            self.latencies.record(latency);
        }
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "frames": self.frames,
            "seconds": self.cadence.span().as_secs_f64(),
            "fps": self.cadence.rate(),
            "first": self.sequences.map(|(first, _)| first),
            "last": self.sequences.map(|(_, last)| last),
            "missed": self.missed,
            "torn": self.torn,
            "publishers_died": self.publishers_died,
            "latency_us": self.latencies.percentiles().map(percentiles_to_json),
        })
    }
}

fn percentiles_to_json(percentiles: Percentiles) -> Value {
    let micros = |duration: Duration| duration.as_nanos() as f64 / 1e3;
    json!({
        "p50": micros(percentiles.half),
        "p90": micros(percentiles.ninety),
        "p99": micros(percentiles.ninety_nine),
        "max": micros(percentiles.longest),
    })
}

/// Two lines.
impl fmt::Display for Reception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (frames, seconds, rate) = (self.frames, self.cadence.span().as_secs_f64(), self.cadence.rate());
        write!(formatter, "{frames} frames in {seconds:.1} s, {rate:.1} fps, missed {}", self.missed)?;
        if let Some(torn) = self.torn {
            write!(formatter, ", torn {torn}")?;
        }
        if let Some(died) = self.publishers_died.filter(|died| *died > 0) {
            write!(formatter, ", publishers that died {died}")?;
        }
        let clocks = if self.by_wall_clocks { ", by the wall clocks of both machines" } else { "" };
        match self.latencies.percentiles() {
            Some(percentiles) => write!(formatter, "\nlatency from capture to here{clocks}: {percentiles}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { half, ninety, ninety_nine, longest } = self;
        let [half, ninety, ninety_nine, longest] =
            [half, ninety, ninety_nine, longest].map(|each| human::duration(*each));
        write!(formatter, "p50 {half}, p90 {ninety}, p99 {ninety_nine}, max {longest}")
    }
}
