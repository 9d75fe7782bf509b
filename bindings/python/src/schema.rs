//! What bytes mean that come from elsewhere, or go there: the conversions of every class, by a schema's text.

use crate::dtype;
use crate::memory::{Item, with_bytes};
use crate::record::{encoded, fitted};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::Arc;

/// A schema: what the bytes of a content, a frame or a record mean.
#[pyclass(module = "memlane", frozen)]
pub(crate) struct Schema {
    item: Arc<Item>,
}

#[pymethods]
impl Schema {
    /// From its text.
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        Ok(Self { item: Item::new(text.parse().map_err(dtype::bad)?) })
    }

    /// From what people write for a dtype, with a shape in front of its own.
    #[staticmethod]
    #[pyo3(signature = (dtype, shape=None))]
    fn of(dtype: &Bound<'_, PyAny>, shape: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let shape = shape.map(crate::array::dimensions).transpose()?;
        Ok(Self { item: Item::new(dtype::of(dtype, shape)?) })
    }

    /// Of frames with that shape and dtype, with the encoding that is usual for them unless said.
    #[staticmethod]
    #[pyo3(signature = (shape, dtype=None, encoding=None))]
    fn of_frames(
        shape: Option<&Bound<'_, PyAny>>,
        dtype: Option<&Bound<'_, PyAny>>,
        encoding: Option<&str>,
    ) -> PyResult<Self> {
        let spec = crate::frames::spec_of(shape, dtype, encoding, None)?;
        let spec = spec.ok_or_else(|| PyTypeError::new_err("what is a frame? say `shape` or `dtype`"))?;
        Ok(Self { item: Item::new(spec.schema().map_err(dtype::bad)?.clone()) })
    }

    /// The content as Python has it.
    fn decode<'py>(&self, py: Python<'py>, bytes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let datum = with_bytes(bytes, |bytes| self.item.schema().decode(bytes))?;
        dtype::to_python(py, &datum.map_err(dtype::bad)?)
    }

    /// The bytes of a content: of a dict, a number, a list, an array of the dtype, or bytes.
    fn encode<'py>(&self, py: Python<'py>, content: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &encoded(&self.item, content)?))
    }

    /// An array of several contents, in C order and of the dtype.
    fn several<'py>(&self, contents: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        fitted(&self.item, contents, true)
    }

    /// The bytes of a content.
    #[getter]
    fn size(&self) -> usize {
        self.item.schema().size()
    }

    /// The lengths of its dimensions.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.item.schema().shape())
    }

    /// The NumPy dtype of one item.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.item.dtype(py).cloned()
    }

    /// NumPy's name of a number's type; None of what is no single number.
    #[getter]
    fn name(&self) -> Option<&'static str> {
        self.item.schema().native_scalar().map(dtype::name)
    }

    /// How the bytes are to be understood: "bgr8", "utf-8" …; None when nothing is said.
    #[getter]
    fn encoding(&self) -> Option<&str> {
        self.item.schema().encoding()
    }

    fn __str__(&self) -> String {
        self.item.schema().to_string()
    }
}
