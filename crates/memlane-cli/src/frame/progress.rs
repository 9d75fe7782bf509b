//! Progress: a line that is renewed every second, where a person watches.

use super::rate::Rate;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_secs(1);

/// Counts frames, and says once a second how many come.
#[derive(Debug)]
pub(super) struct Progress {
    watched: bool,
    rate: Rate,
    next: Instant,
}

impl Progress {
    /// On the standard error, so that the output stays clean; silent where that is no terminal.
    pub(super) fn new() -> Self {
        Self::watched_if(io::stderr().is_terminal())
    }

    /// For a command that draws on the whole screen.
    pub(super) fn silent() -> Self {
        Self::watched_if(false)
    }

    fn watched_if(watched: bool) -> Self {
        let now = Instant::now();
        Self { watched, rate: Rate::new(now), next: now + PERIOD }
    }

    /// A frame more; `facts` are asked for when it is time to say something.
    pub(super) fn frame(&mut self, facts: impl FnOnce() -> String) {
        if !self.watched {
            return;
        }
        let now = Instant::now();
        self.rate.count(now);
        if now >= self.next {
            self.next = now + PERIOD;
            let _ = write!(io::stderr(), "\r\x1b[K{:.1} fps, {}", self.rate.take(), facts());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.watched {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
