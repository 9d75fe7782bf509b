//! Interrupts: Ctrl-C and its kin end a command in good order, with its summary. A second one ends it at
//! once.

use crate::failure::{Exit, Failure, Outcome};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// The longest a wait goes on without looking whether it should end.
pub(crate) const LOOK_PERIOD: Duration = Duration::from_millis(50);
/// A second signal after so long means that the user does not want to wait.
const IMPATIENCE: Duration = Duration::from_millis(500);
/// The usual exit code of a program ended by Ctrl-C.
const EXIT_INTERRUPTED: i32 = 130;

/// Whether the user wants the command to end.
#[derive(Debug)]
pub(crate) struct Interrupt {
    requested: Arc<AtomicBool>,
}

impl Interrupt {
    /// From now on the signals are noted instead of ending the process.
    pub(crate) fn listen() -> Outcome<Self> {
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|error| refused(&error))?;
        let requested = Arc::new(AtomicBool::new(false));
        let noted = requested.clone();
        thread::spawn(move || note(signals, &noted));
        Ok(Self { requested })
    }

    /// The flag itself, for waits that are not the command's own.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        self.requested.clone()
    }

    pub(crate) fn requested(&self) -> bool {
        self.requested.load(Relaxed)
    }

    /// Sleeps until then, or until an interrupt.
    pub(crate) fn sleep_until(&self, deadline: Instant) {
        while !self.requested() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(LOOK_PERIOD));
        }
    }
}

/// Notes the first signal. A later one ends the process, whatever it is stuck in; one that comes at once is
/// the first again, sent to the process and to its group.
fn note(mut signals: Signals, requested: &AtomicBool) {
    let mut first = None;
    for _ in signals.forever() {
        requested.store(true, Relaxed);
        if first.get_or_insert_with(Instant::now).elapsed() >= IMPATIENCE {
            process::exit(EXIT_INTERRUPTED);
        }
    }
}

fn refused(error: &io::Error) -> Failure {
    Failure::new(Exit::Failure, format!("signals cannot be caught: {error}"))
}
