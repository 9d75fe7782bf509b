//! Killed while it works on conditions.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];
