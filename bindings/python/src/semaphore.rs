//! `memlane.Semaphore` and `memlane.SignalSemaphore`.

use crate::error::raise;
use crate::handle::{Handle, Reopen, common_methods};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait_raw};
use memlane::{Error, Semaphore as CoreSemaphore, SignalSemaphore as CoreSignal};
use pyo3::exceptions::PyTimeoutError;
use pyo3::prelude::*;
use std::time::Duration;

/// A number of permits. A dead holder's permits return by themselves.
///
/// id: its name; None makes a nameless one
/// value: how many permits there are, when it is made here
/// timeout: seconds that `with` waits; TimeoutError then, which names the holders
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// Only the process that holds a permit can give it back: to signal another, use memlane.SignalSemaphore.
///
/// >>> import memlane
/// >>> gpus = memlane.Semaphore("gpus", 2)
/// >>> with gpus:
/// ...     gpus.value
/// 1
/// >>> gpus.acquire(count=2), gpus.acquire(block=False)
/// (True, False)
/// >>> gpus.release(2)
/// >>> gpus.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Semaphore {
    pub(crate) handle: Handle<CoreSemaphore>,
    timeout: Option<Duration>,
}

#[pymethods]
impl Semaphore {
    #[new]
    #[pyo3(
        signature = (id=None, value=1, *, timeout=Timeout::FOREVER, create=None, space=None),
        text_signature = "(id=None, value=1, *, timeout=None, create=None, space=None)"
    )]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        value: u32,
        timeout: Timeout,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = obtain(
            py,
            create,
            || CoreSemaphore::open_or_create(space, id, value),
            || CoreSemaphore::create(space, id, value),
            || CoreSemaphore::open(space, id),
        )?;
        Ok(Self { handle: Handle::new(place, inner), timeout: timeout.0 })
    }

    /// Takes permits, and says whether it got them. ValueError when there are never as many.
    #[pyo3(
        signature = (block=true, timeout=Timeout::FOREVER, *, count=1),
        text_signature = "(self, block=True, timeout=None, *, count=1)"
    )]
    fn acquire(&self, py: Python<'_>, block: bool, timeout: Timeout, count: u32) -> PyResult<bool> {
        self.take(py, count, timeout.when(block).0).map(|error| error.is_none())
    }

    /// Gives permits back. NotOwner when this process holds fewer.
    #[pyo3(signature = (count=1))]
    fn release(&self, count: u32) -> PyResult<()> {
        self.handle.get()?.release(count).map_err(raise)
    }

    /// How many permits are free.
    #[getter]
    fn value(&self) -> PyResult<u32> {
        Ok(self.handle.get()?.free())
    }

    /// How many permits there are.
    #[getter]
    fn total(&self) -> PyResult<u32> {
        Ok(self.handle.get()?.total())
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let this = slf.get();
        match this.take(slf.py(), 1, this.timeout)? {
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
        self.release(1)
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.handle.get() {
            Ok(inner) => format!("<memlane.Semaphore {id} with {} of {} free>", inner.free(), inner.total()),
            Err(_) => format!("<memlane.Semaphore {id} closed>"),
        }
    }
}

impl Semaphore {
    fn take(&self, py: Python<'_>, count: u32, timeout: Option<Duration>) -> PyResult<Option<Error>> {
        let inner = self.handle.get()?;
        if inner.try_take(count).map_err(raise)? {
            return Ok(None);
        }
        match wait_raw(py, || inner.take(count, timeout))? {
            Ok(()) => Ok(None),
            Err(error @ (Error::LockTimeout { .. } | Error::Timeout { .. })) => Ok(Some(error)),
            Err(error) => Err(raise(error)),
        }
    }
}

impl Reopen for Semaphore {}
common_methods!(Semaphore);

/// A counter that anybody may raise, and that whoever takes waits for: to signal between processes. What a process
/// took before it died is gone.
///
/// id: its name; None makes a nameless one
/// value: where it begins, when it is made here
/// maximum: raising it above is a ValueError; no bound unless said
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> ready = memlane.SignalSemaphore("ready")
/// >>> ready.release(2)
/// >>> ready.acquire(), ready.value
/// (True, 1)
/// >>> ready.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct SignalSemaphore {
    pub(crate) handle: Handle<CoreSignal>,
}

#[pymethods]
impl SignalSemaphore {
    #[new]
    #[pyo3(signature = (id=None, value=0, *, maximum=None, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        value: u32,
        maximum: Option<u32>,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = obtain(
            py,
            create,
            || match maximum {
                Some(maximum) => CoreSignal::open_or_create_bounded(space, id, value, maximum),
                None => CoreSignal::open_or_create(space, id, value),
            },
            || match maximum {
                Some(maximum) => CoreSignal::create_bounded(space, id, value, maximum),
                None => CoreSignal::create(space, id, value),
            },
            || CoreSignal::open(space, id),
        )?;
        Ok(Self { handle: Handle::new(place, inner) })
    }

    /// Takes one, and says whether it got it.
    #[pyo3(signature = (block=true, timeout=Timeout::FOREVER), text_signature = "(self, block=True, timeout=None)")]
    fn acquire(&self, py: Python<'_>, block: bool, timeout: Timeout) -> PyResult<bool> {
        let inner = self.handle.get()?;
        if inner.try_acquire() {
            return Ok(true);
        }
        match wait_raw(py, || inner.acquire(timeout.when(block).0))? {
            Ok(()) => Ok(true),
            Err(Error::Timeout { .. } | Error::LockTimeout { .. }) => Ok(false),
            Err(error) => Err(raise(error)),
        }
    }

    /// Raises the counter, and wakes as many as wait. ValueError above its bound.
    #[pyo3(signature = (count=1))]
    fn release(&self, count: u32) -> PyResult<()> {
        self.handle.get()?.release(count).map_err(raise)
    }

    /// Where it stands.
    #[getter]
    fn value(&self) -> PyResult<u32> {
        Ok(self.handle.get()?.value())
    }

    /// Its bound.
    #[getter]
    fn maximum(&self) -> PyResult<u32> {
        Ok(self.handle.get()?.maximum())
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().acquire(slf.py(), true, Timeout::FOREVER)?;
        Ok(slf)
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.release(1)
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.handle.get() {
            Ok(inner) => format!("<memlane.SignalSemaphore {id} at {}>", inner.value()),
            Err(_) => format!("<memlane.SignalSemaphore {id} closed>"),
        }
    }
}

impl Reopen for SignalSemaphore {}
common_methods!(SignalSemaphore);
