//! Locks. A plain lock and a read lock are held for the process, and no thread has to; an rlock, and an rwlock to
//! write, are held by a thread of their own.
//!
//! Sessions contend like processes. A session is as many threads as its client has: taking a plain lock or an rwlock
//! twice waits until the first hold is given back or time is up, and is not told that it would wait for itself, since
//! another thread of the client may give it back. An rlock belongs to its session: taken again it is held once more,
//! and each hold has a lease.

use std::sync::{Arc, Mutex};

use memlane::lock::OwnerDied;
use memlane::{Error, Kind, Lock};
use serde_json::json;

use super::{Attached, Done, Handle, Outcome, Patience, Service};
use crate::force_release::{Decision, Unfreed, force_release};
use crate::host::hold::{Bound, Hold};
use crate::host::lease::{Absence, Era, Held, How, Leases, Thing, give_lock_back};
use crate::protocol::fault::Fault;
use crate::protocol::operation::Mode;

impl Service {
    pub(super) async fn lock(&self, leases: &Leases, id: &str, mode: Mode, timeout: Option<f64>) -> Outcome {
        let (era, patience) = (leases.era(), Patience::new(timeout)?);
        let handle = self.handle(id)?;
        let taken = async {
            match (handle.attached()?, mode) {
                (Attached::Rwlock(_), Mode::Shared) => {
                    self.lock_shared(leases, era, &handle, &patience).await
                }
                (_, Mode::Shared) => Err(handle.wrong_kind("an rwlock, which can be shared")),
                (Attached::Rwlock(lock), Mode::Exclusive) => {
                    let bound = Bound::Rwlock(lock.clone());
                    self.lock_in_thread(leases, era, &handle, bound, &patience).await
                }
                (Attached::Rlock(lock), Mode::Exclusive) => {
                    let bound = Bound::Rlock(lock.clone());
                    self.lock_in_thread(leases, era, &handle, bound, &patience).await
                }
                _ => self.lock_plain(leases, era, &handle, &patience).await,
            }
        };
        tokio::select! {
            biased;
            taken = taken => taken,
            () = leases.over(era) => Err(crate::host::lease::ended("the session was away for too long")),
        }
    }

    async fn lock_plain(&self, leases: &Leases, era: Era, handle: &Handle, patience: &Patience) -> Outcome {
        let region = handle.attached()?.region().clone();
        let lock = region.lock();
        let mut refused = None;
        let attempt = || at_once(lock.detached().acquire(Some(std::time::Duration::ZERO)), &mut refused);
        let thing = || Ok(Box::new(lock.clone()) as _);
        let OwnerDied(owner_died) =
            self.until(patience, attempt, thing).await?.ok_or_else(|| in_vain(refused, patience, handle))?;
        let inconsistent = lock.is_inconsistent();
        let thing = Thing::Lock(lock, Mutex::new(Absence::Present));
        let lease = leases.add(era, Held::new(&region, thing))?;
        Ok(answer(lease, owner_died, inconsistent))
    }

    async fn lock_shared(&self, leases: &Leases, era: Era, handle: &Handle, patience: &Patience) -> Outcome {
        let Attached::Rwlock(lock) = handle.attached()? else { return Err(handle.wrong_kind("an rwlock")) };
        let mut refused = None;
        let attempt = || at_once(lock.acquire_read(Some(std::time::Duration::ZERO)), &mut refused);
        let thing = || Ok(Box::new(lock.clone()) as _);
        let OwnerDied(owner_died) =
            self.until(patience, attempt, thing).await?.ok_or_else(|| in_vain(refused, patience, handle))?;
        let lease = leases.add(era, Held::new(lock.region(), Thing::Reading(lock.clone())))?;
        Ok(answer(lease, owner_died, lock.is_inconsistent()))
    }

    async fn lock_in_thread(
        &self,
        leases: &Leases,
        era: Era,
        handle: &Handle,
        bound: Bound,
        patience: &Patience,
    ) -> Outcome {
        let region = handle.attached()?.region().clone();
        let is_rlock = handle.kind() == Kind::Rlock;
        let uuid = handle.uuid();
        let mine = leases.find(|held| held.uuid == uuid && matches!(held.thing, Thing::Thread(..)));
        if let Some((_, held)) = mine.filter(|_| is_rlock)
            && let Thing::Thread(hold, name) = &held.thing
            && let Ok(OwnerDied(owner_died)) = hold.again().await
        {
            let again = Held::new(&region, Thing::Thread(Arc::clone(hold), name));
            let lease = leases.add(era, again)?;
            return Ok(answer(lease, owner_died, region.lock().is_inconsistent()));
        }
        let name = if is_rlock { "rlock" } else { "write lock" };
        let (hold, OwnerDied(owner_died)) = Hold::take(&self.threads, bound, patience.left()).await?;
        let lease = leases.add(era, Held::new(&region, Thing::Thread(Arc::new(hold), name)))?;
        Ok(answer(lease, owner_died, region.lock().is_inconsistent()))
    }

    pub(super) async fn release(&self, leases: &Leases, lease: u64) -> Outcome {
        let held = leases.take(lease)?;
        match &held.thing {
            Thing::Lock(lock, absence) => give_lock_back(lock, absence, How::Done)?,
            Thing::Thread(hold, _) => hold.release().await?,
            Thing::Reading(lock) => lock.release_read()?,
            Thing::Permits(semaphore, count) => semaphore.release(*count)?,
            _ => held.give_back(How::Done),
        }
        Ok(Done::default())
    }

    pub(super) async fn abandon(&self, leases: &Leases, lease: u64) -> Outcome {
        only_locks(&*leases.get(lease)?)?;
        let held = leases.take(lease)?;
        match &held.thing {
            Thing::Lock(lock, absence) => give_lock_back(lock, absence, How::Died)?,
            Thing::Thread(hold, _) => hold.abandon().await?,
            _ => held.give_back(How::Died),
        }
        Ok(Done::default())
    }

    pub(super) async fn force_release(&self, id: String, decision: Decision) -> Outcome {
        self.aside(move |space| {
            let freed = force_release(space, &id, decision)?;
            Ok::<_, Unfreed>(Done::of(json!({"was": freed.was, "killed": freed.killed})))
        })
        .await
    }

    pub(super) async fn make_consistent(&self, leases: &Leases, lease: u64) -> Outcome {
        let held = leases.get(lease)?;
        match &held.thing {
            Thing::Lock(lock, _) => lock.detached().make_consistent()?,
            Thing::Thread(hold, _) => hold.make_consistent().await?,
            _ => only_locks(&held)?,
        }
        Ok(Done::default())
    }
}

fn only_locks(held: &Held) -> Result<(), Fault> {
    if held.is_lock() {
        return Ok(());
    }
    Err(super::bad(format!("the lease is of `{}`, and not a lock held for changing", held.id)))
}

/// What was to be had at once; why not is noted.
fn at_once(
    taken: memlane::Result<OwnerDied>,
    refused: &mut Option<Error>,
) -> Result<Option<OwnerDied>, Fault> {
    match taken {
        Ok(owner_died) => Ok(Some(owner_died)),
        Err(error @ Error::LockTimeout { .. }) => {
            *refused = Some(error);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The last refusal, which names who holds it, with how long it was waited for.
fn in_vain(refused: Option<Error>, patience: &Patience, handle: &Handle) -> Fault {
    match refused {
        Some(Error::LockTimeout { id, what, holder, .. }) => {
            Error::LockTimeout { id, what, holder, waited: patience.waited() }.into()
        }
        _ => handle.timed_out("the lock", patience),
    }
}

fn answer(lease: u64, owner_died: bool, inconsistent: bool) -> Done {
    Done::of(json!({"lease": lease, "owner_died": owner_died, "inconsistent": inconsistent}))
}

/// Gives a plain lock back for a while, and takes it again, whatever becomes of the lease meanwhile.
pub(super) fn away<T>(
    lock: &Lock,
    absence: &Mutex<Absence>,
    while_away: impl FnOnce(&mut memlane::lock::Detached<'_>) -> memlane::Result<T>,
) -> memlane::Result<T> {
    use crate::host::watcher::locked;
    {
        let mut absence = locked(absence);
        if *absence != Absence::Present {
            return Err(Error::NotOwner {
                id: lock.region().id().into(),
                holder: "the lease waits already".into(),
            });
        }
        *absence = Absence::Away;
    }
    let done = while_away(&mut lock.detached());
    let mut absence = locked(absence);
    if *absence == Absence::Ended {
        // Nothing was changed since it was taken again.
        let _ = lock.detached().release();
    } else {
        *absence = Absence::Present;
    }
    done
}
