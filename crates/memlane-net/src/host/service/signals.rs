//! Semaphores, events, conditions and barriers.

use std::sync::Arc;

use memlane::{Barrier, Error, Kind};
use serde_json::json;
use tokio::sync::oneshot;

use super::locks::away;
use super::{Attached, Done, Outcome, Patience, Service, bad};
use crate::host::lease::{Held, Leases, Thing};
use crate::host::threads::{StopOnDrop, stoppable};
use crate::protocol::fault::Fault;

impl Service {
    pub(super) async fn acquire(
        &self,
        leases: &Leases,
        id: &str,
        count: u32,
        timeout: Option<f64>,
    ) -> Outcome {
        let (era, patience) = (leases.era(), Patience::new(timeout)?);
        let handle = self.handle(id)?;
        match handle.attached()? {
            Attached::Semaphore(semaphore) => {
                let enough = semaphore.enough(count)?;
                let attempt = || Ok(semaphore.try_take(count)?.then_some(()));
                let thing = || Ok(Box::new(enough.clone()) as _);
                let taken = async {
                    let taken = self.until(&patience, attempt, thing).await?;
                    taken.ok_or_else(|| handle.timed_out("permits", &patience))?;
                    let held = Held::new(semaphore.region(), Thing::Permits(semaphore.clone(), count));
                    Ok(Done::of(json!({"lease": leases.add(era, held)?})))
                };
                tokio::select! {
                    biased;
                    taken = taken => taken,
                    () = leases.over(era) => {
                        Err(crate::host::lease::ended("the session was away for too long"))
                    }
                }
            }
            Attached::Signal(_) if count != 1 => {
                Err(bad(format!("a semaphore of signals gives one token at a time, found the count {count}")))
            }
            Attached::Signal(semaphore) => {
                let attempt = || Ok(semaphore.try_acquire().then_some(()));
                let thing = || Ok(Box::new(semaphore.clone()) as _);
                let taken = self.until(&patience, attempt, thing).await?;
                taken.ok_or_else(|| handle.timed_out("a token", &patience))?;
                Ok(Done::default())
            }
            _ => Err(handle.wrong_kind("semaphore")),
        }
    }

    pub(super) fn raise(&self, id: &str, count: u32) -> Outcome {
        let handle = self.handle(id)?;
        match handle.attached()? {
            Attached::Signal(semaphore) => semaphore.release(count)?,
            Attached::Semaphore(_) => {
                return Err(bad("only a semaphore of signals is raised: release the lease of permits"));
            }
            _ => return Err(handle.wrong_kind("semaphore")),
        }
        Ok(Done::default())
    }

    pub(super) fn set(&self, id: &str) -> Outcome {
        let handle = self.handle(id)?;
        let Attached::Event(event) = handle.attached()? else { return Err(handle.wrong_kind("event")) };
        event.set();
        Ok(Done::default())
    }

    pub(super) fn clear(&self, id: &str) -> Outcome {
        let handle = self.handle(id)?;
        let Attached::Event(event) = handle.attached()? else { return Err(handle.wrong_kind("event")) };
        Ok(Done::of(json!({"was": event.clear()})))
    }

    pub(super) async fn await_event(&self, id: &str, timeout: Option<f64>) -> Outcome {
        let patience = Patience::new(timeout)?;
        let handle = self.handle(id)?;
        let Attached::Event(event) = handle.attached()? else { return Err(handle.wrong_kind("event")) };
        let attempt = || Ok(event.try_wait().then_some(()));
        let is_set = self.until(&patience, attempt, || Ok(Box::new(event.clone()) as _)).await?;
        is_set.ok_or_else(|| handle.timed_out("the event", &patience))?;
        Ok(Done::default())
    }

    pub(super) async fn condition_wait(
        &self,
        leases: &Leases,
        id: &str,
        lease: u64,
        timeout: Option<f64>,
    ) -> Outcome {
        let patience = Patience::new(timeout)?;
        let handle = self.handle(id)?;
        let Attached::Condition(condition) = handle.attached()? else {
            return Err(handle.wrong_kind("condition"));
        };
        let held = leases.get(lease)?;
        let (condition, timeout) = (condition.clone(), patience.left());
        let notified = held.while_held(async {
            match &held.thing {
                Thing::Thread(hold, _) => hold.wait(condition, timeout).await,
                Thing::Lock(..) => {
                    let held = Arc::clone(&held);
                    self.in_thread(move || match &held.thing {
                        Thing::Lock(lock, absence) => {
                            away(lock, absence, |guard| condition.wait(guard, timeout))
                        }
                        _ => Ok(false),
                    })
                    .await
                }
                _ => Err(bad("the lease must be one of a lock or an rlock")),
            }
        });
        Ok(Done::of(json!({"notified": notified.await?})))
    }

    pub(super) fn notify(&self, id: &str, count: Option<u32>) -> Outcome {
        let handle = self.handle(id)?;
        let Attached::Condition(condition) = handle.attached()? else {
            return Err(handle.wrong_kind("condition"));
        };
        let count = count.map_or(usize::MAX, |count| count as usize);
        Ok(Done::of(json!({"notified": condition.notify(count)})))
    }

    /// Who no longer wants to meet breaks the barrier, as one whose time is up does.
    pub(super) async fn meet(&self, id: &str, timeout: Option<f64>) -> Outcome {
        let patience = Patience::new(timeout)?;
        let barrier = self.barrier(id)?;
        let timeout = patience.left();
        let index = self.in_thread(move || barrier.wait(timeout)).await?;
        Ok(Done::of(json!({"index": index})))
    }

    pub(super) fn abort(&self, id: &str) -> Outcome {
        self.barrier(id)?.abort();
        Ok(Done::default())
    }

    pub(super) fn reset(&self, id: &str) -> Outcome {
        self.barrier(id)?.reset()?;
        Ok(Done::default())
    }

    /// Taking part only as long as somebody meets: the host's death is not to break what it has no part in.
    fn barrier(&self, id: &str) -> Result<Barrier, Fault> {
        let handle = self.handle(id)?;
        if handle.kind() != Kind::Barrier {
            return Err(handle.wrong_kind("barrier"));
        }
        Ok(Barrier::open(&self.space, id)?)
    }

    /// Waits in a thread of its own; dropping the future ends the wait there.
    async fn in_thread<T: Send + 'static>(
        &self,
        wait: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let (reply, outcome) = oneshot::channel();
        let stop = StopOnDrop::default();
        let waiting = stop.0.clone();
        self.threads.spawn(move || drop(reply.send(stoppable(&waiting, wait))))?;
        let outcome = outcome.await.map_err(|_| Fault::new("system", "the thread that waited is gone"))?;
        Ok(outcome?)
    }
}
