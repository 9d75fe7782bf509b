//! What a region shows at one moment: a content, the newest frame, a lock's holder, or how it stands.

use memlane::frames::PublisherState;
use memlane::lock::LockState;
use memlane::observer::{Content, FramesState, Observation};
use memlane::schema::{Datum, Schema};
use memlane::{Kind, Observer, Participant};
use serde_json::{Value, json};

use super::datum_json::unfit;
use super::standing::Standing;
use super::{datum_json, document, human};

/// Items of an array, or bytes of a run, that are shown in one line.
const SHOWN_ITEMS: usize = 16;
/// Columns of a line.
const LINE_WIDTH: usize = 200;

/// What a region shows.
#[derive(Debug)]
pub enum Sight {
    /// Of values, records, arrays and texts.
    Content(Observation),
    /// Of raw regions: bytes as elements of an array.
    Bytes(Observation),
    /// Of frame channels.
    Frames(FramesState),
    /// Of locks.
    Lock(LockState),
    /// Of all others, and their change counter.
    Standing(Standing, u64),
    /// Of all but those with a content, as another machine says it.
    Told(Told),
}

/// What another machine says of a region without a content.
#[derive(Debug, PartialEq)]
pub struct Told {
    /// The change counter; the newest frame's number.
    pub version: u64,
    /// In one line, for people.
    pub line: String,
    /// The document.
    pub document: Value,
}

impl Sight {
    /// Looks now.
    pub fn of(observer: &Observer) -> memlane::Result<Self> {
        let version = observer.version();
        if let Some(standing) = Standing::of(observer)? {
            return Ok(Self::Standing(standing, version));
        }
        Ok(match observer.description().kind {
            Kind::Frames => Self::Frames(observer.frames()?),
            Kind::Raw => Self::Bytes(observer.read()?),
            Kind::Lock | Kind::Rlock => Self::Lock(observer.lock()),
            _ => Self::Content(observer.read()?),
        })
    }

    /// The change counter; the newest frame's number; 0 of a lock.
    pub fn version(&self) -> u64 {
        match self {
            Self::Content(observation) | Self::Bytes(observation) => observation.version,
            Self::Frames(state) => state.newest,
            Self::Lock(_) => 0,
            Self::Standing(_, version) => *version,
            Self::Told(told) => told.version,
        }
    }

    /// Bytes of the content, of the newest frame, or of a record, in a region of this schema.
    pub fn content_size(&self, schema: Option<&Schema>) -> Option<u64> {
        match self {
            Self::Frames(state) => Some(state.length as u64),
            Self::Content(Observation { content: Content::Text(text), .. }) => Some(text.len() as u64),
            _ => schema.map(|schema| schema.size() as u64),
        }
    }

    /// Whether nothing has happened between the two looks.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            // NaN is not equal to itself.
            (Self::Content(one), Self::Content(other)) => {
                one == other || (one.version == other.version && content_line(one) == content_line(other))
            }
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::Frames(one), Self::Frames(other)) => one.newest == other.newest,
            (Self::Lock(one), Self::Lock(other)) => lock_key(one) == lock_key(other),
            (Self::Standing(one, _), Self::Standing(other, _)) => one.key() == other.key(),
            (Self::Told(one), Self::Told(other)) => {
                one.version == other.version && one.document == other.document
            }
            _ => false,
        }
    }

    /// One line for people; long contents are cut.
    pub fn line(&self) -> String {
        let line = match self {
            Self::Content(observation) => content_line(observation),
            Self::Bytes(observation) => bytes_line(observation),
            Self::Frames(state) => frames_line(state),
            Self::Lock(state) => lock_line(state),
            Self::Standing(standing, _) => standing.line(),
            Self::Told(told) => told.line.clone(),
        };
        human::cut(&line, LINE_WIDTH).into_owned()
    }

    /// The content, the frames or the lock as JSON.
    pub fn json(&self, id: &str) -> memlane::Result<Value> {
        Ok(match self {
            Self::Content(observation) | Self::Bytes(observation) => content_json(id, &observation.content)?,
            Self::Frames(state) => document::frames(state),
            Self::Lock(state) => document::lock(state),
            Self::Standing(standing, _) => standing.json(),
            Self::Told(told) => told.document.clone(),
        })
    }

    /// The document of one look.
    pub fn document(&self, id: &str) -> memlane::Result<Value> {
        Ok(json!({"id": id, "version": self.version(), "content": self.json(id)?}))
    }
}

fn content_line(observation: &Observation) -> String {
    match &observation.content {
        Content::Datum(datum) => without_padding(datum).elided(SHOWN_ITEMS).to_string(),
        content => content.to_string(),
    }
}

/// The first bytes in hexadecimal digits: nobody knows what they mean.
fn bytes_line(observation: &Observation) -> String {
    let Content::Elements(bytes, _) = &observation.content else { return content_line(observation) };
    let shown: Vec<_> = bytes.iter().take(SHOWN_ITEMS).map(|byte| format!("{byte:02x}")).collect();
    match bytes.len() - shown.len() {
        0 => shown.join(" "),
        more => format!("{} … {more} more", shown.join(" ")),
    }
}

/// A lock's holder, who comes first where there is little room, or that it is free, in words.
pub fn lock_line(state: &LockState) -> String {
    let holder = state.holder.as_ref().map_or_else(
        || "free".to_owned(),
        |holder| {
            let dead = if holder.participant.alive { "" } else { ", dead," };
            let (who, held_for) = (holder.participant.who(), human::duration(holder.held_for));
            format!("{who}{dead} holds it for {held_for}, thread {}", holder.thread)
        },
    );
    let waiting = match state.waiters.len() {
        0 => String::new(),
        waiters => format!(", {waiters} waiting"),
    };
    let mark = if state.inconsistent { ", inconsistent" } else { "" };
    format!("{holder}{waiting}{mark}")
}

/// A part of a content as text for people: bytes that are text are shown as such.
pub fn datum_text(datum: &Datum) -> String {
    match datum {
        Datum::Bytes(bytes) => {
            datum_json::text_of_bytes(bytes).map_or_else(|| datum.to_string(), str::to_owned)
        }
        other => without_padding(other).to_string(),
    }
}

/// The same with every run of bytes cut before the zeros at its end, which people do not care for.
fn without_padding(datum: &Datum) -> Datum {
    match datum {
        Datum::Bytes(bytes) => Datum::Bytes(datum_json::unpadded(bytes).to_vec()),
        Datum::Array(items) => Datum::Array(items.iter().map(without_padding).collect()),
        Datum::Struct(fields) => {
            Datum::Struct(fields.iter().map(|(name, value)| (name.clone(), without_padding(value))).collect())
        }
        other => other.clone(),
    }
}

/// An array's elements, decoded.
pub fn decode(id: &str, schema: &Schema, bytes: &[u8]) -> memlane::Result<Datum> {
    schema.decode(bytes).map_err(unfit(id))
}

fn content_json(id: &str, content: &Content) -> memlane::Result<Value> {
    Ok(match content {
        Content::Datum(datum) => datum_json::to_json(datum),
        Content::Text(text) => Value::from(text.as_str()),
        Content::Elements(bytes, schema) => datum_json::to_json(&decode(id, schema, bytes)?),
        _ => Value::Null,
    })
}

/// The newest frame and who publishes, in words.
pub fn frames_line(state: &FramesState) -> String {
    let frame = match state.captured {
        Some(captured) => format!(
            "frame {}, {}, {} old",
            state.newest,
            human::bytes(state.length as u64),
            human::duration(captured.age())
        ),
        None => "no frame yet".to_owned(),
    };
    let publisher = match &state.publisher {
        PublisherState::Alive(publisher) => format!("from {}", publisher.who()),
        PublisherState::Died(publisher) => format!("its publisher {} died", publisher.who()),
        _ => "nobody publishes".to_owned(),
    };
    format!("{frame}, {publisher}")
}

/// Whether regions of this kind count their changes. Those without a schema have none, but for some.
pub fn counts_changes(kind: Kind, schema: Option<&Schema>) -> bool {
    schema.is_some() || matches!(kind, Kind::Event | Kind::Queue | Kind::Barrier)
}

/// What is new when it changes: that the holder died is, how long it holds the lock is not.
pub fn lock_key(state: &LockState) -> impl PartialEq + std::fmt::Debug + use<> {
    let holder = state.holder.as_ref().map(|holder| {
        let Participant { slot, generation, alive, .. } = holder.participant;
        (slot, generation, holder.thread, alive)
    });
    (holder, state.waiters.len(), state.inconsistent, state.recoveries)
}
