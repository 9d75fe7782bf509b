//! `memlane.Text`: UTF-8 that changes as a whole.

use crate::error::{Conflict, raise};
use crate::handle::{Handle, Reopen, closes_at_exit, common_methods};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait};
use memlane::Text as CoreText;
use pyo3::prelude::*;

/// Text that processes share. It changes as a whole: nobody sees half of it, whoever is killed writing.
///
/// id: its name; None makes a nameless one
/// capacity: the most bytes of UTF-8, when it is made here; an existing one has its own
/// create: None opens it or makes it; True makes it; False opens it
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> notes = memlane.Text("notes", 1000)
/// >>> version = notes.write("hello")
/// >>> notes.read()
/// 'hello'
/// >>> notes.write_if(version, "hello, you")
/// 2
/// >>> notes.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Text {
    pub(crate) handle: Handle<CoreText>,
}

#[pymethods]
impl Text {
    #[new]
    #[pyo3(signature = (id=None, capacity=None, *, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        capacity: Option<usize>,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        const DEFAULT_CAPACITY: usize = 4096;
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let bytes = capacity.unwrap_or(DEFAULT_CAPACITY);
        let open_or_create = || match capacity {
            Some(capacity) => CoreText::open_or_create(space, id, capacity),
            None => match CoreText::open(space, id) {
                Err(memlane::Error::NotFound { .. }) => CoreText::open_or_create(space, id, bytes),
                found => found,
            },
        };
        let make = || CoreText::create(space, id, bytes);
        let inner = obtain(py, create, open_or_create, make, || CoreText::open(space, id))?;
        Ok(Self { handle: Handle::new(place, inner) })
    }

    /// The text.
    fn read(&self) -> PyResult<String> {
        Ok(self.handle.get()?.read().map_err(raise)?.0)
    }

    /// The text and its version, as of one instant.
    fn read_versioned(&self) -> PyResult<(String, u64)> {
        self.handle.get()?.read().map_err(raise)
    }

    /// Replaces the text; returns its version. ValueError when it does not fit.
    fn write(&self, py: Python<'_>, text: &str) -> PyResult<u64> {
        let inner = self.handle.get()?;
        wait(py, || inner.write(text))
    }

    /// Replaces the text if its version is still `version`; returns the new one. Else Conflict, with what is there.
    fn write_if(&self, py: Python<'_>, version: u64, text: &str) -> PyResult<u64> {
        let inner = self.handle.get()?;
        wait(py, || inner.write_if(version, text))?.map_err(|conflict| {
            let error = Conflict::new_err(format!(
                "region `{}` is at version {} by now, not {version}: look at `content`, and write again",
                self.handle.place.id, conflict.version
            ));
            with_content(py, error, conflict.version, conflict.content)
        })
    }

    /// Waits until the text was written after `version`, from now on when that is None; returns the new version.
    /// TimeoutError when time is up.
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

    /// The most bytes of UTF-8.
    #[getter]
    fn capacity(&self) -> PyResult<usize> {
        Ok(self.handle.get()?.capacity())
    }

    fn __str__(&self) -> PyResult<String> {
        self.read()
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.read() {
            Ok(text) => {
                let short: String = text.chars().take(40).collect();
                let more = if short.len() < text.len() { "…" } else { "" };
                format!("<memlane.Text {id} {short:?}{more}>")
            }
            Err(_) => format!("<memlane.Text {id} closed>"),
        }
    }
}

impl Reopen for Text {}
common_methods!(Text);
closes_at_exit!(Text);

/// Puts on a Conflict what is there now.
pub(crate) fn with_content<'py>(
    py: Python<'py>,
    error: PyErr,
    version: u64,
    content: impl IntoPyObject<'py>,
) -> PyErr {
    let value = error.value(py);
    let set = value.setattr("version", version).and_then(|()| value.setattr("content", content));
    set.err().unwrap_or(error)
}
