//! Interrupts: Ctrl-C and its kin end a command in good order, with its summary. A second one ends it at once.

use crate::failure::{Exit, Failure, Outcome};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// The longest a wait goes on without looking whether it should end.
pub(crate) const LOOK_PERIOD: Duration = Duration::from_millis(50);
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
        let requested = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the first signal finds the flag unset, the second ends the process.
            flag::register_conditional_shutdown(signal, EXIT_INTERRUPTED, requested.clone())
                .map_err(|error| refused(&error))?;
            flag::register(signal, requested.clone()).map_err(|error| refused(&error))?;
        }
        Ok(Self { requested })
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

fn refused(error: &io::Error) -> Failure {
    Failure::new(Exit::Failure, format!("signals cannot be caught: {error}"))
}
