//! Waiting in the background, for event loops: one thread sleeps for everybody, and calls back.

use crate::barrier::Barrier;
use crate::event::Event;
use crate::frames::FrameSubscriber;
use crate::handle::locked;
use crate::lock::{Lock, RLock};
use crate::pipe::PipeEnd;
use crate::queue::Queue;
use crate::record::Record;
use crate::semaphore::{Semaphore, SignalSemaphore};
use crate::stream::StreamSubscriber;
use crate::text::Text;
use crate::value::Value;
use memlane::wait_set::{WaitSet, Waitable, Waker};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// Something to wait for, that any thread may look at.
type Watched = Arc<dyn Waitable + Send + Sync>;

/// A thread that waits for up to `MOST` things at once, each once. The `async_` methods take as many as they need.
#[pyclass(module = "memlane", frozen)]
pub(crate) struct Watcher {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    list: Mutex<List>,
    /// What is called, without arguments, when something is ready: by the number that `watch` returned.
    callback: Py<PyAny>,
}

#[derive(Default)]
struct List {
    things: BTreeMap<u64, Watched>,
    last: u64,
    /// Changes of the list; the thread notices those that come while it prepares to sleep.
    changes: u64,
    ended: bool,
    waker: Option<Waker>,
}

#[pymethods]
impl Watcher {
    /// The most things that one thread can wait for, as `WaitSet` says.
    #[classattr]
    const MOST: usize = 127;

    /// `callback(number)` is called in the thread.
    #[new]
    fn new(callback: Py<PyAny>) -> PyResult<Self> {
        let shared = Arc::new(Shared { list: Mutex::default(), callback });
        let watching = shared.clone();
        let thread = thread::Builder::new().name("memlane-watcher".into()).spawn(move || watching.run());
        let thread =
            thread.map_err(|error| PyRuntimeError::new_err(format!("no thread to wait with: {error}")))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Waits until a handle is ready: an event set, a lock free, a message, frame or record there, a text or value
    /// changed from now on. Returns the number for the callback.
    fn watch(&self, py: Python<'_>, handle: &Bound<'_, PyAny>) -> PyResult<u64> {
        let thing = watchable(handle)?;
        py.detach(|| {
            self.shared.change(|list| {
                if list.things.len() >= Self::MOST {
                    return Err(());
                }
                list.last += 1;
                list.things.insert(list.last, thing);
                Ok(list.last)
            })
        })
        .map_err(|()| PyRuntimeError::new_err(format!("{} things are waited for already", Self::MOST)))
    }

    /// Forgets one.
    fn forget(&self, py: Python<'_>, number: u64) {
        py.detach(|| drop(self.shared.change(|list| list.things.remove(&number))));
    }

    /// Ends the thread, and waits until it has ended: an interpreter must not end while it calls back.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            self.shared.change(|list| list.ended = true);
            let thread = locked(&self.thread).take();
            // The thread itself may close it, in a callback, and cannot wait for itself.
            if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
                // It has no result; had it panicked, it would have said so.
                let _ = thread.join();
            }
        });
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.change(|list| list.ended = true);
    }
}

impl Shared {
    fn change<T>(&self, change: impl FnOnce(&mut List) -> T) -> T {
        let mut list = locked(&self.list);
        let changed = change(&mut list);
        list.changes += 1;
        if let Some(waker) = &list.waker {
            waker.wake();
        }
        changed
    }

    fn run(&self) {
        loop {
            let (numbers, things, changes) = {
                let list = locked(&self.list);
                if list.ended {
                    return;
                }
                let (numbers, things): (Vec<u64>, Vec<Watched>) =
                    list.things.iter().map(|(number, thing)| (*number, thing.clone())).unzip();
                (numbers, things, list.changes)
            };
            let ready = self.wait(&things, changes);
            for number in ready.into_iter().filter_map(|index| numbers.get(index)) {
                let listed = locked(&self.list).things.remove(number).is_some();
                if listed && !self.call(*number) {
                    return;
                }
            }
        }
    }

    /// Sleeps until something is ready, or the list has changed since it was copied.
    fn wait(&self, things: &[Watched], changes: u64) -> Vec<usize> {
        let mut set = WaitSet::new();
        for thing in things {
            // There are no more than it takes: `watch` sees to that.
            let _ = set.add(&**thing);
        }
        {
            let mut list = locked(&self.list);
            if list.changes != changes {
                return Vec::new();
            }
            list.waker = Some(set.waker());
        }
        set.wait(None).iter().collect()
    }

    /// Says whether there is an interpreter left to call back.
    fn call(&self, number: u64) -> bool {
        let called = Python::try_attach(|py| {
            if let Err(error) = self.callback.call1(py, (number,)) {
                error.write_unraisable(py, Some(self.callback.bind(py)));
            }
        });
        called.is_some()
    }
}

/// What a handle is waited for.
fn watchable(handle: &Bound<'_, PyAny>) -> PyResult<Watched> {
    macro_rules! itself {
        ($($class:ident),*) => { $(
            if let Ok(handle) = handle.cast::<$class>() {
                return Ok(handle.get().handle.get()?);
            }
        )* };
    }
    itself!(Event, Lock, RLock, Semaphore, SignalSemaphore, Queue);
    if let Ok(value) = handle.cast::<Value>() {
        let value = value.get().handle.get()?;
        return Ok(Arc::new(value.newer(&value.read()).map_err(crate::error::raise)?));
    }
    if let Ok(text) = handle.cast::<Text>() {
        let text = text.get().handle.get()?;
        return Ok(Arc::new(text.newer(text.version())));
    }
    if let Ok(record) = handle.cast::<Record>() {
        let record = record.get().handle.get()?;
        return Ok(Arc::new(record.newer(record.version())));
    }
    if let Ok(subscriber) = handle.cast::<FrameSubscriber>() {
        return Ok(Arc::new(subscriber.get().handle.get()?.now(|subscriber| subscriber.arrival())?));
    }
    if let Ok(subscriber) = handle.cast::<StreamSubscriber>() {
        return Ok(Arc::new(subscriber.get().handle.get()?.now(|subscriber| subscriber.arrival())?));
    }
    if let Ok(end) = handle.cast::<PipeEnd>() {
        return Ok(Arc::new(end.get().handle.get()?.arrival()?));
    }
    let more = if handle.cast::<Barrier>().is_ok() { ": a barrier is met in a thread" } else { "" };
    Err(PyTypeError::new_err(format!("{} cannot be waited for in the background{more}", handle.get_type())))
}
