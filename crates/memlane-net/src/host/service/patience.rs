//! How long a request waits.

use std::time::Duration;

use tokio::time::{self, Instant};

use super::bad;
use crate::protocol::fault::Fault;

/// Nobody waits longer for anything: a longer time is for ever.
const LONGEST: f64 = 1e9;

/// From when to when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    start: Instant,
    deadline: Option<Instant>,
}

impl Patience {
    /// For so many seconds from now on, or for ever.
    pub(crate) fn new(timeout: Option<f64>) -> Result<Self, Fault> {
        let start = Instant::now();
        let deadline = match timeout {
            None => None,
            Some(seconds) if seconds >= LONGEST => None,
            Some(seconds) if seconds >= 0.0 => Some(start + Duration::from_secs_f64(seconds)),
            Some(seconds) => {
                return Err(bad(format!("the timeout must be seconds from 0 on, found {seconds}")));
            }
        };
        Ok(Self { start, deadline })
    }

    pub(crate) fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Comes to its end when the time is up.
    pub(crate) async fn over(&self) {
        match self.deadline {
            Some(deadline) => time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    /// So many milliseconds, or until the time is up.
    pub(crate) async fn rest(&self, milliseconds: u32) {
        let end = Instant::now() + Duration::from_millis(u64::from(milliseconds));
        time::sleep_until(self.deadline.map_or(end, |deadline| deadline.min(end))).await;
    }

    /// What is left of it.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn waited(&self) -> Duration {
        self.start.elapsed()
    }
}
