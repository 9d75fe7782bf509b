//! `memlane.Value`: one number, changed by one instruction.

use crate::dtype::{self, from_python, to_python};
use crate::error::raise;
use crate::handle::{Handle, Reopen, closes_at_exit, common_methods};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait};
use memlane::AnyValue;
use memlane::schema::{Datum, Primitive};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// One number or truth value that processes share: each change is one instruction, no lock is held, nobody can be
/// killed in the middle of it.
///
/// id: its name; None makes a nameless one that lasts as long as somebody has it open
/// initial: what it is when it is made here; 0 unless said
/// dtype: "float64", "int32", float, np.uint8 …; that of `initial` unless said (float64, int64 or bool)
/// create: None opens it or makes it; True makes it (FileExistsError); False opens it (FileNotFoundError)
/// space: a memlane.Space or a directory
///
/// SchemaMismatch when it exists with another dtype; without `initial` and `dtype`, any will do.
///
/// >>> import memlane
/// >>> speed = memlane.Value("robot/speed", 1.5)
/// >>> speed.value += 0.5       # two steps; another process may come in between
/// >>> speed.add(0.5)           # one step: nothing is lost
/// 2.5
/// >>> speed.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Value {
    pub(crate) handle: Handle<AnyValue>,
}

/// A value, and the version it was read under, to wait from.
///
/// >>> import memlane
/// >>> memlane.Value(None, 7).read()
/// Reading(value=7, version=0)
#[pyclass(module = "memlane", frozen)]
pub(crate) struct Reading {
    inner: memlane::value::Reading<Datum>,
}

#[pymethods]
impl Value {
    #[new]
    #[pyo3(signature = (id=None, initial=None, *, dtype=None, create=None, space=None))]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        initial: Option<&Bound<'_, PyAny>>,
        dtype: Option<&Bound<'_, PyAny>>,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let place = Place::new(id, space)?;
        let asked = primitive_asked(initial, dtype)?;
        let primitive = asked.unwrap_or(Primitive::F64);
        let zero = if primitive == Primitive::Bool { Datum::Bool(false) } else { Datum::Int(0) };
        let initial = initial.map(from_python).transpose()?.unwrap_or(zero);
        let (space, id) = (&place.space.inner, place.id.as_str());
        let open = || match asked {
            Some(primitive) => AnyValue::open_as(space, id, primitive),
            None => AnyValue::open(space, id),
        };
        let open_or_create = || match asked {
            Some(primitive) => AnyValue::open_or_create(space, id, primitive, &initial),
            // Whatever it holds, if it is there.
            None => match AnyValue::open(space, id) {
                Err(memlane::Error::NotFound { .. }) => {
                    AnyValue::open_or_create(space, id, primitive, &initial)
                }
                found => found,
            },
        };
        let make = || AnyValue::create(space, id, primitive, &initial);
        let inner = obtain(py, create, open_or_create, make, open)?;
        Ok(Self { handle: Handle::new(place, inner) })
    }

    /// The number now. Setting it wakes who waits for a newer one; ValueError when the dtype has no such number.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.handle.get()?.load())
    }

    #[setter]
    fn set_value(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = from_python(value)?;
        self.handle.get()?.store(&value).map_err(raise)
    }

    /// Adds as one step, and returns the sum. Integers wrap at their width.
    fn add<'py>(&self, py: Python<'py>, summand: &Bound<'_, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let summand = from_python(summand)?;
        to_python(py, &self.handle.get()?.add(&summand).map_err(raise)?)
    }

    /// Sets the value to `change(value)` as one step, and returns that: `change` is called again when somebody else was
    /// faster.
    fn update<'py>(&self, py: Python<'py>, change: &Bound<'_, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.handle.get()?;
        let changed = inner.try_update(|current| from_python(&change.call1((to_python(py, &current)?,))?));
        to_python(py, &changed?.map_err(raise)?)
    }

    /// Sets it to `new` if it is `current`, as one step, and says whether it was.
    fn compare_exchange(&self, current: &Bound<'_, PyAny>, new: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (current, new) = (from_python(current)?, from_python(new)?);
        Ok(self.handle.get()?.compare_exchange(&current, &new).map_err(raise)?.is_ok())
    }

    /// The value with a version to wait from.
    fn read(&self) -> PyResult<Reading> {
        Ok(Reading { inner: self.handle.get()?.read() })
    }

    /// Waits until the value was set after `seen`, or is another; from now on when `seen` is None. Returns the new
    /// reading; TimeoutError when time is up.
    #[pyo3(signature = (seen=None, timeout=Timeout::FOREVER), text_signature = "(self, seen=None, timeout=None)")]
    fn wait_newer(&self, py: Python<'_>, seen: Option<&Reading>, timeout: Timeout) -> PyResult<Reading> {
        let inner = self.handle.get()?;
        let seen = seen.map_or_else(|| inner.read(), |seen| seen.inner.clone());
        Ok(Reading { inner: wait(py, || inner.wait_newer(&seen, timeout.0))? })
    }

    /// NumPy's name of its type: "float64".
    #[getter]
    fn dtype(&self) -> PyResult<&'static str> {
        Ok(dtype::name(self.handle.get()?.primitive()))
    }

    fn __repr__(&self) -> String {
        let id = &self.handle.place.id;
        match self.handle.get() {
            Ok(inner) => {
                format!("<memlane.Value {id} {} = {}>", dtype::name(inner.primitive()), inner.load())
            }
            Err(_) => format!("<memlane.Value {id} closed>"),
        }
    }
}

impl Reopen for Value {}
common_methods!(Value);
closes_at_exit!(Value);

fn primitive_asked(
    initial: Option<&Bound<'_, PyAny>>,
    asked: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Primitive>> {
    let Some(asked) = asked.cloned().or_else(|| initial.map(|initial| initial.get_type().into_any())) else {
        return Ok(None);
    };
    let schema = dtype::of(&asked, None)?;
    let primitive = schema.native_scalar().ok_or_else(|| {
        PyTypeError::new_err(format!(
            "a value is one number of up to 8 bytes in native byte order, not {schema}"
        ))
    })?;
    Ok(Some(primitive))
}

#[pymethods]
impl Reading {
    /// The value.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.inner.value)
    }

    /// A version at or before the value's.
    #[getter]
    fn version(&self) -> u64 {
        self.inner.version
    }

    fn __repr__(&self) -> String {
        format!("Reading(value={}, version={})", self.inner.value, self.inner.version)
    }
}
