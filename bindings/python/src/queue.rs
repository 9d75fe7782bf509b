//! `memlane.Queue`: messages, each taken once.
#![allow(unsafe_code)] // A reservation is written through a pointer.

use crate::error::{empty, full, raise};
use crate::handle::{Handle, Reopen, closes_at_exit, common_methods, locked};
use crate::memory::{Layout, Memory, with_bytes};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait_raw};
use memlane::queue::{Lease as CoreLease, Message as CoreMessage, Reservation as CoreReservation};
use memlane::schema::Schema;
use memlane::{Error, Queue as CoreQueue, QueueSpec, Tag};
use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyList, PyMemoryView, PyString};
use std::sync::{Arc, Mutex};

/// What a queue holds unless said otherwise.
const DEFAULT_CAPACITY: usize = 16 << 20;

/// Messages between any number of processes, each taken once, in order. `put` is done when it returns: there is no
/// thread behind it, and what was put is there, whoever exits or is killed.
///
/// A message is any object: bytes and text travel as such, for programs in any language; everything else is pickled.
///
/// id: its name; None makes a nameless one
/// capacity: bytes, when it is made here; 16 MiB unless said
/// messages: the most messages at once
/// acknowledged: what is taken is handed out again when its taker dies before it acknowledges
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> jobs = memlane.Queue("jobs", 65536)
/// >>> jobs.put({"number": 1})
/// >>> jobs.put("text")
/// >>> len(jobs)
/// 2
/// >>> jobs.get(), jobs.get(timeout=1.0)
/// ({'number': 1}, 'text')
/// >>> jobs.shutdown()
/// >>> list(jobs)
/// []
/// >>> jobs.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Queue {
    pub(crate) handle: Handle<CoreQueue>,
}

/// A message as it was sent: `tag` is "bytes", "utf-8", "json" or "pickle". Nothing is unpickled until `value` is
/// asked.
#[pyclass(module = "memlane", frozen)]
pub(crate) struct Message {
    inner: CoreMessage,
}

#[pymethods]
impl Message {
    /// What the sender says that the bytes are.
    #[getter]
    fn tag(&self) -> &'static str {
        self.inner.tag.name()
    }

    /// The bytes.
    #[getter]
    fn bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.bytes)
    }

    /// The object.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        decoded(py, self.inner.tag, &self.inner.bytes)
    }

    /// How often it was handed out before, to somebody who died or gave it back.
    #[getter]
    fn redelivered(&self) -> u32 {
        self.inner.redelivered
    }

    fn __repr__(&self) -> String {
        format!("<memlane.Message of {} bytes, {}>", self.inner.bytes.len(), self.inner.tag.name())
    }
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (id=None, capacity=None, *, messages=None, acknowledged=false, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        capacity: Option<usize>,
        messages: Option<u32>,
        acknowledged: bool,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let mut spec = QueueSpec::bytes(capacity.unwrap_or(DEFAULT_CAPACITY));
        if let Some(messages) = messages {
            spec = spec.messages(messages);
        }
        if acknowledged {
            spec = spec.acknowledged();
        }
        let is_any = capacity.is_none() && messages.is_none() && !acknowledged;
        let open_or_create = || {
            if is_any {
                match CoreQueue::open(space, id) {
                    Err(Error::NotFound { .. }) => {}
                    found => return found,
                }
            }
            CoreQueue::open_or_create(space, id, &spec)
        };
        let inner = obtain(
            py,
            create,
            open_or_create,
            || CoreQueue::create(space, id, &spec),
            || CoreQueue::open(space, id),
        )?;
        Ok(Self { handle: Handle::new(place, inner) })
    }

    /// Puts an object. queue.Full when it does not block and there is no room, or when time is up; memlane.Closed after
    /// `shutdown`; ValueError, which says both sizes, when the message is larger than the queue.
    #[pyo3(
        signature = (item, block=true, timeout=Timeout::FOREVER),
        text_signature = "(self, item, block=True, timeout=None)"
    )]
    fn put(&self, py: Python<'_>, item: &Bound<'_, PyAny>, block: bool, timeout: Timeout) -> PyResult<()> {
        let inner = self.handle.get()?;
        let timeout = timeout.when(block);
        with_encoded(item, |tag, bytes| {
            if inner.try_put_tagged(tag, bytes).map_err(raise)? {
                return Ok(());
            }
            wait_raw(py, || inner.put_tagged(tag, bytes, timeout.0))?.map_err(put_failed)
        })?
    }

    /// `put(item, block=False)`.
    fn put_nowait(&self, py: Python<'_>, item: &Bound<'_, PyAny>) -> PyResult<()> {
        self.put(py, item, false, Timeout::FOREVER)
    }

    /// Takes the oldest object. queue.Empty when it does not block and there is none, or when time is up;
    /// memlane.Closed
    /// when there is none after `shutdown`.
    #[pyo3(signature = (block=true, timeout=Timeout::FOREVER), text_signature = "(self, block=True, timeout=None)")]
    fn get<'py>(&self, py: Python<'py>, block: bool, timeout: Timeout) -> PyResult<Bound<'py, PyAny>> {
        let message = self.take(py, timeout.when(block))?;
        decoded(py, message.tag, &message.bytes)
    }

    /// `get(block=False)`.
    fn get_nowait<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.get(py, false, Timeout::FOREVER)
    }

    /// Takes the oldest message as it was sent.
    #[pyo3(signature = (block=true, timeout=Timeout::FOREVER), text_signature = "(self, block=True, timeout=None)")]
    fn get_message(&self, py: Python<'_>, block: bool, timeout: Timeout) -> PyResult<Message> {
        Ok(Message { inner: self.take(py, timeout.when(block))? })
    }

    /// Puts several bytes-like messages as few changes. Returns how many were put when time was up, or when the queue
    /// was shut down.
    #[pyo3(signature = (items, timeout=Timeout::FOREVER), text_signature = "(self, items, timeout=None)")]
    fn put_many(&self, py: Python<'_>, items: &Bound<'_, PyAny>, timeout: Timeout) -> PyResult<usize> {
        let inner = self.handle.get()?;
        let items: Vec<Vec<u8>> =
            items.try_iter()?.map(|item| with_bytes(&item?, <[u8]>::to_vec)).collect::<PyResult<_>>()?;
        wait_raw(py, || inner.put_many(&items, timeout.0))?.map_err(put_failed)
    }

    /// Takes up to `most` objects, at least one. queue.Empty when time is up.
    #[pyo3(signature = (most, timeout=Timeout::FOREVER), text_signature = "(self, most, timeout=None)")]
    fn get_many<'py>(&self, py: Python<'py>, most: usize, timeout: Timeout) -> PyResult<Bound<'py, PyList>> {
        let inner = self.handle.get()?;
        let messages = wait_raw(py, || inner.get_many(most, timeout.0))?.map_err(get_failed)?;
        let objects: PyResult<Vec<_>> =
            messages.iter().map(|message| decoded(py, message.tag, &message.bytes)).collect();
        PyList::new(py, objects?)
    }

    /// The oldest messages, up to `most`, left where they are.
    #[pyo3(signature = (most=1))]
    fn peek(&self, py: Python<'_>, most: usize) -> PyResult<Vec<Message>> {
        let inner = self.handle.get()?;
        let messages = py.detach(|| inner.peek(most));
        Ok(messages.into_iter().map(|inner| Message { inner }).collect())
    }

    /// Room for a message of `size` bytes, to be written where it will lie: `with queue.reserve(n) as buffer: ...`
    /// sends it at the end, unless an exception ends it. Nobody else can put meanwhile.
    #[pyo3(
        signature = (size, block=true, timeout=Timeout::FOREVER),
        text_signature = "(self, size, block=True, timeout=None)"
    )]
    fn reserve(&self, size: usize, block: bool, timeout: Timeout) -> PyResult<Reservation> {
        Ok(Reservation {
            queue: self.handle.get()?,
            size,
            timeout: timeout.when(block),
            cell: None,
            memory: None,
        })
    }

    /// Takes the oldest message on approval, from an acknowledged queue: `with queue.lease() as message: ...`
    /// acknowledges it at the end. Ended by an exception, or by death, it is handed out again.
    #[pyo3(signature = (block=true, timeout=Timeout::FOREVER), text_signature = "(self, block=True, timeout=None)")]
    fn lease(&self, py: Python<'_>, block: bool, timeout: Timeout) -> PyResult<Lease> {
        let inner = self.handle.get()?;
        let timeout = timeout.when(block);
        let cell = wait_raw(py, || LeaseCell::try_new(inner, |queue| queue.lease(timeout.0).map(Some)))?;
        Ok(Lease { cell: Mutex::new(Some(cell.map_err(get_failed)?)) })
    }

    /// Ends the queue, for all: nothing can be put any more, and `get` raises memlane.Closed when it is empty.
    fn shutdown(&self) -> PyResult<()> {
        self.handle.get()?.close();
        Ok(())
    }

    /// Whether `shutdown` was called, by anybody.
    #[getter]
    fn is_shutdown(&self) -> PyResult<bool> {
        Ok(self.handle.get()?.is_closed())
    }

    /// How many messages there are.
    fn qsize(&self) -> PyResult<usize> {
        Ok(self.handle.get()?.len())
    }

    fn __len__(&self) -> PyResult<usize> {
        self.qsize()
    }

    /// Whether there is none.
    fn empty(&self) -> PyResult<bool> {
        Ok(self.handle.get()?.is_empty())
    }

    /// Whether there are as many messages as there may be. Of bytes, whether there is room depends on the message.
    fn full(&self) -> PyResult<bool> {
        let state = self.handle.get()?.state();
        Ok(state.messages.is_some_and(|most| state.length >= most) || state.used >= state.capacity)
    }

    /// Bytes that it holds.
    #[getter]
    fn capacity(&self) -> PyResult<usize> {
        Ok(self.handle.get()?.capacity())
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.get(py, true, Timeout::FOREVER) {
            Err(error) if error.is_instance_of::<crate::error::Closed>(py) && !self.handle.is_closed() => {
                Err(PyStopIteration::new_err(()))
            }
            outcome => outcome,
        }
    }

    fn __bool__(&self) -> bool {
        true
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.handle.get().map(|inner| inner.state()) {
            Ok(state) => format!(
                "<memlane.Queue {id} of {} messages, {} of {} bytes{}>",
                state.length,
                state.used,
                state.capacity,
                if state.closed { ", shut down" } else { "" }
            ),
            Err(_) => format!("<memlane.Queue {id} closed>"),
        }
    }
}

impl Queue {
    fn take(&self, py: Python<'_>, timeout: Timeout) -> PyResult<CoreMessage> {
        let inner = self.handle.get()?;
        match inner.try_get() {
            Ok(Some(message)) => Ok(message),
            Ok(None) => wait_raw(py, || inner.get(timeout.0))?.map_err(get_failed),
            Err(error) => Err(get_failed(error)),
        }
    }
}

impl Reopen for Queue {}
common_methods!(Queue);
closes_at_exit!(Queue);

#[cold]
fn put_failed(error: Error) -> PyErr {
    match error {
        Error::Timeout { .. } | Error::LockTimeout { .. } => full(error.to_string()),
        other => raise(other),
    }
}

#[cold]
fn get_failed(error: Error) -> PyErr {
    match error {
        Error::Timeout { .. } | Error::LockTimeout { .. } => empty(error.to_string()),
        other => raise(other),
    }
}

/// The functions of the module `pickle`.
struct Pickle {
    dumps: Py<PyAny>,
    loads: Py<PyAny>,
}

fn pickle(py: Python<'_>) -> PyResult<&'static Pickle> {
    static PICKLE: PyOnceLock<Pickle> = PyOnceLock::new();
    PICKLE.get_or_try_init(py, || {
        // What multiprocessing pickles with: it knows its own objects, and whatever was registered with it.
        let pickler = py.import("multiprocessing.reduction")?.getattr("ForkingPickler")?;
        Ok(Pickle { dumps: pickler.getattr("dumps")?.unbind(), loads: pickler.getattr("loads")?.unbind() })
    })
}

/// Lends an object's bytes, and what they are.
pub(crate) fn with_encoded<T>(
    object: &Bound<'_, PyAny>,
    use_bytes: impl FnOnce(Tag, &[u8]) -> T,
) -> PyResult<T> {
    if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        return Ok(use_bytes(Tag::Bytes, bytes.as_bytes()));
    }
    if let Ok(text) = object.cast_exact::<PyString>() {
        // Lone surrogates are no UTF-8: such text is pickled.
        if let Ok(text) = text.to_cow() {
            return Ok(use_bytes(Tag::Utf8, text.as_bytes()));
        }
    }
    if object.is_exact_instance_of::<PyByteArray>() || object.is_exact_instance_of::<PyMemoryView>() {
        return with_bytes(object, |bytes| use_bytes(Tag::Bytes, bytes));
    }
    let py = object.py();
    let pickled = pickle(py)?.dumps.bind(py).call1((object, 5))?;
    with_bytes(&pickled, |bytes| use_bytes(Tag::Pickle, bytes))
}

/// The object of some bytes.
pub(crate) fn decoded<'py>(py: Python<'py>, tag: Tag, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    match tag {
        Tag::Utf8 => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(PyString::new(py, text).into_any()),
            Err(error) => Err(PyValueError::new_err(format!("a message said to be UTF-8 is not: {error}"))),
        },
        Tag::Json => py.import("json")?.getattr("loads")?.call1((PyBytes::new(py, bytes),)),
        Tag::Pickle => pickle(py)?.loads.bind(py).call1((PyBytes::new(py, bytes),)),
        _ => Ok(PyBytes::new(py, bytes).into_any()),
    }
}

self_cell::self_cell!(
    struct LeaseCell {
        owner: Arc<CoreQueue>,
        #[not_covariant]
        dependent: HeldLease,
    }
);
type HeldLease<'a> = Option<CoreLease<'a>>;

/// A message taken on approval; see `Queue.lease`.
#[pyclass(module = "memlane", frozen)]
pub(crate) struct Lease {
    cell: Mutex<Option<LeaseCell>>,
}

#[pymethods]
impl Lease {
    /// The object.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.with(|lease| decoded(py, lease.tag(), lease.bytes()))?
    }

    /// The bytes.
    #[getter]
    fn bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.with(|lease| PyBytes::new(py, lease.bytes()))
    }

    /// How often it was handed out before, to somebody who died or gave it back.
    #[getter]
    fn redelivered(&self) -> PyResult<u32> {
        self.with(|lease| lease.redelivered())
    }

    /// Done with it: it will not be handed out again.
    fn acknowledge(&self, py: Python<'_>) -> PyResult<()> {
        let mut cell = self.take()?;
        let outcome = py.detach(|| {
            cell.with_dependent_mut(|_, lease| lease.take().map_or(Ok(()), CoreLease::acknowledge))
        });
        outcome.map_err(raise)
    }

    /// Gives it back: it is handed out again.
    fn give_back(&self, py: Python<'_>) -> PyResult<()> {
        let cell = self.take()?;
        py.detach(|| drop(cell));
        Ok(())
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if locked(&self.cell).is_none() {
            return Ok(());
        }
        if kind.is_none() { self.acknowledge(py) } else { self.give_back(py) }
    }
}

impl Lease {
    fn with<T>(&self, read: impl FnOnce(&CoreLease<'_>) -> T) -> PyResult<T> {
        let cell = locked(&self.cell);
        let read = cell.as_ref().and_then(|cell| cell.with_dependent(|_, lease| lease.as_ref().map(read)));
        read.ok_or_else(Self::is_over)
    }

    fn take(&self) -> PyResult<LeaseCell> {
        locked(&self.cell).take().ok_or_else(Self::is_over)
    }

    fn is_over() -> PyErr {
        PyRuntimeError::new_err("this message was acknowledged or given back already")
    }
}

self_cell::self_cell!(
    struct ReservationCell {
        owner: Arc<CoreQueue>,
        #[not_covariant]
        dependent: HeldReservation,
    }
);
type HeldReservation<'a> = Option<CoreReservation<'a>>;

/// A reservation on its way out of the closure that made it without the interpreter's lock.
struct SameThread<T>(T);

// SAFETY: such a closure runs in the thread that calls it, so what it returns changes no thread.
unsafe impl<T> Send for SameThread<T> {}

/// Room for a message, for `with`; see `Queue.reserve`. It belongs to the thread that made it.
#[pyclass(module = "memlane", unsendable)]
pub(crate) struct Reservation {
    queue: Arc<CoreQueue>,
    size: usize,
    timeout: Timeout,
    cell: Option<ReservationCell>,
    memory: Option<Py<PyMemoryView>>,
}

#[pymethods]
impl Reservation {
    /// A writable memoryview of the bytes.
    fn __enter__<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        if self.cell.is_some() {
            return Err(PyRuntimeError::new_err("this reservation was entered already"));
        }
        let (queue, size, timeout) = (self.queue.clone(), self.size, self.timeout);
        let cell = wait_raw(py, || {
            ReservationCell::try_new(queue, |queue| queue.reserve(size, timeout.0).map(Some)).map(SameThread)
        })?;
        let SameThread(mut cell) = cell.map_err(put_failed)?;
        let address = cell.with_dependent_mut(|_, room| {
            room.as_mut().map_or(std::ptr::null_mut(), |room| room.as_mut_ptr())
        });
        let schema = Schema::of::<u8>().with_shape(&[self.size]).map_err(crate::dtype::bad)?;
        let memory = Memory::new(self.queue.clone(), address, &Layout::new(schema), false);
        let view = PyMemoryView::from(Bound::new(py, memory)?.as_any())?;
        self.cell = Some(cell);
        self.memory = Some(view.clone().unbind());
        Ok(view)
    }

    fn __exit__(
        &mut self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        // Whoever kept the view itself finds it released; what was derived from it shows the queue's memory.
        if let Some(view) = self.memory.take() {
            let _ = view.bind(py).call_method0("release");
        }
        let Some(mut cell) = self.cell.take() else { return Ok(()) };
        if kind.is_none() {
            let sent = cell.with_dependent_mut(|_, room| room.take().map_or(Ok(()), CoreReservation::commit));
            sent.map_err(raise)?;
        }
        Ok(())
    }
}
