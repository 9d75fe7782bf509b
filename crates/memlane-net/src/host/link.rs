//! A session's present connection: what belongs to it and ends with it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

use serde_json::{Map, Value};

use super::conversation::Peer;
use super::outbox::Outbox;
use super::outgoing::Outgoing;
use super::session::Waits;
use super::shared::Shared;
use super::subscription::Subscription;
use crate::protocol::event::{Credit, DEFAULT_WINDOW, End, Event, Window};
use crate::protocol::fault::{self, Fault};
use crate::protocol::operation::Operation;

/// A connection whose client was let in.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) outbox: Arc<Outbox>,
    pub(super) from: SocketAddr,
    /// What the client calls itself.
    pub(super) client: String,
    /// It is on this machine and talks to the host directly.
    pub(super) local: bool,
    /// What the client was told of where it is.
    pub(super) place: Whereabouts,
    /// A newer connection has the session.
    pub(super) cut: Notify,
    waits: Mutex<Waits>,
    numbers: AtomicU64,
    subscriptions: Mutex<HashMap<u64, Delivered>>,
}

/// Whether a client may use the memory itself, and why.
#[derive(Debug, Clone)]
pub(super) struct Whereabouts {
    pub(super) local: bool,
    pub(super) why: String,
}

/// A subscription being delivered.
#[derive(Debug)]
struct Delivered {
    pace: Arc<Pace>,
    task: AbortHandle,
}

/// How many events are on the way, and whether more may be.
#[derive(Debug)]
struct Pace {
    window: Mutex<Window>,
    credited: Notify,
}

impl Link {
    pub(super) fn new(outbox: Arc<Outbox>, peer: &Peer, client: String, place: Whereabouts) -> Arc<Self> {
        Arc::new(Self {
            outbox,
            from: peer.ends.client,
            client,
            local: peer.is_local(),
            place,
            cut: Notify::new(),
            waits: Mutex::default(),
            numbers: AtomicU64::new(0),
            subscriptions: Mutex::default(),
        })
    }

    /// How the wait of request `n`, which only looks, can be ended.
    pub(super) fn waits(&self, n: u64, stop: oneshot::Sender<Fault>) {
        self.locked_waits().insert(n, stop);
    }

    /// Request `n`, which only looks, waits no more.
    pub(super) fn answered(&self, n: u64) {
        self.locked_waits().remove(&n);
    }

    /// Ends the wait of request `n`, if it waits.
    pub(super) fn stop(&self, n: u64, fault: Fault) {
        let stop = self.locked_waits().remove(&n);
        if let Some(stop) = stop {
            let _ = stop.send(fault);
        }
    }

    /// Ends what belongs to this connection.
    pub(super) fn end(&self) {
        self.locked_waits().clear();
        self.delivered().drain().for_each(|(_, delivered)| delivered.task.abort());
    }

    /// How many subscriptions it has.
    pub(super) fn subscriptions(&self) -> usize {
        self.delivered().len()
    }

    /// Whether there may be another subscription.
    pub(super) fn may_subscribe(&self, most: usize) -> Result<(), Fault> {
        if self.subscriptions() < most {
            return Ok(());
        }
        Err(Fault::new(
            fault::LIMIT,
            format!("this connection has {most} subscriptions, and may have no more"),
        ))
    }

    pub(super) fn next_subscription(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed) + 1
    }

    /// Delivers what is new, as fast as the client takes it.
    pub(super) fn deliver(
        self: &Arc<Self>,
        shared: Arc<Shared>,
        number: u64,
        operation: &Operation,
        subscription: Subscription,
    ) {
        let size = match operation {
            Operation::Subscribe { delivery, .. } => delivery.window,
            _ => None,
        };
        let window = Mutex::new(Window::new(size.unwrap_or(DEFAULT_WINDOW)));
        let pace = Arc::new(Pace { window, credited: Notify::new() });
        let delivery = {
            let (link, pace) = (Arc::downgrade(self), pace.clone());
            let outbox = self.outbox.clone();
            async move {
                let end = deliver_all(&shared, &outbox, &pace, number, subscription).await;
                outbox.push(Outgoing::message(&End { subscription: number, end }, bytes::Bytes::new()));
                if let Some(link) = link.upgrade() {
                    link.delivered().remove(&number);
                }
            }
        };
        // Locked until it is in the list, so that a delivery that ends at once finds itself there.
        let mut delivered = self.delivered();
        let task = tokio::spawn(delivery).abort_handle();
        delivered.insert(number, Delivered { pace, task });
    }

    /// Ends a subscription.
    pub(super) fn unsubscribe(&self, number: u64) -> Result<(), Fault> {
        let delivered = self.delivered().remove(&number);
        let missing = || Fault::new("not_found", format!("this connection has no subscription {number}"));
        delivered.map(|delivered| delivered.task.abort()).ok_or_else(missing)
    }

    /// The client has dealt with events.
    pub(super) fn credit(&self, credits: &[Credit]) {
        let delivered = self.delivered();
        for credit in credits {
            if let Some(Delivered { pace, .. }) = delivered.get(&credit.subscription) {
                pace.window().credit(credit.event);
                pace.credited.notify_one();
            }
        }
    }

    fn locked_waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivered(&self) -> MutexGuard<'_, HashMap<u64, Delivered>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    /// Until another event may be sent.
    async fn opened(&self) {
        while !self.window().is_open() {
            self.credited.notified().await;
        }
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Delivers until the subscription ends; why it did.
async fn deliver_all(
    shared: &Shared,
    outbox: &Outbox,
    pace: &Pace,
    number: u64,
    mut subscription: Subscription,
) -> Fault {
    loop {
        pace.opened().await;
        outbox.room().await;
        let (mut body, payload) = match subscription.next().await {
            Ok(news) => news,
            Err(fault) => return fault,
        };
        if shared.gate.conceal(&mut body) && says_nothing(&body) {
            continue;
        }
        shared.metrics.delivered(left_out(&body));
        let event = pace.window().send();
        outbox.push(Outgoing::message(&Event { subscription: number, event, body }, payload));
    }
}

/// Whether all the rows of a `watch` were taken out.
fn says_nothing(body: &Map<String, Value>) -> bool {
    body.values().all(|rows| rows.as_array().is_some_and(Vec::is_empty))
}

/// Frames or records that the client did not get.
fn left_out(body: &Map<String, Value>) -> u64 {
    let count = |name| body.get(name).and_then(Value::as_u64).unwrap_or(0);
    count("missed") + count("lost")
}
