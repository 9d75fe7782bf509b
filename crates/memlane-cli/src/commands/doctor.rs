//! `memlane doctor`: what the dead left behind.
//!
//! Nothing here stops anybody; see [`memlane::doctor`]. What is fixable is harmless, and no more than a note; the rest
//! is a problem, for a person to judge. `--json` prints an array of findings (module `view::finding` of memlane-net).

use serde_json::Value;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use crate::words::text;

/// Find what dead processes left behind, and damaged files
///
/// Nothing of it stops anybody. What is harmless is a note; the exit code is 1 while there is something that needs a
/// person, or that --fix could not put away.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// Put away what nobody can miss; what needs a person's judgement stays
    #[arg(long)]
    fix: bool,
}

impl Doctor {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let findings = context.source()?.findings(self.fix)?;
        if context.json() {
            context.print_rows(&findings)?;
        } else {
            findings.iter().try_for_each(|finding| context.print(human::printable(&in_words(finding))))?;
            context.print(self.summary(&findings))?;
        }
        // A note is no failure, but one that was to be put away and is still there is.
        if findings.iter().all(|finding| is_fixed(finding) || (is_note(finding) && !self.fix)) {
            return Ok(());
        }
        Err(Failure::silent(Exit::Failure))
    }

    fn summary(&self, findings: &[Value]) -> String {
        let count = |wanted: &dyn Fn(&Value) -> bool, noun| {
            let number = findings.iter().filter(|finding| wanted(finding)).count();
            (number > 0).then(|| human::count(number, noun))
        };
        let problems = count(&|finding| !is_note(finding), "problem");
        let mut parts = vec![match problems {
            None => "no problems".to_owned(),
            Some(problems) => format!("{problems} for a person to judge"),
        }];
        let left = count(&|finding| is_note(finding) && !is_fixed(finding), "note");
        parts.extend(count(&is_fixed, "note").map(|fixed| format!("{fixed} put away")));
        let then =
            if self.fix { " that could not be put away" } else { ", which `memlane doctor --fix` puts away" };
        parts.extend(left.map(|left| left + then));
        parts.join("; ")
    }
}

/// Whether it is harmless.
fn is_note(finding: &Value) -> bool {
    finding["fixable"] == true
}

fn is_fixed(finding: &Value) -> bool {
    finding["fixed"] == true
}

fn in_words(finding: &Value) -> String {
    let id = finding["id"].as_str().unwrap_or("(space)");
    let note = if is_note(finding) { "note: " } else { "" };
    format!("{id}: {note}{}{}", text(&finding["message"]), if is_fixed(finding) { " (fixed)" } else { "" })
}
