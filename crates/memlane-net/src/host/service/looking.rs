//! Lists and documents, as the command line shows them. They walk the space, which takes a thread of its own.

use memlane::{Observer, Space, WaitGraph, doctor};
use serde_json::{Value, json};
use tokio::task;

use super::cells::MOST_JSON_ITEMS;
use super::{Done, Outcome, Service};
use crate::foreign;
use crate::protocol::fault::Fault;
use crate::view::process::{Joined, Process, join};
use crate::view::survey::survey;
use crate::view::{finding, locks, pattern, sheet};

impl Service {
    pub(super) async fn list(&self, patterns: Vec<String>) -> Outcome {
        let rows = self.rows.list(move |id| pattern::is_wanted(&patterns, id)).await?;
        let rows: Vec<_> = rows.iter().map(|row| Value::clone(row)).collect();
        Ok(Done::of(json!({"regions": rows})))
    }

    pub(super) async fn describe(&self, id: String) -> Outcome {
        self.look(move |space| {
            let observer = Observer::open(space, &id)?;
            sheet::document(&observer, &space.directory().join(&id), MOST_JSON_ITEMS)
        })
        .await
    }

    pub(super) async fn participants(&self) -> Outcome {
        self.look(|space| {
            let mut joined = Joined::new();
            for (_, observer) in survey(space, |_| true)? {
                let _ = observer.map(|observer| join(&mut joined, &observer));
            }
            let rows: Vec<_> = joined.values().map(Process::document).collect();
            Ok(json!({"participants": rows}))
        })
        .await
    }

    pub(super) async fn locks(&self, all: bool) -> Outcome {
        self.look(move |space| {
            let graph = WaitGraph::of(space)?;
            let deadlocks = graph.deadlocks();
            let observers = survey(space, |_| true)?.filter_map(|(_, observer)| observer.ok());
            let found = observers.filter_map(|observer| locks::find(&observer, all));
            let rows: Vec<_> = found.map(|lock| locks::lock(&lock, &deadlocks)).collect();
            Ok(json!({"locks": rows}))
        })
        .await
    }

    pub(super) async fn wait_graph(&self) -> Outcome {
        self.look(|space| {
            let graph = WaitGraph::of(space)?;
            Ok(json!({"edges": locks::edges(&graph, &graph.deadlocks())}))
        })
        .await
    }

    pub(super) async fn doctor(&self, fix: bool) -> Outcome {
        self.look(move |space| {
            let findings = if fix { doctor::fix(space)? } else { doctor::examine(space)? };
            Ok(json!({"findings": findings.iter().map(finding::document).collect::<Vec<_>>()}))
        })
        .await
    }

    pub(super) async fn foreign(&self) -> Outcome {
        self.aside(|_| {
            foreign::list().map(|segments| Done::of(json!({"segments": segments}))).map_err(unreadable)
        })
        .await
    }

    pub(super) async fn foreign_read(&self, name: String, start: u64, count: u64) -> Outcome {
        self.aside(move |_| {
            foreign::read(&name, start, count).map(|bytes| Done::default().with(bytes)).map_err(unreadable)
        })
        .await
    }

    async fn look(&self, look: impl FnOnce(&Space) -> memlane::Result<Value> + Send + 'static) -> Outcome {
        self.aside(move |space| look(space).map(Done::of)).await
    }

    /// Does it on a thread that may wait.
    pub(super) async fn aside<E: Into<Fault> + Send + 'static>(
        &self,
        work: impl FnOnce(&Space) -> Result<Done, E> + Send + 'static,
    ) -> Outcome {
        let space = self.space.clone();
        let done = task::spawn_blocking(move || work(&space)).await;
        done.map_err(|error| Fault::new("system", error.to_string()))?.map_err(Into::into)
    }
}

/// Why a segment cannot be looked at, in the words for regions.
#[allow(clippy::needless_pass_by_value)] // As `map_err` gives it.
fn unreadable(error: std::io::Error) -> Fault {
    use std::io::ErrorKind;
    let code = match error.kind() {
        ErrorKind::NotFound => "not_found",
        ErrorKind::PermissionDenied => "permission_denied",
        ErrorKind::InvalidInput => "bad_parameter",
        _ => "system",
    };
    Fault::new(code, format!("the foreign segment cannot be read: {error}"))
}
