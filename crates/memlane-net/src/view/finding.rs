//! What the dead left behind: what `memlane doctor` shows, and a host's `doctor`.
//!
//! The document has
//!
//! | name | |
//! |---|---|
//! | `id` | the region or folder; null for the space itself |
//! | `problem` | a word, see below |
//! | `message` | the same in a sentence |
//! | `fixable` | harmless: it is in nobody's way, and `fix` puts it away; what is not fixable needs a person's judgement |
//! | `fixed` | it was put away just now |
//!
//! Fixable are `dead_participants`, `dead_borrows`, `empty_folder` and `leftovers`; the others are `unusable`,
//! `dead_owner`, `inconsistent`, `dead_publisher` and `deadlock`.

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
