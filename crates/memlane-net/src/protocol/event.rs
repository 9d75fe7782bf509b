//! What a subscription delivers.
//!
//! A subscription belongs to its connection; a client that comes back subscribes again, and says after what. Events are
//! numbered from 1; the client gives credit for those it has dealt with, and the host never has more than `window`
//! events on the way. What happens meanwhile is not piled up: of contents and frames the newest follows, of streams a
//! batch of what there is; what was left out is counted, exactly.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::operation::Form;

/// How many events may be on the way, unless said otherwise: one being drawn while the next one comes.
pub const DEFAULT_WINDOW: u64 = 2;

/// How a subscription is to be delivered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Delivery {
    /// How contents are written. Frames and records are always bytes.
    #[serde(default)]
    pub form: Form,
    /// How many events a second at most; absent, as many as there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// How many events may be on the way; absent, [`DEFAULT_WINDOW`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// What was seen last: a version, a frame's sequence, of streams how many records. Absent: contents and frames come
    /// at once as they are now, records from the next on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Streams: records in a batch at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// Pictures: every so many pixels in each direction become one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
    /// Pictures: compressed to JPEG of this quality (1 to 100).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jpeg: Option<u8>,
}

/// Something new; its payload, if any, is the message's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The subscription.
    pub subscription: u64,
    /// From 1 in each subscription.
    pub event: u64,
    /// What it is. Of contents: `version` and `content`. Of frames: `sequence`, `captured_wall`, `captured_monotonic`
    /// (nanoseconds), `missed` since the event before, `shape`, `encoding`. Of streams: `first`, `count`, `lost` since
    /// the event before. Of `watch`: `changed` rows and ids that are `gone`.
    #[serde(flatten)]
    pub body: Map<String, Value>,
}

/// The last message of a subscription that the host ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The subscription.
    pub subscription: u64,
    /// Why.
    pub end: Fault,
}

/// Events up to this one were dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The subscription.
    pub subscription: u64,
    /// The event's number.
    pub event: u64,
}

/// The message by which a client gives credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credits {
    /// For which subscriptions.
    pub credit: Vec<Credit>,
}

/// How many events are on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    size: u64,
    sent: u64,
    credited: u64,
}

impl Window {
    /// Of that many events, at least one.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { size: size.max(1), sent: 0, credited: 0 }
    }

    /// Whether another event may be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.sent - self.credited < self.size
    }

    /// The number of the next event, which is sent now.
    pub fn send(&mut self) -> u64 {
        self.sent += 1;
        self.sent
    }

    /// Events up to `event` were dealt with. Credit for what was never sent, or was given before, changes nothing.
    pub fn credit(&mut self, event: u64) {
        if event <= self.sent {
            self.credited = self.credited.max(event);
        }
    }
}

/// What a host sends after the welcome.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum FromHost {
    /// An answer.
    Answer(super::operation::Answer),
    /// The end of a subscription.
    End(End),
    /// An event.
    Event(Event),
    /// The host says why it closes the connection.
    Refused {
        /// Why.
        refused: Fault,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_window_closes_until_credit_is_given() {
        let mut window = Window::new(2);
        assert_eq!((window.send(), window.is_open(), window.send(), window.is_open()), (1, true, 2, false));
        window.credit(7);
        assert!(!window.is_open(), "credit for what was not sent");
        window.credit(1);
        assert!(window.is_open());
        window.credit(1);
        assert_eq!((window.send(), window.is_open()), (3, false));
    }

    #[test]
    fn messages_of_a_host_are_told_apart() {
        let read = |header: serde_json::Value| serde_json::from_value::<FromHost>(header).unwrap();
        assert!(matches!(read(json!({"n": 1, "ok": {"version": 3}})), FromHost::Answer(_)));
        assert!(matches!(
            read(json!({"subscription": 1, "end": {"code": "closed", "message": ""}})),
            FromHost::End(_)
        ));
        let FromHost::Event(event) = read(json!({"subscription": 1, "event": 2, "version": 9})) else {
            panic!("it is an event");
        };
        assert_eq!(event.body["version"], 9);
        assert!(matches!(
            read(json!({"refused": {"code": "limit", "message": ""}})),
            FromHost::Refused { .. }
        ));
    }
}
