//! Waiting as Python expects it: without the interpreter's lock, and ended at once by a signal whose handler raises.
//!
//! A signal cuts the core's sleep short; the main thread then runs Python's handlers. When one raises (Ctrl-C does),
//! the wait ends as if its time were over, and the exception takes the place of that error. What the wait obtained in
//! the same instant is not lost: it is returned, and the exception follows right after the call.
#![allow(unsafe_code)] // Raising in the running thread is a function of C.

use crate::error::raise;
use memlane::interruption::interruptible;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

thread_local! {
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
    static ENDING: RefCell<Option<Arc<[Arc<AtomicBool>]>>> = const { RefCell::new(None) };
}

/// By this, another thread ends waits: those that are given it. With `within`, the end of that one is its own too.
#[pyclass(module = "memlane", frozen)]
pub(crate) struct Ending {
    flags: Arc<[Arc<AtomicBool>]>,
}

#[pymethods]
impl Ending {
    #[new]
    #[pyo3(signature = (within=None))]
    fn new(within: Option<&Bound<'_, Self>>) -> Self {
        let others = within.map(|within| within.get().flags.to_vec()).unwrap_or_default();
        Self { flags: std::iter::once(Arc::default()).chain(others).collect() }
    }

    /// Whether `end` was called.
    #[getter]
    fn wanted(&self) -> bool {
        is_wanted(&self.flags)
    }

    /// Ends the wait within 40 ms, and every later one at once.
    fn end(&self) {
        self.flags[0].store(true, Ordering::Relaxed);
    }
}

fn is_wanted(flags: &[Arc<AtomicBool>]) -> bool {
    flags.iter().any(|flag| flag.load(Ordering::Relaxed))
}

/// `timeout` as Python has it: seconds, nothing for ever, and what is below zero is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeout(pub(crate) Option<Duration>);

impl Timeout {
    /// Looks and does not wait.
    pub(crate) const AT_ONCE: Self = Self(Some(Duration::ZERO));
    /// The default of most calls.
    pub(crate) const FOREVER: Self = Self(None);

    /// As of `acquire(block, timeout)`: the time counts only when it blocks.
    pub(crate) fn when(self, block: bool) -> Self {
        if block { self } else { Self::AT_ONCE }
    }
}

impl<'py> FromPyObject<'_, 'py> for Timeout {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_none() {
            return Ok(Self::FOREVER);
        }
        let seconds: f64 = object.extract().map_err(|_| {
            PyTypeError::new_err("a timeout is a number of seconds, or None to wait for ever")
        })?;
        if seconds.is_nan() {
            return Err(PyValueError::new_err("a timeout cannot be NaN"));
        }
        Ok(Self(Duration::try_from_secs_f64(seconds.max(0.0)).ok()))
    }
}

/// Runs what may wait. An error becomes its exception.
pub(crate) fn wait<T: Send>(py: Python<'_>, body: impl FnOnce() -> memlane::Result<T> + Send) -> PyResult<T> {
    wait_raw(py, body)?.map_err(raise)
}

/// [`wait`], leaving the error to the caller.
pub(crate) fn wait_raw<T: Send, E: Send>(
    py: Python<'_>,
    body: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<Result<T, E>> {
    let outcome = py.detach(|| interruptible(should_end, body));
    let raised = RAISED.with(|raised| raised.borrow_mut().take());
    match (outcome, raised) {
        (outcome, None) => Ok(outcome),
        (Err(_), Some(error)) => Err(error),
        (outcome, Some(error)) => {
            raise_after_this_call(py, &error);
            Ok(outcome)
        }
    }
}

/// [`wait_raw`], which `ending` ends too.
pub(crate) fn wait_unless_ended<T: Send, E: Send>(
    py: Python<'_>,
    ending: Option<&Bound<'_, Ending>>,
    body: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<Result<T, E>> {
    ENDING.set(ending.map(|ending| ending.get().flags.clone()));
    let outcome = wait_raw(py, body);
    ENDING.take();
    outcome
}

/// Runs Python's signal handlers, in the main thread alone: in others there is nothing to run.
fn should_end() -> bool {
    if ENDING.with_borrow(|ending| ending.as_ref().is_some_and(|flags| is_wanted(flags))) {
        return true;
    }
    if rustix::thread::gettid() != rustix::process::getpid() {
        return false;
    }
    let outcome = Python::attach(|py| py.check_signals());
    let Err(error) = outcome else { return false };
    RAISED.with(|raised| *raised.borrow_mut() = Some(error));
    true
}

fn raise_after_this_call(py: Python<'_>, error: &PyErr) {
    // SAFETY: the interpreter's lock is held; the thread is this one; the class is a living object, and the
    // function takes a reference of its own. It takes classes alone.
    unsafe {
        pyo3::ffi::PyThreadState_SetAsyncExc(
            pyo3::ffi::PyThread_get_thread_ident() as _,
            error.get_type(py).as_ptr(),
        );
    }
}
