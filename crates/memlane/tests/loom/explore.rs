//! Running a model through its interleavings, and through the deaths of one of its threads.

use memlane::algorithms::atomic::crash::{self, Crashed};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Instant;

/// Scheduling decisions of one execution; a model that needs more goes round in circles.
const MAX_BRANCHES: usize = 10_000;

/// Explores a model in which everybody lives.
pub(crate) fn explore(name: &str, preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let start = Instant::now();
    let executions = check(preemptions, model);
    println!("{name}: {executions} executions, {:.1?}", start.elapsed());
}

/// Explores a model once for every moment at which its mortal thread can die, and once with that thread living.
pub(crate) fn explore_deaths(name: &str, preemptions: usize, model: impl Fn(&Fate) + Copy + Send + Sync + 'static) {
    let start = Instant::now();
    let mut executions = 0;
    let points = (0..)
        .take_while(|budget| {
            let fate = Fate { budget: *budget, deaths: Arc::default() };
            let deaths = Arc::clone(&fate.deaths);
            executions += check(preemptions, move || model(&fate));
            deaths.load(Relaxed) > 0
        })
        .count();
    assert!(points > 0, "{name}: nobody died");
    println!("{name}: {points} crash points, {executions} executions, {:.1?}", start.elapsed());
}

fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) -> u32 {
    let executions = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = MAX_BRANCHES;
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        model();
    });
    executions.load(Relaxed)
}

/// When a thread dies: just before its shared access number `budget`, counted from 0, if it ever comes to that.
#[derive(Debug, Clone)]
pub(crate) struct Fate {
    budget: u32,
    /// In how many executions it came to that.
    deaths: Arc<AtomicU32>,
}

impl Fate {
    /// What `life` results in; `None` when it ended before.
    pub(crate) fn live<T>(&self, life: impl FnOnce() -> T) -> Option<T> {
        crash::set_budget(Some(self.budget));
        let outcome = catch_unwind(AssertUnwindSafe(life));
        crash::set_budget(None);
        match outcome {
            Ok(result) => Some(result),
            Err(cause) if cause.is::<Crashed>() => {
                self.deaths.fetch_add(1, Relaxed);
                None
            }
            // A failed assertion is no death.
            Err(cause) => resume_unwind(cause),
        }
    }
}
