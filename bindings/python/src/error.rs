//! One map from the core's errors to exceptions: Python's own where there is one, and subclasses of them for the rest.

use crate::text::with_content;
use memlane::Error;
use memlane_net::client;
use memlane_net::protocol::fault::{self, Fault};
use pyo3::create_exception;
use pyo3::exceptions::{
    PyBlockingIOError, PyBrokenPipeError, PyBufferError, PyConnectionError, PyEOFError, PyFileExistsError,
    PyFileNotFoundError, PyIndexError, PyInterruptedError, PyKeyError, PyNotImplementedError, PyOSError,
    PyPermissionError, PyRuntimeError, PyTimeoutError, PyTypeError, PyValueError,
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
create_exception!(
    memlane,
    NotOwner,
    PyRuntimeError,
    "Releasing what this thread does not hold. Or what was held through a host is held no more: the host was started
anew, or the connection was lost for longer than its grace time."
);
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
create_exception!(
    memlane,
    OutcomeUnknown,
    PyRuntimeError,
    "A host was asked to change something, the connection was lost, and nobody can say any more whether it was done.
It is never sent again: look at what is there, and decide."
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
        py.get_type::<OutcomeUnknown>(),
    ] {
        module.add(exception.name()?, exception)?;
    }
    Ok(())
}

/// The exception for an error.
#[cold]
pub(crate) fn raise(error: Error) -> PyErr {
    let errno = match &error {
        Error::System { source, .. } => source.raw_os_error(),
        _ => None,
    };
    exception(fault::code_of(&error), error.to_string(), errno.unwrap_or(0))
}

/// The exception for an error of a client of a host.
#[cold]
pub(crate) fn raise_remote(py: Python<'_>, error: client::Error) -> PyErr {
    use client::Error;
    let message = error.to_string();
    match error {
        Error::Fault { fault, .. } if fault.code == fault::CONFLICT => conflict(py, &fault, message),
        Error::Refused { fault, .. } | Error::Fault { fault, .. } => exception(&fault.code, message, 0),
        Error::OutcomeUnknown { .. } => OutcomeUnknown::new_err(message),
        Error::Closed { .. } => Closed::new_err(message),
        Error::Interrupted { .. } => PyInterruptedError::new_err(message),
        Error::BadAddress { .. } | Error::BadFingerprint { .. } | Error::TooLarge { .. } => {
            PyValueError::new_err(message)
        }
        Error::Token { .. } => PyOSError::new_err(message),
        _ => PyConnectionError::new_err(message),
    }
}

fn conflict(py: Python<'_>, fault: &Fault, message: String) -> PyErr {
    let found = |name| fault.more.get(name).unwrap_or(&serde_json::Value::Null);
    let version = found("version").as_u64().unwrap_or(0);
    match crate::json::to_python(py, found("content")) {
        Ok(content) => with_content(py, Conflict::new_err(message), version, content),
        Err(error) => error,
    }
}

/// The exception of a code: the core's errors and those of a host have the same, as `docs/protocol.md` lists them.
fn exception(code: &str, message: String, errno: i32) -> PyErr {
    match code {
        "not_found" => PyFileNotFoundError::new_err((Errno::NOENT.raw_os_error(), message)),
        "already_exists" | "name_conflict" => {
            PyFileExistsError::new_err((Errno::EXIST.raw_os_error(), message))
        }
        "permission_denied" | fault::UNAUTHORISED | fault::READ_ONLY | fault::NOT_SHARED => {
            PyPermissionError::new_err((Errno::ACCESS.raw_os_error(), message))
        }
        "no_space" => PyOSError::new_err((Errno::NOSPC.raw_os_error(), message)),
        "bad_space" => PyOSError::new_err((Errno::NOTDIR.raw_os_error(), message)),
        "system" => PyOSError::new_err((errno, message)),
        fault::TIMEOUT | "reader_stalls" => PyTimeoutError::new_err(message),
        "busy" => PyBlockingIOError::new_err((Errno::AGAIN.raw_os_error(), message)),
        "wrong_kind" | "schema_mismatch" | "parameter_mismatch" => SchemaMismatch::new_err(message),
        "corrupt" => Corrupt::new_err(message),
        "not_owner" | fault::LEASE_ENDED => NotOwner::new_err(message),
        "would_deadlock" => WouldDeadlock::new_err(message),
        "broken_barrier" => broken_barrier(message),
        "closed" => Closed::new_err(message),
        "end_of_pipe" => PyEOFError::new_err(message),
        "broken_pipe" => PyBrokenPipeError::new_err((Errno::PIPE.raw_os_error(), message)),
        "end_taken" => EndTaken::new_err(message),
        "publisher_exists" => PublisherExists::new_err(message),
        "publisher_died" => PublisherDied::new_err(message),
        "subscribers_exhausted" | "borrows_exhausted" => PyBufferError::new_err(message),
        "out_of_range" => PyIndexError::new_err(message),
        "no_field" => PyKeyError::new_err(message),
        "bad_id" | "schema" | "bad_parameter" | "too_many" | "overflow" | "too_large" | fault::MALFORMED => {
            PyValueError::new_err(message)
        }
        fault::CANCELLED => PyInterruptedError::new_err(message),
        fault::SHUTTING_DOWN | fault::UNSUPPORTED_VERSION => PyConnectionError::new_err(message),
        fault::UNKNOWN_OPERATION => PyNotImplementedError::new_err(message),
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
