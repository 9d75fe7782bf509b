//! Killed while it works on barriers.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];
