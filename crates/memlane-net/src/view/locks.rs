//! Locks and who waits for whom: what `memlane locks` shows, and a host's `locks` and `wait_graph`.
//!
//! Rows are lock documents (module `document`) with `id`, `kind` and `deadlock` (whether it is part of a circle of
//! waiting), and edge documents with `deadlock` and `line` (the same in words).

use memlane::lock::LockState;
use memlane::wait_graph::Edge;
use memlane::{Kind, Observer, WaitGraph};
use serde_json::{Value, json};

use super::document;

/// A region's id, its kind and its lock.
pub type Found = (String, Kind, LockState);

/// The region's lock, if it is held, waited for or inconsistent, or `all` are wanted.
pub fn find(observer: &Observer, all: bool) -> Option<Found> {
    let state = observer.lock();
    let shown = all || state.holder.is_some() || state.inconsistent || !state.waiters.is_empty();
    shown.then(|| (observer.id().to_owned(), observer.description().kind, state))
}

/// A lock as a document.
pub fn lock((id, kind, state): &Found, deadlocks: &[Vec<&Edge>]) -> Value {
    let deadlock = deadlocks.iter().flatten().any(|edge| edge.id == *id);
    document::merged(document::lock(state), json!({"id": id, "kind": kind.name(), "deadlock": deadlock}))
}

/// Every thread that waits, as documents.
pub fn edges(graph: &WaitGraph, deadlocks: &[Vec<&Edge>]) -> Vec<Value> {
    let is_stuck = |edge: &Edge| deadlocks.iter().flatten().any(|stuck| stuck.waiter() == edge.waiter());
    let edge = |edge| document::merged(document::edge(edge), json!({"deadlock": is_stuck(edge), "line": edge.to_string()}));
    graph.edges.iter().map(edge).collect()
}
