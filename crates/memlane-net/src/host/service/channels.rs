//! Frame channels and streams: publishing by a lease, and records.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use memlane::{Error, FramePublisher, Kind, StreamPublisher};
use serde_json::json;

use super::{Attached, Done, Handle, Outcome, Patience, Service, bad};
use crate::host::lease::{Held, Leases, Thing, ended};
use crate::host::watcher::locked;
use crate::protocol::fault::Fault;

/// No more bytes of records in one answer.
const ENOUGH_BYTES: usize = 16 << 20;
/// Milliseconds between two looks at readers that a lossless stream waits for.
const STALLED_REST: u32 = 2;

impl Service {
    pub(super) fn publish(&self, leases: &Leases, id: &str, payload: &[u8]) -> Outcome {
        let era = leases.era();
        let handle = self.handle(id)?;
        if handle.kind() != Kind::Frames {
            return Err(handle.wrong_kind("frames"));
        }
        let (lease, held) = match mine(leases, &handle) {
            Some(mine) => mine,
            None => {
                let publisher = FramePublisher::open(&self.space, id)?;
                let region = publisher.region().clone();
                let thing = Thing::Frames(Mutex::new(Some(publisher)));
                let lease = leases.add(era, Held::new(&region, thing))?;
                (lease, leases.get(lease)?)
            }
        };
        let Thing::Frames(publisher) = &held.thing else { return Err(handle.wrong_kind("frames")) };
        let mut publisher = locked(publisher);
        let mut loan = publisher.as_mut().ok_or_else(|| ended("somebody else may publish now"))?.loan()?;
        loan.set_len(payload.len())?;
        if let Some(room) = loan.get_mut(..payload.len()) {
            room.copy_from_slice(payload);
        }
        Ok(Done::of(json!({"sequence": loan.publish(), "lease": lease})))
    }

    /// Of a lossless stream it waits as long as its readers live.
    pub(super) async fn append(&self, leases: &Leases, id: &str, payload: &[u8]) -> Outcome {
        let era = leases.era();
        let handle = self.handle(id)?;
        if handle.kind() != Kind::Stream {
            return Err(handle.wrong_kind("stream"));
        }
        let (lease, held) = match mine(leases, &handle) {
            Some(mine) => mine,
            None => {
                let publisher = StreamPublisher::open(&self.space, id)?.patience(Some(Duration::ZERO));
                let region = publisher.region().clone();
                let thing = Thing::Stream(Mutex::new(Some(publisher)));
                let lease = leases.add(era, Held::new(&region, thing))?;
                (lease, leases.get(lease)?)
            }
        };
        let first = held.while_held(append_all(&handle, &held, payload)).await?;
        Ok(Done::of(json!({"first": first, "lease": lease})))
    }

    pub(super) fn records(&self, id: &str, since: Option<u64>, most: u32) -> Outcome {
        let handle = self.handle(id)?;
        if handle.kind() != Kind::Stream {
            return Err(handle.wrong_kind("stream"));
        }
        let size = handle.observer.description().schema.as_ref().map_or(1, |schema| schema.size()).max(1);
        let most = u64::from(most).min((ENOUGH_BYTES / size).max(1) as u64);
        let published = handle.observer.version();
        let first = since.unwrap_or_else(|| published.saturating_sub(most));
        // Nothing is lost of what nobody asked for, nor of what is still to come.
        let records = if first >= published || most == 0 {
            memlane::stream::Records::default()
        } else {
            records_from(&handle, first, most)?
        };
        let (first, lost) = if records.is_empty() {
            (first.max(records.first), records.lost)
        } else {
            (records.first, since.map_or(0, |_| records.lost))
        };
        let fields = json!({"first": first, "count": records.len(), "lost": lost, "record_size": size});
        Ok(Done::of(fields).with(records.bytes))
    }
}

/// Records that are there from number `first` on.
pub(crate) fn records_from(
    handle: &Handle,
    first: u64,
    most: u64,
) -> Result<memlane::stream::Records, Fault> {
    match handle.attached() {
        Ok(Attached::Stream(subscriber, _)) => {
            let subscriber = locked(subscriber);
            subscriber.seek(first);
            Ok(subscriber.try_next_many(usize::try_from(most).unwrap_or(usize::MAX)))
        }
        // Without the right to take part.
        _ => Ok(handle.observer.records(first, most)?),
    }
}

/// The session's own right to publish there.
fn mine(leases: &Leases, handle: &Handle) -> Option<(u64, Arc<Held>)> {
    let uuid = handle.uuid();
    leases.find(|held| held.uuid == uuid && matches!(held.thing, Thing::Frames(_) | Thing::Stream(_)))
}

async fn append_all(handle: &Handle, held: &Held, payload: &[u8]) -> Result<u64, Fault> {
    let Thing::Stream(publisher) = &held.thing else { return Err(handle.wrong_kind("stream")) };
    let schema = handle.observer.description().schema.as_ref();
    let size = schema.map_or(1, |schema| schema.size()).max(1);
    if !payload.len().is_multiple_of(size) {
        return Err(bad(format!("expected records of {size} bytes each, found {} bytes", payload.len())));
    }
    let forever = Patience::new(None)?;
    let mut first = None;
    let mut rest = payload;
    loop {
        {
            let mut publisher = locked(publisher);
            let publisher = publisher.as_mut().ok_or_else(|| ended("somebody else may publish now"))?;
            let begin = publisher.published();
            first.get_or_insert(begin);
            // As much as becomes visible in one step, so that it is known how much was published.
            let batch = size * (publisher.capacity() / 8).max(1) as usize;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(batch.min(rest.len()));
                match publisher.append_many(now) {
                    Ok(_) => rest = later,
                    Err(Error::ReaderStalls { .. }) => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        match first {
            Some(first) if rest.is_empty() => return Ok(first),
            _ => forever.rest(STALLED_REST).await,
        }
    }
}
