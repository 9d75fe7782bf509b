//! Tells each story for every moment of its victim's operation.

use crate::film::{Film, Moment, Then};
use crate::report;
use crate::scenarios::{Deaths, Expected, Scenario};
use crate::stage::{Death, Record, Stage};
use crate::watchdog::{News, Watchdog};
use crate::caught::caught;
use memlane::Space;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Instructions that all victims of a scenario step through together, unless everything is asked for: some seconds.
const STEPS_IN_SHORT: u64 = 100_000;

/// The scenarios' stage hand.
#[derive(Debug)]
pub(crate) struct Suite {
    space: Space,
    /// Holds the space; removed at the end.
    _directory: TempDir,
    watchdog: Watchdog,
    /// No moment is left out.
    long: bool,
}

/// What came of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) instructions: usize,
    pub(crate) images: Tellings,
    pub(crate) kills: Tellings,
    /// Every how many instructions a victim was killed.
    pub(crate) stride: usize,
    /// The slowest survivor.
    pub(crate) latency: Option<Duration>,
    pub(crate) failure: Option<String>,
}

/// How many deaths there were, and after how many an invariant was broken.
#[derive(Debug, Default)]
pub(crate) struct Tellings {
    pub(crate) told: usize,
    pub(crate) broken: usize,
    /// Deaths that came too late: the operation was shorter than when it was filmed.
    pub(crate) late: usize,
}
