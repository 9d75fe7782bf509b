//! A session: its requests in their order, each done once, and its answers to whatever connection it has now.
//!
//! Requests that are remembered belong to the session and go on while it has no connection; those that only look belong
//! to the connection, whose client asks them again. A newer connection takes over at once: from then on the older one
//! begins nothing.

use bytes::Bytes;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

use super::errand::Errand;
use super::lease::Leases;
use super::link::{Link, Whereabouts};
use super::outgoing::Outgoing;
use super::shared::Shared;
use crate::protocol::fault::{self, Fault};
use crate::protocol::hello::Access;
use crate::protocol::ledger::{Admission, Ledger};
use crate::protocol::operation::Operation;

/// How to end the waits of requests, by number.
pub(super) type Waits = HashMap<u64, oneshot::Sender<Fault>>;

/// What outlives a connection.
#[derive(Debug)]
pub(super) struct Session {
    /// As secret as the token.
    pub(super) id: String,
    /// What people call it.
    pub(super) name: String,
    pub(super) access: Access,
    pub(super) leases: Arc<Leases>,
    /// Answers may be recorded again.
    acknowledged: Notify,
    recorded_bytes: usize,
    /// Held while requests begin: those of an older connection before those of a newer.
    turn: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ledger: Ledger<Outgoing>,
    link: Option<Arc<Link>>,
    /// Counts connections, so that a timer knows whether it is about the one it was set for.
    visits: u64,
    /// Since when it has no connection.
    left: Option<Instant>,
    /// The grace time after the connection passed: what is held, is so no more.
    lapsed: bool,
    waits: Waits,
    client: String,
    from: SocketAddr,
    place: Whereabouts,
}

/// A request as it came.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) n: u64,
    /// The operation's name.
    pub(super) name: String,
    pub(super) operation: Result<Operation, Fault>,
    pub(super) payload: Bytes,
}

/// Why a conversation does not go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// The client said `bye`.
    Bye,
    /// A newer connection has the session.
    Displaced,
    /// The client broke the rules; if it is about a request, this was it.
    Refused(Option<u64>, Fault),
}

impl Session {
    pub(super) fn new(
        shared: &Shared,
        id: String,
        name: String,
        link: Arc<Link>,
        access: Access,
    ) -> Arc<Self> {
        let limits = &shared.limits;
        let state = State {
            ledger: Ledger::new(limits.requests_in_flight),
            client: link.client.clone(),
            from: link.from,
            place: link.place.clone(),
            link: Some(link),
            visits: 1,
            left: None,
            lapsed: false,
            waits: Waits::new(),
        };
        Arc::new(Self {
            id,
            name,
            access,
            leases: Arc::default(),
            acknowledged: Notify::new(),
            recorded_bytes: limits.recorded_bytes,
            turn: Mutex::default(),
            state: Mutex::new(state),
        })
    }

    /// Begins what is asked, after all that was begun before, and does as much of it as needs no wait.
    pub(super) fn begin(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        link: &Arc<Link>,
        asked: Asked,
        context: &mut Context<'_>,
    ) -> Result<(), Stop> {
        let _turn = self.turn();
        let Asked { n, name, mut operation, payload } = asked;
        let remembered = operation.as_ref().is_ok_and(Operation::is_remembered);
        if !self.admit(link, n, remembered)? {
            return Ok(());
        }
        if remembered && !self.may_record() {
            let message =
                format!("{} bytes of answers are unacknowledged; acknowledge them first", self.recorded());
            operation = Err(Fault::new(fault::LIMIT, message));
        }
        let id = operation.as_ref().ok().and_then(Operation::id).map(Into::into);
        let (shared, session, link) = (shared.clone(), self.clone(), link.clone());
        Errand { shared, session, link, n, name, id, remembered }.begin(operation, payload, context)
    }

    /// Whether request `n` is to be done.
    fn admit(&self, link: &Arc<Link>, n: u64, remembered: bool) -> Result<bool, Stop> {
        let mut state = self.state();
        if !state.has(link) {
            return Err(Stop::Displaced);
        }
        let refused = |code, message| Err(Stop::Refused(Some(n), Fault::new(code, message)));
        match state.ledger.admit(n, remembered) {
            Admission::Do => Ok(true),
            Admission::Underway => Ok(false),
            Admission::Done(answer) => {
                link.outbox.push(answer);
                Ok(false)
            }
            Admission::Unexpected { expected } => {
                refused(fault::MALFORMED, format!("request {n} came, but the next one is {expected}"))
            }
            Admission::TooMany => refused(
                fault::LIMIT,
                "too many requests are unanswered or unacknowledged; the welcome says how many may be".into(),
            ),
        }
    }

    /// Sends an answer, and remembers it if it is to be.
    pub(super) fn answer(&self, link: &Link, n: u64, remembered: bool, answer: Outgoing) {
        let mut state = self.state();
        state.ledger.answered(n, &answer, answer.len());
        state.waits.remove(&n);
        if !remembered {
            link.outbox.push(answer);
        } else if let Some(link) = &state.link {
            link.outbox.push(answer);
        }
        if state.lapsed {
            // It was done just as the grace time passed.
            drop(state);
            self.leases.end();
        }
    }

    /// How the wait of remembered request `n` can be ended.
    pub(super) fn waits(&self, n: u64, stop: oneshot::Sender<Fault>) {
        self.state().waits.insert(n, stop);
    }

    /// Ends the wait of request `n`, if it waits.
    pub(super) fn stop(&self, n: u64, fault: Fault) {
        let stop = self.state().waits.remove(&n);
        if let Some(stop) = stop {
            let _ = stop.send(fault);
        }
    }

    /// Answers up to `n` arrived.
    pub(super) fn acknowledge(&self, n: u64) {
        self.state().ledger.acknowledge(n);
        self.acknowledged.notify_waiters();
    }

    /// Whether another answer may be recorded.
    pub(super) fn may_record(&self) -> bool {
        self.recorded() < self.recorded_bytes
    }

    /// Until another answer may be recorded.
    pub(super) async fn room(&self) {
        loop {
            let acknowledged = self.acknowledged.notified();
            if self.may_record() {
                return;
            }
            acknowledged.await;
        }
    }

    fn recorded(&self) -> usize {
        self.state().ledger.bytes()
    }

    /// Goes on with a new connection, which displaces the one it had.
    pub(super) fn attach(&self, link: Arc<Link>) {
        let mut state = self.state();
        state.visits += 1;
        state.left = None;
        state.lapsed = false;
        state.client.clone_from(&link.client);
        state.from = link.from;
        state.place = link.place.clone();
        if let Some(older) = state.link.replace(link) {
            older.cut.notify_one();
        }
    }

    /// Its connection is gone. Which visit it was, unless a newer connection has it.
    pub(super) fn detach(&self, link: &Arc<Link>) -> Option<u64> {
        let mut state = self.state();
        if !state.has(link) {
            return None;
        }
        state.link = None;
        state.left = Some(Instant::now());
        Some(state.visits)
    }

    /// Gives back what it holds and ends its waits, if it is away since that visit.
    pub(super) fn lapse(&self, visit: u64) -> bool {
        let message =
            "the session was without a connection for longer than the grace time; nothing was taken";
        self.let_go(&Fault::new(fault::LEASE_ENDED, message), |state| state.is_away_since(visit))
    }

    /// Gives back what it holds and ends its waits.
    pub(super) fn end(&self, fault: &Fault) {
        self.let_go(fault, |_| true);
    }

    fn let_go(&self, fault: &Fault, is_due: impl FnOnce(&State) -> bool) -> bool {
        // A connection that comes now begins nothing before all is given back.
        let _turn = self.turn();
        let waits = {
            let mut state = self.state();
            if !is_due(&state) {
                return false;
            }
            state.lapsed = true;
            std::mem::take(&mut state.waits)
        };
        for stop in waits.into_values() {
            let _ = stop.send(fault.clone());
        }
        self.leases.end();
        true
    }

    /// Whether no connection came after that visit, which is over.
    pub(super) fn is_away_since(&self, visit: u64) -> bool {
        self.state().is_away_since(visit)
    }

    /// For how long it has had no connection.
    pub(super) fn away(&self) -> Option<Duration> {
        self.state().left.map(|left| left.elapsed())
    }

    /// Its connection, if it has one.
    pub(super) fn link(&self) -> Option<Arc<Link>> {
        self.state().link.clone()
    }

    /// The client's name for itself, and from where it came last.
    pub(super) fn client(&self) -> (String, SocketAddr) {
        let state = self.state();
        (state.client.clone(), state.from)
    }

    /// Where it is, or was.
    pub(super) fn place(&self) -> Whereabouts {
        self.state().place.clone()
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has(&self, link: &Arc<Link>) -> bool {
        self.link.as_ref().is_some_and(|mine| Arc::ptr_eq(mine, link))
    }

    fn is_away_since(&self, visit: u64) -> bool {
        self.link.is_none() && self.visits == visit
    }
}
