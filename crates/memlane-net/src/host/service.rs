//! What a session can ask, done on the space. Knows neither sockets nor sessions' numbers.
//!
//! | module | what |
//! |---|---|
//! | `handle` | regions that are open, so that a request opens no file |
//! | `patience` | how long a request waits |
//! | `looking` | lists and documents: list, describe, participants, locks, wait_graph, doctor, foreign |
//! | `making` | create, delete |
//! | `cells` | read, wait, write, add, compare_exchange |
//! | `locks` | lock, release, abandon, force_release, make_consistent |
//! | `signals` | semaphores, events, conditions, barriers |
//! | `queues`, `pipes`, `channels` | put, get … send, receive; publish, append, records |

mod cells;
mod channels;
mod handle;
mod locks;
mod looking;
mod making;
mod patience;
mod pipes;
mod queues;
mod signals;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use memlane::{Space, Tag};
use serde_json::{Map, Value};

use super::feed::Feeds;
use super::lease::Leases;
use super::rows::Rows;
use super::subscription::Subscription;
use super::threads::Threads;
use super::watcher::{Thing, Watchers};
use crate::force_release::Decision;
use crate::protocol::fault::{self, Fault};
use crate::protocol::operation::Operation;
pub(crate) use cells::{frame_fields, shown};
pub(crate) use channels::records_from;
use handle::Handles;
pub(crate) use handle::{Attached, Handle};
pub(crate) use patience::Patience;

/// The space and what of it is served.
#[derive(Debug)]
pub(crate) struct Service {
    pub(super) space: Space,
    handles: Handles,
    pub(super) watchers: Watchers,
    threads: Threads,
    pub(super) feeds: Feeds,
    pub(super) rows: Rows,
}

/// What came of an operation: the fields of `ok`, and the payload.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Done {
    pub(crate) fields: Map<String, Value>,
    pub(crate) payload: Bytes,
}

/// What an operation comes to.
pub(crate) type Outcome = Result<Done, Fault>;

impl Done {
    /// Without a payload; `fields` is an object.
    pub(super) fn of(fields: Value) -> Self {
        match fields {
            Value::Object(fields) => Self { fields, payload: Bytes::new() },
            _ => Self::default(),
        }
    }

    /// The same with a payload.
    pub(super) fn with(mut self, payload: impl Into<Bytes>) -> Self {
        self.payload = payload.into();
        self
    }
}

impl Service {
    pub(crate) fn new(space: Space) -> Arc<Self> {
        Arc::new(Self {
            handles: Handles::default(),
            watchers: Watchers::default(),
            threads: Threads::default(),
            feeds: Feeds::default(),
            rows: Rows::new(space.clone()),
            space,
        })
    }

    /// Does it. Where it has to wait, dropping the future ends the wait, and nothing is taken. `status`, `log`,
    /// `sharing`, `share`, `unshare`, `unsubscribe`, `cancel` and `bye` are the server's, which knows what they are
    /// about.
    pub(crate) async fn perform(&self, leases: &Leases, operation: Operation, payload: Bytes) -> Outcome {
        use Operation as Op;
        match operation {
            Op::List { patterns } => self.list(patterns).await,
            Op::Describe { id } => self.describe(id).await,
            Op::Participants => self.participants().await,
            Op::Locks { all } => self.locks(all).await,
            Op::WaitGraph => self.wait_graph().await,
            Op::Doctor { fix } => self.doctor(fix).await,
            Op::Foreign => self.foreign().await,
            Op::ForeignRead { name, start, count } => self.foreign_read(name, start, count).await,
            Op::Create { id, specification, exist_ok } => self.create(id, specification, exist_ok).await,
            Op::Delete { id } => self.delete(&id),
            Op::Read { id, part, form } => self.read(&id, &part, form),
            Op::Wait { id, version, timeout, form } => self.wait(&id, version, timeout, form).await,
            Op::Write { id, part, content, if_version } => {
                self.write(&id, &part, content, &payload, if_version)
            }
            Op::Add { id, index, by } => self.add(&id, &index, &by),
            Op::CompareExchange { id, index, expected, new } => {
                self.compare_exchange(&id, &index, &expected, &new)
            }
            Op::Lock { id, mode, timeout } => self.lock(leases, &id, mode, timeout).await,
            Op::Release { lease } => self.release(leases, lease).await,
            Op::Abandon { lease } => self.abandon(leases, lease).await,
            Op::ForceRelease { id, confirmed, consistent } => {
                self.force_release(id, Decision { confirmed, consistent }).await
            }
            Op::MakeConsistent { lease } => self.make_consistent(leases, lease).await,
            Op::Acquire { id, count, timeout } => self.acquire(leases, &id, count, timeout).await,
            Op::Raise { id, count } => self.raise(&id, count),
            Op::Set { id } => self.set(&id),
            Op::Clear { id } => self.clear(&id),
            Op::Await { id, timeout } => self.await_event(&id, timeout).await,
            Op::ConditionWait { id, lease, timeout } => {
                self.condition_wait(leases, &id, lease, timeout).await
            }
            Op::Notify { id, count } => self.notify(&id, count),
            Op::Meet { id, timeout } => self.meet(&id, timeout).await,
            Op::Abort { id } => self.abort(&id),
            Op::Reset { id } => self.reset(&id),
            Op::Put { id, tag, lengths, timeout } => self.put(&id, &tag, &lengths, timeout, payload).await,
            Op::Get { id, most, leased, timeout } => self.get(leases, &id, most, leased, timeout).await,
            Op::Acknowledge { lease } => Self::acknowledge(leases, lease),
            Op::Peek { id, most } => self.peek(&id, most),
            Op::Close { id } => self.close(&id),
            Op::TakeEnd { id, end } => self.take_end(leases, &id, &end),
            Op::Send { lease, tag, timeout } => self.send(leases, lease, &tag, timeout, payload).await,
            Op::Receive { lease, timeout } => self.receive(leases, lease, timeout).await,
            Op::Publish { id } => self.publish(leases, &id, &payload),
            Op::Append { id } => self.append(leases, &id, &payload).await,
            Op::Records { id, since, most } => self.records(&id, since, most),
            other => Err(Fault::new(
                fault::UNKNOWN_OPERATION,
                format!("`{}` is no operation on a region", name_of(&other)),
            )),
        }
    }

    /// Begins a subscription, of `subscribe` or `watch`: the fields of `ok`, and what delivers.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        operation: &Operation,
    ) -> Result<(Map<String, Value>, Subscription), Fault> {
        match operation {
            Operation::Subscribe { id, delivery } => Subscription::of_region(self, id, delivery),
            Operation::Watch { patterns, rate } => {
                Ok((Map::new(), Subscription::of_rows(self, patterns, *rate)?))
            }
            other => {
                Err(Fault::new(fault::UNKNOWN_OPERATION, format!("`{}` is no subscription", name_of(other))))
            }
        }
    }

    /// The region, opened or as it was opened before.
    pub(super) fn handle(&self, id: &str) -> Result<Arc<Handle>, Fault> {
        self.handles.get(&self.space, id)
    }

    /// Tries until it works; nothing when time was up.
    pub(super) async fn until<T>(
        &self,
        patience: &Patience,
        mut attempt: impl FnMut() -> Result<Option<T>, Fault> + Send,
        mut thing: impl FnMut() -> Result<Thing, Fault> + Send,
    ) -> Result<Option<T>, Fault> {
        let mut vain = 0_u32;
        loop {
            if let Some(got) = attempt()? {
                return Ok(Some(got));
            }
            if patience.is_over() {
                return Ok(None);
            }
            let watch = self.watchers.watch(thing()?)?;
            tokio::select! {
                () = watch => vain += 1,
                () = patience.over() => continue,
            }
            // Somebody was faster, or keeps others out for long: that is no reason to spin.
            if vain > VAIN_TRIES {
                patience.rest((vain - VAIN_TRIES).min(LONGEST_REST)).await;
            }
        }
    }
}

/// Tries at once after something was ready.
const VAIN_TRIES: u32 = 8;
/// Milliseconds between two tries later.
const LONGEST_REST: u32 = 20;

/// The word for an operation.
fn name_of(operation: &Operation) -> String {
    let value = serde_json::to_value(operation).unwrap_or_default();
    value.get("op").and_then(Value::as_str).unwrap_or("this").to_owned()
}

/// The tag of that name.
fn tag_of(name: &str) -> Result<Tag, Fault> {
    let tags = [Tag::Bytes, Tag::Utf8, Tag::Json, Tag::Pickle];
    let found = tags.into_iter().find(|tag| tag.name() == name);
    found.ok_or_else(|| bad(format!("the tag must be bytes, utf-8, json or pickle, found `{name}`")))
}

/// A field of a request that makes no sense.
pub(super) fn bad(message: impl Into<String>) -> Fault {
    Fault::new("bad_parameter", message)
}
