//! What is shown of the armband, the workers and their arm.

use crate::demo::crew::Tally;
use crate::demo::regions;

/// In the columns of the full screen.
pub(super) fn lines(tally: &Tally) -> Vec<String> {
    let Tally { sensor, rate, jobs_done, jobs_again, recoveries, .. } = tally;
    let id = regions::EMG;
    let mut lines =
        vec![format!("{:<12}{sensor:>8}{rate:>9.1}  samples a second of 8 channels, {id}", "armband")];
    lines.extend((1..).zip(&tally.workers).map(|(number, pid)| worker_line(number, *pid, tally.holder)));
    lines.push(format!(
        "{:<12}{jobs_done:>8}  done, {jobs_again} of them handed out again; {recoveries} holders of the arm died",
        "jobs"
    ));
    lines.push(format!(
        "{:<12}memlane event set {}, or its button on the page",
        "to kill one",
        regions::KILL_HOLDER
    ));
    lines
}

/// All of it, for people without a screen.
pub(super) fn line(tally: &Tally) -> String {
    let Tally { rate, jobs_done, jobs_again, recoveries, .. } = tally;
    let holder = tally.holder.map_or_else(|| "nobody".to_owned(), |pid| format!("process {pid}"));
    format!(
        "armband: {rate:.1} samples/s; {holder} has the arm; jobs: {jobs_done} done, {jobs_again} again; recoveries: {recoveries}"
    )
}

fn worker_line(number: usize, pid: u32, holder: Option<u32>) -> String {
    let state = if holder == Some(pid) { "has the arm" } else { "" };
    format!("{:<12}{pid:>8}  {state}", format!("worker {number}"))
}
