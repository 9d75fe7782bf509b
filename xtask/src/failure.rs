//! Why a command stopped: one message for a person, printed once by `main`.

use std::fmt;
use std::path::Path;

/// What every command returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A message in the project's form: what was expected, what was found, what to do next.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// For a command whose report has said it all, and ends with a line for programs to read.
    pub(crate) fn shown() -> Self {
        Self(String::new())
    }

    pub(crate) fn is_shown(&self) -> bool {
        self.0.is_empty()
    }

    /// For `map_err` on file operations, whose own errors name no file.
    pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |error| Self(format!("{path}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
