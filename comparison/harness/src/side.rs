//! One process of a measurement. It opens what it needs and says [`READY`]; then each line that it reads is an
//! [`Order`], and each line that it writes the [`Round`] that was ordered. The end of its input is its end.

use std::io::{BufRead, Write};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The line that says that all is open.
pub const READY: &str = "ready";

/// Does a thing so many times.
pub type Work = Box<dyn FnMut(u64) -> Result<Said>>;

/// What a side is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Order {
    /// How often.
    pub count: u64,
    /// When, in nanoseconds of the monotonic clock: both sides begin at the same moment.
    pub start: u64,
}

/// A round that was done, in nanoseconds of the monotonic clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Round {
    /// When it began.
    pub begin: u64,
    /// When it was done.
    pub end: u64,
    /// Processor time that it took, in nanoseconds.
    pub cpu: u64,
    /// What the side has to say of it.
    pub said: Said,
}

/// What a side has to say of a round.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Said {
    /// Messages that were received.
    pub arrived: u64,
    /// Messages that were sent and never seen.
    pub missed: u64,
    /// Messages that had been seen before, or that came after newer ones.
    #[serde(default)]
    pub repeated: u64,
    /// Messages that were not whole.
    pub torn: u64,
    /// From sending to having it, in nanoseconds, where that was measured for each.
    pub latency: Option<Percentiles>,
    /// Bytes of memory that what was made takes, where that was measured.
    pub bytes: Option<u64>,
    /// What came of an attempt after a death.
    pub outcome: Option<Outcome>,
}

impl Said {
    /// A message has arrived, after another one or zero.
    pub(crate) fn note(&mut self, number: u64, seen: &mut u64) {
        self.arrived += 1;
        if number > *seen {
            self.missed += number - *seen - 1;
            *seen = number;
        } else {
            self.repeated += 1;
        }
    }
}

/// How a side found things after a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It goes on, as if nothing had been.
    GoesOn,
    /// It goes on, and was told that somebody died.
    IsTold,
}

/// Of all messages of a round; none is left out.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half took longer.
    pub p50: u64,
    /// One in a hundred took longer.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl Percentiles {
    /// Of these; none of none.
    pub fn of(mut all: Vec<u64>) -> Option<Self> {
        all.sort_unstable();
        let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize];
        (!all.is_empty()).then(|| Self { p50: at(0.5), p99: at(0.99), max: at(1.0) })
    }
}

/// Nanoseconds of the monotonic clock, which is the same for all processes.
pub fn monotonic() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32).as_nanos() as u64
}

pub(crate) fn serve(core: usize, open: impl FnOnce() -> Result<Work>) -> Result<()> {
    // A side at work does not see the end of its input.
    set_parent_process_death_signal(Some(Signal::KILL)).context("to end with the driver")?;
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("to run on core {core} only"))?;
    let mut work = open()?;
    say(READY)?;
    for line in std::io::stdin().lock().lines() {
        let order: Order = serde_json::from_str(&line?).context("an order")?;
        while monotonic() < order.start {
            std::hint::spin_loop();
        }
        let (begin, cpu) = (monotonic(), nanoseconds(ClockId::ProcessCPUTime));
        let said = work(order.count)?;
        let end = monotonic();
        let cpu = nanoseconds(ClockId::ProcessCPUTime) - cpu;
        say(&serde_json::to_string(&Round { begin, end, cpu, said })?)?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
