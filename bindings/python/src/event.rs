//! `memlane.Event`: a flag to wait for.

use crate::error::raise;
use crate::handle::{Handle, Reopen, closes_at_exit, common_methods};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait_raw};
use memlane::{Error, Event as CoreEvent};
use pyo3::prelude::*;

/// A flag that processes wait for.
///
/// id: its name; None makes a nameless one
/// auto_reset: each setting lets one waiter through and clears the flag
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> start = memlane.Event("start")
/// >>> start.wait(timeout=0.01)
/// False
/// >>> start.set()
/// >>> start.wait()
/// True
/// >>> start.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Event {
    pub(crate) handle: Handle<CoreEvent>,
}

#[pymethods]
impl Event {
    #[new]
    #[pyo3(signature = (id=None, *, auto_reset=false, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        auto_reset: bool,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = obtain(
            py,
            create,
            || match auto_reset {
                true => CoreEvent::open_or_create_auto_reset(space, id),
                false => CoreEvent::open_or_create(space, id),
            },
            || match auto_reset {
                true => CoreEvent::create_auto_reset(space, id),
                false => CoreEvent::create(space, id),
            },
            || CoreEvent::open(space, id),
        )?;
        Ok(Self { handle: Handle::new(place, inner) })
    }

    /// Sets the flag and wakes who waits. Never blocks, whoever died waiting; may be called in a signal handler.
    fn set(&self) -> PyResult<()> {
        self.handle.get()?.set();
        Ok(())
    }

    /// Clears the flag; says whether it was set.
    fn clear(&self) -> PyResult<bool> {
        Ok(self.handle.get()?.clear())
    }

    /// Whether it is set.
    fn is_set(&self) -> PyResult<bool> {
        Ok(self.handle.get()?.is_set())
    }

    /// Waits until it is set, which an auto-reset event then is no more. False when time was up.
    #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        let inner = self.handle.get()?;
        if inner.try_wait() {
            return Ok(true);
        }
        match wait_raw(py, || inner.wait(timeout.0))? {
            Ok(()) => Ok(true),
            Err(Error::Timeout { .. }) => Ok(false),
            Err(error) => Err(raise(error)),
        }
    }

    /// Whether each setting lets one through.
    #[getter]
    fn auto_reset(&self) -> PyResult<bool> {
        Ok(self.handle.get()?.is_auto_reset())
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.is_set() {
            Ok(true) => format!("<memlane.Event {id} set>"),
            Ok(false) => format!("<memlane.Event {id} unset>"),
            Err(_) => format!("<memlane.Event {id} closed>"),
        }
    }
}

impl Reopen for Event {}
common_methods!(Event);
closes_at_exit!(Event);
