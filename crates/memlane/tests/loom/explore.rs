//! Running a model through its interleavings: for every order in which its threads can start, and for every
//! access at which its mortal thread can die.
//!
//! The orders matter. loom takes the first execution as it comes, threads one after the other, and goes on
//! from the conflicts it finds there; a load is forgotten when the thread that will store there loads as
//! well, so that not all executions are reached from each first one.

use loom::thread;
use memlane::algorithms::atomic::crash::{self, Crashed};
use std::cell::OnceCell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

/// Scheduling decisions of one execution; a model that needs more goes round in circles.
const MAX_BRANCHES: usize = 10_000;
/// Shared accesses in the life of a mortal thread.
const MAX_CRASH_POINTS: u32 = 1_000;

/// Explores a model in which everybody lives.
pub(crate) fn explore(name: &str, preemptions: usize, model: impl Fn(&Run) + Copy + Send + Sync + 'static) {
    let start = Instant::now();
    let explored = explore_orders(None, preemptions, model);
    println!("{name}: {} executions, {:.1?}", explored.executions, start.elapsed());
}

/// Explores a model once for every moment at which its mortal thread can die, and once with that thread
/// living.
pub(crate) fn explore_deaths(
    name: &str,
    preemptions: usize,
    model: impl Fn(&Run) + Copy + Send + Sync + 'static,
) {
    let start = Instant::now();
    let mut executions = 0;
    let points = (0..MAX_CRASH_POINTS)
        .take_while(|budget| {
            let explored = explore_orders(Some(*budget), preemptions, model);
            executions += explored.executions;
            explored.deaths > 0
        })
        .count();
    assert!(points > 0, "{name}: nobody died");
    assert!(points < MAX_CRASH_POINTS as usize, "{name}: the mortal thread has no end");
    println!("{name}: {points} crash points, {executions} executions, {:.1?}", start.elapsed());
}

struct Explored {
    executions: usize,
    deaths: usize,
}

fn explore_orders(
    budget: Option<u32>,
    preemptions: usize,
    model: impl Fn(&Run) + Copy + Send + Sync + 'static,
) -> Explored {
    let mut run = Run { budget, order: 0, counts: Arc::default() };
    while run.order == 0 || run.order < run.counts.orders.load(Relaxed) {
        let this = run.clone();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(preemptions);
        builder.max_branches = MAX_BRANCHES;
        builder.check(move || {
            this.counts.executions.fetch_add(1, Relaxed);
            model(&this);
        });
        run.order += 1;
    }
    Explored { executions: run.counts.executions.load(Relaxed), deaths: run.counts.deaths.load(Relaxed) }
}

/// What distinguishes the explorations of one model.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// How many shared accesses the mortal thread lives to make; all, if `None`.
    budget: Option<u32>,
    /// Which order of the threads.
    order: usize,
    counts: Arc<Counts>,
}

/// Counted across executions: no part of the model.
#[derive(Debug, Default)]
struct Counts {
    executions: AtomicUsize,
    deaths: AtomicUsize,
    orders: AtomicUsize,
}

impl Run {
    /// What the mortal thread's `life` results in; `None` when it ended before.
    pub(crate) fn live<T>(&self, life: impl FnOnce() -> T) -> Option<T> {
        crash::set_budget(self.budget);
        let outcome = catch_unwind(AssertUnwindSafe(life));
        crash::set_budget(None);
        match outcome {
            Ok(result) => Some(result),
            Err(cause) if cause.is::<Crashed>() => {
                self.counts.deaths.fetch_add(1, Relaxed);
                None
            }
            // A failed assertion is no death.
            Err(cause) => resume_unwind(cause),
        }
    }
}

/// The threads of a model, and the scene they share. loom runs them on one thread, so plain reference counts
/// do, and add nothing to explore.
pub(crate) struct Cast<S> {
    scene: Rc<S>,
    parts: Vec<Box<dyn FnOnce()>>,
}

/// What a part resulted in, once it was performed.
pub(crate) struct Outcome<T>(Rc<OnceCell<T>>);

impl<S: 'static> Cast<S> {
    pub(crate) fn new(scene: &Rc<S>) -> Self {
        Self { scene: Rc::clone(scene), parts: Vec::new() }
    }

    pub(crate) fn part<T: Debug + 'static>(&mut self, part: impl FnOnce(&S) -> T + 'static) -> Outcome<T> {
        let scene = Rc::clone(&self.scene);
        let outcome = Rc::new(OnceCell::new());
        let result = Rc::clone(&outcome);
        self.parts.push(Box::new(move || result.set(part(&scene)).expect("a part is performed once")));
        Outcome(outcome)
    }

    /// Performs all parts at once, to the end; in further runs they start in each other order.
    pub(crate) fn perform(self, run: &Run) {
        run.counts.orders.store((1..=self.parts.len()).product(), Relaxed);
        self.perform_in_order(run.order);
    }

    /// As [`Self::perform`], started as they are listed only: enough where the first is the only one that
    /// stores where it loads, because its conflicts with the others are all found in the first execution.
    pub(crate) fn perform_as_listed(self) {
        self.perform_in_order(0);
    }

    fn perform_in_order(mut self, mut order: usize) {
        let mut threads = Vec::new();
        while !self.parts.is_empty() {
            let next = order % self.parts.len();
            order /= self.parts.len();
            threads.push(thread::spawn(self.parts.remove(next)));
        }
        for thread in threads {
            thread.join().expect("loom ends the model when a thread panics");
        }
    }
}

impl<T: Copy> Outcome<T> {
    pub(crate) fn get(&self) -> T {
        *self.0.get().expect("the part was performed")
    }
}
