//! `memlane.Raw`: bytes.

use crate::error::raise;
use crate::handle::{Handle, Reopen, closes_at_exit, common_methods};
use crate::memory::{Layout, Memory, with_bytes};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait};
use memlane::Raw as CoreRaw;
use memlane::schema::Schema;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

/// Bytes that processes share, for a layout of one's own: everybody writes them in place, at any instant.
///
/// id: its name; None makes a nameless one
/// size: bytes, when it is made here
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> raw = memlane.Raw("scratch", 16)
/// >>> raw.buf[:5] = b"hello"
/// >>> raw.read(0, 5)
/// b'hello'
/// >>> raw.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Raw {
    pub(crate) handle: Handle<CoreRaw>,
}

#[pymethods]
impl Raw {
    #[new]
    #[pyo3(signature = (id=None, size=None, *, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        size: Option<usize>,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = if create == Some(false) || (create.is_none() && size.is_none()) {
            wait(py, || CoreRaw::open(space, id))?
        } else {
            let size = size.ok_or_else(|| PyValueError::new_err("how many bytes? say `size`"))?;
            let open_or_create = || CoreRaw::open_or_create(space, id, size);
            obtain(
                py,
                create,
                open_or_create,
                || CoreRaw::create(space, id, size),
                || CoreRaw::open(space, id),
            )?
        };
        Ok(Self { handle: Handle::new(place, inner) })
    }

    /// Bytes.
    #[getter]
    fn size(&self) -> PyResult<usize> {
        Ok(self.handle.get()?.len())
    }

    fn __len__(&self) -> PyResult<usize> {
        self.size()
    }

    /// A writable memoryview of all bytes, of format "B". It stays good after `close`.
    #[getter]
    fn buf<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let memory = Bound::new(py, self.memory()?)?;
        Ok(pyo3::types::PyMemoryView::from(memory.as_any())?.into_any())
    }

    /// The bytes as memory, for what takes a buffer.
    fn memory(&self) -> PyResult<Memory> {
        let inner = self.handle.get()?;
        let schema = Schema::of::<u8>().with_shape(&[inner.len()]).map_err(crate::dtype::bad)?;
        let address = inner.as_mut_ptr();
        Ok(Memory::new(inner as Arc<_>, address, &Layout::new(schema), false))
    }

    /// Copies `size` bytes from `offset` out; all from there when `size` is None.
    #[pyo3(signature = (offset=0, size=None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        offset: usize,
        size: Option<usize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let inner = self.handle.get()?;
        let rest = inner.len().saturating_sub(offset);
        let size = size.unwrap_or(rest);
        if size > rest {
            let message = format!(
                "region `{}` has {} bytes: there are no {size} from {offset} on",
                self.handle.place.id,
                inner.len()
            );
            return Err(PyIndexError::new_err(message));
        }
        PyBytes::new_with(py, size, |bytes| py.detach(|| inner.read(offset, bytes)).map_err(raise))
    }

    /// Copies bytes in at `offset`, and tells who waits. IndexError when they reach beyond the end.
    fn write(&self, py: Python<'_>, offset: usize, bytes: &Bound<'_, PyAny>) -> PyResult<()> {
        let inner = self.handle.get()?;
        with_bytes(bytes, |bytes| py.detach(|| inner.write(offset, bytes)))?.map_err(raise)
    }

    /// Tells who waits for newer content that `buf` was written.
    fn changed(&self) -> PyResult<()> {
        self.handle.get()?.changed();
        Ok(())
    }

    /// Waits until the bytes were written after `version`, as far as writers tell; returns the new version.
    #[pyo3(signature = (version=None, timeout=Timeout::FOREVER), text_signature = "(self, version=None, timeout=None)")]
    fn wait_newer(&self, py: Python<'_>, version: Option<u64>, timeout: Timeout) -> PyResult<u64> {
        let inner = self.handle.get()?;
        let version = version.unwrap_or_else(|| inner.region().version());
        wait(py, || inner.wait_newer(version, timeout.0))
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.handle.get() {
            Ok(inner) => format!("<memlane.Raw {id} of {} bytes>", inner.len()),
            Err(_) => format!("<memlane.Raw {id} closed>"),
        }
    }
}

impl Reopen for Raw {}
common_methods!(Raw);
closes_at_exit!(Raw);
