//! A session with a host: what `memlane.connect` gives is written in Python on top of it.

use crate::error::{Closed, raise_remote};
use crate::handle::locked;
use crate::json::{from_object, to_dict};
use crate::memory::{Memory, with_bytes};
use crate::place::Space;
use crate::wait::{Ending, Timeout, wait_raw, wait_unless_ended};
use bytes::Bytes;
use memlane_net::client::{Client as CoreClient, Options, Subscription as CoreSubscription};
use memlane_net::protocol::hello::Access;
use memlane_net::protocol::operation::Operation;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex};

/// A session with a host; `memlane.connect` is what people use.
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Client {
    session: Ours<CoreClient>,
    address: String,
}

/// What is new, as a host delivers it.
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Subscription {
    news: Ours<CoreSubscription>,
    fields: Py<PyDict>,
}

type Answer<'py> = (Bound<'py, PyDict>, Memory, u64);
type News<'py> = (Bound<'py, PyDict>, Memory);

#[pymethods]
impl Client {
    #[new]
    #[pyo3(
        signature = (
            address, *, token=None, fingerprint=None, tls=false, patience=Timeout::FOREVER, local=true, name=None
        ),
        text_signature = "(address, *, token=None, fingerprint=None, tls=False, patience=None, local=True, name=None)"
    )]
    fn new(
        py: Python<'_>,
        address: &str,
        token: Option<String>,
        fingerprint: Option<String>,
        tls: bool,
        patience: Timeout,
        local: bool,
        name: Option<String>,
    ) -> PyResult<Self> {
        let mut options = Options::new();
        options = token.into_iter().fold(options, Options::token);
        options = fingerprint.into_iter().fold(options, Options::fingerprint);
        options = patience.0.into_iter().fold(options, Options::patience);
        options = name.into_iter().fold(options, Options::name);
        if tls {
            options = options.tls();
        }
        if !local {
            options = options.remote();
        }
        let client = wait_raw(py, || CoreClient::connect(address, options))?;
        let client = client.map_err(|error| raise_remote(py, error))?;
        let address = client.address().to_string();
        Ok(Self { session: Ours::new(client), address })
    }

    /// Asks for an operation of docs/protocol.md, by a dict with `op` and its fields, and a payload. Gives the fields
    /// of `ok`, the payload, and in which session it was done: what is asked of a lease names that one.
    #[pyo3(signature = (operation, payload=None, *, session=None, ending=None))]
    fn request<'py>(
        &self,
        py: Python<'py>,
        operation: &Bound<'py, PyDict>,
        payload: Option<&Bound<'py, PyAny>>,
        session: Option<u64>,
        ending: Option<&Bound<'py, Ending>>,
    ) -> PyResult<Answer<'py>> {
        let client = self.get()?;
        let operation = understood(operation)?;
        let payload = payload.map(|payload| with_bytes(payload, Bytes::copy_from_slice)).transpose()?;
        let payload = payload.unwrap_or_default();
        let answer = wait_unless_ended(py, ending, || client.request_in(session, operation, payload))?;
        let (fields, payload, session) = answer.map_err(|error| raise_remote(py, error))?;
        Ok((to_dict(py, &fields)?, Memory::received(payload), session))
    }

    /// Begins a subscription, by a dict with `op` (`subscribe` or `watch`) and its fields.
    fn subscribe(&self, py: Python<'_>, operation: &Bound<'_, PyDict>) -> PyResult<Subscription> {
        let client = self.get()?;
        let operation = understood(operation)?;
        let news = wait_raw(py, || client.subscribe(operation))?.map_err(|error| raise_remote(py, error))?;
        let fields = to_dict(py, news.fields())?.unbind();
        Ok(Subscription { news: Ours::new(news), fields })
    }

    /// Ends the session, which gives back what it holds. May be called again.
    fn close(&self, py: Python<'_>) {
        self.session.end(py);
    }

    /// Whether `close` was called.
    #[getter]
    fn closed(&self) -> bool {
        locked(&self.session.inner).is_none()
    }

    /// "local" or "remote".
    #[getter]
    fn mode(&self) -> PyResult<String> {
        Ok(self.get()?.mode().to_string())
    }

    /// Why it is that.
    #[getter]
    fn why(&self) -> PyResult<String> {
        Ok(self.get()?.why().to_owned())
    }

    /// "local" or "remote", of a region by its id.
    fn mode_of(&self, id: &str) -> PyResult<String> {
        Ok(self.get()?.place(id).mode().to_string())
    }

    /// Why it is that.
    fn why_of(&self, id: &str) -> PyResult<String> {
        Ok(self.get()?.place(id).why())
    }

    /// "read-write" or "read-only".
    #[getter]
    fn access(&self) -> PyResult<&'static str> {
        Ok(match self.get()?.access() {
            Access::ReadOnly => "read-only",
            Access::ReadWrite => "read-write",
        })
    }

    /// The host's space, when this is local.
    #[getter]
    fn space(&self) -> PyResult<Option<Space>> {
        Ok(self.get()?.space().map(|space| Space::of(space.clone())))
    }

    /// The host's address with its port.
    #[getter]
    fn address(&self) -> &str {
        &self.address
    }

    /// Whether there is a connection at this moment.
    #[getter]
    fn connected(&self) -> PyResult<bool> {
        Ok(self.get()?.is_connected())
    }
}

impl Client {
    fn get(&self) -> PyResult<Arc<CoreClient>> {
        self.session.get(|| format!("the connection to the host at {} was closed", self.address))
    }
}

#[pymethods]
impl Subscription {
    /// What the host said when it began.
    #[getter]
    fn fields(&self, py: Python<'_>) -> Py<PyDict> {
        self.fields.clone_ref(py)
    }

    /// The next event and its payload; None when time is up.
    #[pyo3(
        signature = (timeout=Timeout::FOREVER, *, ending=None),
        text_signature = "(self, timeout=None, *, ending=None)"
    )]
    fn next<'py>(
        &self,
        py: Python<'py>,
        timeout: Timeout,
        ending: Option<&Bound<'py, Ending>>,
    ) -> PyResult<Option<News<'py>>> {
        let news = self.news.get(|| "this subscription was closed".to_owned())?;
        let next = wait_unless_ended(py, ending, || news.next(timeout.0))?;
        let next = next.map_err(|error| raise_remote(py, error))?;
        next.map(|news| Ok((to_dict(py, &news.body)?, Memory::received(news.payload)))).transpose()
    }

    /// Ends it. May be called again.
    fn close(&self, py: Python<'_>) {
        self.news.end(py);
    }
}

fn understood(operation: &Bound<'_, PyDict>) -> PyResult<Operation> {
    serde_json::from_value(from_object(operation)?)
        .map_err(|error| PyValueError::new_err(format!("that is no operation of a host: {error}")))
}

/// Something of a session that belongs to the process which began it. A copy of it in a child that was forked shares
/// the connection: it would speak and listen in the parent's place, so it does neither, and says no farewell.
struct Ours<T: Send + Sync> {
    inner: Mutex<Option<ManuallyDrop<Arc<T>>>>,
    process: u32,
}

impl<T: Send + Sync> Ours<T> {
    fn new(inner: T) -> Self {
        Self { inner: Mutex::new(Some(ManuallyDrop::new(Arc::new(inner)))), process: std::process::id() }
    }

    fn get(&self, closed: impl FnOnce() -> String) -> PyResult<Arc<T>> {
        if self.process != std::process::id() {
            return Err(PyRuntimeError::new_err(format!(
                "this connection belongs to process {}, from which this one was forked: connect again",
                self.process
            )));
        }
        let inner = locked(&self.inner);
        let inner = inner.as_deref().map(Arc::clone);
        inner.ok_or_else(|| Closed::new_err(closed()))
    }

    fn take(&self) -> Option<Arc<T>> {
        if self.process != std::process::id() {
            return None;
        }
        locked(&self.inner).take().map(ManuallyDrop::into_inner)
    }

    /// The farewell may take a moment.
    fn end(&self, py: Python<'_>) {
        let inner = self.take();
        py.detach(|| drop(inner));
    }
}

impl<T: Send + Sync> Drop for Ours<T> {
    fn drop(&mut self) {
        // Without an interpreter, the process ends, and its connection with it.
        let _ = Python::try_attach(|py| self.end(py));
    }
}
