//! Panics as messages, so that a broken invariant ends one story and not the suite.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

/// What the first panic since the last [`caught`] said, and where.
static MESSAGE: Mutex<Option<String>> = Mutex::new(None);

/// Keeps panics from being printed; [`caught`] gives them back.
pub(crate) fn install() {
    panic::set_hook(Box::new(|panic| {
        let mut message = MESSAGE.lock().unwrap_or_else(PoisonError::into_inner);
        message.get_or_insert_with(|| in_words(panic));
    }));
}

/// Runs `work`; a panic in it is the error.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let message = MESSAGE.lock().unwrap_or_else(PoisonError::into_inner).take();
        message.unwrap_or_else(|| "a panic without a message".to_owned())
    })
}

fn in_words(panic: &PanicHookInfo<'_>) -> String {
    let what = panic.payload_as_str().unwrap_or("a panic without a text");
    match panic.location() {
        Some(place) => format!("{what} (at {}:{})", place.file(), place.line()),
        None => what.to_owned(),
    }
}
