//! Killed while it works on semaphores.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];
