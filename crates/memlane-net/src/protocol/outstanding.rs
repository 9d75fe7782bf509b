//! The client's half of exactly once: requests until they are answered.
//!
//! After a connection is lost, all of them are sent again, in order. When the host has forgotten the session, because
//! it was started anew or the client was away for too long, what only looks is asked again; of what would change
//! something and may have reached the old host, the outcome is unknown, and it is never sent again.

use bytes::Bytes;
use std::collections::BTreeMap;

use super::message::Frame;
use super::operation::{Operation, Request};

/// Requests until they are answered; `T` is whom to tell.
#[derive(Debug)]
pub struct Outstanding<T> {
    newest: u64,
    requests: BTreeMap<u64, Pending<T>>,
    /// How far the host has been told that answers arrived.
    told: u64,
}

#[derive(Debug)]
struct Pending<T> {
    operation: Operation,
    payload: Bytes,
    whom: T,
    /// Whether it may have reached the host, by whatever connection.
    sent: bool,
    /// Whether this connection is still to carry it.
    due: bool,
}

/// A request that is no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled<T> {
    /// What was asked.
    pub operation: Operation,
    /// Its payload.
    pub payload: Bytes,
    /// Whom to tell.
    pub whom: T,
    /// Whether it may have reached the host.
    pub sent: bool,
}

/// A number that asks for nothing: it stands for a request that is not wanted any more.
const NOTHING: Operation = Operation::Cancel { request: 0 };

impl<T> Default for Outstanding<T> {
    fn default() -> Self {
        Self { newest: 0, requests: BTreeMap::new(), told: 0 }
    }
}

impl<T> Outstanding<T> {
    /// How many requests count against what the host allows: from the oldest that is unanswered to the newest.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.newest - self.arrived()
    }

    /// Takes up a request; its number. It is [still to be sent](Self::unsent).
    pub fn begin(&mut self, operation: Operation, payload: Bytes, whom: T) -> u64 {
        self.newest += 1;
        self.requests.insert(self.newest, Pending { operation, payload, whom, sent: false, due: true });
        self.newest
    }

    /// Request `n` was answered: what it was, and whom to tell; nothing, when it was answered before.
    pub fn answered(&mut self, n: u64) -> Option<Settled<T>> {
        self.requests.remove(&n).map(Pending::settled)
    }

    /// Nobody waits for request `n` any more, and `whom` is told instead if an answer comes after all. What was never
    /// sent will never be done; what was sent is not sent again. Gives back whether it may have been done.
    pub fn withdraw(&mut self, n: u64, whom: T) -> bool {
        let Some(request) = self.requests.get_mut(&n) else { return false };
        let operation = std::mem::replace(&mut request.operation, NOTHING);
        request.payload = Bytes::new();
        request.whom = whom;
        request.sent && operation.is_remembered()
    }

    /// The oldest request that is unanswered.
    #[must_use]
    pub fn oldest(&self) -> Option<(u64, &Operation, &T)> {
        self.requests.first_key_value().map(|(n, request)| (*n, &request.operation, &request.whom))
    }

    /// Answers up to this one arrived.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        self.requests.first_key_value().map_or(self.newest, |(n, _)| n - 1)
    }

    /// How many answers the host keeps for us only because it has not been told.
    #[must_use]
    pub fn untold(&self) -> u64 {
        self.arrived() - self.told
    }

    /// The host is told now, as far as this.
    pub fn tell(&mut self) -> u64 {
        self.told = self.arrived();
        self.told
    }

    /// Whether something is still to be sent.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.requests.last_key_value().is_some_and(|(_, request)| request.due)
    }

    /// The frames of what is still to be sent, in order, as far as `most` may be in flight; from now on it counts as
    /// sent.
    pub fn unsent(&mut self, most: u64) -> Vec<Frame> {
        if !self.is_due() {
            return Vec::new();
        }
        let ack = self.tell();
        let due = self.requests.range_mut(..=ack + most).filter(|(_, request)| request.due);
        let frames = due.map(|(n, request)| {
            (request.sent, request.due) = (true, false);
            Frame::new(&Request { n: *n, ack, operation: request.operation.clone() }, &request.payload)
        });
        frames.collect()
    }

    /// The session goes on with a new connection: all that is unanswered is to be sent again. Subscriptions were the
    /// old connection's.
    pub fn resume(&mut self) {
        for request in self.requests.values_mut() {
            request.due = true;
            if matches!(request.operation, Operation::Unsubscribe { .. }) {
                request.operation = NOTHING;
            }
        }
    }

    /// The host has forgotten the session. Gives back what must not be asked again: what would change something and was
    /// sent, whose outcome is unknown, and what speaks of a lease, which ended. Everything else is to be sent, with new
    /// numbers: `renumbered` is told whom it is for, and the new one.
    pub fn restart(&mut self, mut renumbered: impl FnMut(&T, u64)) -> Vec<Settled<T>> {
        let old = std::mem::take(self);
        let mut given_up = Vec::new();
        let mut numbers = BTreeMap::new();
        for (n, request) in old.requests {
            if request.sent && request.operation.is_remembered() || request.operation.lease().is_some() {
                given_up.push(request.settled());
                continue;
            }
            let operation = match request.operation {
                // Of what is not there any more, and must not be mistaken for what has its number now.
                Operation::Cancel { request } => {
                    Operation::Cancel { request: numbers.get(&request).copied().unwrap_or(0) }
                }
                Operation::Unsubscribe { .. } => NOTHING,
                operation => operation,
            };
            let new = self.begin(operation, request.payload, request.whom);
            numbers.insert(n, new);
            renumbered(&self.requests[&new].whom, new);
        }
        given_up
    }

    /// All of which somebody has to tell that there will be no answer.
    pub fn give_up(&mut self) -> Vec<Settled<T>> {
        std::mem::take(&mut self.requests).into_values().map(Pending::settled).collect()
    }
}

impl<T> Pending<T> {
    fn settled(self) -> Settled<T> {
        let Self { operation, payload, whom, sent, .. } = self;
        Settled { operation, payload, whom, sent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::Message;
    use serde_json::json;

    const MOST: u64 = 256;

    fn add() -> Operation {
        Operation::Add { id: "a".into(), index: Vec::new(), by: json!(1) }
    }

    fn numbers(frames: &[Frame]) -> Vec<(u64, u64)> {
        let number = |frame: &Frame| {
            let Frame::Text(text) = frame else { panic!("there is no payload") };
            let request: Request = Message::from_text(text.clone()).unwrap().header().unwrap();
            (request.n, request.ack)
        };
        frames.iter().map(number).collect()
    }

    #[test]
    fn answers_are_acknowledged_up_to_the_first_gap() {
        let mut outstanding = Outstanding::default();
        for whom in 0..3 {
            outstanding.begin(add(), Bytes::new(), whom);
        }
        assert_eq!(numbers(&outstanding.unsent(MOST)), [(1, 0), (2, 0), (3, 0)]);
        let mut told = |n| outstanding.answered(n).map(|settled| settled.whom);
        assert_eq!(told(2), Some(1));
        assert_eq!((outstanding.arrived(), outstanding.in_flight()), (0, 3));
        let mut told = |n| outstanding.answered(n).map(|settled| settled.whom);
        assert_eq!((told(1), told(1)), (Some(0), None));
        assert_eq!((outstanding.untold(), outstanding.tell(), outstanding.untold()), (2, 2, 0));
    }

    #[test]
    fn a_session_that_goes_on_sends_again_what_is_unanswered() {
        let mut outstanding = Outstanding::default();
        for whom in 0..3 {
            outstanding.begin(add(), Bytes::new(), whom);
        }
        outstanding.unsent(MOST);
        outstanding.answered(1);
        outstanding.resume();
        assert_eq!(numbers(&outstanding.unsent(MOST)), [(2, 1), (3, 1)]);
        assert!(outstanding.unsent(MOST).is_empty());
    }

    #[test]
    fn a_host_that_forgot_leaves_changes_unknown() {
        let mut outstanding = Outstanding::default();
        outstanding.begin(add(), Bytes::new(), "sent");
        outstanding.begin(Operation::Status, Bytes::new(), "look");
        outstanding.unsent(MOST);
        outstanding.begin(add(), Bytes::new(), "not sent");
        let mut renumbered = Vec::new();
        let unknown = outstanding.restart(|whom, new| renumbered.push((*whom, new)));
        assert_eq!(unknown.into_iter().map(|unknown| unknown.whom).collect::<Vec<_>>(), ["sent"]);
        assert_eq!(renumbered, [("look", 1), ("not sent", 2)]);
        assert_eq!(numbers(&outstanding.unsent(MOST)), [(1, 0), (2, 0)]);
    }

    #[test]
    fn no_more_is_in_flight_than_the_host_allows() {
        let mut outstanding = Outstanding::default();
        for whom in 0..3 {
            outstanding.begin(add(), Bytes::new(), whom);
        }
        assert_eq!(numbers(&outstanding.unsent(2)), [(1, 0), (2, 0)]);
        assert!(outstanding.is_due() && outstanding.unsent(2).is_empty());
        outstanding.answered(1);
        assert_eq!(numbers(&outstanding.unsent(2)), [(3, 1)]);
        assert!(!outstanding.is_due());
    }

    #[test]
    fn what_was_sent_once_is_unknown_also_after_a_loss_between() {
        let mut outstanding = Outstanding::default();
        outstanding.begin(add(), Bytes::new(), ());
        outstanding.unsent(MOST);
        outstanding.resume();
        assert_eq!(outstanding.restart(|(), _| ()).len(), 1);
    }

    #[test]
    fn what_names_something_of_a_session_that_was_forgotten_is_not_sent_to_the_next() {
        let mut outstanding = Outstanding::default();
        outstanding.begin(Operation::Status, Bytes::new(), "first");
        outstanding.begin(add(), Bytes::new(), "add");
        outstanding.unsent(MOST);
        outstanding.begin(Operation::Release { lease: 1 }, Bytes::new(), "release");
        outstanding.begin(Operation::Cancel { request: 1 }, Bytes::new(), "cancel");
        outstanding.begin(Operation::Cancel { request: 2 }, Bytes::new(), "cancel");
        outstanding.begin(Operation::Unsubscribe { subscription: 1 }, Bytes::new(), "unsubscribe");
        let given_up = outstanding.restart(|_, _| ());
        assert_eq!(given_up.iter().map(|settled| settled.whom).collect::<Vec<_>>(), ["add", "release"]);
        let asked: Vec<_> = outstanding.give_up().into_iter().map(|settled| settled.operation).collect();
        assert_eq!(asked, [Operation::Status, Operation::Cancel { request: 1 }, NOTHING, NOTHING]);
    }

    #[test]
    fn a_request_that_is_withdrawn_keeps_its_number_and_asks_for_nothing() {
        let mut outstanding = Outstanding::default();
        outstanding.begin(add(), Bytes::new(), "caller");
        assert!(!outstanding.withdraw(1, "nobody"), "it was never sent");
        assert_eq!(outstanding.unsent(MOST), [Frame::new(&Request { n: 1, ack: 0, operation: NOTHING }, b"")]);
        outstanding.begin(add(), Bytes::new(), "caller");
        outstanding.unsent(MOST);
        assert!(outstanding.withdraw(2, "nobody"), "it may have been done");
        assert_eq!(outstanding.answered(2).map(|settled| settled.whom), Some("nobody"));
    }
}
