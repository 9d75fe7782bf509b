//! `memlane.StreamPublisher` and `memlane.StreamSubscriber`: records of fixed size, kept for a while.
#![allow(unsafe_code)] // The buffer protocol is C.

use crate::array::dimensions;
use crate::dtype::{self, from_python, to_python};
use crate::error::raise;
use crate::frames::publisher;
use crate::handle::{Alone, Handle, OfRegion, Reopen, closes_at_exit, common_methods, locked, try_locked};
use crate::memory::{Item, Layout, Memory, exports_memory, with_bytes};
use crate::place::{Place, obtain};
use crate::record::fitted;
use crate::wait::{Timeout, wait_raw};
use memlane::schema::Datum;
use memlane::stream::{Batch, Records as CoreRecords};
use memlane::{Error, StreamPublisher as CorePublisher, StreamSpec, StreamSubscriber as CoreSubscriber};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Home = Mutex<Option<CorePublisher>>;

/// The one who publishes records of fixed size, at any rate. The last ones are kept, for any number of readers, each
/// with a place of its own. When the publisher's process dies, the next one takes over and the numbers go on.
///
/// id: its name; None makes a nameless one
/// dtype: of a record: a dict of examples, a structured NumPy dtype, a schema's text, "float32" with `shape` …; needed
///     when it is made here
/// shape: of a record, in front of the dtype's own
/// capacity: how many records are kept at least
/// lossless: waits for its living readers instead of overwriting what they have not read
/// readers: how many readers a lossless one waits for
/// timeout: seconds that a lossless one waits for room; TimeoutError then, which names the slowest reader
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> emg = memlane.StreamPublisher("myo/emg", {"t": 0.0, "level": 0}, capacity=1000)
/// >>> reader = memlane.StreamSubscriber("myo/emg")
/// >>> emg.append({"t": 0.005, "level": 12})
/// 0
/// >>> reader.next(timeout=1.0)
/// {'t': 0.005, 'level': 12}
/// >>> emg.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct StreamPublisher {
    handle: Handle<Channel>,
    timeout: Option<Duration>,
}

/// What a publisher's handle holds.
pub(crate) struct Channel {
    region: memlane::Region,
    home: Home,
    item: Arc<Item>,
    mapping: Arc<dyn Any + Send + Sync>,
}

impl OfRegion for Channel {
    fn region_of(&self) -> &memlane::Region {
        &self.region
    }
}

impl Channel {
    /// Runs `body` with the publisher, which is here unless a batch has it or another thread waits in it.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&mut CorePublisher) -> memlane::Result<T> + Send,
    ) -> PyResult<T> {
        let outcome = wait_raw(py, || {
            let mut home = try_locked(&self.home);
            let publisher = home.as_deref_mut().and_then(Option::as_mut);
            publisher.map_or(Err(None), |publisher| body(publisher).map_err(Some))
        })?;
        outcome.map_err(|error| error.map_or_else(|| self.in_use(), raise))
    }

    #[cold]
    fn in_use(&self) -> PyErr {
        PyRuntimeError::new_err(format!(
            "the publisher of region `{}` is in use: by a batch that is not published yet, or by another thread",
            self.region.id()
        ))
    }
}

#[pymethods]
impl StreamPublisher {
    #[new]
    #[pyo3(
        signature = (
            id=None, dtype=None, *, shape=None, capacity=1024, lossless=false, readers=16,
            timeout=Timeout::FOREVER, create=None, space=None
        ),
        text_signature = "(id=None, dtype=None, *, shape=None, capacity=1024, lossless=False, readers=16, \
            timeout=None, create=None, space=None)"
    )]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        dtype: Option<&Bound<'_, PyAny>>,
        shape: Option<&Bound<'_, PyAny>>,
        capacity: u64,
        lossless: bool,
        readers: u32,
        timeout: Timeout,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = match dtype {
            None if create == Some(true) => {
                return Err(PyTypeError::new_err("what is a record? say `dtype`"));
            }
            None => crate::wait::wait(py, || CorePublisher::open(space, id))?,
            Some(dtype) => {
                let schema = dtype::of(dtype, shape.map(dimensions).transpose()?)?;
                let mut spec = StreamSpec::of(schema).capacity(capacity);
                if lossless {
                    spec = spec.lossless_for(readers);
                }
                obtain(
                    py,
                    create,
                    || CorePublisher::open_or_create(space, id, &spec),
                    || CorePublisher::create(space, id, &spec),
                    || CorePublisher::open(space, id),
                )?
            }
        }
        .patience(timeout.0);
        let (region, item) = (inner.region().clone(), Item::new(inner.schema().clone()));
        let mapping = inner.mapping();
        let channel = Channel { region, home: Mutex::new(Some(inner)), item, mapping };
        Ok(Self { handle: Handle::new(place, channel), timeout: timeout.0 })
    }

    /// Publishes a record: a number, a dict, an array, or its bytes. Returns its number, from 0.
    fn append(&self, py: Python<'_>, record: &Bound<'_, PyAny>) -> PyResult<u64> {
        let channel = self.handle.get()?;
        match encoded(&channel.item, record)? {
            Encoded::Datum(datum) => channel.with(py, |publisher| publisher.append_datum(&datum)),
            Encoded::Buffer(buffer) => {
                with_bytes(&buffer, |bytes| channel.with(py, |publisher| publisher.append(bytes)))?
            }
        }
    }

    /// Publishes records as one change: an array of them, or their bytes. Returns the number of the first.
    fn append_many(&self, py: Python<'_>, records: &Bound<'_, PyAny>) -> PyResult<u64> {
        let channel = self.handle.get()?;
        let records = match records.is_instance_of::<PyBytes>() {
            true => records.clone(),
            false => fitted(&channel.item, records, true)?,
        };
        with_bytes(&records, |bytes| channel.with(py, |publisher| publisher.append_many(bytes)))?
    }

    /// Room for `count` records, to be written where they will lie: `with publisher.batch(n) as records: ...` gives a
    /// NumPy array and publishes it at the end as one change, unless an exception ends it.
    fn batch(&self, count: u64) -> PyResult<StreamBatch> {
        Ok(StreamBatch { channel: self.handle.get()?, count, open: Mutex::new(None) })
    }

    /// How many records were ever published.
    #[getter]
    fn published(&self, py: Python<'_>) -> PyResult<u64> {
        self.handle.get()?.with(py, |publisher| Ok(publisher.published()))
    }

    /// How many records are kept.
    #[getter]
    fn capacity(&self, py: Python<'_>) -> PyResult<u64> {
        self.handle.get()?.with(py, |publisher| Ok(publisher.capacity()))
    }

    /// The NumPy dtype of a record's items.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        dtype::to_numpy(py, self.handle.get()?.item.schema().dtype())
    }

    /// What a record's bytes mean, as text.
    #[getter]
    fn schema(&self) -> PyResult<String> {
        Ok(self.handle.get()?.item.schema().to_string())
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.schema() {
            Ok(schema) => format!("<memlane.StreamPublisher {id} of {schema}>"),
            Err(_) => format!("<memlane.StreamPublisher {id} closed>"),
        }
    }
}

impl Reopen for StreamPublisher {
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = PyDict::new(py);
        options.set_item("timeout", self.timeout.map(|timeout| timeout.as_secs_f64()))?;
        Ok(options)
    }
}
common_methods!(StreamPublisher);
closes_at_exit!(StreamPublisher);

enum Encoded<'py> {
    Datum(Datum),
    Buffer(Bound<'py, PyAny>),
}

/// A record in the form that costs least.
fn encoded<'py>(item: &Item, record: &Bound<'py, PyAny>) -> PyResult<Encoded<'py>> {
    if record.is_instance_of::<PyBytes>() {
        return Ok(Encoded::Buffer(record.clone()));
    }
    let is_plain = record.is_exact_instance_of::<pyo3::types::PyFloat>()
        || record.is_exact_instance_of::<pyo3::types::PyInt>()
        || record.is_instance_of::<PyDict>();
    if !is_plain && record.hasattr("__array_interface__")? {
        return fitted(item, record, false).map(Encoded::Buffer);
    }
    from_python(record).map(Encoded::Datum)
}

self_cell::self_cell!(
    struct BatchCell {
        owner: self_cell::MutBorrow<CorePublisher>,
        #[not_covariant]
        dependent: HeldBatch,
    }
);

struct HeldBatch<'a>(Option<Batch<'a>>);

/// Records being written in place, for `with`; see `StreamPublisher.batch`.
#[pyclass(module = "memlane", frozen)]
pub(crate) struct StreamBatch {
    channel: Arc<Channel>,
    count: u64,
    open: Mutex<Option<BatchCell>>,
}

#[pymethods]
impl StreamBatch {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut open = locked(&self.open);
        if open.is_some() {
            return Err(PyRuntimeError::new_err("this batch was entered already"));
        }
        let home = &self.channel.home;
        let publisher = try_locked(home).and_then(|mut home| home.take());
        let publisher = self_cell::MutBorrow::new(publisher.ok_or_else(|| self.channel.in_use())?);
        let count = self.count;
        let made = wait_raw(py, || {
            BatchCell::try_new_or_recover(publisher, |publisher| {
                publisher.borrow_mut().batch(count).map(|batch| HeldBatch(Some(batch)))
            })
        })?;
        let mut cell = match made {
            Ok(cell) => cell,
            Err((publisher, error)) => {
                *locked(home) = Some(publisher.into_inner());
                return Err(raise(error));
            }
        };
        let (address, stride) = cell.with_dependent_mut(|_, HeldBatch(batch)| {
            batch.as_mut().map_or((std::ptr::null_mut(), 0), |batch| (batch.as_mut_ptr(), batch.stride()))
        });
        let layout = Layout::strided(&self.channel.item, Some(count as usize), stride);
        let memory = Memory::new(self.channel.mapping.clone(), address, &layout, false);
        *open = Some(cell);
        drop(open);
        memory.into_array(py)
    }

    fn __exit__(&self, kind: &Bound<'_, PyAny>, _error: &Bound<'_, PyAny>, _traceback: &Bound<'_, PyAny>) {
        let Some(mut cell) = locked(&self.open).take() else { return };
        if kind.is_none() {
            cell.with_dependent_mut(|_, HeldBatch(batch)| {
                batch.take().map(|batch| batch.publish(self.count))
            });
        }
        let publisher = cell.into_owner().into_inner();
        *locked(&self.channel.home) = Some(publisher);
    }
}

/// One reader of a stream, with a place of its own in it.
///
/// id: the stream, which must exist unless `wait` says how long to wait for it
/// history: begins with up to so many records that were published before
/// spin: seconds to look before sleeping: costs a processor, wakes in well under a microsecond
/// lossy: of a lossless stream: the publisher does not wait for this reader
/// wait: seconds to wait for the stream to be made; None for ever, 0 not at all
/// space: a memlane.Space or a directory
///
/// `for record in reader:` gives every record in turn; whoever is overtaken goes on with the oldest there is, and
/// `lost`
/// counts exactly what was missed.
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct StreamSubscriber {
    pub(crate) handle: Handle<Alone<CoreSubscriber>>,
    item: Arc<Item>,
    manner: Manner,
}

struct Manner {
    history: u64,
    spin: f64,
    lossy: bool,
}

#[pymethods]
impl StreamSubscriber {
    #[new]
    #[pyo3(
        signature = (id, *, history=0, spin=0.0, lossy=false, wait=Timeout::AT_ONCE, space=None),
        text_signature = "(id, *, history=0, spin=0.0, lossy=False, wait=0, space=None)"
    )]
    fn new(
        py: Python<'_>,
        id: String,
        history: u64,
        spin: f64,
        lossy: bool,
        wait: Timeout,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(Some(id), space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let spins = Duration::try_from_secs_f64(spin)
            .map_err(|_| PyValueError::new_err("spin is a number of seconds"))?;
        let mut inner = crate::wait::wait(py, || {
            if wait.0 != Some(Duration::ZERO) {
                space.wait_for(id, wait.0)?;
            }
            if lossy { CoreSubscriber::open_lossy(space, id) } else { CoreSubscriber::open(space, id) }
        })?
        .spin(spins);
        if history > 0 {
            inner = inner.history(history);
        }
        let (region, item) = (inner.region().clone(), Item::new(inner.schema().clone()));
        let manner = Manner { history, spin, lossy };
        Ok(Self { handle: Handle::new(place, Alone::new(&region, inner)), item, manner })
    }

    /// The next record; waits for one. TimeoutError when time is up.
    #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
    fn next<'py>(&self, py: Python<'py>, timeout: Timeout) -> PyResult<Bound<'py, PyAny>> {
        let handle = self.handle.get()?;
        let mut bytes = vec![0; self.item.schema().size()];
        let at_once = handle.now(|subscriber| subscriber.next_into(&mut bytes, Some(Duration::ZERO)))?;
        match at_once {
            Ok(_) => {}
            Err(Error::Timeout { .. }) if timeout.0 != Some(Duration::ZERO) => {
                handle.wait(py, |subscriber| subscriber.next_into(&mut bytes, timeout.0))?;
            }
            Err(error) => return Err(raise(error)),
        }
        self.value(py, &bytes)
    }

    /// The next records, up to `most`, at least one; waits for one. TimeoutError when time is up.
    #[pyo3(
        signature = (most=65536, timeout=Timeout::FOREVER),
        text_signature = "(self, most=65536, timeout=None)"
    )]
    fn next_many(&self, py: Python<'_>, most: usize, timeout: Timeout) -> PyResult<Records> {
        let records = self.handle.get()?.wait(py, |subscriber| subscriber.next_many(most, timeout.0))?;
        Ok(self.records(records))
    }

    /// The newest record, whether it was returned before or not; None when there never was one.
    fn latest<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let latest = self.handle.get()?.now(|subscriber| subscriber.latest())?;
        latest.map(|record| self.value(py, &record.bytes)).transpose()
    }

    /// The newest `count` records as a NumPy array, oldest first; fewer when there are fewer. With `out`, an array of
    /// the dtype and `count` records, they are copied there, and the part of it that was filled is returned.
    #[pyo3(signature = (count, out=None))]
    fn last<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let records = self.handle.get()?.wait(py, |subscriber| subscriber.last(count))?;
        let (length, array) = (records.len(), self.records(records).array(py)?);
        let Some(out) = out else { return Ok(array) };
        let part = out.get_item(pyo3::types::PySlice::new(py, 0, length as isize, 1))?;
        dtype::numpy(py)?.getattr("copyto")?.call1((&part, array))?;
        Ok(part)
    }

    /// The records from number `sequence` on, with how many of them are gone already.
    fn since(&self, py: Python<'_>, sequence: u64) -> PyResult<Records> {
        let records = self.handle.get()?.wait(py, |subscriber| subscriber.since(sequence))?;
        Ok(self.records(records))
    }

    /// Number of the next record to return.
    #[getter]
    fn cursor(&self) -> PyResult<u64> {
        self.handle.get()?.now(|subscriber| subscriber.cursor())
    }

    /// Goes on with record number `sequence`.
    fn seek(&self, sequence: u64) -> PyResult<()> {
        self.handle.get()?.now(|subscriber| subscriber.seek(sequence))
    }

    /// How many records were ever published.
    #[getter]
    fn published(&self) -> PyResult<u64> {
        self.handle.get()?.now(|subscriber| subscriber.published())
    }

    /// How many records were overwritten before this reader came to them.
    #[getter]
    fn lost(&self) -> PyResult<u64> {
        self.handle.get()?.now(|subscriber| subscriber.lost())
    }

    /// Who publishes: a dict with pid, program and alive; None when nobody ever did or the last one left.
    #[getter]
    fn publisher<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let state = self.handle.get()?.now(|subscriber| subscriber.state())?;
        publisher(py, state.publisher)
    }

    /// The NumPy dtype of a record's items.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        dtype::to_numpy(py, self.item.schema().dtype())
    }

    /// What a record's bytes mean, as text.
    #[getter]
    fn schema(&self) -> String {
        self.item.schema().to_string()
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.next(py, Timeout::FOREVER)
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        if self.handle.is_closed() {
            return format!("<memlane.StreamSubscriber {id} closed>");
        }
        format!("<memlane.StreamSubscriber {id} of {}>", self.item.schema())
    }
}

impl StreamSubscriber {
    fn value<'py>(&self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.item.schema().decode(bytes).map_err(dtype::bad)?)
    }

    fn records(&self, inner: CoreRecords) -> Records {
        let count = inner.len();
        Records {
            first: inner.first,
            lost: inner.lost,
            count,
            bytes: Arc::new(inner.bytes),
            item: self.item.clone(),
        }
    }
}

impl Reopen for StreamSubscriber {
    const CREATES: bool = false;

    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = PyDict::new(py);
        options.set_item("history", self.manner.history)?;
        options.set_item("spin", self.manner.spin)?;
        options.set_item("lossy", self.manner.lossy)?;
        Ok(options)
    }
}
common_methods!(StreamSubscriber);
closes_at_exit!(StreamSubscriber);

/// Records that follow each other: a copy.
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Records {
    first: u64,
    lost: u64,
    count: usize,
    bytes: Arc<Vec<u8>>,
    item: Arc<Item>,
}

#[pymethods]
impl Records {
    /// The records as a NumPy array.
    #[getter]
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.memory()?.into_array(py)
    }

    /// Number of the first of them.
    #[getter]
    fn first(&self) -> u64 {
        self.first
    }

    /// How many of those asked for were overwritten before they could be copied.
    #[getter]
    fn lost(&self) -> u64 {
        self.lost
    }

    /// The records as Python has them.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let schema = self.item.schema();
        let records = self.bytes.chunks_exact(schema.size().max(1));
        records.map(|record| to_python(py, &schema.decode(record).map_err(dtype::bad)?)).collect()
    }

    fn __len__(&self) -> usize {
        self.count
    }

    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut pyo3::ffi::Py_buffer,
        flags: std::ffi::c_int,
    ) -> PyResult<()> {
        // SAFETY: the interpreter hands in a buffer to fill.
        unsafe { crate::memory::export(Bound::new(slf.py(), slf.get().memory()?)?, view, flags) }
    }

    fn __repr__(&self) -> String {
        format!("<memlane.Records {} of {}, {} lost>", self.count, self.item.schema(), self.lost)
    }
}

impl Records {
    fn memory(&self) -> PyResult<Memory> {
        let layout = Layout::strided(&self.item, Some(self.count), self.item.schema().size());
        // The copy is the caller's alone: a read-only view would only make another one necessary.
        Ok(Memory::new(self.bytes.clone(), self.bytes.as_ptr(), &layout, false))
    }
}
exports_memory!(Records);
