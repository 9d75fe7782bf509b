//! Killed while it works on streams.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];
