//! `memlane.RwLock`: many readers or one writer.

use crate::error::raise;
use crate::handle::{Handle, Reopen, common_methods};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait, wait_raw};
use memlane::lock::OwnerDied;
use memlane::{Error, RwLock as CoreRwLock};
use pyo3::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// A lock that many may hold for reading, or one for writing. Writers go first; dead readers are not waited for.
///
/// id: its name; None makes a nameless one
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> map_lock = memlane.RwLock("map")
/// >>> with map_lock.read():
/// ...     pass
/// >>> with map_lock.write(timeout=1.0):
/// ...     pass
/// >>> map_lock.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct RwLock {
    pub(crate) handle: Handle<CoreRwLock>,
}

/// One side of a RwLock, for `with`.
#[pyclass(module = "memlane", frozen)]
pub(crate) struct RwLockSide {
    lock: Arc<CoreRwLock>,
    writes: bool,
    timeout: Option<Duration>,
}

#[pymethods]
impl RwLock {
    #[new]
    #[pyo3(signature = (id=None, *, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = obtain(
            py,
            create,
            || CoreRwLock::open_or_create(space, id),
            || CoreRwLock::create(space, id),
            || CoreRwLock::open(space, id),
        )?;
        Ok(Self { handle: Handle::new(place, inner) })
    }

    /// `with lock.read():` holds it for reading; gives True inside when its last writer died and what it protects
    /// may be
    /// half-changed. TimeoutError when time is up.
    #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
    fn read(&self, timeout: Timeout) -> PyResult<RwLockSide> {
        Ok(RwLockSide { lock: self.handle.get()?, writes: false, timeout: timeout.0 })
    }

    /// `with lock.write() as died:` holds it for writing, as `read` does for reading. Who finds `died` puts the data
    /// right and calls `make_consistent`.
    #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
    fn write(&self, timeout: Timeout) -> PyResult<RwLockSide> {
        Ok(RwLockSide { lock: self.handle.get()?, writes: true, timeout: timeout.0 })
    }

    /// Takes it for reading, and says whether it got it.
    #[pyo3(signature = (block=true, timeout=Timeout::FOREVER), text_signature = "(self, block=True, timeout=None)")]
    fn acquire_read(&self, py: Python<'_>, block: bool, timeout: Timeout) -> PyResult<bool> {
        let inner = self.handle.get()?;
        got(wait_raw(py, || inner.acquire_read(timeout.when(block).0))?)
    }

    /// Gives it back. NotOwner when this process does not hold it for reading.
    fn release_read(&self) -> PyResult<()> {
        self.handle.get()?.release_read().map_err(raise)
    }

    /// Takes it for writing, and says whether it got it.
    #[pyo3(signature = (block=true, timeout=Timeout::FOREVER), text_signature = "(self, block=True, timeout=None)")]
    fn acquire_write(&self, py: Python<'_>, block: bool, timeout: Timeout) -> PyResult<bool> {
        let inner = self.handle.get()?;
        got(wait_raw(py, || inner.acquire_write(timeout.when(block).0))?)
    }

    /// Gives it back. NotOwner when this thread does not hold it for writing.
    fn release_write(&self) -> PyResult<()> {
        self.handle.get()?.release_write().map_err(raise)
    }

    /// Says that what a dead writer left half-changed is whole again. NotOwner when this thread does not hold it for
    /// writing.
    fn make_consistent(&self) -> PyResult<()> {
        self.handle.get()?.region().lock().make_consistent().map_err(raise)
    }

    /// Whether a writer died and nobody has said since that the data is whole.
    #[getter]
    fn inconsistent(&self) -> PyResult<bool> {
        Ok(self.handle.get()?.is_inconsistent())
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.handle.get().map(|inner| inner.state()) {
            Ok(state) => match state.lock.holder {
                Some(holder) => format!("<memlane.RwLock {id} written by {}>", holder.participant.who()),
                None => format!("<memlane.RwLock {id} with {} readers>", state.readers.len()),
            },
            Err(_) => format!("<memlane.RwLock {id} closed>"),
        }
    }
}

impl Reopen for RwLock {}
common_methods!(RwLock);

fn got(outcome: memlane::Result<OwnerDied>) -> PyResult<bool> {
    match outcome {
        Ok(_) => Ok(true),
        Err(Error::LockTimeout { .. } | Error::Timeout { .. }) => Ok(false),
        Err(error) => Err(raise(error)),
    }
}

#[pymethods]
impl RwLockSide {
    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        let OwnerDied(died) = wait(py, || match self.writes {
            true => self.lock.acquire_write(self.timeout),
            false => self.lock.acquire_read(self.timeout),
        })?;
        Ok(died)
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let given = if self.writes { self.lock.release_write() } else { self.lock.release_read() };
        given.map_err(raise)
    }
}
