//! A thread of the survivor that sleeps in the kernel while the victim dies.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// How long sleepers wait before they say that nobody wakes them: far longer than any slice of a wait.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How /proc shows a thread that sleeps on a word which processes share: futex, any address, FUTEX_WAIT
/// without FUTEX_PRIVATE.
const FUTEX: &str = "202";
const SHARED_WAIT: &str = "0x0";

/// Runs `wait` in a thread; when that sleeps, runs `meanwhile`, which says when the victim was killed. Gives
/// back what `wait` got, and how long after the kill.
pub(crate) fn asleep_while<T: Send>(
    wait: impl FnOnce() -> T + Send,
    meanwhile: impl FnOnce() -> Instant,
) -> (T, Duration) {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let sleeper = scope.spawn(move || {
            let thread = fs::read_link("/proc/thread-self").unwrap();
            sender.send(Path::new("/proc").join(thread)).unwrap();
            (wait(), Instant::now())
        });
        until_asleep(&sleeper, &receiver.recv().unwrap());
        let killed = meanwhile();
        let (got, woken) = sleeper.join().unwrap();
        (got, woken.saturating_duration_since(killed))
    })
}

fn until_asleep<T>(sleeper: &ScopedJoinHandle<'_, T>, thread: &Path) {
    while !sleeper.is_finished() && !is_asleep(&thread.join("syscall")) {
        thread::yield_now();
    }
}

fn is_asleep(file: &Path) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut words = text.split_whitespace();
    words.next() == Some(FUTEX) && words.nth(1) == Some(SHARED_WAIT)
}
