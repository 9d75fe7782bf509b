//! Where a region is, and how it comes to be opened there.

use crate::error::raise;
use crate::wait::{Timeout, wait};
use memlane::Space as CoreSpace;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// A directory of regions, and how new ones are made there.
///
/// Without a directory it is the user's own: `$MEMLANE_DIR`, else `/dev/shm/memlane-<uid>`. Every class takes one as
/// `space`, or a path.
///
/// participants: room for this many processes in each new region (1 to 4095)
/// mode: file mode of new regions; 0o660 opens them to the file's group, 0o644 to observers
/// note: text for people, kept with each new region
/// resident: regions are brought into memory whole when opened, and never swapped out
/// ephemeral: regions last only as long as somebody has them open
///
/// >>> import memlane, tempfile
/// >>> space = memlane.Space(tempfile.mkdtemp())
/// >>> speed = memlane.Value("robot/speed", 1.5, space=space)
/// >>> space.list()
/// ['robot/speed']
/// >>> "robot/speed" in space
/// True
/// >>> space.remove("robot/speed")
#[pyclass(module = "memlane", frozen, weakref)]
#[derive(Clone)]
pub(crate) struct Space {
    pub(crate) inner: CoreSpace,
    options: Options,
}

#[derive(Clone)]
struct Options {
    participants: u16,
    mode: u32,
    note: String,
    resident: bool,
    ephemeral: bool,
}

#[pymethods]
impl Space {
    #[new]
    #[pyo3(
        signature = (
            directory=None, *, participants=64, mode=0o600, note=String::new(), resident=false,
            ephemeral=false
        )
    )]
    fn new(
        directory: Option<PathBuf>,
        participants: u16,
        mode: u32,
        note: String,
        resident: bool,
        ephemeral: bool,
    ) -> PyResult<Self> {
        let space = directory.map_or_else(CoreSpace::default, CoreSpace::at).map_err(raise)?;
        let mut inner = space.participants(participants).mode(mode).note(&note);
        if resident {
            inner = inner.resident();
        }
        if ephemeral {
            inner = inner.ephemeral();
        }
        Ok(Self { inner, options: Options { participants, mode, note, resident, ephemeral } })
    }

    /// The directory, as a pathlib.Path.
    #[getter]
    pub(crate) fn directory(&self) -> PathBuf {
        self.inner.directory().to_path_buf()
    }

    /// Whether its regions last only as long as somebody has them open.
    #[getter]
    fn ephemeral(&self) -> bool {
        self.options.ephemeral
    }

    /// The ids of its regions, sorted.
    fn list(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        py.detach(|| self.inner.list()).map_err(raise)
    }

    /// Removes a region's name; whoever has it open goes on. FileNotFoundError when there is none.
    fn remove(&self, py: Python<'_>, id: &str) -> PyResult<()> {
        py.detach(|| self.inner.remove(id)).map_err(raise)
    }

    /// Waits until a region has this id: for tools that start before their producer. TimeoutError when time is up.
    #[pyo3(signature = (id, timeout=Timeout::FOREVER), text_signature = "(self, id, timeout=None)")]
    fn wait_for(&self, py: Python<'_>, id: &str, timeout: Timeout) -> PyResult<()> {
        wait(py, || self.inner.wait_for(id, timeout.0))
    }

    fn __contains__(&self, id: &str) -> PyResult<bool> {
        self.inner.contains(id).map_err(raise)
    }

    fn __repr__(&self) -> String {
        format!("<memlane.Space {}>", self.inner.directory().display())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, SpaceArguments)> {
        let this = slf.get();
        let options = &this.options;
        let arguments = (
            this.directory(),
            options.participants,
            options.mode,
            options.note.clone(),
            options.resident,
            options.ephemeral,
        );
        let restore = slf.py().import("memlane._restore")?.getattr("space")?;
        Ok((restore, arguments))
    }
}

type SpaceArguments = (PathBuf, u16, u32, String, bool, bool);

impl Space {
    /// A space as it is unless said otherwise.
    pub(crate) fn of(inner: CoreSpace) -> Self {
        let options =
            Options { participants: 64, mode: 0o600, note: String::new(), resident: false, ephemeral: false };
        Self { inner, options }
    }

    /// The space for what is nameless: regions that last as long as somebody has them open.
    fn nameless(&self) -> Self {
        let mut space = self.clone();
        space.inner = space.inner.ephemeral();
        space.options.ephemeral = true;
        space
    }
}

/// A region's id, and the space it is in.
pub(crate) struct Place {
    pub(crate) space: Space,
    pub(crate) id: String,
}

impl Place {
    /// From the arguments that every class takes. Without an id, a new nameless one.
    pub(crate) fn new(id: Option<String>, space: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let space = match space {
            None => Space::new(None, 64, 0o600, String::new(), false, false)?,
            Some(given) => {
                if let Ok(space) = given.cast::<Space>() {
                    space.get().clone()
                } else {
                    let directory: PathBuf = given.extract().map_err(|_| {
                        PyTypeError::new_err("a space is a memlane.Space, the path of a directory, or None")
                    })?;
                    Space::new(Some(directory), 64, 0o600, String::new(), false, false)?
                }
            }
        };
        match id {
            Some(id) => Ok(Self { space, id }),
            None => Ok(Self { space: space.nameless(), id: nameless_id()? }),
        }
    }
}

/// An id that nobody else has.
fn nameless_id() -> PyResult<String> {
    let mut random = [0; 16];
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())
        .map_err(std::io::Error::from)?;
    Ok(format!("{:032x}", u128::from_le_bytes(random)))
}

/// How a region is opened, by the argument `create`: made when missing (None), made and it must be new (True), or it
/// must exist (False).
pub(crate) fn obtain<T: Send>(
    py: Python<'_>,
    create: Option<bool>,
    open_or_create: impl FnOnce() -> memlane::Result<T> + Send,
    make: impl FnOnce() -> memlane::Result<T> + Send,
    open: impl FnOnce() -> memlane::Result<T> + Send,
) -> PyResult<T> {
    wait(py, || match create {
        None => open_or_create(),
        Some(true) => make(),
        Some(false) => open(),
    })
}
