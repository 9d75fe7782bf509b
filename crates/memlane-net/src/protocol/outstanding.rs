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
    sent: bool,
}

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
        self.requests.insert(self.newest, Pending { operation, payload, whom, sent: false });
        self.newest
    }

    /// Whom to tell the answer to request `n`; nobody, when it was answered before.
    pub fn answered(&mut self, n: u64) -> Option<T> {
        self.requests.remove(&n).map(|request| request.whom)
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

    /// The frames of what is still to be sent, in order; from now on it counts as sent.
    pub fn unsent(&mut self) -> Vec<Frame> {
        let ack = self.tell();
        let unsent = self.requests.iter_mut().filter(|(_, request)| !request.sent);
        let frames = unsent.map(|(n, request)| {
            request.sent = true;
            Frame::new(&Request { n: *n, ack, operation: request.operation.clone() }, &request.payload)
        });
        frames.collect()
    }

    /// The session goes on with a new connection: all that is unanswered is to be sent again.
    pub fn resume(&mut self) {
        self.requests.values_mut().for_each(|request| request.sent = false);
    }

    /// The host has forgotten the session. Gives back whom to tell that the outcome is unknown; everything else is to be
    /// sent, with new numbers: give `renumbered` the old and the new one.
    pub fn restart(&mut self, mut renumbered: impl FnMut(u64, u64)) -> Vec<(Operation, T)> {
        let old = std::mem::take(self);
        let mut unknown = Vec::new();
        for (n, request) in old.requests {
            if request.sent && request.operation.is_remembered() {
                unknown.push((request.operation, request.whom));
            } else {
                let new = self.begin(request.operation, request.payload, request.whom);
                renumbered(n, new);
            }
        }
        unknown
    }

    /// All whom somebody has to tell that there will be no answer.
    pub fn give_up(&mut self) -> Vec<T> {
        std::mem::take(&mut self.requests).into_values().map(|request| request.whom).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::Message;
    use serde_json::json;

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
        assert_eq!(numbers(&outstanding.unsent()), [(1, 0), (2, 0), (3, 0)]);
        assert_eq!(outstanding.answered(2), Some(1));
        assert_eq!((outstanding.arrived(), outstanding.in_flight()), (0, 3));
        assert_eq!((outstanding.answered(1), outstanding.answered(1)), (Some(0), None));
        assert_eq!((outstanding.untold(), outstanding.tell(), outstanding.untold()), (2, 2, 0));
    }

    #[test]
    fn a_session_that_goes_on_sends_again_what_is_unanswered() {
        let mut outstanding = Outstanding::default();
        for whom in 0..3 {
            outstanding.begin(add(), Bytes::new(), whom);
        }
        outstanding.unsent();
        outstanding.answered(1);
        outstanding.resume();
        assert_eq!(numbers(&outstanding.unsent()), [(2, 1), (3, 1)]);
        assert!(outstanding.unsent().is_empty());
    }

    #[test]
    fn a_host_that_forgot_leaves_changes_unknown() {
        let mut outstanding = Outstanding::default();
        outstanding.begin(add(), Bytes::new(), "sent");
        outstanding.begin(Operation::Status, Bytes::new(), "look");
        outstanding.unsent();
        outstanding.begin(add(), Bytes::new(), "not sent");
        let mut renumbered = Vec::new();
        let unknown = outstanding.restart(|old, new| renumbered.push((old, new)));
        assert_eq!(unknown.into_iter().map(|(_, whom)| whom).collect::<Vec<_>>(), ["sent"]);
        assert_eq!(renumbered, [(2, 1), (3, 2)]);
        assert_eq!(numbers(&outstanding.unsent()), [(1, 0), (2, 0)]);
    }
}
