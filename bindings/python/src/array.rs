//! `memlane.Array`: elements in place, which change one by one.
#![allow(unsafe_code)] // The buffer protocol is C.

use crate::dtype;
use crate::handle::{Handle, Reopen, closes_at_exit, common_methods};
use crate::lock::Lock;
use crate::memory::{Layout, Memory, exports_memory};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait};
use memlane::AnyArray;
use memlane::schema::Schema;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::sync::Arc;

/// An array that processes share: NumPy's, in shared memory. An element of up to 8 bytes is never seen half-written;
/// for more than one as one change, hold `array.lock`.
///
/// id: its name; None makes a nameless one
/// shape: the lengths of its dimensions, or one number; needed when it is made here
/// dtype: "float64", np.uint8, a structured dtype …; float64 unless said
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// Indexing, slicing and iterating are those of `array.array`, the NumPy view, which stays good after `close`.
///
/// >>> import memlane
/// >>> joints = memlane.Array("robot/joints", 6, "float64")
/// >>> len(joints), joints.shape
/// (6, (6,))
/// >>> memoryview(joints)[0]
/// 0.0
/// >>> joints.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Array {
    pub(crate) handle: Handle<AnyArray>,
    layout: Arc<Layout>,
}

#[pymethods]
impl Array {
    #[new]
    #[pyo3(
        signature = (id=None, shape=None, dtype=None, *, create=None, space=None),
        text_signature = "(id=None, shape=None, dtype=None, *, create=None, space=None)"
    )]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        shape: Option<&Bound<'_, PyAny>>,
        dtype: Option<&Bound<'_, PyAny>>,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = match shape {
            None if create != Some(true) && dtype.is_none() => wait(py, || AnyArray::open(space, id))?,
            None => return Err(PyTypeError::new_err("how many elements? say `shape`")),
            Some(shape) => {
                let shape = dimensions(shape)?;
                let schema = match dtype {
                    Some(dtype) => dtype::of(dtype, Some(shape))?,
                    None => Schema::of::<f64>().with_shape(&shape).map_err(dtype::bad)?,
                };
                obtain(
                    py,
                    create,
                    || AnyArray::open_or_create(space, id, schema.clone()),
                    || AnyArray::create(space, id, schema.clone()),
                    || AnyArray::open(space, id),
                )?
            }
        };
        let layout = Layout::new(inner.region().description().schema.clone().unwrap_or(Schema::of::<u8>()));
        Ok(Self { handle: Handle::new(place, inner), layout })
    }

    /// The NumPy array: a view, writable, with no copy.
    #[getter]
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.memory()?.into_array(py)
    }

    /// The same as memory, for what takes a buffer without NumPy.
    fn memory(&self) -> PyResult<Memory> {
        let inner = self.handle.get()?;
        let address = inner.as_mut_ptr();
        Ok(Memory::new(inner, address, &self.layout, false))
    }

    /// The region's lock, for several elements as one change.
    #[getter]
    fn lock(&self) -> PyResult<Lock> {
        let place = Place { space: self.handle.place.space.clone(), id: self.handle.place.id.clone() };
        Ok(Lock::own(place, self.handle.get()?.region().lock()))
    }

    /// A copy of all elements, taken while holding the lock: consistent with all who take it too. Who holds it already
    /// takes `array.array.copy()`; this would be memlane.WouldDeadlock.
    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.handle.get()?;
        let mut bytes = wait(py, || inner.snapshot())?;
        let address = bytes.as_mut_ptr();
        Memory::new(Arc::new(bytes), address, &self.layout, false).into_array(py)
    }

    /// Tells who waits for newer elements that some were written through the view. Assigning to `array[…]` here does.
    fn changed(&self) -> PyResult<()> {
        self.handle.get()?.changed();
        Ok(())
    }

    /// Waits until elements were written after `version`, as far as writers tell; from now on when that is None.
    #[pyo3(signature = (version=None, timeout=Timeout::FOREVER), text_signature = "(self, version=None, timeout=None)")]
    fn wait_newer(&self, py: Python<'_>, version: Option<u64>, timeout: Timeout) -> PyResult<u64> {
        let inner = self.handle.get()?;
        let version = version.unwrap_or_else(|| inner.region().version());
        let newer = inner.newer(version);
        wait(py, || newer.wait(timeout.0))
    }

    /// How often writers told of a change.
    #[getter]
    fn version(&self) -> PyResult<u64> {
        Ok(self.handle.get()?.region().version())
    }

    /// The lengths of its dimensions.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyTuple>> {
        pyo3::types::PyTuple::new(py, self.layout.shape())
    }

    /// The NumPy dtype of an element.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        dtype::to_numpy(py, self.layout.schema().dtype())
    }

    /// What its bytes mean, as text.
    #[getter]
    fn schema(&self) -> String {
        self.layout.schema().to_string()
    }

    fn __len__(&self) -> usize {
        self.layout.shape().first().map_or(1, |length| *length as usize)
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.array(py)?.get_item(index)
    }

    fn __setitem__(
        &self,
        py: Python<'_>,
        index: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.array(py)?.set_item(index, value)?;
        self.changed()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        self.array(py)?.try_iter()
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
        let id = &self.handle.place.id;
        match self.handle.get() {
            Ok(_) => format!("<memlane.Array {id} {}>", self.layout.schema()),
            Err(_) => format!("<memlane.Array {id} closed>"),
        }
    }
}

/// A shape: a number, or several.
pub(crate) fn dimensions(shape: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    if let Ok(length) = shape.extract::<usize>() {
        return Ok(vec![length]);
    }
    shape.extract().map_err(|_| PyTypeError::new_err("a shape is a number, or a tuple of numbers"))
}

impl Reopen for Array {}
common_methods!(Array);
closes_at_exit!(Array);
exports_memory!(Array);
