//! Killed while it works on rwlocks.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];
