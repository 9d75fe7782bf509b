//! `memlane.FramePublisher` and `memlane.FrameSubscriber`: pictures, written and read in place.
#![allow(unsafe_code)] // The buffer protocol is C.

use crate::array::dimensions;
use crate::dtype;
use crate::error::raise;
use crate::handle::{Alone, Handle, Reopen, closes_at_exit, common_methods, locked};
use crate::memory::{Item, Layout, Memory, exports_memory};
use crate::place::{Place, obtain};
use crate::record::fitted;
use crate::wait::{Timeout, wait};
use memlane::frames::{Loan, OnPublisherDeath, OwnedFrame, PublisherState};
use memlane::schema::{ByteOrder, DType, Schema};
use memlane::{
    Error, FramePublisher as CorePublisher, FrameSpec, FrameSubscriber as CoreSubscriber, Timestamp,
};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A channel's publisher, when it is not lent: a loan has it as long as it lasts.
type Home = Mutex<Option<CorePublisher>>;

/// The one who publishes pictures, or other large frames, without copying them. When its process dies, the next one
/// takes over and the sequence goes on; the last frames stand.
///
/// id: its name; None makes a nameless one
/// shape, dtype: of a frame; needed when it is made here
/// encoding: "bgr8", "rgb8", "mono8" …; as usual for the shape unless said
/// size: instead of shape and dtype, for frames of any length up to so many bytes: JPEG, say
/// history: how many frames stay on offer
/// borrows: how many frames all subscribers together can hold
/// create: None opens it or makes it; True makes it; False opens it, whatever its frames are
/// space: a memlane.Space or a directory
///
/// memlane.PublisherExists when somebody living publishes there.
///
/// >>> import memlane
/// >>> camera = memlane.FramePublisher("camera/front", shape=(4, 6, 3), dtype="uint8")
/// >>> viewer = memlane.FrameSubscriber("camera/front")
/// >>> with camera.loan() as frame:
/// ...     memoryview(frame)[0, 0, 0] = 255
/// >>> received = viewer.next(timeout=1.0)
/// >>> received.sequence, memoryview(received)[0, 0, 0]
/// (1, 255)
/// >>> camera.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct FramePublisher {
    handle: Handle<Channel>,
}

/// What a publisher's handle holds.
pub(crate) struct Channel {
    region: memlane::Region,
    home: Home,
    layout: Arc<Layout>,
    variable: bool,
    mapping: Arc<dyn Any + Send + Sync>,
}

impl crate::handle::OfRegion for Channel {
    fn region_of(&self) -> &memlane::Region {
        &self.region
    }
}

#[pymethods]
impl FramePublisher {
    #[new]
    #[pyo3(
        signature = (
            id=None, shape=None, dtype=None, *, encoding=None, size=None, history=2, borrows=8, create=None,
            space=None
        )
    )]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        shape: Option<&Bound<'_, PyAny>>,
        dtype: Option<&Bound<'_, PyAny>>,
        encoding: Option<&str>,
        size: Option<usize>,
        history: u32,
        borrows: u32,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let spec = spec_of(shape, dtype, encoding, size)?.map(|spec| spec.history(history).borrows(borrows));
        let inner = match spec {
            None if create == Some(true) => {
                return Err(PyTypeError::new_err("what is a frame? say `shape` and `dtype`, or `size`"));
            }
            None => wait(py, || CorePublisher::open(space, id))?,
            Some(spec) => obtain(
                py,
                create,
                || CorePublisher::open_or_create(space, id, &spec),
                || CorePublisher::create(space, id, &spec),
                || CorePublisher::open(space, id),
            )?,
        };
        let region = inner.region().clone();
        let schema = region.description().schema.clone().unwrap_or(Schema::of::<u8>());
        let variable = inner.varies();
        let mapping = inner.mapping();
        let home = Mutex::new(Some(inner));
        let channel = Channel { region, home, layout: Layout::new(schema), variable, mapping };
        Ok(Self { handle: Handle::new(place, channel) })
    }

    /// A frame to write in place: `with camera.loan() as frame: frame.array[...] = picture`. It is published at the
    /// end, unless an exception ends it. It holds what some earlier frame left there. One at a time.
    fn loan(&self) -> PyResult<FrameLoan> {
        let channel = self.handle.get()?;
        let publisher = locked(&channel.home).take();
        let publisher = publisher.ok_or_else(|| {
            PyRuntimeError::new_err(format!(
                "a frame of region `{}` is on loan already: publish or discard it first",
                self.handle.place.id
            ))
        })?;
        let cell = LoanCell::try_new_or_recover(self_cell::MutBorrow::new(publisher), |publisher| {
            publisher.borrow_mut().loan().map(|loan| HeldLoan(Some(loan)))
        });
        match cell {
            Ok(mut cell) => {
                let (address, sequence) = cell.with_dependent_mut(|_, HeldLoan(loan)| {
                    loan.as_mut().map_or((0, 0), |loan| (loan.as_mut_ptr() as usize, loan.sequence()))
                });
                let state = LoanState::Open(Box::new(cell));
                Ok(FrameLoan { channel, state: Mutex::new(state), address, sequence })
            }
            Err((publisher, error)) => {
                *locked(&channel.home) = Some(publisher.into_inner());
                Err(raise(error))
            }
        }
    }

    /// Copies a picture into a frame and publishes it; returns its number. `captured`: when, in seconds since the
    /// epoch, if not now.
    #[pyo3(signature = (frame, captured=None))]
    fn publish(&self, py: Python<'_>, frame: &Bound<'_, PyAny>, captured: Option<f64>) -> PyResult<u64> {
        let loan = Bound::new(py, self.loan()?)?;
        let copied = loan.get().fill(py, frame);
        if copied.is_err() {
            loan.get().discard()?;
        }
        copied?;
        loan.get().publish(captured, None)
    }

    /// The shape of a frame.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.handle.get()?.layout.shape())
    }

    /// The NumPy dtype of a frame's items.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        dtype::to_numpy(py, self.handle.get()?.layout.schema().dtype())
    }

    /// What a frame's bytes mean, as text.
    #[getter]
    fn schema(&self) -> PyResult<String> {
        Ok(self.handle.get()?.layout.schema().to_string())
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.schema() {
            Ok(schema) => format!("<memlane.FramePublisher {id} of {schema}>"),
            Err(_) => format!("<memlane.FramePublisher {id} closed>"),
        }
    }
}

impl Reopen for FramePublisher {}
common_methods!(FramePublisher);
closes_at_exit!(FramePublisher);

pub(crate) fn spec_of(
    shape: Option<&Bound<'_, PyAny>>,
    dtype: Option<&Bound<'_, PyAny>>,
    encoding: Option<&str>,
    size: Option<usize>,
) -> PyResult<Option<FrameSpec>> {
    let spec = match (shape, dtype, size) {
        (None, None, None) => return Ok(None),
        (None, None, Some(size)) => FrameSpec::bytes(size),
        (_, _, Some(_)) => {
            return Err(PyTypeError::new_err("a frame has either `shape` and `dtype`, or `size`"));
        }
        (shape, dtype, None) => {
            let shape = shape.map(dimensions).transpose()?;
            let schema = match dtype {
                Some(dtype) => dtype::of(dtype, shape)?,
                None => Schema::of::<u8>().with_shape(&shape.unwrap_or_default()).map_err(dtype::bad)?,
            };
            match (schema.shape(), schema.dtype()) {
                (&[height, width], DType::Primitive(sample, ByteOrder::NATIVE)) => {
                    FrameSpec::image(height, width, 1, *sample)
                }
                (&[height, width, channels @ 3..=4], DType::Primitive(sample, ByteOrder::NATIVE)) => {
                    FrameSpec::image(height, width, channels, *sample)
                }
                _ => FrameSpec::of(schema),
            }
        }
    };
    Ok(Some(encoding.into_iter().fold(spec, FrameSpec::encoding)))
}

self_cell::self_cell!(
    struct LoanCell {
        owner: self_cell::MutBorrow<CorePublisher>,
        #[not_covariant]
        dependent: HeldLoan,
    }
);

struct HeldLoan<'a>(Option<Loan<'a>>);

enum LoanState {
    Open(Box<LoanCell>),
    Published,
    Discarded,
}

/// A frame being written in place; see `FramePublisher.loan`.
///
/// `array` is a NumPy view straight into shared memory; without NumPy, `memoryview(loan)`. After `publish` new views
/// are read-only. Those made before cannot be taken back: whoever writes through one then changes a picture that others
/// look at.
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct FrameLoan {
    channel: Arc<Channel>,
    state: Mutex<LoanState>,
    address: usize,
    sequence: u64,
}

#[pymethods]
impl FrameLoan {
    /// The frame as a NumPy array: a view, writable until it is published.
    #[getter]
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.memory()?.into_array(py)
    }

    /// The number that the frame has or will have.
    #[getter]
    fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Copies a picture of the same shape and dtype in.
    fn fill(&self, py: Python<'_>, frame: &Bound<'_, PyAny>) -> PyResult<()> {
        let frame = if !self.channel.variable && frame.hasattr("dtype")? {
            self.check(frame)?;
            &fitted(self.channel.layout.item(), frame, false)?
        } else {
            frame
        };
        crate::memory::with_bytes(frame, |bytes| {
            let mut state = locked(&self.state);
            let LoanState::Open(cell) = &mut *state else { return Err(Self::is_over()) };
            let variable = self.channel.variable;
            cell.with_dependent_mut(|_, HeldLoan(loan)| {
                let loan = loan.as_mut().ok_or_else(Self::is_over)?;
                if variable {
                    loan.set_len(bytes.len()).map_err(raise)?;
                }
                let room =
                    loan.get_mut(..bytes.len()).filter(|room| variable || room.len() == loan_len(self));
                let room = room.ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "a frame of region `{}` is {}, of {} bytes, not {}",
                        self.channel.region.id(),
                        self.channel.layout.schema(),
                        loan_len(self),
                        bytes.len()
                    ))
                })?;
                copy(py, room, bytes);
                Ok(())
            })
        })?
    }

    /// Makes the frame visible; returns its number. `captured`: when, in seconds since the epoch, if not now. `size`:
    /// how many bytes it has, where frames vary in length.
    #[pyo3(signature = (captured=None, *, size=None))]
    fn publish(&self, captured: Option<f64>, size: Option<usize>) -> PyResult<u64> {
        let mut state = locked(&self.state);
        let LoanState::Open(cell) = &mut *state else { return Err(Self::is_over()) };
        let published = cell.with_dependent_mut(|_, HeldLoan(held)| {
            let mut loan = held.take().ok_or_else(Self::is_over)?;
            if let Some(size) = size
                && let Err(error) = loan.set_len(size)
            {
                *held = Some(loan);
                return Err(raise(error));
            }
            Ok(match captured {
                None => loan.publish(),
                Some(seconds) => loan.publish_captured(captured_at(seconds)),
            })
        })?;
        self.go_home(&mut state, LoanState::Published);
        if published == 0 {
            return Err(raise(Error::Forked { id: self.channel.region.id().into(), what: "loan" }));
        }
        Ok(published)
    }

    /// Gives the frame back unseen.
    fn discard(&self) -> PyResult<()> {
        let mut state = locked(&self.state);
        if matches!(*state, LoanState::Open(_)) {
            self.go_home(&mut state, LoanState::Discarded);
        }
        Ok(())
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __exit__(
        &self,
        kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if !matches!(*locked(&self.state), LoanState::Open(_)) {
            return Ok(());
        }
        if kind.is_none() { self.publish(None, None).map(drop) } else { self.discard() }
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
        let what = match *locked(&self.state) {
            LoanState::Open(_) => "not yet published",
            LoanState::Published => "published",
            LoanState::Discarded => "discarded",
        };
        format!("<memlane.FrameLoan {} of {}, {what}>", self.sequence, self.channel.region.id())
    }
}

fn loan_len(loan: &FrameLoan) -> usize {
    loan.channel.layout.schema().size()
}

impl FrameLoan {
    pub(crate) fn memory(&self) -> PyResult<Memory> {
        let readonly = match *locked(&self.state) {
            LoanState::Open(_) => false,
            LoanState::Published => true,
            LoanState::Discarded => return Err(Self::is_over()),
        };
        let keep = self.channel.mapping.clone();
        Ok(Memory::new(keep, self.address as *const u8, &self.channel.layout, readonly))
    }

    /// Gives the publisher back to whom it was lent by.
    fn go_home(&self, state: &mut LoanState, next: LoanState) {
        if let LoanState::Open(cell) = std::mem::replace(state, next) {
            let publisher = cell.into_owner().into_inner();
            *locked(&self.channel.home) = Some(publisher);
        }
    }

    /// Pictures are not converted: a wrong dtype is a mistake.
    fn check(&self, frame: &Bound<'_, PyAny>) -> PyResult<()> {
        let (schema, dtype) = (self.channel.layout.schema(), frame.getattr("dtype")?);
        // NumPy's comparison is quick, and ours knows more types.
        let is_same = dtype.eq(self.channel.layout.item().dtype(frame.py())?)?;
        if is_same || dtype::of(&dtype, None)?.dtype() == schema.dtype() {
            return Ok(());
        }
        Err(PyTypeError::new_err(format!(
            "a frame of region `{}` is {schema}, not of dtype {}",
            self.channel.region.id(),
            dtype
        )))
    }

    fn is_over() -> PyErr {
        PyRuntimeError::new_err("this frame was published or discarded already: take another loan")
    }
}

impl Drop for FrameLoan {
    fn drop(&mut self) {
        let _ = self.discard();
    }
}

/// Below this, letting go of the interpreter costs more than the copy.
const LONG_COPY: usize = 4096;

fn copy(py: Python<'_>, to: &mut [u8], from: &[u8]) {
    if to.len() > LONG_COPY {
        py.detach(|| to.copy_from_slice(from));
    } else {
        to.copy_from_slice(from);
    }
}

/// A time of capture from seconds since the epoch.
fn captured_at(seconds: f64) -> Timestamp {
    let mut captured = Timestamp::now();
    let wall = (seconds.max(0.0) * 1e9) as u64;
    captured.monotonic = captured.monotonic.saturating_sub(captured.wall.saturating_sub(wall));
    captured.wall = wall;
    captured
}

/// One reader of a frame channel. Frames are read where they lie; holding one keeps the publisher out of it.
///
/// id: the channel, which must exist unless `wait` says how long to wait for it
/// borrows: how many frames may be held at once; a loop holds the one before while it takes the next
/// history: begins with up to so many frames that were published before
/// spin: seconds to look before sleeping: costs a processor, wakes in well under a microsecond
/// on_publisher_death: "wait" for the next publisher, or "raise" memlane.PublisherDied
/// wait: seconds to wait for the channel to be made; None for ever, 0 not at all
/// space: a memlane.Space or a directory
///
/// `for frame in subscriber:` gives each frame once, and skips what it was too slow for; `missed` counts those.
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct FrameSubscriber {
    pub(crate) handle: Handle<Alone<CoreSubscriber>>,
    item: Arc<Item>,
    layout: Arc<Layout>,
    variable: bool,
    manner: Manner,
}

struct Manner {
    borrows: u32,
    history: u64,
    spin: f64,
    raises: bool,
}

#[pymethods]
impl FrameSubscriber {
    #[new]
    #[pyo3(
        signature = (
            id, *, borrows=2, history=0, spin=0.0, on_publisher_death="wait", wait=Timeout::AT_ONCE,
            space=None
        ),
        text_signature = "(id, *, borrows=2, history=0, spin=0.0, on_publisher_death='wait', wait=0, space=None)"
    )]
    fn new(
        py: Python<'_>,
        id: String,
        borrows: u32,
        history: u64,
        spin: f64,
        on_publisher_death: &str,
        wait: Timeout,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let raises = match on_publisher_death {
            "wait" => false,
            "raise" => true,
            other => {
                let message = format!("on_publisher_death is \"wait\" or \"raise\", not {other:?}");
                return Err(PyValueError::new_err(message));
            }
        };
        let place = Place::new(Some(id), space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let spins = Duration::try_from_secs_f64(spin)
            .map_err(|_| PyValueError::new_err("spin is a number of seconds"))?;
        let mut inner = crate::wait::wait(py, || {
            if wait.0 != Some(Duration::ZERO) {
                space.wait_for(id, wait.0)?;
            }
            CoreSubscriber::open_with(space, id, borrows)
        })?
        .spin(spins);
        if history > 0 {
            inner = inner.history(history);
        }
        if raises {
            inner = inner.on_publisher_death(OnPublisherDeath::Report);
        }
        let item = Item::new(inner.schema().clone());
        let layout = Layout::strided(&item, None, item.schema().size());
        let variable = inner.varies();
        let region = inner.region().clone();
        let manner = Manner { borrows, history, spin, raises };
        Ok(Self { handle: Handle::new(place, Alone::new(&region, inner)), item, layout, variable, manner })
    }

    /// The oldest frame on offer that is newer than the last one returned; waits for one. TimeoutError when time is up.
    #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
    fn next(&self, py: Python<'_>, timeout: Timeout) -> PyResult<Frame> {
        let handle = self.handle.get()?;
        match handle.now(|subscriber| next(subscriber, Some(Duration::ZERO)))? {
            Ok((frame, missed)) => Ok(self.frame(frame, missed)),
            Err(Error::Timeout { .. }) if timeout.0 != Some(Duration::ZERO) => {
                let (frame, missed) = handle.wait(py, |subscriber| next(subscriber, timeout.0))?;
                Ok(self.frame(frame, missed))
            }
            Err(error) => Err(raise(error)),
        }
    }

    /// The newest frame, whether it was returned before or not; None when there never was one.
    fn latest(&self) -> PyResult<Option<Frame>> {
        let latest = self.handle.get()?.now(|subscriber| {
            subscriber.latest().map(|frame| frame.map(memlane::frames::Frame::into_owned))
        })?;
        Ok(latest.map_err(raise)?.map(|frame| self.frame(frame, 0)))
    }

    /// The newest `count` frames on offer, oldest first; fewer when there are fewer. Each takes one of `borrows`.
    fn last(&self, count: usize) -> PyResult<Vec<Frame>> {
        let frames = self.handle.get()?.now(|subscriber| {
            subscriber
                .last(count)
                .map(|frames| frames.into_iter().map(memlane::frames::Frame::into_owned).collect())
        })?;
        let frames: Vec<OwnedFrame> = frames.map_err(raise)?;
        Ok(frames.into_iter().map(|frame| self.frame(frame, 0)).collect())
    }

    /// How many frames were passed over since this subscriber came.
    #[getter]
    fn missed(&self) -> PyResult<u64> {
        self.handle.get()?.now(|subscriber| subscriber.missed())
    }

    /// Who publishes: a dict with pid, program and alive; None when nobody ever did or the last one left.
    #[getter]
    fn publisher<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let state = self.handle.get()?.now(|subscriber| subscriber.publisher())?;
        publisher(py, state)
    }

    /// The shape of a frame.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.layout.shape())
    }

    /// The NumPy dtype of a frame's items.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        dtype::to_numpy(py, self.layout.schema().dtype())
    }

    /// What a frame's bytes mean, as text.
    #[getter]
    fn schema(&self) -> String {
        self.layout.schema().to_string()
    }

    /// How the bytes are to be understood: "bgr8", "jpeg" …; None when nothing is said.
    #[getter]
    fn encoding(&self) -> Option<&str> {
        self.layout.schema().encoding()
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Frame> {
        self.next(py, Timeout::FOREVER)
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        if self.handle.is_closed() {
            return format!("<memlane.FrameSubscriber {id} closed>");
        }
        format!("<memlane.FrameSubscriber {id} of {}>", self.layout.schema())
    }
}

impl FrameSubscriber {
    #[inline]
    fn frame(&self, frame: OwnedFrame, missed: u64) -> Frame {
        let layout = if self.variable && frame.len() != self.layout.schema().size() {
            Layout::bytes(&self.item, frame.len())
        } else {
            self.layout.clone()
        };
        let (sequence, captured) = (frame.sequence(), frame.captured());
        Frame { held: Mutex::new(Some(Arc::new(frame))), layout, sequence, captured, missed }
    }
}

/// The next frame, and how many were passed over for it.
fn next(subscriber: &mut CoreSubscriber, timeout: Option<Duration>) -> memlane::Result<(OwnedFrame, u64)> {
    let before = subscriber.missed();
    let frame = subscriber.next(timeout)?.into_owned();
    Ok((frame, subscriber.missed() - before))
}

/// A publisher as a dict.
pub(crate) fn publisher(py: Python<'_>, state: PublisherState) -> PyResult<Option<Bound<'_, PyDict>>> {
    let (participant, alive) = match state {
        PublisherState::Alive(participant) => (participant, true),
        PublisherState::Died(participant) => (participant, false),
        _ => return Ok(None),
    };
    let dict = PyDict::new(py);
    dict.set_item("pid", participant.pid)?;
    dict.set_item("program", participant.program)?;
    dict.set_item("alive", alive)?;
    Ok(Some(dict))
}

impl Reopen for FrameSubscriber {
    const CREATES: bool = false;

    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = PyDict::new(py);
        options.set_item("borrows", self.manner.borrows)?;
        options.set_item("history", self.manner.history)?;
        options.set_item("spin", self.manner.spin)?;
        options.set_item("on_publisher_death", if self.manner.raises { "raise" } else { "wait" })?;
        Ok(options)
    }
}
common_methods!(FrameSubscriber);
closes_at_exit!(FrameSubscriber);

/// A frame, read where it lies. It does not change while this, `array`, or anything made of that lives: so long the
/// publisher stays out of it.
///
/// >>> import memlane
/// >>> camera = memlane.FramePublisher("camera/side", shape=(2, 2), dtype="uint8")
/// >>> viewer = memlane.FrameSubscriber("camera/side")
/// >>> number = camera.publish(bytes([1, 2, 3, 4]))
/// >>> with viewer.next() as frame:
/// ...     memoryview(frame).tolist()
/// [[1, 2], [3, 4]]
/// >>> camera.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Frame {
    held: Mutex<Option<Arc<OwnedFrame>>>,
    layout: Arc<Layout>,
    sequence: u64,
    captured: Timestamp,
    missed: u64,
}

#[pymethods]
impl Frame {
    /// The frame as a NumPy array: a view, read-only. It holds the frame as long as it lives.
    #[getter]
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.memory()?.into_array(py)
    }

    /// Number of the frame, from 1, going on across publishers.
    #[getter]
    fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many frames were passed over since the one that `next` returned before.
    #[getter]
    fn missed(&self) -> u64 {
        self.missed
    }

    /// When it was captured, in seconds since the epoch.
    #[getter]
    fn timestamp(&self) -> f64 {
        self.captured.wall as f64 / 1e9
    }

    /// When it was captured, in nanoseconds of the monotonic clock (`time.monotonic_ns()`).
    #[getter]
    fn monotonic_ns(&self) -> u64 {
        self.captured.monotonic
    }

    /// How many seconds ago it was captured.
    #[getter]
    fn age(&self) -> f64 {
        self.captured.age().as_secs_f64()
    }

    /// Gives the frame back before this object dies. Arrays made of it keep holding it.
    fn release(&self) {
        drop(locked(&self.held).take());
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __exit__(&self, _kind: &Bound<'_, PyAny>, _error: &Bound<'_, PyAny>, _traceback: &Bound<'_, PyAny>) {
        self.release();
    }

    fn __len__(&self) -> usize {
        self.layout.shape().first().map_or(1, |length| *length as usize)
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
        let state = if locked(&self.held).is_some() { "" } else { ", given back" };
        format!("<memlane.Frame {} of {}{state}>", self.sequence, self.layout.schema())
    }
}

impl Frame {
    pub(crate) fn memory(&self) -> PyResult<Memory> {
        let held = locked(&self.held).clone();
        let held = held.ok_or_else(|| {
            PyValueError::new_err(format!("frame {} was given back: take its array before", self.sequence))
        })?;
        let address = held.as_ptr();
        Ok(Memory::new(held, address, &self.layout, true))
    }
}
exports_memory!(Frame);
exports_memory!(FrameLoan);
