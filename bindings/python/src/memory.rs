//! Shared memory as Python sees it: an exporter of the buffer protocol that keeps mapped, or borrowed, what it shows.
#![allow(unsafe_code)] // The buffer protocol is C.

use crate::dtype;
use bytes::{Bytes, BytesMut};
use memlane::schema::Schema;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use std::any::Any;
use std::ffi::{CString, c_int};
use std::ptr;
use std::sync::Arc;

/// Bytes of a region, for `memoryview()`, `numpy.asarray()` and everything else that takes a buffer. They stay where
/// they are as long as this or a view of it lives.
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Memory {
    /// What keeps the bytes in place: a region's mapping, a frame on loan.
    _keep: Arc<dyn Any + Send + Sync>,
    address: usize,
    readonly: bool,
    layout: Arc<Layout>,
}

/// What one item is: made once for a region.
pub(crate) struct Item {
    schema: Schema,
    format: CString,
    size: isize,
    /// NumPy's array class, and the item's dtype.
    numpy: PyOnceLock<(Py<PyAny>, Py<PyAny>)>,
}

/// How bytes are to be read.
pub(crate) struct Layout {
    item: Arc<Item>,
    size: isize,
    shape: Vec<isize>,
    strides: Vec<isize>,
    /// The two as tuples, for NumPy.
    tuples: PyOnceLock<(Py<PyTuple>, Py<PyTuple>)>,
}

impl Item {
    pub(crate) fn new(schema: Schema) -> Arc<Self> {
        let format = CString::new(dtype::buffer_format(schema.dtype())).unwrap_or_default();
        let size = schema.item_size() as isize;
        Arc::new(Self { schema, format, size, numpy: PyOnceLock::new() })
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// NumPy's dtype of it: made once, as NumPy takes a microsecond for it.
    pub(crate) fn dtype<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        Ok(self.numpy(py)?.1.bind(py))
    }

    /// NumPy's array class, and the item's dtype.
    fn numpy(&self, py: Python<'_>) -> PyResult<&(Py<PyAny>, Py<PyAny>)> {
        self.numpy.get_or_try_init(py, || {
            let class = dtype::numpy(py)?.getattr("ndarray")?.unbind();
            Ok((class, dtype::to_numpy(py, self.schema.dtype())?.unbind()))
        })
    }
}

impl Layout {
    /// Of one body in C order.
    pub(crate) fn new(schema: Schema) -> Arc<Self> {
        let stride = schema.size();
        Self::strided(&Item::new(schema), None, stride)
    }

    /// Of `count` bodies, one every `stride` bytes; of one, when there is no count.
    pub(crate) fn strided(item: &Arc<Item>, count: Option<usize>, stride: usize) -> Arc<Self> {
        let schema = &item.schema;
        let mut shape: Vec<isize> = schema.shape().iter().map(|length| *length as isize).collect();
        let mut strides = vec![item.size; shape.len()];
        for index in (0..shape.len().saturating_sub(1)).rev() {
            strides[index] = strides[index + 1] * shape[index + 1];
        }
        let mut size = schema.size() as isize;
        if let Some(count) = count {
            shape.insert(0, count as isize);
            strides.insert(0, stride as isize);
            size *= count as isize;
        }
        Arc::new(Self { item: item.clone(), size, shape, strides, tuples: PyOnceLock::new() })
    }

    /// Of so many bytes, for what varies in length.
    pub(crate) fn bytes(item: &Arc<Item>, length: usize) -> Arc<Self> {
        let (shape, strides) = (vec![length as isize], vec![1]);
        Arc::new(Self {
            item: item.clone(),
            size: length as isize,
            shape,
            strides,
            tuples: PyOnceLock::new(),
        })
    }

    /// Shape and strides as NumPy wants them.
    fn tuples(&self, py: Python<'_>) -> PyResult<&(Py<PyTuple>, Py<PyTuple>)> {
        self.tuples.get_or_try_init(py, || {
            Ok((PyTuple::new(py, &self.shape)?.unbind(), PyTuple::new(py, &self.strides)?.unbind()))
        })
    }

    /// The shape, with the shape of an item in it.
    pub(crate) fn shape(&self) -> &[isize] {
        &self.shape
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.item.schema
    }

    pub(crate) fn item(&self) -> &Item {
        &self.item
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = self.item.size;
        self.shape.iter().zip(&self.strides).rev().all(|(length, stride)| {
            let fits = *stride == expected;
            expected *= length;
            fits
        })
    }
}

impl Memory {
    /// Memory at `address`, where `keep` keeps the bytes that `layout` describes.
    pub(crate) fn new(
        keep: Arc<dyn Any + Send + Sync>,
        address: *const u8,
        layout: &Arc<Layout>,
        readonly: bool,
    ) -> Self {
        Self { _keep: keep, address: address as usize, readonly, layout: layout.clone() }
    }

    /// Bytes that came from elsewhere, and are the caller's alone.
    pub(crate) fn received(bytes: Bytes) -> Self {
        // Nothing is copied unless somebody else has them too.
        let mut bytes = BytesMut::from(bytes);
        let layout = Layout::bytes(&Item::new(Schema::of::<u8>()), bytes.len());
        let address = bytes.as_mut_ptr();
        Self::new(Arc::new(bytes), address, &layout, false)
    }

    /// All bytes from the first item to the last, with the gaps between: NumPy's constructor wants them so.
    fn flat(self) -> Self {
        let layout = &self.layout;
        let reach = |(length, stride): (&isize, &isize)| (length - 1).max(0) * stride;
        let span = layout.shape.iter().zip(&layout.strides).map(reach).sum::<isize>() + layout.item.size;
        Self { layout: Layout::bytes(&Item::new(Schema::of::<u8>()), span as usize), ..self }
    }

    /// A NumPy array over it, which keeps it.
    pub(crate) fn into_array(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let layout = self.layout.clone();
        let (class, dtype) = layout.item.numpy(py)?;
        let (shape, strides) = layout.tuples(py)?;
        if layout.is_contiguous() {
            // The short form costs a third less.
            return class.bind(py).call1((shape, dtype, Bound::new(py, self)?));
        }
        class.bind(py).call1((shape, dtype, Bound::new(py, self.flat())?, 0, strides))
    }
}

#[pymethods]
impl Memory {
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        // SAFETY: the interpreter hands in a buffer to fill.
        unsafe { export(slf, view, flags) }
    }

    fn __len__(&self) -> usize {
        self.layout.size as usize
    }

    fn __repr__(&self) -> String {
        let kind = if self.readonly { "read-only" } else { "writable" };
        format!("<memlane.Memory of {}, {kind}>", self.layout.schema())
    }
}

/// Fills a buffer with memory, which lives as long as the buffer.
///
/// # Safety
/// `view` is a buffer to fill, as the interpreter hands it to `__getbuffer__`.
pub(crate) unsafe fn export(
    memory: Bound<'_, Memory>,
    view: *mut ffi::Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    let this = memory.get();
    let layout = &this.layout;
    let asks = |flag: c_int| flags & flag == flag;
    if this.readonly && asks(ffi::PyBUF_WRITABLE) {
        return Err(PyBufferError::new_err("this memory is read-only"));
    }
    if !asks(ffi::PyBUF_STRIDES) && !layout.is_contiguous() {
        return Err(PyBufferError::new_err("these records do not lie side by side: ask for strides"));
    }
    // SAFETY: the caller's buffer; what it is filled with lies in the memory's object, to which it gets a reference,
    // and is neither moved nor changed.
    unsafe {
        (*view).buf = this.address as *mut _;
        (*view).len = layout.size;
        (*view).readonly = c_int::from(this.readonly);
        (*view).itemsize = layout.item.size;
        (*view).format =
            if asks(ffi::PyBUF_FORMAT) { layout.item.format.as_ptr().cast_mut() } else { ptr::null_mut() };
        if asks(ffi::PyBUF_ND) {
            (*view).ndim = layout.shape.len() as c_int;
            (*view).shape = layout.shape.as_ptr().cast_mut();
        } else {
            (*view).ndim = 1;
            (*view).shape = ptr::null_mut();
        }
        (*view).strides =
            if asks(ffi::PyBUF_STRIDES) { layout.strides.as_ptr().cast_mut() } else { ptr::null_mut() };
        (*view).suboffsets = ptr::null_mut();
        (*view).internal = ptr::null_mut();
        (*view).obj = memory.into_any().into_ptr();
    }
    Ok(())
}

/// Lends the bytes of anything that has the buffer protocol and lies in C order.
pub(crate) fn with_bytes<T>(object: &Bound<'_, PyAny>, use_bytes: impl FnOnce(&[u8]) -> T) -> PyResult<T> {
    let mut view = std::mem::MaybeUninit::<ffi::Py_buffer>::uninit();
    // SAFETY: the object is alive, the view is ours to fill; what comes of it is checked.
    if unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), view.as_mut_ptr(), ffi::PyBUF_C_CONTIGUOUS) } != 0 {
        return Err(PyErr::fetch(object.py()));
    }
    // SAFETY: the call above filled it.
    let mut view = unsafe { view.assume_init() };
    let bytes = if view.len == 0 {
        &[]
    } else {
        // SAFETY: the exporter keeps `len` bytes at `buf` until the view is released below. That others may write them
        // meanwhile is so for every buffer, and copying is all that is done with them.
        unsafe { std::slice::from_raw_parts(view.buf.cast::<u8>(), view.len as usize) }
    };
    let outcome = use_bytes(bytes);
    // SAFETY: filled above, released once.
    unsafe { ffi::PyBuffer_Release(&raw mut view) };
    Ok(outcome)
}

/// An array as `__array__` gives it.
pub(crate) fn as_array<'py>(
    array: Bound<'py, PyAny>,
    dtype: Option<&Bound<'py, PyAny>>,
    copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    match dtype {
        Some(dtype) => {
            let options = pyo3::types::PyDict::new(py);
            options.set_item("copy", copy == Some(true))?;
            array.call_method("astype", (dtype,), Some(&options))
        }
        None if copy == Some(true) => array.call_method0("copy"),
        None => Ok(array),
    }
}

/// For a class with `array`: the protocol by which PyTorch, JAX and others take it.
macro_rules! exports_memory {
    ($class:ident) => {
        #[pymethods]
        impl $class {
            /// For PyTorch, JAX and others: `torch.from_dlpack(frame)`.
            #[pyo3(signature = (**options))]
            fn __dlpack__<'py>(
                &self,
                py: Python<'py>,
                options: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                self.array(py)?.call_method("__dlpack__", (), options)
            }

            /// The processor.
            fn __dlpack_device__(&self) -> (u32, u32) {
                (1, 0)
            }

            #[pyo3(signature = (dtype=None, copy=None))]
            fn __array__<'py>(
                &self,
                py: Python<'py>,
                dtype: Option<&Bound<'py, PyAny>>,
                copy: Option<bool>,
            ) -> PyResult<Bound<'py, PyAny>> {
                crate::memory::as_array(self.array(py)?, dtype, copy)
            }
        }
    };
}
pub(crate) use exports_memory;
