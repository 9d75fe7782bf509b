//! Killed while it works on rlocks.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];
