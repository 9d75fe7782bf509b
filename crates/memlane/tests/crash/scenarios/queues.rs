//! Killed while it works on queues.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];
