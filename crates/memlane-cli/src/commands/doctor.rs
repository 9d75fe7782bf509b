//! `memlane doctor`: what the dead left behind.
//!
//! Nothing here stops anybody; see [`memlane::doctor`]. `--json` prints an array of findings (module
//! `view::finding` of memlane-net).

use serde_json::Value;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use crate::words::text;

/// Find what dead processes left behind, and damaged files
///
/// Nothing of it stops anybody. The exit code is 1 while something is left.
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
        if findings.iter().all(is_fixed) {
            return Ok(());
        }
        Err(Failure::silent(Exit::Failure))
    }

    fn summary(&self, findings: &[Value]) -> String {
        let left = findings.iter().filter(|finding| !is_fixed(finding)).count();
        let fixable = findings.iter().filter(|finding| finding["fixable"] == true && !is_fixed(finding)).count();
        let fixed = findings.len() - left;
        match (left, fixable) {
            (0, _) if fixed == 0 => "no problems".to_owned(),
            (0, _) => format!("{} fixed, none left", human::count(fixed, "problem")),
            (_, 0) => format!("{} left for a person to judge", human::count(left, "problem")),
            _ if self.fix => {
                format!("{} left, {fixable} of which should have been fixed", human::count(left, "problem"))
            }
            _ => format!("{}; `memlane doctor --fix` puts {fixable} right", human::count(left, "problem")),
        }
    }
}

fn is_fixed(finding: &Value) -> bool {
    finding["fixed"] == true
}

fn in_words(finding: &Value) -> String {
    let id = finding["id"].as_str().unwrap_or("(space)");
    format!("{id}: {}{}", text(&finding["message"]), if is_fixed(finding) { " (fixed)" } else { "" })
}
