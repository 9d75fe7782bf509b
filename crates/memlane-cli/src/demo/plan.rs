//! The plan: how long the demo goes on, and for whom.

use super::display;
use crate::context::Context;
use std::time::Duration;

/// Where nobody looks at a screen.
const USUAL: Duration = Duration::from_secs(12);
/// Between the deaths of two publishers, for somebody who looks at more than that.
const LEISURELY: Duration = Duration::from_secs(40);

/// What the director keeps to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// In each, a publisher and a worker are killed.
    pub(super) round: Duration,
    /// Round after round, until Ctrl-C.
    pub(super) forever: bool,
    pub(super) opens_browser: bool,
}

impl Plan {
    /// What was not said depends on whether somebody looks on.
    pub(super) fn new(context: &Context, round: Option<Duration>, forever: bool, no_browser: bool) -> Self {
        let is_watched = display::is_screen(context);
        let usual = if is_watched { LEISURELY } else { USUAL };
        Self {
            round: round.unwrap_or(usual),
            forever: forever || (is_watched && round.is_none()),
            opens_browser: is_watched && !no_browser,
        }
    }

    /// How long it goes on in all; `None` until Ctrl-C.
    pub(super) fn end(self) -> Option<Duration> {
        (!self.forever).then_some(self.round)
    }
}
