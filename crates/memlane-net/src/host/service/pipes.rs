//! Pipes: an end is held by a lease.

use std::sync::Mutex;

use bytes::Bytes;
use memlane::{Error, PipeEnd, Side};
use serde_json::json;

use super::{Done, Outcome, Patience, Service, bad, tag_of};
use crate::host::lease::{End, Held, Leases, Thing};
use crate::host::watcher::locked;
use crate::protocol::fault::Fault;

impl Service {
    pub(super) fn take_end(&self, leases: &Leases, id: &str, end: &str) -> Outcome {
        let sides = [Side::Left, Side::Right];
        let side = sides.into_iter().find(|side| side.name() == end);
        let side = side.ok_or_else(|| bad(format!("the end must be left or right, found `{end}`")))?;
        let era = leases.era();
        let end = PipeEnd::open(&self.space, id, side)?;
        let region = end.region().clone();
        let (sender, receiver) = end.split();
        let end = End { sender: Mutex::new(sender), receiver: Mutex::new(receiver) };
        let lease = leases.add(era, Held::new(&region, Thing::End(end)))?;
        Ok(Done::of(json!({"lease": lease})))
    }

    pub(super) async fn send(
        &self,
        leases: &Leases,
        lease: u64,
        tag: &str,
        timeout: Option<f64>,
        payload: Bytes,
    ) -> Outcome {
        let (tag, patience) = (tag_of(tag)?, Patience::new(timeout)?);
        let held = leases.get(lease)?;
        let end = end_of(&held)?;
        let sent = held.while_held(async {
            let attempt = || {
                let sender = locked(&end.sender);
                let sender = sender.as_ref().ok_or_else(|| wrong_way("send"))?;
                Ok(sender.try_send_tagged(tag, &payload)?.then_some(()))
            };
            let room = || {
                let sender = locked(&end.sender);
                Ok(Box::new(sender.as_ref().ok_or_else(|| wrong_way("send"))?.room(payload.len())?) as _)
            };
            self.until(&patience, attempt, room).await
        });
        sent.await?.ok_or_else(|| timed_out(&held, "room for the message", &patience))?;
        Ok(Done::default())
    }

    pub(super) async fn receive(&self, leases: &Leases, lease: u64, timeout: Option<f64>) -> Outcome {
        let patience = Patience::new(timeout)?;
        let held = leases.get(lease)?;
        let end = end_of(&held)?;
        let received = held.while_held(async {
            let attempt = || {
                let receiver = locked(&end.receiver);
                Ok(receiver.as_ref().ok_or_else(|| wrong_way("receive"))?.try_recv()?)
            };
            let arrival = || {
                let receiver = locked(&end.receiver);
                Ok(Box::new(receiver.as_ref().ok_or_else(|| wrong_way("receive"))?.arrival()) as _)
            };
            self.until(&patience, attempt, arrival).await
        });
        let message = received.await?.ok_or_else(|| timed_out(&held, "a message", &patience))?;
        Ok(Done::of(json!({"tag": message.tag.name()})).with(message.bytes))
    }
}

fn end_of(held: &Held) -> Result<&End, Fault> {
    match &held.thing {
        Thing::End(end) => Ok(end),
        _ => Err(bad(format!("the lease is of `{}`, and not an end of a pipe", held.id))),
    }
}

/// A half that a one-way pipe does not have here, or that was given up meanwhile.
fn wrong_way(what: &str) -> Fault {
    bad(format!("this end does not {what}: the pipe goes one way, from left to right"))
}

fn timed_out(held: &Held, what: &'static str, patience: &Patience) -> Fault {
    Error::Timeout { id: held.id.clone(), what, waited: patience.waited() }.into()
}
