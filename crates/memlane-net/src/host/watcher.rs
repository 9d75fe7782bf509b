//! Waiting for many things on few threads.
//!
//! A thread has a set of up to 127 things. What becomes ready leaves the set, and whoever waited for it is told once;
//! then it tries to take what it wanted, and may find that somebody was faster. A thread with nothing to wait for ends
//! after a while.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use memlane::wait_set::{MAX_WAITABLES, Waker};
use memlane::{WaitSet, Waitable};
use tokio::sync::oneshot;

use crate::protocol::fault::{self, Fault};

/// Something to wait for.
pub(crate) type Thing = Box<dyn Waitable + Send>;

/// So many things can be waited for at once: 127 on each.
const MOST_THREADS: usize = 64;
/// A thread that has nothing to do waits so long for more.
const LINGER: Duration = Duration::from_secs(10);

/// The threads.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    threads: Mutex<Vec<Arc<Watcher>>>,
}

/// One thread, as others see it.
#[derive(Debug, Default)]
struct Watcher {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Things that it waits for, or will.
    count: usize,
    last: u64,
    changes: Vec<Change>,
    /// Ends its sleep, once it has begun.
    waker: Option<Waker>,
    is_over: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("State").field("count", &self.count).finish_non_exhaustive()
    }
}

enum Change {
    Add(Entry),
    Remove(u64),
}

struct Entry {
    key: u64,
    thing: Thing,
    ready: oneshot::Sender<()>,
}

/// Comes to its end when the thing is ready; dropped, nobody waits for it any more.
#[derive(Debug)]
#[must_use = "it is to be awaited"]
pub(crate) struct Watch {
    watcher: Arc<Watcher>,
    key: u64,
    ready: oneshot::Receiver<()>,
    is_over: bool,
}

impl Watchers {
    /// Waits for a thing; the fault says how many things there may be.
    pub(crate) fn watch(&self, thing: Thing) -> Result<Watch, Fault> {
        let mut threads = locked(&self.threads);
        threads.retain(|watcher| !locked(&watcher.state).is_over);
        let mut thing = Some(thing);
        let found = threads.iter().find_map(|watcher| watcher.add(&mut thing));
        if let Some(watch) = found {
            return Ok(watch);
        }
        let most = MOST_THREADS * MAX_WAITABLES;
        let limit =
            || Fault::new(fault::LIMIT, format!("this host waits for {most} things at once, no more"));
        if threads.len() >= MOST_THREADS {
            return Err(limit());
        }
        let watcher = Arc::new(Watcher::default());
        let watch = watcher.add(&mut thing).ok_or_else(limit)?;
        let running = Arc::clone(&watcher);
        let started = thread::Builder::new().name("memlane-watch".into()).spawn(move || running.run());
        started.map_err(|error| Fault::new(fault::LIMIT, format!("no thread can be started: {error}")))?;
        threads.push(watcher);
        Ok(watch)
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn threads(&self) -> usize {
        locked(&self.threads).iter().filter(|watcher| !locked(&watcher.state).is_over).count()
    }

    /// How many things are waited for.
    #[cfg(test)]
    pub(crate) fn things(&self) -> usize {
        locked(&self.threads).iter().map(|watcher| locked(&watcher.state).count).sum()
    }
}

impl Watcher {
    fn add(self: &Arc<Self>, thing: &mut Option<Thing>) -> Option<Watch> {
        let mut state = locked(&self.state);
        if state.is_over || state.count == MAX_WAITABLES {
            return None;
        }
        let (ready, receiver) = oneshot::channel();
        state.count += 1;
        state.last += 1;
        let key = state.last;
        state.change(Change::Add(Entry { key, thing: thing.take()?, ready }));
        Some(Watch { watcher: Arc::clone(self), key, ready: receiver, is_over: false })
    }

    /// The thread.
    fn run(&self) {
        let mut entries = Vec::new();
        loop {
            let (ready, is_idle) = self.sleep(&mut entries);
            let mut state = locked(&self.state);
            // From the end on, so that the numbers before stay.
            for number in ready.into_iter().rev() {
                let Entry { ready, .. } = entries.swap_remove(number);
                state.count -= 1;
                let _ = ready.send(());
            }
            if is_idle && state.changes.is_empty() {
                state.is_over = true;
                return;
            }
        }
    }

    /// Waits once, with what there is now: which are ready, and whether there is nothing to wait for.
    fn sleep(&self, entries: &mut Vec<Entry>) -> (Vec<usize>, bool) {
        let mut state = locked(&self.state);
        for change in std::mem::take(&mut state.changes) {
            match change {
                Change::Add(entry) => entries.push(entry),
                Change::Remove(key) => {
                    if let Some(index) = entries.iter().position(|entry| entry.key == key) {
                        entries.swap_remove(index);
                        state.count -= 1;
                    }
                }
            }
        }
        let mut set = WaitSet::new();
        for entry in entries.iter() {
            // There are no more than fit: `add` sees to that.
            let _ = set.add(&*entry.thing);
        }
        state.waker = Some(set.waker());
        drop(state);
        let ready = set.wait(entries.is_empty().then_some(LINGER));
        (ready.iter().collect(), entries.is_empty())
    }
}

impl State {
    fn change(&mut self, change: Change) {
        self.changes.push(change);
        if let Some(waker) = &self.waker {
            waker.wake();
        }
    }
}

impl Future for Watch {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let ready = Pin::new(&mut self.ready).poll(context);
        ready.map(|_| self.is_over = true)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.is_over {
            locked(&self.watcher.state).change(Change::Remove(self.key));
        }
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use memlane::{Event, Space};

    #[tokio::test]
    async fn many_things_need_few_threads_and_each_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let space = Space::at(directory.path()).unwrap();
        let watchers = Watchers::default();
        let events: Vec<_> =
            (0..300).map(|n| Event::create(&space, &format!("event/{n}")).unwrap()).collect();
        let mut waits: Vec<_> =
            events.iter().map(|event| watchers.watch(Box::new(event.clone())).unwrap()).collect();
        assert_eq!((watchers.threads(), watchers.things()), (3, 300));
        events[7].set();
        (&mut waits[7]).await;
        events[299].set();
        (&mut waits[299]).await;
        drop(waits);
        while watchers.things() > 0 {
            tokio::task::yield_now().await;
        }
        let again = watchers.watch(Box::new(events[1].clone())).unwrap();
        events[1].set();
        again.await;
        assert_eq!(watchers.threads(), 3);
    }
}
