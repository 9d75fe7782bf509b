//! `memlane.Lock` and `memlane.RLock`: mutual exclusion that never lies about its owner.

use crate::error::{OwnerDied, raise};
use crate::handle::{Handle, Reopen, common_methods};
use crate::place::{Place, obtain};
use crate::wait::{Timeout, wait_raw};
use memlane::lock::{LockState, OwnerDied as Died};
use memlane::{Error, Lock as CoreLock, RLock as CoreRLock, Region};
use pyo3::exceptions::{PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;
use std::time::Duration;

/// What happens to who gets the lock of an owner that died.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnDeath {
    Raise,
    GoOn,
}

/// What a lock was opened with, beside its place.
#[derive(Clone, Copy)]
struct Manner {
    timeout: Option<Duration>,
    on_death: OnDeath,
    detached: bool,
}

impl Manner {
    fn new(timeout: Timeout, on_owner_death: &str, detached: bool) -> PyResult<Self> {
        let on_death = match on_owner_death {
            "raise" => OnDeath::Raise,
            "continue" => OnDeath::GoOn,
            other => {
                let message = format!("on_owner_death is \"raise\" or \"continue\", not {other:?}");
                return Err(PyValueError::new_err(message));
            }
        };
        Ok(Self { timeout: timeout.0, on_death, detached })
    }

    fn options(self, py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let options = PyDict::new(py);
        options.set_item("timeout", self.timeout.map(|timeout| timeout.as_secs_f64()))?;
        if self.on_death == OnDeath::GoOn {
            options.set_item("on_owner_death", "continue")?;
        }
        if self.detached {
            options.set_item("detached", true)?;
        }
        Ok(options)
    }
}

/// A lock between processes. When its owner dies, the next one gets it and is told.
///
/// Belongs to the thread that takes it. What a dead owner was changing may be half-changed, so `acquire` raises
/// memlane.OwnerDied, without the lock, until somebody has put the data right in `with lock.recover(): ...`.
///
/// id: its name; None makes a nameless one that lasts as long as somebody has it open
/// timeout: seconds that `with` waits; TimeoutError then, which names the owner
/// on_owner_death: "raise", or "continue" to get it like any other, where nothing can be half-changed
/// detached: held by the process instead of the thread, and any thread of any process may release it; who gets it from
///     a dead owner is not told
/// create: None opens it or makes it; True makes it; False opens it, or the own lock of a region of any kind
/// space: a memlane.Space or a directory
///
/// >>> import memlane
/// >>> arm = memlane.Lock("robot/arm", timeout=1.0)
/// >>> with arm:
/// ...     arm.locked()
/// True
/// >>> arm.acquire(timeout=0.1)
/// True
/// >>> arm.release()
/// >>> arm.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct Lock {
    pub(crate) handle: Handle<CoreLock>,
    manner: Manner,
}

/// A lock that the thread which holds it may take again. Everything else is as with memlane.Lock.
///
/// >>> import memlane
/// >>> arm = memlane.RLock("robot/arm")
/// >>> with arm, arm:
/// ...     arm.locked()
/// True
/// >>> arm.unlink()
#[pyclass(module = "memlane", frozen, weakref)]
pub(crate) struct RLock {
    pub(crate) handle: Handle<CoreRLock>,
    manner: Manner,
}

/// `with lock.recover():` puts right what a dead owner left; see memlane.Lock.
#[pyclass(module = "memlane", frozen)]
pub(crate) struct Recovery {
    lock: Arc<dyn Recover>,
    timeout: Option<Duration>,
}

/// What both locks do, for [`Recovery`] and the macro below.
trait Recover: Send + Sync {
    fn take(&self, timeout: Option<Duration>) -> memlane::Result<Died>;
    fn give(&self) -> memlane::Result<()>;
    fn give_up(&self) -> memlane::Result<()>;
    fn mend(&self) -> memlane::Result<()>;
}

macro_rules! recover {
    ($($type:ty),*) => { $(
        impl Recover for $type {
            fn take(&self, timeout: Option<Duration>) -> memlane::Result<Died> {
                self.acquire(timeout)
            }
            fn give(&self) -> memlane::Result<()> {
                self.release()
            }
            fn give_up(&self) -> memlane::Result<()> {
                self.abandon()
            }
            fn mend(&self) -> memlane::Result<()> {
                self.make_consistent()
            }
        }
    )* };
}
recover!(CoreLock, CoreRLock);

#[pymethods]
impl Lock {
    #[new]
    #[pyo3(
        signature = (
            id=None, *, timeout=Timeout::FOREVER, on_owner_death="raise", detached=false, create=None,
            space=None
        ),
        text_signature = "(id=None, *, timeout=None, on_owner_death='raise', detached=False, create=None, space=None)"
    )]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        timeout: Timeout,
        on_owner_death: &str,
        detached: bool,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let manner = Manner::new(timeout, on_owner_death, detached)?;
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = obtain(
            py,
            create,
            || CoreLock::open_or_create(space, id),
            || CoreLock::create(space, id),
            || Region::open(space, id).map(|region| region.lock()),
        )?;
        Ok(Self { handle: Handle::new(place, inner), manner })
    }

    /// Takes the lock, and says whether it got it: not when it does not block and somebody has it, or when time is up.
    /// A dead owner's lock is had at once; see the class for what is raised then.
    #[pyo3(signature = (block=true, timeout=Timeout::FOREVER), text_signature = "(self, block=True, timeout=None)")]
    fn acquire(&self, py: Python<'_>, block: bool, timeout: Timeout) -> PyResult<bool> {
        self.take(py, timeout.when(block).0).map(|error| error.is_none())
    }

    /// Gives the lock back. NotOwner when this thread does not hold it; detached, when nobody does.
    pub(crate) fn release(&self) -> PyResult<()> {
        let inner = self.handle.get()?;
        if self.manner.detached { inner.detached().release() } else { inner.release() }.map_err(raise)
    }
}

#[pymethods]
impl RLock {
    #[new]
    #[pyo3(
        signature = (id=None, *, timeout=Timeout::FOREVER, on_owner_death="raise", create=None, space=None),
        text_signature = "(id=None, *, timeout=None, on_owner_death='raise', create=None, space=None)"
    )]
    fn new(
        py: Python<'_>,
        id: Option<String>,
        timeout: Timeout,
        on_owner_death: &str,
        create: Option<bool>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let manner = Manner::new(timeout, on_owner_death, false)?;
        let place = Place::new(id, space)?;
        let (space, id) = (&place.space.inner, place.id.as_str());
        let inner = obtain(
            py,
            create,
            || CoreRLock::open_or_create(space, id),
            || CoreRLock::create(space, id),
            || CoreRLock::open(space, id),
        )?;
        Ok(Self { handle: Handle::new(place, inner), manner })
    }

    /// Takes the lock, once more when this thread holds it, and says whether it got it: not when it does not block and
    /// somebody has it, or when time is up.
    #[pyo3(signature = (block=true, timeout=Timeout::FOREVER), text_signature = "(self, block=True, timeout=None)")]
    fn acquire(&self, py: Python<'_>, block: bool, timeout: Timeout) -> PyResult<bool> {
        self.take(py, timeout.when(block).0).map(|error| error.is_none())
    }

    /// Gives the lock back once. NotOwner when this thread does not hold it.
    pub(crate) fn release(&self) -> PyResult<()> {
        self.handle.get()?.release().map_err(raise)
    }
}

impl Lock {
    /// Of the region of an array, record …
    pub(crate) fn own(place: Place, inner: CoreLock) -> Self {
        let manner = Manner { timeout: None, on_death: OnDeath::Raise, detached: false };
        Self { handle: Handle::new(place, inner), manner }
    }

    pub(crate) fn is_detached(&self) -> bool {
        self.manner.detached
    }

    #[inline]
    fn try_take(&self, inner: &CoreLock, timeout: Option<Duration>) -> memlane::Result<Died> {
        if self.manner.detached { inner.detached().acquire(timeout) } else { inner.acquire(timeout) }
    }
}

impl RLock {
    #[inline]
    fn try_take(&self, inner: &CoreRLock, timeout: Option<Duration>) -> memlane::Result<Died> {
        inner.acquire(timeout)
    }
}

macro_rules! lock_methods {
    ($class:ident, $core:ty) => {
        impl $class {
            /// Takes the lock; gives back the error when it is somebody's.
            #[inline]
            pub(crate) fn take(&self, py: Python<'_>, timeout: Option<Duration>) -> PyResult<Option<Error>> {
                let inner = self.handle.get()?;
                // Without letting go of the interpreter where nobody is in the way.
                let mut taken = self.try_take(&inner, Some(Duration::ZERO));
                if matches!(taken, Err(Error::LockTimeout { .. })) && timeout != Some(Duration::ZERO) {
                    taken = wait_raw(py, || self.try_take(&inner, timeout))?;
                }
                match taken {
                    Ok(Died(false)) => Ok(None),
                    Ok(Died(true)) => self.owner_died(&inner),
                    Err(error @ Error::LockTimeout { .. }) => Ok(Some(error)),
                    Err(error @ Error::WouldDeadlock { .. }) if timeout == Some(Duration::ZERO) => Ok(Some(error)),
                    Err(error) => Err(raise(error)),
                }
            }

            #[cold]
            fn owner_died(&self, inner: &$core) -> PyResult<Option<Error>> {
                // A process that holds it without a thread cannot abandon it, so that nobody would be told next.
                if self.manner.on_death == OnDeath::GoOn || self.manner.detached {
                    return Ok(None);
                }
                inner.abandon().map_err(raise)?;
                Err(OwnerDied::new_err(format!(
                    "the owner of the lock of region `{}` died: what it protects may be half-changed; put it right in `with lock.recover(): ...`",
                    self.handle.place.id
                )))
            }
        }

        #[pymethods]
        impl $class {
            fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
                let this = slf.get();
                match this.take(slf.py(), this.manner.timeout)? {
                    None => Ok(slf),
                    Some(error) => Err(PyTimeoutError::new_err(error.to_string())),
                }
            }

            fn __exit__(
                &self,
                _kind: &Bound<'_, PyAny>,
                _error: &Bound<'_, PyAny>,
                _traceback: &Bound<'_, PyAny>,
            ) -> PyResult<()> {
                self.release()
            }

            /// Takes the lock whatever became of its last owner, for as long as the `with` block lasts. Left without an
            /// exception, what it protects counts as whole again; with one, the next owner is told as before.
            #[pyo3(signature = (timeout=Timeout::FOREVER), text_signature = "(self, timeout=None)")]
            fn recover(&self, timeout: Timeout) -> PyResult<Recovery> {
                Ok(Recovery { lock: self.handle.get()?, timeout: timeout.0 })
            }

            /// Gives the lock back and says that what it protects is half-changed: the next owner is told as if this
            /// one had died.
            fn abandon(&self) -> PyResult<()> {
                self.handle.get()?.abandon().map_err(raise)
            }

            /// Whether anybody holds it.
            fn locked(&self) -> PyResult<bool> {
                Ok(self.handle.get()?.state().holder.is_some())
            }

            /// Whether an owner died or abandoned it and nobody has put the data right since.
            #[getter]
            fn inconsistent(&self) -> PyResult<bool> {
                Ok(self.handle.get()?.is_inconsistent())
            }

            /// Who holds it: a dict with pid, program, thread, alive, held_for (seconds) and depth; or None.
            #[getter]
            fn holder<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
                holder(py, &self.handle.get()?.state())
            }

            fn __repr__(&self) -> String {
                let id = &self.handle.place.id;
                let name = concat!("memlane.", stringify!($class));
                match self.handle.get().map(|inner| inner.state().holder) {
                    Ok(None) => format!("<{name} {id} free>"),
                    Ok(Some(holder)) => format!(
                        "<{name} {id} held by {} for {:.1?}>",
                        holder.participant.who(),
                        holder.held_for
                    ),
                    Err(_) => format!("<{name} {id} closed>"),
                }
            }
        }

        impl Reopen for $class {
            fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                self.manner.options(py)
            }
        }
        common_methods!($class);
    };
}
lock_methods!(Lock, CoreLock);
lock_methods!(RLock, CoreRLock);

fn holder<'py>(py: Python<'py>, state: &LockState) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(holder) = &state.holder else { return Ok(None) };
    let dict = PyDict::new(py);
    dict.set_item("pid", holder.participant.pid)?;
    dict.set_item("program", &holder.participant.program)?;
    dict.set_item("thread", holder.thread)?;
    dict.set_item("alive", holder.participant.alive)?;
    dict.set_item("held_for", holder.held_for.as_secs_f64())?;
    dict.set_item("depth", holder.depth)?;
    Ok(Some(dict))
}

#[pymethods]
impl Recovery {
    /// Takes the lock. True when its last owner died or abandoned it.
    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        let Died(died) = wait_raw(py, || self.lock.take(self.timeout))?.map_err(raise)?;
        Ok(died)
    }

    fn __exit__(
        &self,
        kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let given = if kind.is_none() {
            self.lock.mend().and_then(|()| self.lock.give())
        } else {
            self.lock.give_up()
        };
        given.map_err(raise)
    }
}
