//! Queues.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use memlane::Queue;
use memlane::queue::Message;
use serde_json::{Value, json};

use super::{Attached, Done, Handle, Outcome, Patience, Service, bad, tag_of};
use crate::host::lease::{Delivery, Era, Held, Leases, Thing, ended};
use crate::host::watcher::locked;
use crate::protocol::fault::Fault;

/// No more messages in one answer, whose header has to have room for them.
const MOST_MESSAGES: u32 = 1024;
/// No message more once an answer has so many bytes.
const ENOUGH_BYTES: usize = 16 << 20;

impl Service {
    pub(super) async fn put(
        &self,
        id: &str,
        tag: &str,
        lengths: &[usize],
        timeout: Option<f64>,
        payload: Bytes,
    ) -> Outcome {
        let (tag, patience) = (tag_of(tag)?, Patience::new(timeout)?);
        let messages = split(&payload, lengths)?;
        let handle = self.handle(id)?;
        let queue = queue_of(&handle)?;
        // One that never fits is refused before the first is put.
        for message in &messages {
            queue.room(message.len())?;
        }
        let mut put = 0;
        for message in &messages {
            let attempt = || Ok(queue.try_put_tagged(tag, message)?.then_some(()));
            let room = || Ok(Box::new(queue.room(message.len())?) as _);
            match self.until(&patience, attempt, room).await {
                Ok(Some(())) => put += 1,
                Ok(None) if put == 0 => return Err(handle.timed_out("room for the message", &patience)),
                Err(fault) if put == 0 => return Err(fault),
                // What was put stays put, and is told.
                _ => break,
            }
        }
        Ok(Done::of(json!({"put": put})))
    }

    pub(super) async fn get(
        &self,
        leases: &Leases,
        id: &str,
        most: u32,
        leased: bool,
        timeout: Option<f64>,
    ) -> Outcome {
        let (era, patience) = (leases.era(), Patience::new(timeout)?);
        let most = most.min(MOST_MESSAGES);
        let handle = self.handle(id)?;
        let queue = queue_of(&handle)?;
        if most == 0 {
            return Ok(delivered(&[], Vec::new()));
        }
        let arrival = || Ok(Box::new(Arc::clone(queue)) as _);
        if leased {
            let attempt = || get_leased(leases, era, queue, most);
            let got = async { self.until(&patience, attempt, arrival).await };
            let got = tokio::select! {
                biased;
                got = got => got?,
                () = leases.over(era) => return Err(ended("the session was away for too long")),
            };
            return got.ok_or_else(|| handle.timed_out("a message", &patience));
        }
        let attempt = || get_now(queue, most);
        let got = self.until(&patience, attempt, arrival).await?;
        got.ok_or_else(|| handle.timed_out("a message", &patience))
    }

    pub(super) fn acknowledge(leases: &Leases, lease: u64) -> Outcome {
        let held = leases.get(lease)?;
        let Thing::Message(message) = &held.thing else {
            return Err(bad(format!("the lease is of `{}`, and not a message", held.id)));
        };
        leases.take(lease)?;
        let message = locked(message).take();
        let mut message = message.ok_or_else(|| ended("the message was given back meanwhile"))?;
        message
            .with_dependent_mut(|_, lease| lease.take().map_or(Ok(()), memlane::queue::Lease::acknowledge))?;
        Ok(Done::default())
    }

    pub(super) fn peek(&self, id: &str, most: u32) -> Outcome {
        let handle = self.handle(id)?;
        let messages = match handle.attached() {
            Ok(Attached::Queue(queue)) => queue.peek(most.min(MOST_MESSAGES) as usize),
            // Without the right to take part.
            _ => handle.observer.peek(most.min(MOST_MESSAGES) as usize)?,
        };
        let mut payload = Vec::new();
        let mut shown = Vec::new();
        for message in messages {
            if !shown.is_empty() && payload.len() + message.bytes.len() > ENOUGH_BYTES {
                break;
            }
            payload.extend_from_slice(&message.bytes);
            shown.push(described(&message));
        }
        Ok(delivered(&shown, payload))
    }

    pub(super) fn close(&self, id: &str) -> Outcome {
        queue_of(&*self.handle(id)?)?.close();
        Ok(Done::default())
    }
}

fn queue_of(handle: &Handle) -> Result<&Arc<Queue>, Fault> {
    match handle.attached()? {
        Attached::Queue(queue) => Ok(queue),
        _ => Err(handle.wrong_kind("queue")),
    }
}

/// The messages that a payload is.
fn split(payload: &Bytes, lengths: &[usize]) -> Result<Vec<Bytes>, Fault> {
    if lengths.is_empty() {
        return Ok(vec![payload.clone()]);
    }
    let mut rest = payload.clone();
    let mut messages = Vec::with_capacity(lengths.len());
    for length in lengths {
        if *length > rest.len() {
            return Err(unfit_lengths(payload.len()));
        }
        messages.push(rest.split_to(*length));
    }
    if rest.is_empty() { Ok(messages) } else { Err(unfit_lengths(payload.len())) }
}

fn unfit_lengths(payload: usize) -> Fault {
    bad(format!("the lengths must add up to the payload's {payload} bytes"))
}

/// Takes what there is.
fn get_now(queue: &Queue, most: u32) -> Result<Option<Done>, Fault> {
    let mut payload = Vec::new();
    let mut taken = Vec::new();
    while taken.len() < most as usize && (taken.is_empty() || payload.len() < ENOUGH_BYTES) {
        match queue.try_get() {
            Ok(Some(message)) => {
                payload.extend_from_slice(&message.bytes);
                taken.push(described(&message));
            }
            Ok(None) => break,
            // What was taken is delivered first; the next request is told.
            Err(_) if !taken.is_empty() => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok((!taken.is_empty()).then(|| delivered(&taken, payload)))
}

/// Takes what there is, to be acknowledged.
fn get_leased(leases: &Leases, era: Era, queue: &Arc<Queue>, most: u32) -> Result<Option<Done>, Fault> {
    let mut payload = Vec::new();
    let mut taken = Vec::new();
    while taken.len() < most as usize && (taken.is_empty() || payload.len() < ENOUGH_BYTES) {
        let delivery = Delivery::try_new(Arc::clone(queue), |queue| queue.try_lease());
        let delivery = match delivery {
            Ok(delivery) => delivery,
            Err(_) if !taken.is_empty() => break,
            Err(error) => return Err(error.into()),
        };
        let Some(lease) = delivery.borrow_dependent() else { break };
        let (tag, redelivered) = (lease.tag(), lease.redelivered());
        payload.extend_from_slice(lease.bytes());
        let length = lease.bytes().len();
        let held = Held::new(queue.region(), Thing::Message(Mutex::new(Some(delivery))));
        let number = leases.add(era, held)?;
        taken.push(json!({"tag": tag.name(), "length": length, "redelivered": redelivered, "lease": number}));
    }
    Ok((!taken.is_empty()).then(|| delivered(&taken, payload)))
}

fn described(message: &Message) -> Value {
    json!({"tag": message.tag.name(), "length": message.bytes.len(), "redelivered": message.redelivered})
}

fn delivered(messages: &[Value], payload: Vec<u8>) -> Done {
    Done::of(json!({"messages": messages})).with(payload)
}
