//! What is shown of the armband, the workers and their arm.

use crate::demo::crew::Tally;
use crate::demo::regions;

/// In the columns of the full screen.
pub(super) fn lines(tally: &Tally) -> Vec<String> {
    let Tally { sensor, rate, jobs_done, jobs_again, recoveries, .. } = tally;
    let workers = tally.workers.iter().map(|pid| format!("{pid:>8}")).collect::<Vec<_>>().join(" ");
    let holder = tally.holder.map_or_else(|| "nobody".to_owned(), |pid| pid.to_string());
    vec![
        format!("{:<12}{sensor:>8}{rate:>9.1}  samples a second of 8 channels", "armband"),
        format!("{:<12}{workers}  {holder} has the arm; {} kills it", "workers", regions::KILL_HOLDER),
        format!(
            "{:<12}{jobs_done:>8}  jobs done, {jobs_again} of them again; recoveries of the arm: {recoveries}",
            ""
        ),
    ]
}

/// All of it, for people without a screen.
pub(super) fn line(tally: &Tally) -> String {
    let Tally { rate, jobs_done, jobs_again, recoveries, .. } = tally;
    let holder = tally.holder.map_or_else(|| "nobody".to_owned(), |pid| format!("process {pid}"));
    format!(
        "armband: {rate:.1} samples/s; {holder} has the arm; jobs: {jobs_done} done, {jobs_again} again; recoveries: {recoveries}"
    )
}
