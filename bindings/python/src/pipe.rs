//! `memlane.PipeEnd`: messages between two ends.

use crate::error::{empty, full, raise};
use crate::handle::{Handle, OfRegion, Reopen, closes_at_exit, common_methods, try_locked};
use crate::place::{Place, obtain};
use crate::queue::{decoded, with_encoded};
use crate::wait::{Timeout, wait_raw};
use memlane::pipe::{Arrival, PipeReceiver, PipeSender, Side};
use memlane::queue::Message;
use memlane::{Error, PipeEnd as CorePipeEnd, PipeSpec, Region, Tag};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::sync::Mutex;

/// What is on its way each way, unless said otherwise.
const DEFAULT_CAPACITY: usize = 1 << 20;

/// One end of a pipe: messages with boundaries, both ways or one way. When the process at the other end closes it or
/// dies, what it sent is read, then EOFError; sending to nobody is BrokenPipeError.
///
/// id: its name
/// side: "left" or "right"; of a one-way pipe the left one sends
/// capacity: bytes on their way each way, when it is made here
/// duplex: both ways
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// A message is any object, as with memlane.Queue. memlane.EndTaken when somebody living has this end.
///
/// >>> import memlane
/// >>> left = memlane.PipeEnd("link", "left")
/// >>> right = memlane.PipeEnd("link", "right")
/// >>> left.send([1, 2])
/// >>> right.recv(timeout=1.0)
/// [1, 2]
/// >>> left.close()
/// >>> right.poll()
/// True
/// >>> right.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct PipeEnd {
    pub(crate) handle: Handle<Halves>,
    side: Side,
}

/// The two directions, so that one thread may send while another receives.
pub(crate) struct Halves {
    region: Region,
    sender: Option<Mutex<PipeSender>>,
    receiver: Option<Mutex<PipeReceiver>>,
    arrival: Option<Arrival>,
}

impl OfRegion for Halves {
    fn region_of(&self) -> &Region {
        &self.region
    }
}

#[pymethods]
impl PipeEnd {
    #[new]
    #[pyo3(signature = (id, side, *, capacity=None, duplex=true, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: String,
        side: &str,
        capacity: Option<usize>,
        duplex: bool,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let side = match side {
            "left" => Side::Left,
            "right" => Side::Right,
            other => {
                return Err(PyValueError::new_err(format!("a side is \"left\" or \"right\", not {other:?}")));
            }
        };
        let place = Place::new(Some(id), space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let bytes = capacity.unwrap_or(DEFAULT_CAPACITY);
        let spec = if duplex { PipeSpec::duplex(bytes) } else { PipeSpec::one_way(bytes) };
        let open_or_create = || {
            if capacity.is_none() && duplex {
                match CorePipeEnd::open(space, id, side) {
                    Err(Error::NotFound { .. }) => {}
                    found => return found,
                }
            }
            CorePipeEnd::open_or_create(space, id, &spec, side)
        };
        let inner = obtain(
            py,
            create,
            open_or_create,
            || CorePipeEnd::create(space, id, &spec, side),
            || CorePipeEnd::open(space, id, side),
        )?;
        let region = inner.region().clone();
        let (sender, receiver) = inner.split();
        let arrival = receiver.as_ref().map(PipeReceiver::arrival);
        let (sender, receiver) = (sender.map(Mutex::new), receiver.map(Mutex::new));
        let halves = Halves { region, sender, receiver, arrival };
        Ok(Self { handle: Handle::new(place, halves), side })
    }

    /// Sends an object; waits for room. queue.Full when time is up.
    #[pyo3(signature = (item, timeout=Timeout::FOREVER), text_signature = "(self, item, timeout=None)")]
    fn send(&self, py: Python<'_>, item: &Bound<'_, PyAny>, timeout: Timeout) -> PyResult<()> {
        let halves = self.handle.get()?;
        with_encoded(item, |tag, bytes| halves.send(py, tag, bytes, timeout))?
    }

    /// Sends bytes; waits for room.
    #[pyo3(signature = (bytes, timeout=Timeout::FOREVER), text_signature = "(self, bytes, timeout=None)")]
    fn send_bytes(&self, py: Python<'_>, bytes: &Bound<'_, PyAny>, timeout: Timeout) -> PyResult<()> {
        let halves = self.handle.get()?;
        crate::memory::with_bytes(bytes, |bytes| halves.send(py, Tag::Bytes, bytes, timeout))?
    }

    /// Receives an object; waits for one. queue.Empty when time is up, EOFError when there will be no more.
    #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
    fn recv<'py>(&self, py: Python<'py>, timeout: Timeout) -> PyResult<Bound<'py, PyAny>> {
        let message = self.handle.get()?.recv(py, timeout)?;
        decoded(py, message.tag, &message.bytes)
    }

    /// Receives a message's bytes, whatever they are.
    #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
    fn recv_bytes<'py>(&self, py: Python<'py>, timeout: Timeout) -> PyResult<Bound<'py, PyBytes>> {
        let message = self.handle.get()?.recv(py, timeout)?;
        Ok(PyBytes::new(py, &message.bytes))
    }

    /// Whether `recv` would not wait: there is a message, or never will be one. Waits up to `timeout` for that; None
    /// waits for ever.
    #[pyo3(signature = (timeout=Timeout::AT_ONCE), text_signature = "(self, timeout=0.0)")]
    fn poll(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        let halves = self.handle.get()?;
        halves
            .with(py, halves.receiver.as_ref(), "receiving", |receiver| receiver.poll(timeout.0))?
            .map_err(raise)
    }

    /// Which end it is.
    #[getter]
    fn side(&self) -> &'static str {
        self.side.name()
    }

    /// Whether it can send.
    #[getter]
    fn writable(&self) -> PyResult<bool> {
        Ok(self.handle.get()?.sender.is_some())
    }

    /// Whether it can receive.
    #[getter]
    fn readable(&self) -> PyResult<bool> {
        Ok(self.handle.get()?.receiver.is_some())
    }

    fn __repr__(&self) -> String {
        let state = if self.handle.is_closed() { ", closed" } else { "" };
        format!("<memlane.PipeEnd {} {}{state}>", self.handle.place.id, self.side.name())
    }
}

impl Halves {
    fn send(&self, py: Python<'_>, tag: Tag, bytes: &[u8], timeout: Timeout) -> PyResult<()> {
        let sent = self
            .with(py, self.sender.as_ref(), "sending", |sender| sender.send_tagged(tag, bytes, timeout.0))?;
        sent.map_err(|error| match error {
            Error::Timeout { .. } => full(error.to_string()),
            error => raise(error),
        })
    }

    fn recv(&self, py: Python<'_>, timeout: Timeout) -> PyResult<Message> {
        let received =
            self.with(py, self.receiver.as_ref(), "receiving", |receiver| receiver.recv(timeout.0))?;
        received.map_err(|error| match error {
            Error::Timeout { .. } => empty(error.to_string()),
            error => raise(error),
        })
    }

    /// A message at this end, to wait for in another thread.
    pub(crate) fn arrival(&self) -> PyResult<Arrival> {
        self.arrival.clone().ok_or_else(|| self.wrong_way("receiving"))
    }

    fn wrong_way(&self, doing: &str) -> PyErr {
        PyOSError::new_err(format!("this end of the one-way pipe `{}` is not for {doing}", self.region.id()))
    }

    /// Runs `body` with one of the halves.
    fn with<H: Send, T: Send>(
        &self,
        py: Python<'_>,
        half: Option<&Mutex<H>>,
        doing: &str,
        body: impl FnOnce(&H) -> memlane::Result<T> + Send,
    ) -> PyResult<memlane::Result<T>> {
        let half = half.ok_or_else(|| self.wrong_way(doing))?;
        let outcome = wait_raw(py, || try_locked(half).map_or(Err(None), |half| body(&half).map_err(Some)))?;
        match outcome {
            Ok(value) => Ok(Ok(value)),
            Err(Some(error)) => Ok(Err(error)),
            Err(None) => Err(PyRuntimeError::new_err(format!(
                "another thread is {doing} at this end of pipe `{}`",
                self.region.id()
            ))),
        }
    }
}

impl Reopen for PipeEnd {
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = PyDict::new(py);
        options.set_item("side", self.side.name())?;
        Ok(options)
    }
}
common_methods!(PipeEnd);
closes_at_exit!(PipeEnd);

/// A pipe whose ends are to be taken: it keeps a nameless one in being, and is handed to the processes that take them.
///
/// id: its name; None makes a nameless one
/// capacity: bytes on their way each way, when it is made here
/// duplex: both ways; else the left end sends and the right one receives
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> pipe = memlane.Pipe()
/// >>> left, right = pipe.end("left"), pipe.end("right")
/// >>> left.send("hello")
/// >>> right.recv()
/// 'hello'
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Pipe {
    handle: Handle<Region>,
}

impl OfRegion for Region {
    fn region_of(&self) -> &Region {
        self
    }
}

#[pymethods]
impl Pipe {
    #[new]
    #[pyo3(
        signature = (id=None, *, capacity=DEFAULT_CAPACITY, duplex=true, create=None, space=None),
        text_signature = "(id=None, *, capacity=1048576, duplex=True, create=None, space=None)"
    )]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        capacity: usize,
        duplex: bool,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let spec = if duplex { PipeSpec::duplex(capacity) } else { PipeSpec::one_way(capacity) };
        let region = obtain(
            py,
            create,
            || spec.open_or_create(space, id),
            || spec.create(space, id),
            || PipeSpec::open(space, id),
        )?;
        Ok(Self { handle: Handle::new(place, region) })
    }

    /// Takes an end: "left" or "right". memlane.EndTaken when somebody living has it.
    fn end(&self, py: Python<'_>, side: &str) -> PyResult<PipeEnd> {
        let place = &self.handle.place;
        let space = Bound::new(py, place.space.clone())?;
        PipeEnd::new(py, place.id.clone(), side, None, true, Some(false), Some(space.as_any()))
    }

    fn __repr__(&self) -> String {
        format!("<memlane.Pipe {}>", self.handle.place.id)
    }
}

impl Reopen for Pipe {}
common_methods!(Pipe);
closes_at_exit!(Pipe);
