//! Ending a wait from within, for languages whose signal handlers run in the thread that waits.
//!
//! A signal cuts the slice that a thread sleeps in short. With a check of its own, the thread then learns whether it
//! should go on: Python runs its handlers, and raises `KeyboardInterrupt` or goes back to sleep.

use std::cell::Cell;

thread_local! {
    static CHECK: Cell<Option<fn() -> bool>> = const { Cell::new(None) };
}

/// Runs `body`; what waits in it in this thread ends as if its time were over once `should_end` says so. That is asked
/// at each signal and after each slice of sleep (40 ms at most), so it has to be quick, and should say it once: what
/// waits on the way out, to take a lock again, is then not ended too.
///
/// ```
/// # fn main() -> memlane::Result<()> {
/// # let directory = tempfile::tempdir().expect("a directory for the example");
/// # let space = memlane::Space::at(directory.path())?;
/// let event = memlane::Event::create(&space, "start")?;
/// let ended = memlane::interruption::interruptible(|| true, || event.wait(None));
/// assert!(matches!(ended, Err(memlane::Error::Timeout { .. })));
/// # Ok(()) }
/// ```
pub fn interruptible<R>(should_end: fn() -> bool, body: impl FnOnce() -> R) -> R {
    struct Restore(Option<fn() -> bool>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CHECK.set(self.0);
        }
    }
    let _restore = Restore(CHECK.replace(Some(should_end)));
    body()
}

/// Whether anybody may end what waits in this thread: what waits otherwise than by the core has to ask now and then.
pub fn is_possible() -> bool {
    CHECK.get().is_some()
}

/// Whether what waits in this thread is to end.
pub fn is_requested() -> bool {
    CHECK.get().is_some_and(|should_end| should_end())
}
