//! How regions stand that have no content of their own: locks with readers, semaphores, events, conditions, barriers,
//! queues, pipes and streams. As a line for people, and as a document (names in module `document`).

use memlane::barrier::BarrierState;
use memlane::frames::PublisherState;
use memlane::observer::EventState;
use memlane::pipe::{EndState, PipeState};
use memlane::queue::{Message, QueueState};
use memlane::rwlock::RwLockState;
use memlane::schema::{Datum, Schema};
use memlane::semaphore::SemaphoreState;
use memlane::stream::{Records, StreamState};
use memlane::{Kind, Observer, Participant, Tag};
use serde_json::{Value, json};

use super::{datum_json, document, human, sight};

/// Characters of a message that are shown in a line.
const SHOWN_CHARACTERS: usize = 40;

/// How a region stands.
#[derive(Debug)]
pub enum Standing {
    /// Who writes and who reads.
    Rwlock(RwLockState),
    /// What is free, and who holds the rest.
    Semaphore(SemaphoreState),
    /// Whether it is set.
    Event(EventState),
    /// Who waits.
    Condition(Vec<Participant>),
    /// Who has arrived.
    Barrier(BarrierState),
    /// And its oldest message.
    Queue(QueueState, Option<Message>),
    /// Who is at its ends.
    Pipe(PipeState),
    /// And its newest record.
    Stream(StreamState, Option<Datum>),
}

impl Standing {
    /// Looks now; `None` of kinds that have a content.
    pub fn of(observer: &Observer) -> memlane::Result<Option<Self>> {
        let mut standing = Self::outline(observer)?;
        match &mut standing {
            Some(Self::Queue(_, oldest)) => *oldest = observer.peek(1)?.pop(),
            Some(Self::Stream(state, newest)) => *newest = newest_record(observer, state)?,
            _ => {}
        }
        Ok(standing)
    }

    /// Without messages and records, which would have to be copied out.
    pub fn outline(observer: &Observer) -> memlane::Result<Option<Self>> {
        Ok(Some(match observer.description().kind {
            Kind::Rwlock => Self::Rwlock(observer.rwlock()?),
            Kind::Semaphore => Self::Semaphore(observer.semaphore()?),
            Kind::Event => Self::Event(observer.event()?),
            Kind::Condition => Self::Condition(observer.condition()?),
            Kind::Barrier => Self::Barrier(observer.barrier()?),
            Kind::Queue => Self::Queue(observer.queue()?, None),
            Kind::Pipe => Self::Pipe(observer.pipe()?),
            Kind::Stream => Self::Stream(observer.stream()?, None),
            _ => return Ok(None),
        }))
    }

    /// One line for people.
    pub fn line(&self) -> String {
        match self {
            Self::Rwlock(state) => rwlock_line(state, sight::lock_line),
            Self::Semaphore(state) => semaphore_line(state),
            Self::Event(state) => {
                let sort = if state.is_auto_reset { ", auto-reset" } else { "" };
                format!("{}{sort}", if state.is_set { "set" } else { "clear" })
            }
            Self::Condition(waiters) => format!("{} waiting", waiters.len()),
            Self::Barrier(state) => barrier_line(state),
            Self::Queue(state, oldest) => queue_line(state, oldest.as_ref()),
            Self::Pipe(state) => pipe_line(state),
            Self::Stream(state, newest) => stream_line(state, newest.as_ref()),
        }
    }

    /// The same where nothing has happened: how long a lock is held is left out.
    pub fn key(&self) -> String {
        match self {
            Self::Rwlock(state) => rwlock_line(state, |lock| format!("{:?}", sight::lock_key(lock))),
            other => other.line(),
        }
    }

    /// As a document.
    pub fn json(&self) -> Value {
        match self {
            Self::Rwlock(state) => {
                document::merged(document::lock(&state.lock), json!({"readers": all_counted(&state.readers)}))
            }
            Self::Semaphore(state) => json!({
                "total": state.total,
                "free": state.free,
                "owned": state.owned,
                "holders": all_counted(&state.holders),
            }),
            Self::Event(state) => json!({"set": state.is_set, "auto_reset": state.is_auto_reset}),
            Self::Condition(waiters) => json!({"waiters": all(waiters)}),
            Self::Barrier(state) => json!({
                "parties": state.parties,
                "waiting": state.waiting,
                "phase": state.phase,
                "broken": state.broken,
                "members": all(&state.members),
            }),
            Self::Queue(state, oldest) => queue_json(state, oldest.as_ref()),
            Self::Pipe(state) => pipe_json(state),
            Self::Stream(state, newest) => stream_json(state, newest.as_ref()),
        }
    }
}

fn all_counted(holders: &[(Participant, u32)]) -> Vec<Value> {
    let counted = |(holder, count): &(Participant, u32)| {
        document::merged(document::participant(holder), json!({"count": count}))
    };
    holders.iter().map(counted).collect()
}

fn all(participants: &[Participant]) -> Vec<Value> {
    participants.iter().map(document::participant).collect()
}

fn who(holders: &[(Participant, u32)]) -> String {
    let in_words = |(holder, count): &(Participant, u32)| format!("{} ({count})", holder.who());
    holders.iter().map(in_words).collect::<Vec<_>>().join(", ")
}

fn rwlock_line(state: &RwLockState, lock: impl Fn(&memlane::lock::LockState) -> String) -> String {
    match state.readers.as_slice() {
        [] => lock(&state.lock),
        readers if state.lock.holder.is_none() => format!("{} reading", who(readers)),
        readers => format!("{}, waits for {}", lock(&state.lock), who(readers)),
    }
}

fn semaphore_line(state: &SemaphoreState) -> String {
    let SemaphoreState { total, free, owned, holders, .. } = state;
    match (owned, holders.as_slice()) {
        (false, _) if *total == i32::MAX as u32 => free.to_string(),
        (false, _) => format!("{free}, at most {total}"),
        (true, []) => format!("{free} of {total} free"),
        (true, holders) => format!("{free} of {total} free, held by {}", who(holders)),
    }
}

fn barrier_line(state: &BarrierState) -> String {
    let BarrierState { parties, waiting, phase, broken, .. } = state;
    let broken = if *broken { "broken, " } else { "" };
    format!("{broken}{waiting} of {parties} arrived, meeting {phase}")
}

fn queue_line(state: &QueueState, oldest: Option<&Message>) -> String {
    let used = format!("{} of {}", human::bytes(state.used as u64), human::bytes(state.capacity as u64));
    let leases = match state.leases.len() {
        0 => String::new(),
        leases => format!(", {leases} not acknowledged"),
    };
    let closed = if state.closed { ", closed" } else { "" };
    let oldest = oldest.map(|message| format!(", first {}", message_line(message))).unwrap_or_default();
    format!("{}, {used}{leases}{closed}{oldest}", human::count(state.length as usize, "message"))
}

/// A message in a few words.
pub fn message_line(message: &Message) -> String {
    match text_of(message) {
        Some(text) => {
            let cut: String = text.chars().take(SHOWN_CHARACTERS).collect();
            format!("{cut:?}{}", if cut.len() < text.len() { "…" } else { "" })
        }
        None => format!("{} of {}", human::bytes(message.bytes.len() as u64), message.tag.name()),
    }
}

/// A message's bytes as text, when they are. A pickle is never looked into.
pub fn text_of(message: &Message) -> Option<&str> {
    std::str::from_utf8(&message.bytes).ok().filter(|_| message.tag != Tag::Pickle)
}

/// A message as a document.
pub fn message_json(message: &Message) -> Value {
    json!({
        "tag": message.tag.name(),
        "size": message.bytes.len(),
        "text": text_of(message),
        "hex": text_of(message).is_none().then(|| document::hexadecimal(&message.bytes)),
        "redelivered": message.redelivered,
    })
}

fn queue_json(state: &QueueState, oldest: Option<&Message>) -> Value {
    json!({
        "length": state.length,
        "put": state.put,
        "used": state.used,
        "capacity": state.capacity,
        "messages_at_most": state.messages,
        "closed": state.closed,
        "acknowledged": state.acknowledged,
        "leases": all(&state.leases),
        "oldest": oldest.map(message_json),
    })
}

fn end_line(end: &EndState) -> String {
    match end {
        EndState::Open(participant) => participant.who(),
        EndState::Died(participant) => format!("{} died", participant.who()),
        EndState::Closed => "closed".to_owned(),
        _ => "nobody yet".to_owned(),
    }
}

fn end_json(end: &EndState) -> Value {
    let (state, participant) = match end {
        EndState::Open(participant) => ("open", Some(participant)),
        EndState::Died(participant) => ("died", Some(participant)),
        EndState::Closed => ("closed", None),
        _ => ("fresh", None),
    };
    json!({"state": state, "participant": participant.map(document::participant)})
}

fn pipe_line(state: &PipeState) -> String {
    let [left, right] = state.ends.each_ref().map(end_line);
    let [there, back] = state.used.map(|used| human::bytes(used as u64));
    let arrow = if state.duplex { "⇄" } else { "→" };
    let on_the_way = if state.duplex { format!("{there} and {back}") } else { there };
    format!("left {left} {arrow} right {right}, {on_the_way} on the way")
}

fn pipe_json(state: &PipeState) -> Value {
    json!({
        "duplex": state.duplex,
        "left": end_json(&state.ends[0]),
        "right": end_json(&state.ends[1]),
        "used": state.used,
        "capacity": state.capacity,
    })
}

fn newest_record(observer: &Observer, state: &StreamState) -> memlane::Result<Option<Datum>> {
    let Some(sequence) = state.published.checked_sub(1) else { return Ok(None) };
    let records = observer.records(sequence, 1)?;
    let schema = observer.description().schema.as_ref();
    Ok(schema.and_then(|schema| decode_all(schema, &records).pop()).map(|(_, datum)| datum))
}

/// Records with their numbers, decoded.
pub fn decode_all(schema: &Schema, records: &Records) -> Vec<(u64, Datum)> {
    let decoded = records.iter().map(|(sequence, bytes)| Some((sequence, schema.decode(bytes).ok()?)));
    decoded.flatten().collect()
}

fn stream_line(state: &StreamState, newest: Option<&Datum>) -> String {
    let newest = newest.map(|newest| format!(", newest {}", sight::datum_text(newest))).unwrap_or_default();
    let publisher = match &state.publisher {
        PublisherState::Alive(publisher) => format!("from {}", publisher.who()),
        PublisherState::Died(publisher) => format!("its publisher {} died", publisher.who()),
        _ => "nobody publishes".to_owned(),
    };
    format!("{}{newest}, {publisher}", human::count(state.published as usize, "record"))
}

fn stream_json(state: &StreamState, newest: Option<&Datum>) -> Value {
    let reader = |reader: &memlane::stream::StreamReader| {
        document::merged(document::participant(&reader.participant), json!({"behind": reader.behind}))
    };
    let publisher = match &state.publisher {
        PublisherState::Alive(publisher) | PublisherState::Died(publisher) => {
            document::participant(publisher)
        }
        _ => Value::Null,
    };
    json!({
        "published": state.published,
        "capacity": state.capacity,
        "record_size": state.record_size,
        "lossless": state.lossless,
        "publisher": publisher,
        "readers": state.readers.iter().map(reader).collect::<Vec<_>>(),
        "newest": newest.map(datum_json::to_json),
    })
}
