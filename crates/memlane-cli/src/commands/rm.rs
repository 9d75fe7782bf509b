//! `memlane rm ID…`: removes regions, by id or by pattern.
//!
//! Removing a name takes nothing from who is attached: they keep the memory and go on, and whoever comes next
//! makes a new region. A pattern removes whole regions only; a damaged file, or one that is no region, goes
//! when it is named exactly. `--json` prints an array of `id` and `attached` (participants alive; null when
//! the file cannot be read).

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::context::{Context, Failures};
use crate::failure::{Exit, Failure, Outcome};
use crate::source::Source;
use crate::words::text;
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
        let source = context.source()?;
        let mut failures = Failures::default();
        let mut removed = Vec::new();
        for doomed in self.find(context, source, &mut failures) {
            match self.remove(context, source, &doomed) {
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
    fn find(&self, context: &Context, source: &Source, failures: &mut Failures) -> Vec<Doomed> {
        let mut found: Vec<Doomed> = Vec::new();
        for wanted in &self.ids {
            let is_pattern = pattern::is_pattern(wanted);
            let meant = if is_pattern { matching(context, source, wanted) } else { exactly(source, wanted) };
            match meant {
                Ok(meant) => found.extend(meant),
                Err(failure) => failures.add(context, &failure),
            }
        }
        let mut ids = HashSet::new();
        found.retain(|doomed| ids.insert(doomed.id.clone()));
        found
    }

    fn remove(&self, context: &Context, source: &Source, doomed: &Doomed) -> Outcome {
        if !self.dry_run {
            source.remove(&doomed.id)?;
        }
        if context.json() {
            return Ok(());
        }
        let verb = if self.dry_run { "would remove" } else { "removed" };
        let line = format!("{verb} {}{}", doomed.id, consequence(doomed.attached));
        context.print(human::printable(&line))
    }
}

fn exactly(source: &Source, id: &str) -> Outcome<Vec<Doomed>> {
    let row = source.rows(&[id.to_owned()])?.into_iter().find(|row| text(&row["id"]) == id);
    // What is not in the list is looked at for the sake of the error, which says why.
    let attached = row.map_or_else(|| source.see(id).map(|_| None), |row| Ok(alive(&row)))?;
    Ok(vec![Doomed { id: id.to_owned(), attached }])
}

fn matching(context: &Context, source: &Source, wanted: &str) -> Outcome<Vec<Doomed>> {
    let mut doomed = Vec::new();
    for row in source.rows(&[wanted.to_owned()])? {
        let id = text(&row["id"]);
        match row["error"].as_str() {
            _ if !pattern::matches(wanted, id) => {}
            None => doomed.push(Doomed { id: id.to_owned(), attached: alive(&row) }),
            Some(error) => {
                context.say(format_args!("left alone: {error}; `memlane rm {id}` removes it all the same"));
            }
        }
    }
    if doomed.is_empty() {
        let message = format!("no region matches `{wanted}` in {source}");
        return Err(Failure::new(Exit::NotFound, message));
    }
    Ok(doomed)
}

/// Of a row.
fn alive(row: &Value) -> Option<usize> {
    row["alive"].as_u64().map(|alive| alive as usize)
}

fn consequence(attached: Option<usize>) -> String {
    match attached {
        None | Some(0) => String::new(),
        Some(1) => ", to which 1 process is attached: it keeps the memory".to_owned(),
        Some(alive) => format!(", to which {alive} processes are attached: they keep the memory"),
    }
}
