//! `memlane doctor`: what the dead left behind.
//!
//! Nothing here stops anybody; see [`memlane::doctor`]. `--json` prints an array of findings (module
//! `view::finding` of memlane-net).

use memlane::doctor::{self, Finding};
use memlane_net::view::finding;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;

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
        let space = context.existing_space()?;
        let findings = if self.fix { doctor::fix(space)? } else { doctor::examine(space)? };
        if context.json() {
            context.print_rows(&findings.iter().map(finding::document).collect::<Vec<_>>())?;
        } else {
            findings.iter().try_for_each(|finding| context.print(human::printable(&finding.to_string())))?;
            context.print(self.summary(&findings))?;
        }
        if findings.iter().all(|finding| finding.fixed) {
            return Ok(());
        }
        Err(Failure::silent(Exit::Failure))
    }

    fn summary(&self, findings: &[Finding]) -> String {
        let left = findings.iter().filter(|finding| !finding.fixed).count();
        let fixable =
            findings.iter().filter(|finding| finding.problem.is_fixable() && !finding.fixed).count();
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
