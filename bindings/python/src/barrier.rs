//! `memlane.Barrier`: a meeting of a number of parties.

use crate::error::raise;
use crate::handle::{Handle, Reopen, closes_at_exit, common_methods};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait_raw};
use memlane::Barrier as CoreBarrier;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

/// A meeting of `parties` processes or threads: whoever arrives waits for the rest. When one dies, all are told
/// (threading.BrokenBarrierError) instead of waiting for it.
///
/// id: its name; None makes a nameless one
/// parties: how many meet
/// action: called by the last to arrive, before anybody goes on
/// timeout: seconds that `wait` waits unless told otherwise
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> barrier = memlane.Barrier("round", 1)
/// >>> barrier.wait()
/// 0
/// >>> barrier.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Barrier {
    pub(crate) handle: Handle<CoreBarrier>,
    action: Option<Py<PyAny>>,
    timeout: Option<Duration>,
}

#[pymethods]
impl Barrier {
    #[new]
    #[pyo3(
        signature = (id=None, parties=2, *, action=None, timeout=Timeout::FOREVER, create=None, space=None),
        text_signature = "(id=None, parties=2, *, action=None, timeout=None, create=None, space=None)"
    )]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        parties: u32,
        action: Option<Py<PyAny>>,
        timeout: Timeout,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = obtain(
            py,
            create,
            || CoreBarrier::open_or_create(space, id, parties),
            || CoreBarrier::create(space, id, parties),
            || CoreBarrier::open(space, id),
        )?;
        Ok(Self { handle: Handle::new(place, inner), action, timeout: timeout.0 })
    }

    /// Arrives and waits for the others. Returns how many had arrived before, so that exactly one gets 0.
    /// threading.BrokenBarrierError when it is broken: by a death, by somebody whose time was up, by `abort`.
    #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: Timeout) -> PyResult<u32> {
        let inner = self.handle.get()?;
        let timeout = timeout.0.or(self.timeout);
        let outcome = match &self.action {
            None => wait_raw(py, || inner.wait(timeout))?,
            Some(action) => wait_raw(py, || {
                // An action that raises has to break the barrier, which it does by a panic.
                let act = || {
                    if let Err(error) = Python::attach(|py| action.call0(py)) {
                        resume_unwind(Box::new(error));
                    }
                };
                match catch_unwind(AssertUnwindSafe(|| inner.wait_with(timeout, act))) {
                    Ok(outcome) => Ok(Ok(outcome)),
                    Err(payload) => match payload.downcast::<PyErr>() {
                        Ok(error) => Ok::<_, memlane::Error>(Err(*error)),
                        Err(payload) => resume_unwind(payload),
                    },
                }
            })?
            .map_err(raise)??,
        };
        match outcome {
            Err(memlane::Error::Timeout { id, waited, .. }) => {
                let why = format!("time was up after {waited:.1?}");
                Err(raise(memlane::Error::BrokenBarrier { id, why }))
            }
            outcome => outcome.map_err(raise),
        }
    }

    /// Breaks the barrier: who waits is told, and nobody gets through until `reset`.
    fn abort(&self) -> PyResult<()> {
        self.handle.get()?.abort();
        Ok(())
    }

    /// Begins anew: who waits is told that it was broken, who arrives from now on meets.
    fn reset(&self) -> PyResult<()> {
        self.handle.get()?.reset().map_err(raise)
    }

    /// How many meet.
    #[getter]
    fn parties(&self) -> PyResult<u32> {
        Ok(self.handle.get()?.parties())
    }

    /// How many have arrived and wait.
    #[getter]
    fn n_waiting(&self) -> PyResult<u32> {
        Ok(self.handle.get()?.waiting())
    }

    /// Whether it is broken.
    #[getter]
    fn broken(&self) -> PyResult<bool> {
        Ok(self.handle.get()?.is_broken())
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.handle.get() {
            Ok(inner) if inner.is_broken() => format!("<memlane.Barrier {id} broken>"),
            Ok(inner) => format!("<memlane.Barrier {id} {}/{}>", inner.waiting(), inner.parties()),
            Err(_) => format!("<memlane.Barrier {id} closed>"),
        }
    }
}

impl Reopen for Barrier {
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = PyDict::new(py);
        options.set_item("action", self.action.as_ref())?;
        options.set_item("timeout", self.timeout.map(|timeout| timeout.as_secs_f64()))?;
        Ok(options)
    }
}
common_methods!(Barrier);
closes_at_exit!(Barrier);
