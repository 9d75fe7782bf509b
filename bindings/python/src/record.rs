//! `memlane.Record`: a structure that changes as a whole.

use crate::dtype::{self, from_python, to_python};
use crate::error::{Conflict, raise};
use crate::handle::{Handle, Reopen, closes_at_exit, common_methods};
use crate::memory::{Item, Layout, Memory, with_bytes};
use crate::place::{Place, obtain};
use crate::text::with_content;
use crate::wait::{Timeout, wait};
use memlane::Record as CoreRecord;
use memlane::schema::Datum;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::sync::Arc;

/// A structure that processes share. It changes as a whole, or one field at a time: nobody sees half a change, whoever
/// is killed writing.
///
/// id: its name; None makes a nameless one
/// dtype: a dict of examples, a structured NumPy dtype, or a schema's text like "{x:f8,y:f8,name:S16}"; needed when it
///     is made here, with zeros
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> pose = memlane.Record("robot/pose", {"x": 0.0, "y": 0.0, "name": b"arm"})
/// >>> pose["x"] = 1.5
/// >>> pose.read()
/// {'x': 1.5, 'y': 0.0, 'name': b'\x00\x00\x00'}
/// >>> version = pose.write({"x": 2.0, "y": 3.0, "name": b"leg"})
/// >>> pose.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Record {
    pub(crate) handle: Handle<CoreRecord>,
    layout: Arc<Layout>,
}

#[pymethods]
impl Record {
    #[new]
    #[pyo3(signature = (id=None, dtype=None, *, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        dtype: Option<&Bound<'_, PyAny>>,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = match dtype {
            None if create != Some(true) => wait(py, || CoreRecord::open(space, id))?,
            None => return Err(PyTypeError::new_err("what is in it? say `dtype`")),
            Some(dtype) => {
                let schema = dtype::of(dtype, None)?;
                obtain(
                    py,
                    create,
                    || CoreRecord::open_or_create(space, id, schema.clone()),
                    || CoreRecord::create(space, id, schema.clone()),
                    || CoreRecord::open(space, id),
                )?
            }
        };
        let layout = Layout::new(inner.schema().clone());
        Ok(Self { handle: Handle::new(place, inner), layout })
    }

    /// The content as Python has it: a dict for a structure.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.handle.get()?.read().map_err(raise)?.0)
    }

    /// The content and its version, as of one instant.
    fn read_versioned<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, u64)> {
        let (datum, version) = self.handle.get()?.read().map_err(raise)?;
        Ok((to_python(py, &datum)?, version))
    }

    /// The content's bytes.
    fn read_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let (bytes, _) = self.handle.get()?.read_bytes().map_err(raise)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The content as a NumPy array of the record's dtype and shape: a copy, as of one instant.
    #[getter]
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (mut bytes, _) = self.handle.get()?.read_bytes().map_err(raise)?;
        let address = bytes.as_mut_ptr();
        Memory::new(Arc::new(bytes), address, &self.layout, false).into_array(py)
    }

    /// Replaces the content by a dict, an array of the dtype, or bytes; returns its version.
    fn write(&self, py: Python<'_>, content: &Bound<'_, PyAny>) -> PyResult<u64> {
        let inner = self.handle.get()?;
        let bytes = encoded(self.layout.item(), content)?;
        wait(py, || inner.write_bytes(&bytes))
    }

    /// Replaces the content if its version is still `version`; returns the new one. Else Conflict, with what is there.
    fn write_if(&self, py: Python<'_>, version: u64, content: &Bound<'_, PyAny>) -> PyResult<u64> {
        let inner = self.handle.get()?;
        let bytes = encoded(self.layout.item(), content)?;
        let conflict = match wait(py, || inner.write_if(version, &bytes))? {
            Ok(version) => return Ok(version),
            Err(conflict) => conflict,
        };
        let content = inner.schema().decode(&conflict.content).map_err(dtype::bad)?;
        let error = Conflict::new_err(format!(
            "region `{}` is at version {} by now, not {version}: look at `content`, and write again",
            self.handle.place.id, conflict.version
        ));
        Err(with_content(py, error, conflict.version, to_python(py, &content)?))
    }

    /// Waits until it was written after `version`, from now on when that is None; returns the new version.
    #[pyo3(signature = (version=None, timeout=Timeout::FOREVER), text_signature = "(self, version=None, timeout=None)")]
    fn wait_newer(&self, py: Python<'_>, version: Option<u64>, timeout: Timeout) -> PyResult<u64> {
        let inner = self.handle.get()?;
        let version = version.unwrap_or_else(|| inner.version());
        wait(py, || inner.wait_newer(version, timeout.0))
    }

    /// How often it was written.
    #[getter]
    fn version(&self) -> PyResult<u64> {
        Ok(self.handle.get()?.version())
    }

    /// What its bytes mean, as text.
    #[getter]
    fn schema(&self) -> String {
        self.layout.schema().to_string()
    }

    /// Its NumPy dtype.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        dtype::to_numpy(py, self.layout.schema().dtype())
    }

    fn __getitem__<'py>(&self, py: Python<'py>, field: &str) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.handle.get()?.read_field(field).map_err(raise)?)
    }

    fn __setitem__(&self, py: Python<'_>, field: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let inner = self.handle.get()?;
        let value = from_python(value)?;
        wait(py, || inner.write_field(field, &value))
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.handle.get().and_then(|inner| inner.read().map_err(raise)) {
            Ok((datum, _)) => format!("<memlane.Record {id} {}>", datum.elided(8)),
            Err(_) => format!("<memlane.Record {id} closed>"),
        }
    }
}

/// A content's bytes, by its schema.
pub(crate) fn encoded(item: &Item, content: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let schema = item.schema();
    if content.is_instance_of::<PyDict>() {
        return schema.encode(&from_python(content)?).map_err(dtype::bad);
    }
    if content.is_instance_of::<PyBytes>() || content.hasattr("__array_interface__")? {
        let array =
            if content.is_instance_of::<PyBytes>() { content.clone() } else { fitted(item, content, false)? };
        return with_bytes(&array, <[u8]>::to_vec);
    }
    let datum: Datum = from_python(content)?;
    schema.encode(&datum).map_err(dtype::bad)
}

/// An array with the item's dtype and shape, in C order; with one dimension in front, when it is of several.
pub(crate) fn fitted<'py>(
    item: &Item,
    array: &Bound<'py, PyAny>,
    several: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let (schema, dtype) = (item.schema(), item.dtype(py)?);
    let array = dtype::numpy(py)?.getattr("asarray")?.call1((array, dtype))?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    if shape.get(usize::from(several)..) != Some(schema.shape()) {
        return Err(PyValueError::new_err(format!("an array of shape {shape:?} does not fit {schema}")));
    }
    // `ascontiguousarray` would give a single item a dimension, which does no harm, and costs more.
    if array.getattr("flags")?.getattr("c_contiguous")?.is_truthy()? {
        return Ok(array);
    }
    array.call_method0("copy")
}

impl Reopen for Record {}
common_methods!(Record);
closes_at_exit!(Record);
