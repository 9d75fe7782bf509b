//! memlane for Python: registration and conversion, nothing else. Every class has the name, the nouns and the promises
//! of the core's type behind it; the package `memlane` beside this crate adds what is better said in Python.
//!
//! Waits and long copies run without the interpreter's lock. A wait looks after signals (`wait.rs`), memory is handed
//! out by one class that keeps it alive (`memory.rs`), dtypes go to and fro in one place (`dtype.rs`), and one function
//! makes exceptions of errors (`error.rs`).
#![deny(unsafe_code)]
// What a method takes and returns is what Python's calls need, and what is written above it is a docstring of Python.
// Some methods are no functions for every lifetime, and only a closure is.
#![allow(
    clippy::redundant_closure_for_method_calls,
    clippy::result_large_err,
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    clippy::doc_link_with_quotes,
    clippy::match_bool,
    clippy::too_many_arguments
)]

mod command;
mod dtype;
mod error;
mod handle;
mod json;
mod memory;
mod place;
mod wait;
mod watch;

mod array;
mod barrier;
mod condition;
mod event;
mod frames;
mod lock;
mod pipe;
mod queue;
mod raw;
mod record;
mod remote;
mod rwlock;
mod schema;
mod semaphore;
mod stream;
mod text;
mod value;

use pyo3::prelude::*;

/// The native half of the package `memlane`.
#[pymodule]
mod _memlane {
    #[pymodule_export]
    use super::array::Array;
    #[pymodule_export]
    use super::barrier::Barrier;
    #[pymodule_export]
    use super::command::run_command;
    #[pymodule_export]
    use super::condition::Condition;
    #[pymodule_export]
    use super::dtype::schema_of;
    #[pymodule_export]
    use super::event::Event;
    #[pymodule_export]
    use super::frames::{Frame, FrameLoan, FramePublisher, FrameSubscriber};
    #[pymodule_export]
    use super::lock::{Lock, RLock};
    #[pymodule_export]
    use super::memory::Memory;
    #[pymodule_export]
    use super::pipe::{Pipe, PipeEnd};
    #[pymodule_export]
    use super::place::Space;
    #[pymodule_export]
    use super::queue::{Lease, Message, Queue, Reservation};
    #[pymodule_export]
    use super::raw::Raw;
    #[pymodule_export]
    use super::record::Record;
    #[pymodule_export]
    use super::remote::{Client, Subscription};
    #[pymodule_export]
    use super::rwlock::RwLock;
    #[pymodule_export]
    use super::schema::Schema;
    #[pymodule_export]
    use super::semaphore::{Semaphore, SignalSemaphore};
    #[pymodule_export]
    use super::stream::{Records, StreamPublisher, StreamSubscriber};
    #[pymodule_export]
    use super::text::Text;
    #[pymodule_export]
    use super::value::{Reading, Value};
    #[pymodule_export]
    use super::wait::Ending;
    #[pymodule_export]
    use super::watch::Watcher;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        super::error::register(module)
    }
}
