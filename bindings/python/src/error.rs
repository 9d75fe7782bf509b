//! One map from the core's errors to exceptions: Python's own where there is one, and subclasses of them for the rest.

use memlane::Error;
use pyo3::create_exception;
use pyo3::exceptions::{
    PyBlockingIOError, PyBrokenPipeError, PyBufferError, PyEOFError, PyFileExistsError, PyFileNotFoundError,
    PyIndexError, PyKeyError, PyOSError, PyPermissionError, PyRuntimeError, PyTimeoutError, PyTypeError,
    PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use rustix::io::Errno;

create_exception!(
    memlane,
    OwnerDied,
    PyRuntimeError,
    "The last owner of a lock died holding it, or abandoned it: what it protects may be half-changed. The lock was not
taken. Take it with `with lock.recover(): ...`, put the data right there, and everybody goes on."
);
create_exception!(memlane, NotOwner, PyRuntimeError, "Releasing what this thread does not hold.");
create_exception!(
    memlane,
    WouldDeadlock,
    PyRuntimeError,
    "This thread holds the lock already and would wait for itself."
);
create_exception!(
    memlane,
    SchemaMismatch,
    PyTypeError,
    "A region of that id exists, and is of another kind, of another schema, or was made with other parameters."
);
create_exception!(
    memlane,
    Corrupt,
    PyValueError,
    "The bytes are not those of a region; nothing was changed."
);
create_exception!(
    memlane,
    Closed,
    PyValueError,
    "The queue was closed: nothing can be put, and nothing is left to get. Or this handle was closed."
);
create_exception!(memlane, PublisherExists, PyRuntimeError, "Somebody living publishes there already.");
create_exception!(
    memlane,
    PublisherDied,
    PyRuntimeError,
    "The publisher died, and the subscriber wants to be told."
);
create_exception!(memlane, EndTaken, PyRuntimeError, "Somebody living has this end of the pipe.");
create_exception!(
    memlane,
    Conflict,
    PyRuntimeError,
    "Somebody else wrote in between. `version` and `content` are what is there now."
);

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    for exception in [
        py.get_type::<OwnerDied>(),
        py.get_type::<NotOwner>(),
        py.get_type::<WouldDeadlock>(),
        py.get_type::<SchemaMismatch>(),
        py.get_type::<Corrupt>(),
        py.get_type::<Closed>(),
        py.get_type::<PublisherExists>(),
        py.get_type::<PublisherDied>(),
        py.get_type::<EndTaken>(),
        py.get_type::<Conflict>(),
    ] {
        module.add(exception.name()?, exception)?;
    }
    Ok(())
}

/// The exception for an error.
#[cold]
pub(crate) fn raise(error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::NotFound { .. } => PyFileNotFoundError::new_err((Errno::NOENT.raw_os_error(), message)),
        Error::AlreadyExists { .. } | Error::NameConflict { .. } => {
            PyFileExistsError::new_err((Errno::EXIST.raw_os_error(), message))
        }
        Error::PermissionDenied { .. } => PyPermissionError::new_err((Errno::ACCESS.raw_os_error(), message)),
        Error::NoSpace { .. } => PyOSError::new_err((Errno::NOSPC.raw_os_error(), message)),
        Error::BadSpace { .. } => PyOSError::new_err((Errno::NOTDIR.raw_os_error(), message)),
        Error::System { source, .. } => PyOSError::new_err((source.raw_os_error().unwrap_or(0), message)),
        Error::Timeout { .. } | Error::LockTimeout { .. } | Error::ReaderStalls { .. } => {
            PyTimeoutError::new_err(message)
        }
        Error::Busy { .. } => PyBlockingIOError::new_err((Errno::AGAIN.raw_os_error(), message)),
        Error::WrongKind { .. } | Error::SchemaMismatch { .. } | Error::ParameterMismatch { .. } => {
            SchemaMismatch::new_err(message)
        }
        Error::Corrupt { .. } => Corrupt::new_err(message),
        Error::NotOwner { .. } => NotOwner::new_err(message),
        Error::WouldDeadlock { .. } => WouldDeadlock::new_err(message),
        Error::BrokenBarrier { .. } => broken_barrier(message),
        Error::Closed { .. } => Closed::new_err(message),
        Error::EndOfPipe { .. } => PyEOFError::new_err(message),
        Error::BrokenPipe { .. } => PyBrokenPipeError::new_err((Errno::PIPE.raw_os_error(), message)),
        Error::EndTaken { .. } => EndTaken::new_err(message),
        Error::PublisherExists { .. } => PublisherExists::new_err(message),
        Error::PublisherDied { .. } => PublisherDied::new_err(message),
        Error::SubscribersExhausted { .. } | Error::BorrowsExhausted { .. } => {
            PyBufferError::new_err(message)
        }
        Error::OutOfRange { .. } => PyIndexError::new_err(message),
        Error::NoField { .. } => PyKeyError::new_err(message),
        Error::BadId { .. }
        | Error::Schema { .. }
        | Error::BadParameter { .. }
        | Error::TooMany { .. }
        | Error::Overflow { .. }
        | Error::TooLarge { .. } => PyValueError::new_err(message),
        _ => PyRuntimeError::new_err(message),
    }
}

fn broken_barrier(message: String) -> PyErr {
    class("threading", "BrokenBarrierError", &BROKEN_BARRIER, message)
}

/// `queue.Empty`, for a get in vain.
pub(crate) fn empty(message: String) -> PyErr {
    class("queue", "Empty", &EMPTY, message)
}

/// `queue.Full`, for a put in vain.
pub(crate) fn full(message: String) -> PyErr {
    class("queue", "Full", &FULL, message)
}

static BROKEN_BARRIER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static EMPTY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static FULL: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// An exception of the standard library, imported when it is first raised.
fn class(module: &str, name: &str, cache: &PyOnceLock<Py<PyType>>, message: String) -> PyErr {
    Python::attach(|py| match cache.import(py, module, name) {
        Ok(class) => PyErr::from_type(class.clone(), message),
        Err(error) => error,
    })
}
