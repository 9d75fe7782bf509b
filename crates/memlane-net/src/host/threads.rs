//! Threads for what belongs to a thread: holding an rlock or writing an rwlock, waiting for a condition or at a barrier.
//!
//! There are few, and whoever asks for more is told. What waits in one ends early when it is no longer wanted.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use memlane::interruption;
use tokio::sync::Semaphore;

use crate::protocol::fault::{self, Fault};

/// So many at once.
pub(crate) const MOST: usize = 128;

thread_local! {
    /// What ends the wait of this thread.
    static STOP: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

/// Room for threads.
#[derive(Debug)]
pub(crate) struct Threads {
    room: Arc<Semaphore>,
}

/// Ends a wait, within 40 ms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

/// Stops what it belongs to when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct StopOnDrop(pub(crate) Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Release);
    }
}

impl Default for Threads {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Threads {
    /// Does it in a thread of its own, in which [`stoppable`] waits end.
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
        let limit = |why: String| Fault::new(fault::LIMIT, why);
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            limit(format!(
                "this host holds {MOST} rlocks, rwlocks to write, and waits for conditions and barriers at once, no more"
            ))
        })?;
        let work = move || {
            let _room = room;
            interruption::interruptible(is_requested, work);
        };
        let started = thread::Builder::new().name("memlane-hold".into()).spawn(work);
        started.map(drop).map_err(|error| limit(format!("no thread can be started: {error}")))
    }
}

/// What waits in `body` ends early by `stop`.
pub(crate) fn stoppable<T>(stop: &Stop, body: impl FnOnce() -> T) -> T {
    STOP.set(Some(stop.clone()));
    let done = body();
    STOP.take();
    done
}

/// Says it once: what waits on the way out is not ended.
fn is_requested() -> bool {
    STOP.with_borrow(|stop| stop.as_ref().is_some_and(|stop| stop.0.swap(false, Ordering::AcqRel)))
}
