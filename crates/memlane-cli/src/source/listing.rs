//! The documents of listings, as `--json` prints them.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use memlane::{WaitGraph, doctor};
use memlane_net::foreign;
use memlane_net::protocol::operation::Operation;
use memlane_net::view::process::{Joined, Process, join};
use memlane_net::view::snapshot::Snapshot;
use memlane_net::view::{finding, locks, pattern, sheet};
use serde_json::Value;

use super::Source;
use crate::failure::{Exit, Failure, Outcome};
use crate::survey::{Saying, visit_all};

/// Between two looks: what changes once a second has changed then.
const PERIOD: Duration = Duration::from_secs(1);

impl Source {
    /// Rows of regions (module `view::row` of memlane-net).
    pub(crate) fn rows(&self, patterns: &[String]) -> Outcome<Vec<Value>> {
        match self {
            Self::Here(space) => {
                let rows = Snapshot::new(space.clone()).look_at(|id| pattern::is_wanted(patterns, id))?;
                Ok(rows.into_iter().map(Arc::unwrap_or_clone).collect())
            }
            Self::There(client) => {
                Ok(client.rows(Operation::List { patterns: patterns.to_vec() }, "regions")?)
            }
        }
    }

    /// All rows, after two looks that are a [`PERIOD`] apart: with what changed meanwhile, and how often.
    pub(crate) fn rows_in_motion(&self) -> Outcome<Vec<Value>> {
        match self {
            Self::Here(space) => {
                let mut snapshot = Snapshot::new(space.clone());
                snapshot.look_at(|_| true)?;
                thread::sleep(PERIOD);
                let rows = snapshot.look_at(|_| true)?;
                Ok(rows.into_iter().map(Arc::unwrap_or_clone).collect())
            }
            // A host remembers its last look.
            Self::There(_) => {
                self.rows(&[])?;
                thread::sleep(PERIOD);
                self.rows(&[])
            }
        }
    }

    /// Everything known about a region (module `view::sheet`).
    pub(crate) fn sheet(&self, id: &str) -> Outcome<Value> {
        match self {
            Self::Here(space) => {
                let observer = memlane::Observer::open(space, id)?;
                Ok(sheet::document(&observer, &space.directory().join(id), usize::MAX)?)
            }
            Self::There(client) => Ok(client.describe(id)?),
        }
    }

    /// Processes attached to one of the regions meant (module `view::process`).
    pub(crate) fn processes(&self, say: Saying<'_>, patterns: &[String]) -> Outcome<Vec<Value>> {
        let wanted = |id: &str| pattern::is_wanted(patterns, id);
        let mut processes: Vec<Value> = match self {
            Self::Here(space) => {
                let mut joined = Joined::new();
                visit_all(say, space, wanted, |observer| join(&mut joined, observer))?;
                joined.values().map(Process::document).collect()
            }
            Self::There(client) => client.participants()?,
        };
        let is_attached = |process: &Value| {
            let regions = process["regions"].as_array().into_iter().flatten();
            regions.filter_map(Value::as_str).any(wanted)
        };
        processes.retain(|process| patterns.is_empty() || is_attached(process));
        Ok(processes)
    }

    /// Locks that are held, waited for or inconsistent, or `all` (module `view::locks`).
    pub(crate) fn locks(&self, say: Saying<'_>, all: bool) -> Outcome<Vec<Value>> {
        let space = match self {
            Self::Here(space) => space,
            Self::There(client) => return Ok(client.locks(all)?),
        };
        let graph = WaitGraph::of(space)?;
        let deadlocks = graph.deadlocks();
        let mut found = Vec::new();
        visit_all(say, space, |_| true, |observer| found.extend(locks::find(observer, all)))?;
        let mut rows: Vec<_> = found.iter().map(|lock| locks::lock(lock, &deadlocks)).collect();
        name_sessions(space, &mut rows);
        Ok(rows)
    }

    /// Every thread that waits (module `view::locks`).
    pub(crate) fn edges(&self) -> Outcome<Vec<Value>> {
        match self {
            Self::Here(space) => {
                let graph = WaitGraph::of(space)?;
                Ok(locks::edges(&graph, &graph.deadlocks()))
            }
            Self::There(client) => Ok(client.rows(Operation::WaitGraph, "edges")?),
        }
    }

    /// Shared memory of other programs (module `foreign` of memlane-net).
    pub(crate) fn foreign(&self) -> Outcome<Vec<Value>> {
        match self {
            Self::Here(_) => foreign::list().map_err(|error| {
                Failure::new(Exit::Failure, format!("shared memory cannot be listed: {error}"))
            }),
            Self::There(client) => Ok(client.rows(Operation::Foreign, "segments")?),
        }
    }

    /// What the dead left behind (module `view::finding`), put away where `fix` is asked for.
    pub(crate) fn findings(&self, fix: bool) -> Outcome<Vec<Value>> {
        match self {
            Self::Here(space) => {
                let findings = if fix { doctor::fix(space)? } else { doctor::examine(space)? };
                Ok(findings.iter().map(finding::document).collect())
            }
            Self::There(client) => Ok(client.rows(Operation::Doctor { fix }, "findings")?),
        }
    }
}

/// Of locks that a host of this space holds for a session, who that is: only the host knows it.
fn name_sessions(space: &memlane::Space, rows: &mut [Value]) {
    let is_held = |row: &Value| row["holder"]["pid"].as_u64().is_some();
    if !rows.iter().any(is_held) {
        return;
    }
    for client in memlane_net::client::hosts_of(space) {
        for told in client.locks(false).unwrap_or_default() {
            let same = |row: &&mut Value| {
                row["id"] == told["id"] && row["holder"]["process"] == told["holder"]["process"]
            };
            if let Some(row) = rows.iter_mut().find(same).filter(|_| !told["holder"]["session"].is_null()) {
                row["holder"] = told["holder"].clone();
            }
        }
    }
}
