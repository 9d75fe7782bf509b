//! What the dead left behind: what `memlane doctor` shows, and a host's `doctor`.
//!
//! The document has `id` (null for the space itself), `problem` (a word), `message`, `fixable`, `fixed`.

use memlane::doctor::{Finding, Problem};
use serde_json::{Value, json};

/// A finding as a document.
pub fn document(finding: &Finding) -> Value {
    json!({
        "id": finding.id,
        "problem": name_of(&finding.problem),
        "message": finding.problem.to_string(),
        "fixable": finding.problem.is_fixable(),
        "fixed": finding.fixed,
    })
}

fn name_of(problem: &Problem) -> &'static str {
    match problem {
        Problem::Unusable(_) => "unusable",
        Problem::DeadParticipants(_) => "dead_participants",
        Problem::DeadOwner(_) => "dead_owner",
        Problem::Inconsistent => "inconsistent",
        Problem::DeadPublisher(_) => "dead_publisher",
        Problem::DeadBorrows(_) => "dead_borrows",
        Problem::Deadlock(_) => "deadlock",
        Problem::EmptyFolder => "empty_folder",
        Problem::Leftovers(_) => "leftovers",
        _ => "other",
    }
}
