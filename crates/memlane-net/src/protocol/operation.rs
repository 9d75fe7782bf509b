//! What a client can ask, and what is remembered of it.
//!
//! A [`Request`] is a number, how far the client acknowledges answers, and an [`Operation`]. Everything that changes
//! something, or takes something, [is remembered](Operation::is_remembered): sent again, it gives the recorded answer
//! and happens once. What only looks is looked at anew.
//!
//! Absent means: of a `timeout`, as long as the session lives (0: at once); of any other field, what its description
//! says. Times are seconds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::hello::Access;

/// A numbered request; its payload, if any, is the message's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// One more than the request before, from 1 in each session.
    pub n: u64,
    /// All requests up to this one were answered, and their answers arrived.
    #[serde(default)]
    pub ack: u64,
    /// What is asked.
    #[serde(flatten)]
    pub operation: Operation,
}

/// What can be read of any message of a client before it is understood.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Outline {
    /// The number, of a request.
    pub n: Option<u64>,
    /// How far answers are acknowledged.
    #[serde(default)]
    pub ack: u64,
    /// Of a request.
    pub op: Option<String>,
    /// Which events were taken.
    #[serde(default)]
    pub credit: Vec<super::event::Credit>,
}

/// The answer to a request; its payload, if any, is the message's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The request's number.
    pub n: u64,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done: what the operation's description promises.
    Ok(Map<String, Value>),
    /// It was not.
    Error(Fault),
}

/// How contents are written in answers and events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As JSON in the header, in `content`.
    #[default]
    Json,
    /// As the region's bytes, in the payload.
    Bytes,
}

/// How much of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All of it; of an rwlock, for writing.
    #[default]
    Exclusive,
    /// Of an rwlock, for reading.
    Shared,
}

/// A part of a content.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Part {
    /// A field of a record, `a.b` of a record in a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// An element, one index for each dimension.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub index: Vec<usize>,
    /// The first of a run of elements, counted in the order in which they lie; of `raw`, the first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
    /// How many elements or bytes, of a run; absent, all that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl Part {
    /// Whether it is the whole.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
}

/// What a region is made for. Which fields a kind takes stands in `docs/protocol.md`; the host refuses others.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // Each is a word of the protocol.
pub struct Specification {
    /// `value`, `record`, … `raw`.
    pub kind: String,
    /// Value, record, array, stream, frames: canonical schema text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Value, text: the first content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<Value>,
    /// Text, queue, pipe: bytes; stream: records; frames of any length: bytes of the longest; raw: bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    /// Semaphore: permits or first tokens; barrier: parties; condition: threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Semaphore: nobody owns what is taken.
    #[serde(default, skip_serializing_if = "is_false")]
    pub signal: bool,
    /// Semaphore of signals: the most tokens; queue: the most messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// Event: each setting lets one through.
    #[serde(default, skip_serializing_if = "is_false")]
    pub auto_reset: bool,
    /// Queue: messages are kept until they are acknowledged.
    #[serde(default, skip_serializing_if = "is_false")]
    pub acknowledged: bool,
    /// Pipe: only the left end sends.
    #[serde(default, skip_serializing_if = "is_false")]
    pub one_way: bool,
    /// Stream: the publisher waits for its readers.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lossless: bool,
    /// Frames: how many stay on offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<u32>,
    /// Frames: how many all subscribers together can hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borrows: Option<u32>,
    /// Room for participants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participants: Option<u16>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
fn is_false(value: &bool) -> bool {
    !value
}

fn one() -> u32 {
    1
}

fn bytes_tag() -> String {
    memlane::Tag::Bytes.name().into()
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// The regions whose ids match a pattern (`*`: any characters), or all: `regions`, rows as of `memlane ls --json`.
    List {
        /// Ids, folders or patterns.
        #[serde(default)]
        patterns: Vec<String>,
    },
    /// All that is known of a region: the document of `memlane show --json`.
    Describe {
        /// The region.
        id: String,
    },
    /// Who is attached where: `participants`, rows as of `memlane ps --json`.
    Participants,
    /// Which locks are held or waited for: `locks`, rows as of `memlane locks --json`.
    Locks {
        /// Free ones too.
        #[serde(default)]
        all: bool,
    },
    /// Who waits for whom: `edges`, rows as of `memlane locks --graph --json`.
    WaitGraph,
    /// What the dead left behind: `findings`, rows as of `memlane doctor --json`.
    Doctor {
        /// What nobody can miss is put away; the rows say what was.
        #[serde(default, skip_serializing_if = "is_false")]
        fix: bool,
    },
    /// How the host does: `sessions`, `connections`, `leases`, `subscriptions`, and how much went in and out.
    Status,

    /// What was changed and refused: `entries`, once there is one; the last 1000 are kept.
    Log {
        /// Only those after that number; absent, all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<u64>,
        /// For how long to wait for one.
        #[serde(default)]
        timeout: Option<f64>,
    },
    /// Where the host listens, for itself and for others, and to whom it may be told, what lets in.
    Sharing,
    /// Listens for other machines too: as `sharing`. For clients on the host's machine.
    Share {
        /// `ADDRESS[:PORT]`; absent, all addresses at the usual port or one near it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listen: Option<String>,
        /// Encrypted, by the host's own certificate; absent, as the host itself.
        #[serde(default, skip_serializing_if = "is_false")]
        tls: bool,
    },
    /// Listens for other machines no more, and ends their connections: as `sharing`.
    Unshare,
    /// Shared memory of other programs: `segments`. For clients on the host's machine.
    Foreign,
    /// Bytes of one: the payload. For clients on the host's machine, with a token for writing.
    ForeignRead {
        /// The segment.
        name: String,
        /// The first byte.
        start: u64,
        /// How many, 65536 at most.
        count: u64,
    },

    /// Makes a region, which must not exist unless `exist_ok`: its document, with `created`.
    Create {
        /// Its id.
        id: String,
        /// What it is to be.
        #[serde(flatten)]
        specification: Specification,
        /// One of the same kind, schema and parameters will do.
        #[serde(default, skip_serializing_if = "is_false")]
        exist_ok: bool,
    },
    /// Removes a region's name; those attached keep their memory.
    Delete {
        /// The region.
        id: String,
    },

    /// The content of a region, or a part of it, and its `version`. Of frames the newest: `sequence`, `captured`, and
    /// the payload. Of kinds without a content, how they stand, in `content`.
    Read {
        /// The region.
        id: String,
        /// Which part.
        #[serde(flatten)]
        part: Part,
        /// How it is written.
        #[serde(default)]
        form: Form,
    },
    /// As `read`, once the version is another one.
    Wait {
        /// The region.
        id: String,
        /// The version that was seen.
        version: u64,
        /// For how long.
        #[serde(default)]
        timeout: Option<f64>,
        /// How it is written.
        #[serde(default)]
        form: Form,
    },
    /// Changes a content or a part of it to `content`, or to the payload: its `version`.
    Write {
        /// The region.
        id: String,
        /// Which part.
        #[serde(flatten)]
        part: Part,
        /// What it becomes; absent, the payload is it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<Value>,
        /// Only if this is the version (value, record, text); else `conflict`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        if_version: Option<u64>,
    },
    /// Adds to a number: what it is now, in `content`, and its `version`.
    Add {
        /// The region: a value or an array.
        id: String,
        /// Which element, of an array.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        index: Vec<usize>,
        /// How much.
        by: Value,
    },
    /// Changes a scalar if it is what it is expected to be: `exchanged`, and what it was before, in `content`.
    CompareExchange {
        /// The region: a value or an array.
        id: String,
        /// Which element, of an array.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        index: Vec<usize>,
        /// What it has to be.
        expected: Value,
        /// What it becomes.
        new: Value,
    },

    /// Takes a lock, any region's own: a `lease`, `owner_died`, `inconsistent`.
    Lock {
        /// The region.
        id: String,
        /// How much.
        #[serde(default)]
        mode: Mode,
        /// For how long to wait.
        #[serde(default)]
        timeout: Option<f64>,
    },
    /// Takes permits of a semaphore: a `lease`; of one of signals, nothing.
    Acquire {
        /// The semaphore.
        id: String,
        /// How many.
        #[serde(default = "one")]
        count: u32,
        /// For how long to wait.
        #[serde(default)]
        timeout: Option<f64>,
    },
    /// Raises a semaphore of signals.
    Raise {
        /// The semaphore.
        id: String,
        /// By how much.
        #[serde(default = "one")]
        count: u32,
    },
    /// Gives back what a lease holds: a lock, permits, a message, the end of a pipe, the right to publish.
    Release {
        /// The lease.
        lease: u64,
    },
    /// Gives back a lock and tells the next owner that the data may be half-changed.
    Abandon {
        /// The lease.
        lease: u64,
    },
    /// Frees a lock that its holder does not give back: `was`, who held it, and whether it was `killed`.
    ForceRelease {
        /// The region.
        id: String,
        /// A living holder is to be ended; else, `busy`. For clients on the host's machine.
        #[serde(default, skip_serializing_if = "is_false")]
        confirmed: bool,
        /// The next owner is not told.
        #[serde(default, skip_serializing_if = "is_false")]
        consistent: bool,
    },
    /// Says that the data behind a lock is right again.
    MakeConsistent {
        /// The lease.
        lease: u64,
    },

    /// Sets an event.
    Set {
        /// The event.
        id: String,
    },
    /// Clears an event: whether it `was` set.
    Clear {
        /// The event.
        id: String,
    },
    /// Waits for an event; of one that resets itself, takes what was set.
    Await {
        /// The event.
        id: String,
        /// For how long.
        #[serde(default)]
        timeout: Option<f64>,
    },
    /// Gives the lock of a lease back, waits to be notified, and takes it again: `notified`, or not in time.
    ConditionWait {
        /// The condition.
        id: String,
        /// Of a lock or an rlock.
        lease: u64,
        /// For how long.
        #[serde(default)]
        timeout: Option<f64>,
    },
    /// Wakes those who wait longest: how many were `notified`.
    Notify {
        /// The condition.
        id: String,
        /// How many; absent, all.
        #[serde(default)]
        count: Option<u32>,
    },
    /// Waits at a barrier for the other parties: one's `index` among them.
    Meet {
        /// The barrier.
        id: String,
        /// For how long; passed, the barrier is broken for all.
        #[serde(default)]
        timeout: Option<f64>,
    },
    /// Breaks a barrier.
    Abort {
        /// The barrier.
        id: String,
    },
    /// Makes a barrier as new.
    Reset {
        /// The barrier.
        id: String,
    },

    /// Puts the payload into a queue: how many messages were `put`.
    Put {
        /// The queue.
        id: String,
        /// What the bytes are: `bytes`, `utf-8`, `json`, `pickle`.
        #[serde(default = "bytes_tag")]
        tag: String,
        /// The payload is so many messages, one behind the other, of these lengths; absent, it is one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lengths: Vec<usize>,
        /// For how long to wait for room.
        #[serde(default)]
        timeout: Option<f64>,
    },
    /// Takes messages: `messages`, each with `tag`, `length`, `redelivered`; their bytes are the payload.
    Get {
        /// The queue.
        id: String,
        /// No more than so many; one is waited for, no more.
        #[serde(default = "one")]
        most: u32,
        /// Each message comes with a `lease`, and is another's again unless it is acknowledged. Only of queues that
        /// keep messages until then.
        #[serde(default, skip_serializing_if = "is_false")]
        leased: bool,
        /// For how long to wait for the first.
        #[serde(default)]
        timeout: Option<f64>,
    },
    /// Says that a message was dealt with.
    Acknowledge {
        /// The lease that it came with.
        lease: u64,
    },
    /// Looks at the oldest messages, as `get` gives them, and leaves them there.
    Peek {
        /// The queue.
        id: String,
        /// No more than so many.
        #[serde(default = "one")]
        most: u32,
    },
    /// Closes a queue: nothing more can be put.
    Close {
        /// The queue.
        id: String,
    },

    /// Takes an end of a pipe: a `lease`.
    TakeEnd {
        /// The pipe.
        id: String,
        /// `left` or `right`.
        end: String,
    },
    /// Sends the payload.
    Send {
        /// Of an end.
        lease: u64,
        /// What the bytes are.
        #[serde(default = "bytes_tag")]
        tag: String,
        /// For how long to wait for room.
        #[serde(default)]
        timeout: Option<f64>,
    },
    /// Receives a message: `tag`, and the payload.
    Receive {
        /// Of an end.
        lease: u64,
        /// For how long to wait.
        #[serde(default)]
        timeout: Option<f64>,
    },

    /// Publishes the payload as the next frame: its `sequence`, and the `lease` by which the session is the publisher.
    Publish {
        /// The frame channel.
        id: String,
    },
    /// Appends the payload, records one behind the other: the number of the `first`, and the `lease` by which the
    /// session is the publisher.
    Append {
        /// The stream.
        id: String,
    },
    /// Records of a stream: the number of the `first`, their `count`, how many before it were `lost`; the payload.
    Records {
        /// The stream.
        id: String,
        /// From this number on; absent, the newest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<u64>,
        /// No more than so many.
        most: u32,
    },

    /// Begins to deliver what is new in a region: a `subscription`. See [`super::event`].
    Subscribe {
        /// The region.
        id: String,
        /// How it is delivered.
        #[serde(flatten)]
        delivery: super::event::Delivery,
    },
    /// Begins to deliver which rows of `list` change: a `subscription`.
    Watch {
        /// Ids, folders or patterns; none, all.
        #[serde(default)]
        patterns: Vec<String>,
        /// How often a second at most.
        #[serde(default)]
        rate: Option<f64>,
    },
    /// Ends a subscription.
    Unsubscribe {
        /// Which.
        subscription: u64,
    },
    /// Ends the wait of another request with the fault `cancelled`, unless it was answered already.
    Cancel {
        /// Its number.
        request: u64,
    },
    /// Ends the session: its leases are given back.
    Bye,
}

impl Operation {
    /// Whether it changes or takes something: then it is done once, however often it is sent, and needs a token that
    /// lets it.
    #[must_use]
    pub fn is_remembered(&self) -> bool {
        !matches!(
            self,
            Self::List { .. }
                | Self::Describe { .. }
                | Self::Participants
                | Self::Locks { .. }
                | Self::WaitGraph
                | Self::Doctor { fix: false }
                | Self::Status
                | Self::Log { .. }
                | Self::Sharing
                | Self::Foreign
                | Self::ForeignRead { .. }
                | Self::Read { .. }
                | Self::Wait { .. }
                | Self::Peek { .. }
                | Self::Records { .. }
                | Self::Subscribe { .. }
                | Self::Watch { .. }
                | Self::Unsubscribe { .. }
                | Self::Cancel { .. }
                | Self::Bye
        )
    }

    /// What a client must be given to ask it.
    #[must_use]
    pub fn access(&self) -> Access {
        // Whoever may only look at a space may not look at what others keep beside it.
        let is_guarded = self.is_remembered() || matches!(self, Self::ForeignRead { .. });
        if is_guarded { Access::ReadWrite } else { Access::ReadOnly }
    }

    /// The lease that it speaks of, if it names one.
    #[must_use]
    pub fn lease(&self) -> Option<u64> {
        match self {
            Self::Release { lease }
            | Self::Abandon { lease }
            | Self::MakeConsistent { lease }
            | Self::ConditionWait { lease, .. }
            | Self::Acknowledge { lease }
            | Self::Send { lease, .. }
            | Self::Receive { lease, .. } => Some(*lease),
            _ => None,
        }
    }

    /// For how long it may wait, in seconds, of one that waits; in it, nothing is for ever.
    pub fn timeout_mut(&mut self) -> Option<&mut Option<f64>> {
        match self {
            Self::Wait { timeout, .. }
            | Self::Log { timeout, .. }
            | Self::Lock { timeout, .. }
            | Self::Acquire { timeout, .. }
            | Self::Await { timeout, .. }
            | Self::ConditionWait { timeout, .. }
            | Self::Meet { timeout, .. }
            | Self::Put { timeout, .. }
            | Self::Get { timeout, .. }
            | Self::Send { timeout, .. }
            | Self::Receive { timeout, .. } => Some(timeout),
            _ => None,
        }
    }

    /// The region that it is about, if it names one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Describe { id }
            | Self::Create { id, .. }
            | Self::Delete { id }
            | Self::Read { id, .. }
            | Self::Wait { id, .. }
            | Self::Write { id, .. }
            | Self::Add { id, .. }
            | Self::CompareExchange { id, .. }
            | Self::Lock { id, .. }
            | Self::Acquire { id, .. }
            | Self::Raise { id, .. }
            | Self::ForceRelease { id, .. }
            | Self::Set { id }
            | Self::Clear { id }
            | Self::Await { id, .. }
            | Self::ConditionWait { id, .. }
            | Self::Notify { id, .. }
            | Self::Meet { id, .. }
            | Self::Abort { id }
            | Self::Reset { id }
            | Self::Put { id, .. }
            | Self::Get { id, .. }
            | Self::Peek { id, .. }
            | Self::Close { id }
            | Self::TakeEnd { id, .. }
            | Self::Publish { id }
            | Self::Append { id }
            | Self::Records { id, .. }
            | Self::Subscribe { id, .. } => Some(id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn understood(header: Value) -> Request {
        serde_json::from_value(header).unwrap()
    }

    #[test]
    fn requests_are_flat() {
        let request = understood(json!({"n": 7, "ack": 6, "op": "read", "id": "robot/speed"}));
        let operation = Operation::Read { id: "robot/speed".into(), part: Part::default(), form: Form::Json };
        assert_eq!(request, Request { n: 7, ack: 6, operation });
        assert!(!request.operation.is_remembered());
        let request = understood(json!({"n": 1, "op": "write", "id": "a", "field": "x", "content": 2}));
        let Operation::Write { part, content, if_version: None, .. } = request.operation else {
            panic!("it is a write");
        };
        assert_eq!((part.field.as_deref(), content), (Some("x"), Some(json!(2))));
    }

    #[test]
    fn what_a_region_is_made_for_stands_beside_its_id() {
        let header = json!({"n": 1, "ack": 0, "op": "create", "id": "a", "kind": "text", "initial": "b"});
        let request = understood(header.clone());
        let Operation::Create { specification, exist_ok: false, .. } = &request.operation else {
            panic!("it is a create");
        };
        assert_eq!(
            (specification.kind.as_str(), specification.initial.as_ref()),
            ("text", Some(&json!("b")))
        );
        assert_eq!(serde_json::to_value(&request).unwrap(), header);
    }

    #[test]
    fn an_answer_is_ok_or_an_error() {
        let answer = Answer { n: 3, outcome: Outcome::Ok(Map::new()) };
        assert_eq!(serde_json::to_value(&answer).unwrap(), json!({"n": 3, "ok": {}}));
        let fault = Fault::new("conflict", "newer").with("version", 4);
        let answer = Answer { n: 3, outcome: Outcome::Error(fault) };
        let written = json!({"n": 3, "error": {"code": "conflict", "message": "newer", "version": 4}});
        assert_eq!(serde_json::to_value(&answer).unwrap(), written);
        assert_eq!(serde_json::from_value::<Answer>(written).unwrap(), answer);
    }
}
