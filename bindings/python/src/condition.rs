//! `memlane.Condition`: waiting under a lock until it is worth looking again.

use crate::error::{NotOwner, raise};
use crate::handle::{Handle, Reopen, common_methods, locked};
use crate::lock::{Lock, RLock};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait_raw};
use memlane::{Condition as CoreCondition, Error, Lock as CoreLock, RLock as CoreRLock};
use pyo3::exceptions::{PyTimeoutError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Something to wait for under a lock. Exactly as many living waiters go as are notified, whoever died waiting.
///
/// id: its name; None makes a nameless one
/// lock: a memlane.Lock or memlane.RLock; the condition's own lock unless said
/// threads: how many threads can wait at once, when it is made here
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> changed = memlane.Condition("orders/changed")
/// >>> with changed:
/// ...     changed.wait(timeout=0.01)
/// False
/// >>> with changed:
/// ...     changed.notify_all()
/// 0
/// >>> changed.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Condition {
    pub(crate) handle: Handle<CoreCondition>,
    lock: AnyLock,
    /// Whether it was given.
    foreign: bool,
}

enum AnyLock {
    Plain(Py<Lock>),
    Reentrant(Py<RLock>),
}

/// The lock's core, without the interpreter.
enum Core {
    Plain(Arc<CoreLock>),
    Detached(Arc<CoreLock>),
    Reentrant(Arc<CoreRLock>),
}

impl Core {
    /// Waits with the lock that this thread holds.
    fn wait(&self, condition: &CoreCondition, timeout: Option<Duration>) -> memlane::Result<bool> {
        match self {
            Self::Plain(lock) => condition.wait(&mut *ManuallyDrop::new(lock.adopt()?), timeout),
            Self::Detached(lock) => condition.wait(&mut lock.detached(), timeout),
            Self::Reentrant(lock) => condition.wait(&mut *ManuallyDrop::new(lock.adopt()?), timeout),
        }
    }

    fn wait_for(
        &self,
        condition: &CoreCondition,
        timeout: Option<Duration>,
        is_right: impl FnMut() -> bool,
    ) -> memlane::Result<bool> {
        match self {
            Self::Plain(lock) => {
                condition.wait_for(&mut *ManuallyDrop::new(lock.adopt()?), timeout, is_right)
            }
            Self::Detached(lock) => condition.wait_for(&mut lock.detached(), timeout, is_right),
            Self::Reentrant(lock) => {
                condition.wait_for(&mut *ManuallyDrop::new(lock.adopt()?), timeout, is_right)
            }
        }
    }
}

#[pymethods]
impl Condition {
    #[new]
    #[pyo3(signature = (id=None, lock=None, *, threads=128, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        lock: Option<&Bound<'_, PyAny>>,
        threads: u32,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let open_or_create = || match CoreCondition::open(space, id) {
            Err(Error::NotFound { .. }) => match CoreCondition::create(space, id, threads) {
                Err(Error::AlreadyExists { .. }) => CoreCondition::open(space, id),
                made => made,
            },
            found => found,
        };
        let inner = obtain(
            py,
            create,
            open_or_create,
            || CoreCondition::create(space, id, threads),
            || CoreCondition::open(space, id),
        )?;
        let foreign = lock.is_some();
        let lock = match lock {
            None => {
                let own = Place { space: place.space.clone(), id: place.id.clone() };
                AnyLock::Plain(Py::new(py, Lock::own(own, inner.region().lock()))?)
            }
            Some(lock) => AnyLock::of(lock)?,
        };
        Ok(Self { handle: Handle::new(place, inner), lock, foreign })
    }

    /// The lock to hold.
    #[getter]
    fn lock(&self, py: Python<'_>) -> Py<PyAny> {
        match &self.lock {
            AnyLock::Plain(lock) => lock.clone_ref(py).into_any(),
            AnyLock::Reentrant(lock) => lock.clone_ref(py).into_any(),
        }
    }

    /// Takes the lock, as its own `acquire` does.
    #[pyo3(signature = (block=true, timeout=Timeout::FOREVER), text_signature = "(self, block=True, timeout=None)")]
    fn acquire(&self, py: Python<'_>, block: bool, timeout: Timeout) -> PyResult<bool> {
        self.take(py, timeout.when(block).0).map(|error| error.is_none())
    }

    /// Gives the lock back.
    fn release(&self) -> PyResult<()> {
        match &self.lock {
            AnyLock::Plain(lock) => lock.get().release(),
            AnyLock::Reentrant(lock) => lock.get().release(),
        }
    }

    /// Gives the lock back, waits until notified, and takes it again. False when time was up. NotOwner when this thread
    /// does not hold the lock.
    #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        let (inner, lock) = (self.handle.get()?, self.lock.core()?);
        wait_raw(py, || lock.wait(&inner, timeout.0))?.map_err(raise)
    }

    /// Waits until `predicate()` holds, which is asked under the lock, at first and after each notification. Returns
    /// what it said last.
    #[pyo3(signature = (predicate, timeout=Timeout::FOREVER), text_signature = "(self, predicate, timeout=None)")]
    fn wait_for(&self, py: Python<'_>, predicate: Py<PyAny>, timeout: Timeout) -> PyResult<Py<PyAny>> {
        let (inner, lock) = (self.handle.get()?, self.lock.core()?);
        let said = Mutex::new(Ok(py.None()));
        let is_right = || {
            Python::attach(|py| {
                let answer = predicate.call0(py);
                let is_over = answer.as_ref().map_or(Ok(true), |answer| answer.is_truthy(py));
                let is_over = is_over.unwrap_or(true);
                *locked(&said) = answer;
                is_over
            })
        };
        wait_raw(py, || lock.wait_for(&inner, timeout.0, is_right))?.map_err(raise)?;
        said.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets those `n` go who wait longest; returns how many there were.
    #[pyo3(signature = (n=1))]
    fn notify(&self, n: usize) -> PyResult<usize> {
        Ok(self.handle.get()?.notify(n))
    }

    /// Lets everybody go who waits; returns how many there were.
    fn notify_all(&self) -> PyResult<usize> {
        Ok(self.handle.get()?.notify_all())
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        match slf.get().take(slf.py(), None)? {
            None => Ok(slf),
            Some(error) => Err(PyTimeoutError::new_err(error.to_string())),
        }
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.release()
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.handle.get() {
            Ok(inner) => format!("<memlane.Condition {id} with {} waiting>", inner.waiters().len()),
            Err(_) => format!("<memlane.Condition {id} closed>"),
        }
    }
}

impl Condition {
    fn take(&self, py: Python<'_>, timeout: Option<Duration>) -> PyResult<Option<Error>> {
        match &self.lock {
            AnyLock::Plain(lock) => lock.get().take(py, timeout),
            AnyLock::Reentrant(lock) => lock.get().take(py, timeout),
        }
    }
}

impl AnyLock {
    fn of(lock: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(lock) = lock.cast::<Lock>() {
            return Ok(Self::Plain(lock.clone().unbind()));
        }
        match lock.cast::<RLock>() {
            Ok(lock) => Ok(Self::Reentrant(lock.clone().unbind())),
            Err(_) => Err(PyTypeError::new_err("a condition waits with a memlane.Lock or memlane.RLock")),
        }
    }

    /// NotOwner when it is not held as a condition needs it.
    fn core(&self) -> PyResult<Core> {
        match self {
            Self::Plain(lock) if lock.get().is_detached() => {
                let core = lock.get().handle.get()?;
                match core.state().holder {
                    Some(_) => Ok(Core::Detached(core)),
                    None => Err(NotOwner::new_err("nobody holds the lock of the condition")),
                }
            }
            Self::Plain(lock) => Ok(Core::Plain(lock.get().handle.get()?)),
            Self::Reentrant(lock) => Ok(Core::Reentrant(lock.get().handle.get()?)),
        }
    }
}

impl Reopen for Condition {
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = PyDict::new(py);
        if self.foreign {
            options.set_item("lock", self.lock(py))?;
        }
        Ok(options)
    }
}
common_methods!(Condition);
