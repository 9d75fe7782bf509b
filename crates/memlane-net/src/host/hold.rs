//! A lock that belongs to a thread, held for a session: the thread does nothing but hold it.

use std::sync::mpsc;
use std::time::Duration;

use memlane::lock::OwnerDied;
use memlane::{Condition, Error, RLock, RwLock};
use tokio::sync::oneshot;

use super::threads::{Stop, StopOnDrop, Threads, stoppable};
use crate::protocol::fault::{self, Fault};

/// What is held.
#[derive(Debug)]
pub(crate) enum Bound {
    Rlock(RLock),
    /// For writing.
    Rwlock(RwLock),
}

/// The thread that holds it. Dropped, it is given back, as often as it is held.
#[derive(Debug)]
pub(crate) struct Hold {
    orders: mpsc::Sender<Order>,
}

type Reply<T> = oneshot::Sender<Result<T, Error>>;

#[derive(Debug)]
enum Order {
    Again(Reply<OwnerDied>),
    Release(Reply<()>),
    Abandon(Reply<()>),
    MakeConsistent(Reply<()>),
    Wait { condition: Condition, timeout: Option<Duration>, stop: Stop, reply: Reply<bool> },
}

impl Bound {
    fn take(&self, timeout: Option<Duration>) -> Result<OwnerDied, Error> {
        match self {
            Self::Rlock(lock) => lock.acquire(timeout),
            Self::Rwlock(lock) => lock.acquire_write(timeout),
        }
    }

    fn release(&self) -> Result<(), Error> {
        match self {
            Self::Rlock(lock) => lock.release(),
            Self::Rwlock(lock) => lock.release_write(),
        }
    }

    fn abandon(&self) -> Result<(), Error> {
        match self {
            Self::Rlock(lock) => lock.abandon(),
            Self::Rwlock(lock) => lock.abandon_write(),
        }
    }

    fn make_consistent(&self) -> Result<(), Error> {
        match self {
            Self::Rlock(lock) => lock.make_consistent(),
            Self::Rwlock(lock) => lock.make_consistent(),
        }
    }

    fn wait(&self, condition: &Condition, timeout: Option<Duration>) -> Result<bool, Error> {
        match self {
            Self::Rlock(lock) => {
                let mut guard = lock.adopt()?;
                let notified = condition.wait(&mut guard, timeout);
                // The hold is the thread's, not the guard's.
                std::mem::forget(guard);
                notified
            }
            Self::Rwlock(lock) => Err(Error::WrongKind {
                id: lock.region().id().into(),
                expected: "a lock or an rlock to wait with",
                found: "rwlock",
            }),
        }
    }
}

impl Hold {
    /// Takes it within `timeout`. Dropping the future takes nothing.
    pub(crate) async fn take(
        threads: &Threads,
        bound: Bound,
        timeout: Option<Duration>,
    ) -> Result<(Self, OwnerDied), Fault> {
        let (orders, received) = mpsc::channel();
        let (taken, outcome) = oneshot::channel();
        let stop = StopOnDrop::default();
        let waiting = stop.0.clone();
        threads.spawn(move || {
            let outcome = stoppable(&waiting, || bound.take(timeout));
            if outcome.is_err() {
                let _ = taken.send(outcome);
            } else if taken.send(outcome).is_err() {
                let _ = bound.release();
            } else {
                hold(&bound, &received);
            }
        })?;
        // Dropped before the outcome is looked at, the sender of orders is gone, and the thread gives it back.
        let owner_died = outcome.await.map_err(|_| gone())??;
        Ok((Self { orders }, owner_died))
    }

    /// Takes it once more, where that is possible.
    pub(crate) async fn again(&self) -> Result<OwnerDied, Fault> {
        self.order(Order::Again).await
    }

    pub(crate) async fn release(&self) -> Result<(), Fault> {
        self.order(Order::Release).await
    }

    pub(crate) async fn abandon(&self) -> Result<(), Fault> {
        self.order(Order::Abandon).await
    }

    /// [`Self::abandon`], by somebody who cannot wait until it is done.
    pub(crate) fn abandon_soon(&self) {
        let _ = self.orders.send(Order::Abandon(oneshot::channel().0));
    }

    pub(crate) async fn make_consistent(&self) -> Result<(), Fault> {
        self.order(Order::MakeConsistent).await
    }

    /// Waits for a condition with it; dropping the future ends the wait, and it is held again.
    pub(crate) async fn wait(&self, condition: Condition, timeout: Option<Duration>) -> Result<bool, Fault> {
        let stop = StopOnDrop::default();
        let waiting = stop.0.clone();
        self.order(|reply| Order::Wait { condition, timeout, stop: waiting, reply }).await
    }

    async fn order<T>(&self, order: impl FnOnce(Reply<T>) -> Order) -> Result<T, Fault> {
        let (reply, outcome) = oneshot::channel();
        self.orders.send(order(reply)).map_err(|_| gone())?;
        Ok(outcome.await.map_err(|_| gone())??)
    }
}

fn gone() -> Fault {
    Fault::new(fault::LEASE_ENDED, "it was given back already")
}

/// Until it was given back as often as it was taken.
fn hold(bound: &Bound, orders: &mpsc::Receiver<Order>) {
    let mut depth = 1;
    while depth > 0
        && let Ok(order) = orders.recv()
    {
        match order {
            Order::Again(reply) => {
                let outcome = bound.take(Some(Duration::ZERO));
                let is_taken = outcome.is_ok();
                match reply.send(outcome) {
                    Ok(()) => depth += u32::from(is_taken),
                    Err(_) if is_taken => drop(bound.release()),
                    Err(_) => {}
                }
            }
            Order::Release(reply) => {
                depth -= 1;
                let _ = reply.send(bound.release());
            }
            Order::Abandon(reply) => {
                depth -= 1;
                let _ = reply.send(bound.abandon());
            }
            Order::MakeConsistent(reply) => drop(reply.send(bound.make_consistent())),
            Order::Wait { condition, timeout, stop, reply } => {
                let _ = reply.send(stoppable(&stop, || bound.wait(&condition, timeout)));
            }
        }
    }
    for _ in 0..depth {
        let _ = bound.release();
    }
}
