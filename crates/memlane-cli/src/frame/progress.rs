//! Progress: a line that is renewed every second, where a person watches.

use super::cadence::Cadence;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_secs(1);
const ERASE_LINE: &str = "\r\x1b[K";

/// Counts frames, and says once a second how many come.
#[derive(Debug)]
pub(super) struct Progress {
    printed: bool,
    cadence: Cadence,
    next: Instant,
    line: String,
}

impl Progress {
    /// Printed on the standard error, so that the output stays clean, where that is a terminal.
    pub(super) fn on_terminal() -> Self {
        Self::new(io::stderr().is_terminal())
    }

    /// For a command that draws on the whole screen and puts the line where it wants.
    pub(super) fn unprinted() -> Self {
        Self::new(false)
    }

    fn new(printed: bool) -> Self {
        Self { printed, cadence: Cadence::default(), next: Instant::now() + PERIOD, line: String::new() }
    }

    /// A frame more; `facts` are asked for when it is time for a new line.
    pub(super) fn frame(&mut self, facts: impl FnOnce() -> String) {
        let now = Instant::now();
        self.cadence.count(now);
        if now < self.next {
            return;
        }
        self.next = now + PERIOD;
        self.line = format!("{:.1} fps, {}", self.cadence.take(), facts());
        if self.printed {
            let _ = write!(io::stderr(), "{ERASE_LINE}{}", self.line);
        }
    }

    /// The newest line; empty in the first second.
    pub(super) fn line(&self) -> &str {
        &self.line
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.printed {
            let _ = write!(io::stderr(), "{ERASE_LINE}");
        }
    }
}
