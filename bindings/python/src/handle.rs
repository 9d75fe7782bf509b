//! What every class has: an id, a space, an end, and what can be said of its region.

use crate::error::{Closed, raise};
use crate::place::{Place, Space};
use crate::wait::wait_raw;
use memlane::Region;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyType};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// A handle that can be closed while others still use it: they finish with what they have.
pub(crate) struct Handle<T> {
    inner: Mutex<Option<Arc<T>>>,
    pub(crate) place: Where,
}

/// Takes a mutex, also one that a panic left: nothing here is half-changed by one.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// [`locked`], unless another thread has it.
pub(crate) fn try_locked<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Where the region is, known also after closing.
pub(crate) struct Where {
    pub(crate) space: Space,
    pub(crate) id: String,
}

impl<T> Handle<T> {
    pub(crate) fn new(place: Place, inner: T) -> Self {
        Self { inner: Mutex::new(Some(Arc::new(inner))), place: Where { space: place.space, id: place.id } }
    }

    /// What it is a handle of; memlane.Closed when it was closed.
    #[inline]
    pub(crate) fn get(&self) -> PyResult<Arc<T>> {
        let inner = locked(&self.inner);
        inner.clone().ok_or_else(|| self.place.closed())
    }

    pub(crate) fn take(&self) -> Option<Arc<T>> {
        locked(&self.inner).take()
    }

    pub(crate) fn is_closed(&self) -> bool {
        locked(&self.inner).is_none()
    }
}

impl Where {
    #[cold]
    pub(crate) fn closed(&self) -> PyErr {
        Closed::new_err(format!("this handle of region `{}` was closed; open another one", self.id))
    }
}

/// Something with a region behind it.
pub(crate) trait OfRegion {
    fn region_of(&self) -> &Region;
}

macro_rules! of_region {
    ($($type:ty),* $(,)?) => { $(
        impl OfRegion for $type {
            fn region_of(&self) -> &Region {
                self.region()
            }
        }
    )* };
}
of_region!(
    memlane::AnyArray,
    memlane::AnyValue,
    memlane::Barrier,
    memlane::Condition,
    memlane::Event,
    memlane::Lock,
    memlane::Queue,
    memlane::RLock,
    memlane::Raw,
    memlane::Record,
    memlane::RwLock,
    memlane::Semaphore,
    memlane::SignalSemaphore,
    memlane::Text,
);

/// Participants as dicts, with the names of `memlane ps --json`.
pub(crate) fn participants<'py>(py: Python<'py>, region: &Region) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for participant in py.detach(|| region.participants()) {
        let entry = PyDict::new(py);
        entry.set_item("pid", participant.pid)?;
        entry.set_item("alive", participant.alive)?;
        entry.set_item("program", &participant.program)?;
        entry.set_item("attached", participant.attached as f64 / 1e9)?;
        entry.set_item("slot", participant.slot)?;
        entry.set_item("generation", participant.generation)?;
        let waits = PyList::empty(py);
        for thread in &participant.waits {
            let wait = PyDict::new(py);
            wait.set_item("thread", thread.thread)?;
            wait.set_item("what", thread.what.name())?;
            wait.set_item("since", thread.since as f64 / 1e9)?;
            waits.append(wait)?;
        }
        entry.set_item("waits", waits)?;
        list.append(entry)?;
    }
    Ok(list)
}

/// What is given to the constructor, beside id and space, when a pickled handle is opened again.
pub(crate) trait Reopen {
    /// Whether the constructor would make a region that is not there.
    const CREATES: bool = true;

    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        Ok(PyDict::new(py))
    }
}

/// A function, and what it is called with when a pickled handle is opened again.
pub(crate) type Reduced<'py> = (Bound<'py, PyAny>, (Bound<'py, PyType>, String, Space, Bound<'py, PyDict>));

/// Pickles a handle as its class, id, space and options.
pub(crate) fn reduce<'py, T>(class: Bound<'py, PyType>, place: &Where, handle: &T) -> PyResult<Reduced<'py>>
where
    T: Reopen,
{
    let py = class.py();
    let restore = py.import("memlane._restore")?.getattr("region")?;
    let options = handle.options(py)?;
    if T::CREATES {
        options.set_item("create", false)?;
    }
    Ok((restore, (class, place.id.clone(), place.space.clone(), options)))
}

/// What only one thread may use at a time: a subscriber has a place in its channel, a publisher a next slot.
pub(crate) struct Alone<T> {
    region: Region,
    inner: Mutex<T>,
}

impl<T: Send> Alone<T> {
    pub(crate) fn new(region: &Region, inner: T) -> Self {
        Self { region: region.clone(), inner: Mutex::new(inner) }
    }

    /// Runs `body`, which may wait. RuntimeError when another thread is in here.
    pub(crate) fn wait<R: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&mut T) -> memlane::Result<R> + Send,
    ) -> PyResult<R> {
        let outcome = wait_raw(py, || {
            try_locked(&self.inner).map_or(Err(None), |mut inner| body(&mut inner).map_err(Some))
        })?;
        outcome.map_err(|error| error.map_or_else(|| self.in_use(), raise))
    }

    /// Runs `body`, which does not wait, holding the interpreter's lock.
    pub(crate) fn now<R>(&self, body: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        try_locked(&self.inner).map(|mut inner| body(&mut inner)).ok_or_else(|| self.in_use())
    }

    #[cold]
    fn in_use(&self) -> PyErr {
        PyRuntimeError::new_err(format!(
            "another thread is using this handle of region `{}`: give each thread its own",
            self.region.id()
        ))
    }
}

impl<T> OfRegion for Alone<T> {
    fn region_of(&self) -> &Region {
        &self.region
    }
}

/// What all classes with a field `handle` have.
macro_rules! common_methods {
    ($class:ident) => {
        #[pyo3::pymethods]
        impl $class {
            /// The region's id.
            #[getter]
            fn id(&self) -> &str {
                &self.handle.place.id
            }

            /// The space it is in.
            #[getter]
            fn space(&self) -> crate::place::Space {
                self.handle.place.space.clone()
            }

            /// Whether `close` was called.
            #[getter]
            fn closed(&self) -> bool {
                self.handle.is_closed()
            }

            /// Lets the region go. Never fails, and may be called again. Arrays and memoryviews made before stay
            /// good: the memory is mapped as long as one of them lives. What this process holds, locks and permits, it
            /// holds as long as it has a handle: the last one gives it up, as by a death.
            fn close(&self, py: Python<'_>) {
                let inner = self.handle.take();
                py.detach(|| drop(inner));
            }

            /// Removes the region's name. Whoever has it open goes on; who opens the id from now on gets another
            /// region. FileNotFoundError when it was removed already.
            fn unlink(&self, py: Python<'_>) -> PyResult<()> {
                let place = &self.handle.place;
                py.detach(|| place.space.inner.remove(&place.id)).map_err(crate::error::raise)
            }

            /// Whether its name was removed; the memory stays until the last handle is gone.
            #[getter]
            fn unlinked(&self) -> PyResult<bool> {
                Ok(crate::handle::OfRegion::region_of(&*self.handle.get()?).unlinked())
            }

            /// Who has it open and who died with it, as a list of dicts. `attached` is in seconds as `time.time()`
            /// counts them; `waits` lists what its threads wait for here, since when by `time.monotonic()`.
            fn participants<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyList>> {
                crate::handle::participants(py, crate::handle::OfRegion::region_of(&*self.handle.get()?))
            }

            fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<crate::handle::Reduced<'py>> {
                crate::handle::reduce(slf.get_type(), &slf.get().handle.place, slf.get())
            }
        }
    };
}
pub(crate) use common_methods;

/// `with` for what is closed at its end. Locks and their like mean something else by it.
macro_rules! closes_at_exit {
    ($class:ident) => {
        #[pyo3::pymethods]
        impl $class {
            fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
                slf
            }

            fn __exit__(
                &self,
                py: Python<'_>,
                _kind: &Bound<'_, PyAny>,
                _error: &Bound<'_, PyAny>,
                _traceback: &Bound<'_, PyAny>,
            ) {
                self.close(py);
            }
        }
    };
}
pub(crate) use closes_at_exit;
