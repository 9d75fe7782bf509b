//! The machine that is measured: which cores may be used, which of them are free, and what spoils the figures.

use super::yardsticks::refused;
use crate::failure::Outcome;
use crate::human;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

/// How long is looked at what others do on the cores.
const LOOK: Duration = Duration::from_millis(250);
/// A core that is busier than this with something else is not free.
const FREE: f64 = 0.1;

/// What there is to say of it.
#[derive(Debug)]
pub(super) struct Machine {
    processor: String,
    /// Those that this process may run on.
    allowed: usize,
    /// Those that are measured on, at most two.
    pub(super) cores: Vec<usize>,
    /// What spoils the figures, in words.
    pub(super) remarks: Vec<String>,
}

impl Machine {
    /// Looks for a moment what others do, and takes the two cores that have the least to do; if it can be, not two
    /// halves of one.
    pub(super) fn look() -> Outcome<Self> {
        let allowed = sched_getaffinity(None).map_err(refused)?;
        let mut allowed: Vec<_> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        let all = allowed.len();
        let load = Load::look();
        allowed.sort_by(|a, b| load.of(*a).total_cmp(&load.of(*b)));
        let mut cores: Vec<_> = allowed.drain(..1.min(all)).collect();
        let halves = cores.first().map(|first| siblings(*first)).unwrap_or_default();
        let whole = allowed.iter().find(|core| !halves.contains(core));
        let second = whole.or(allowed.first()).copied();
        cores.extend(second);
        let mut remarks = load.remarks(&cores);
        remarks.extend(limits(all, second.is_some_and(|second| halves.contains(&second))));
        Ok(Self { processor: processor(), allowed: all, cores, remarks })
    }

    /// Looks once more when all is measured; what there is to remark upon now.
    pub(super) fn look_again(&mut self) -> &[String] {
        let before = self.remarks.len();
        let now = Load::look().remarks(&self.cores);
        self.remarks.extend(now.into_iter().map(|remark| format!("at the end, {remark}")));
        &self.remarks[before..]
    }

    pub(super) fn json(&self) -> Value {
        json!({"processor": self.processor, "cores": self.allowed, "measured_on": self.cores})
    }

    pub(super) fn in_words(&self) -> String {
        let cores = self.cores.iter().map(usize::to_string).collect::<Vec<_>>().join(" and ");
        format!("{}, {}; measured on {cores}", self.processor, human::count(self.allowed, "core"))
    }
}

/// From now on this process, and what it starts, runs there.
pub(super) fn pin(core: usize) -> Outcome {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).map_err(refused)
}

fn limits(allowed: usize, are_halves: bool) -> Vec<String> {
    let mut limits = Vec::new();
    if allowed < 2 {
        limits.push("there is one core only: what two processes do at once is left out".to_owned());
    } else if thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        limits.push(
            "a quota gives this process one core's time: two that poll take it from each other".to_owned(),
        );
    }
    if are_halves {
        limits.push("the two cores are halves of one: they share its units and its caches".to_owned());
    }
    limits
}

/// Which part of its time each core was busy, between two looks.
struct Load(BTreeMap<usize, f64>);

impl Load {
    fn look() -> Self {
        let before = times(&fs::read_to_string("/proc/stat").unwrap_or_default());
        thread::sleep(LOOK);
        let after = times(&fs::read_to_string("/proc/stat").unwrap_or_default());
        let part = |(core, (busy, all)): (usize, (u64, u64))| {
            let (busy_before, all_before) = before.get(&core)?;
            let (busy, all) = (busy.saturating_sub(*busy_before), all.saturating_sub(*all_before));
            Some((core, busy as f64 / all.max(1) as f64))
        };
        Self(after.into_iter().filter_map(part).collect())
    }

    fn of(&self, core: usize) -> f64 {
        self.0.get(&core).copied().unwrap_or_default()
    }

    fn remarks(&self, cores: &[usize]) -> Vec<String> {
        let taken = cores.iter().filter(|core| self.of(**core) > FREE);
        taken.map(|core| self.remark(*core)).collect()
    }

    fn remark(&self, core: usize) -> String {
        format!(
            "core {core} is busy with something else for {:.0} % of the time: figures are too high",
            self.of(core) * 100.0
        )
    }
}

/// Of each core, its busy time and all its time since the machine started; see proc(5).
fn times(stat: &str) -> BTreeMap<usize, (u64, u64)> {
    let line = |line: &str| {
        let mut words = line.strip_prefix("cpu")?.split_ascii_whitespace();
        let core = words.next()?.parse().ok()?;
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in the first two already.
        let times: Vec<u64> = words.take(8).filter_map(|word| word.parse().ok()).collect();
        let all: u64 = times.iter().sum();
        let idle: u64 = times.iter().skip(3).take(2).sum();
        Some((core, (all - idle, all)))
    };
    // The first line is of all cores together, without a number of its own.
    stat.lines()
        .filter(|line| line.as_bytes().get(3).is_some_and(u8::is_ascii_digit))
        .filter_map(line)
        .collect()
}

/// The halves of the core that this one is a half of, itself included.
fn siblings(core: usize) -> Vec<usize> {
    let path = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
    let list = fs::read_to_string(path).unwrap_or_default();
    let range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    list.trim().split(',').filter_map(range).flatten().collect()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or(std::env::consts::ARCH, |(_, name)| name.trim()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_a_disk_is_no_work_and_a_stolen_core_is_not_free() {
        let stat =
            "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 10 0 20 60 10 0 0 0 0 0\ncpu11 1 1 1 10 0 1 1 5 7 7\nintr 1\n";
        let expected = BTreeMap::from([(0, (30, 100)), (11, (10, 20))]);
        assert_eq!(times(stat), expected);
    }

    #[test]
    fn only_a_core_in_use_is_remarked_upon() {
        let load = Load(BTreeMap::from([(0, 0.5), (1, 0.05), (2, 1.0)]));
        let remarks = load.remarks(&[0, 1]);
        assert!(
            remarks.len() == 1 && remarks[0].contains("core 0") && remarks[0].contains("50 %"),
            "{remarks:?}"
        );
    }
}
