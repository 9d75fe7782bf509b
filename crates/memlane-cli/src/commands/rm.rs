//! `memlane rm ID…`: removes regions, by id or by pattern.
//!
//! Removing a name takes nothing from who is attached: they keep the memory and go on, and whoever comes next
//! makes a new region. A pattern removes whole regions only; a damaged file, or one that is no region, goes
//! when it is named exactly. `--json` prints an array of `id` and `attached` (participants alive; null when
//! the file cannot be read).

use std::collections::HashSet;

use memlane::{Error, Observer, Space};
use memlane_net::view::survey::survey;
use serde_json::json;

use crate::context::{Context, Failures};
use crate::failure::{Exit, Failure, Outcome};
use crate::{human, pattern};

/// Remove regions; processes attached to one keep its memory
#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    /// Ids, or patterns in which * stands for any characters
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,

    /// Only say what would be removed
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A region to be removed.
struct Doomed {
    id: String,
    /// Participants alive; `None` when it cannot be read.
    attached: Option<usize>,
}

impl Remove {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let space = context.existing_space()?;
        let mut failures = Failures::default();
        let mut removed = Vec::new();
        for doomed in self.find(context, space, &mut failures) {
            match self.remove(context, space, &doomed) {
                Ok(()) => removed.push(json!({"id": doomed.id, "attached": doomed.attached})),
                Err(failure) => failures.add(context, &failure),
            }
        }
        if context.json() {
            context.print_rows(&removed)?;
        }
        failures.outcome()
    }

    /// What the arguments mean, each region once.
    fn find(&self, context: &Context, space: &Space, failures: &mut Failures) -> Vec<Doomed> {
        let mut found: Vec<Doomed> = Vec::new();
        for wanted in &self.ids {
            let is_pattern = pattern::is_pattern(wanted);
            let meant = if is_pattern { matching(context, space, wanted) } else { exactly(space, wanted) };
            match meant {
                Ok(meant) => found.extend(meant),
                Err(failure) => failures.add(context, &failure),
            }
        }
        let mut ids = HashSet::new();
        found.retain(|doomed| ids.insert(doomed.id.clone()));
        found
    }

    fn remove(&self, context: &Context, space: &Space, doomed: &Doomed) -> Outcome {
        if !self.dry_run {
            space.remove(&doomed.id)?;
        }
        if context.json() {
            return Ok(());
        }
        let verb = if self.dry_run { "would remove" } else { "removed" };
        let line = format!("{verb} {}{}", doomed.id, consequence(doomed.attached));
        context.print(human::printable(&line))
    }
}

fn exactly(space: &Space, id: &str) -> Outcome<Vec<Doomed>> {
    let attached = match Observer::open(space, id) {
        Ok(observer) => Some(count_alive(&observer)),
        Err(Error::Corrupt { .. } | Error::PermissionDenied { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(vec![Doomed { id: id.to_owned(), attached }])
}

fn matching(context: &Context, space: &Space, wanted: &str) -> Outcome<Vec<Doomed>> {
    let mut doomed = Vec::new();
    for (id, observer) in survey(space, |id| pattern::matches(wanted, id))? {
        match observer {
            Ok(observer) => doomed.push(Doomed { id, attached: Some(count_alive(&observer)) }),
            Err(error) => {
                context.say(format_args!("left alone: {error}; `memlane rm {id}` removes it all the same"));
            }
        }
    }
    if doomed.is_empty() {
        let message = format!("no region matches `{wanted}` in {}", space.directory().display());
        return Err(Failure::new(Exit::NotFound, message));
    }
    Ok(doomed)
}

fn count_alive(observer: &Observer) -> usize {
    observer.participants().iter().filter(|participant| participant.alive).count()
}

fn consequence(attached: Option<usize>) -> String {
    match attached {
        None | Some(0) => String::new(),
        Some(1) => ", to which 1 process is attached: it keeps the memory".to_owned(),
        Some(alive) => format!(", to which {alive} processes are attached: they keep the memory"),
    }
}
