//! One region, as it stands.

use std::thread;
use std::time::Duration;

use memlane::observer::{Content, Observation};
use memlane::schema::Schema;
use memlane::{Error, Kind, Observer};
use memlane_net::client;
use memlane_net::protocol::fault;
use memlane_net::protocol::operation::{Form, Operation, Part};
use memlane_net::view::datum_json::unfit;
use memlane_net::view::sight::Told;
use serde_json::{Map, Value};

use super::Source;
use crate::failure::{Exit, Failure, Outcome};
use crate::rate::refuse_removed;
use crate::sight::Sight;

/// A region at one moment.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) schema: Option<Schema>,
    pub(crate) sight: Sight,
}

impl Source {
    /// Looks now.
    pub(crate) fn see(&self, id: &str) -> Outcome<Seen> {
        match self {
            Self::Here(space) => Ok(seen(&Observer::open(space, id)?)?),
            Self::There(client) => {
                let (kind, schema, row) = what(client, id)?;
                if !has_content(kind) {
                    return told(client, id, kind, schema, &row);
                }
                let read = Operation::Read { id: id.to_owned(), part: Part::default(), form: Form::Bytes };
                let (fields, payload) = client.request(read, Vec::new())?;
                content(id, kind, schema, &fields, &payload)
            }
        }
    }

    /// The region's bytes as they lie in memory; of a frame channel the newest frame's; nothing of kinds without.
    pub(crate) fn bytes(&self, id: &str) -> Outcome<Option<Vec<u8>>> {
        let no_frame = || Failure::new(Exit::NotFound, format!("region `{id}` has no frame yet"));
        match (self, self.see(id)?) {
            (Self::Here(space), Seen { kind: Kind::Frames, .. }) => {
                let frame = Observer::open(space, id)?.latest_frame()?;
                frame.map(|frame| Some(frame.bytes)).ok_or_else(no_frame)
            }
            (Self::There(client), Seen { kind: Kind::Frames, .. }) => {
                let frame = client.frames(id).newest()?;
                if frame.sequence == 0 { Err(no_frame()) } else { Ok(Some(frame.bytes.to_vec())) }
            }
            (_, Seen { schema, sight: Sight::Content(observation) | Sight::Bytes(observation), .. }) => {
                Ok(match (observation.content, schema) {
                    (Content::Text(text), _) => Some(text.into_bytes()),
                    (Content::Elements(bytes, _), _) => Some(bytes),
                    (Content::Datum(datum), Some(schema)) => Some(schema.encode(&datum).map_err(unfit(id))?),
                    _ => None,
                })
            }
            _ => Ok(None),
        }
    }

    /// A region to be looked at again and again.
    pub(crate) fn watched(&self, id: &str) -> Outcome<Watched<'_>> {
        Ok(match self {
            Self::Here(space) => Watched::Here(Box::new(Observer::open(space, id)?)),
            Self::There(_) => Watched::There(self, id.to_owned()),
        })
    }
}

/// A region that is looked at again and again: the same one, whatever becomes of its name.
pub(crate) enum Watched<'a> {
    Here(Box<Observer>),
    There(&'a Source, String),
}

impl Watched<'_> {
    /// Looks now.
    pub(crate) fn see(&self) -> Outcome<Seen> {
        match self {
            Self::Here(observer) => Ok(seen(observer)?),
            Self::There(source, id) => source.see(id),
        }
    }

    /// Looks until there is something new, at most once an `interval` where nobody can be asked to say when.
    pub(crate) fn see_next(&self, last: &Seen, interval: Duration) -> Outcome<Seen> {
        match self {
            Self::Here(observer) => loop {
                if let Some(seen) = look(observer, last)? {
                    return Ok(seen);
                }
                refuse_removed(observer)?;
                thread::sleep(interval);
            },
            Self::There(Source::There(client), id) if has_content(last.kind) && last.kind != Kind::Raw => {
                loop {
                    let (id, version) = (id.clone(), last.sight.version());
                    let wait = Operation::Wait { id, version, timeout: Some(60.0), form: Form::Bytes };
                    match client.request(wait, Vec::new()) {
                        Ok((fields, payload)) => {
                            return content(&last.id, last.kind, last.schema.clone(), &fields, &payload);
                        }
                        Err(client::Error::Fault { fault, .. }) if fault.code == fault::TIMEOUT => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Self::There(..) => loop {
                thread::sleep(interval);
                let seen = self.see()?;
                if !seen.sight.is_same(&last.sight) {
                    return Ok(seen);
                }
            },
        }
    }

    /// How often it changed so far, and how many bytes the newest content has.
    pub(crate) fn count(&self) -> Outcome<(u64, u64)> {
        let (version, seen) = match self {
            Self::Here(observer) => (observer.version(), seen(observer)?),
            Self::There(source, id) => {
                let seen = source.see(id)?;
                (seen.sight.version(), seen)
            }
        };
        let size = match &seen.sight {
            Sight::Told(told) if seen.kind == Kind::Frames => told.document["length"].as_u64().unwrap_or(0),
            sight => sight.content_size(seen.schema.as_ref()).unwrap_or(0),
        };
        Ok((version, size))
    }

    /// A region at a host that was removed is not found by the next look.
    pub(crate) fn refuse_removed(&self) -> Outcome {
        match self {
            Self::Here(observer) => refuse_removed(observer),
            Self::There(..) => Ok(()),
        }
    }
}

fn seen(observer: &Observer) -> memlane::Result<Seen> {
    let description = observer.description();
    let (id, schema) = (observer.id().to_owned(), description.schema.clone());
    Ok(Seen { id, kind: description.kind, schema, sight: Sight::of(observer)? })
}

/// What there is to see, if it is something new.
fn look(observer: &Observer, last: &Seen) -> Outcome<Option<Seen>> {
    if observer.version() == last.sight.version() && has_true_version(last.kind) {
        return Ok(None);
    }
    match seen(observer) {
        // It changes too fast this time; the next look may be luckier.
        Err(Error::Busy { .. }) => Ok(None),
        other => Ok(Some(other?).filter(|seen| !seen.sight.is_same(&last.sight))),
    }
}

/// The version of a value is a hint that may lag behind it, and most kinds that synchronise have none.
fn has_true_version(kind: Kind) -> bool {
    use Kind::{Array, Event, Frames, Record, Stream, Text};
    matches!(kind, Record | Array | Text | Event | Frames | Stream)
}

fn has_content(kind: Kind) -> bool {
    use Kind::{Array, Raw, Record, Text, Value};
    matches!(kind, Value | Record | Array | Text | Raw)
}

/// What a region at a host is, and its row.
fn what(client: &client::Client, id: &str) -> Outcome<(Kind, Option<Schema>, Value)> {
    let row = client.list(&[id])?.into_iter().find(|row| row["id"] == id);
    // What is not in the list is described by an error.
    let row = row.map_or_else(|| client.describe(id), Ok)?;
    let kind = Kind::ALL.iter().find(|kind| row["kind"] == kind.name()).copied();
    let kind = kind.ok_or_else(|| {
        let why = row["error"]
            .as_str()
            .map_or_else(|| format!("region `{id}` is a {}", row["kind"]), str::to_owned);
        Failure::new(Exit::Failure, format!("{why}; this memlane does not know what that is"))
    })?;
    let schema = row["schema"].as_str().map(str::parse).transpose().map_err(unfit(id))?;
    Ok((kind, schema, row))
}

/// A content as it lies in a region of a host.
fn content(
    id: &str,
    kind: Kind,
    schema: Option<Schema>,
    fields: &Map<String, Value>,
    bytes: &[u8],
) -> Outcome<Seen> {
    let version = fields.get("version").and_then(Value::as_u64).unwrap_or(0);
    let content = match (kind, &schema) {
        (Kind::Text, _) => Content::Text(String::from_utf8_lossy(bytes).into_owned()),
        (Kind::Array | Kind::Raw, Some(schema)) => Content::Elements(bytes.to_vec(), schema.clone()),
        (_, Some(schema)) => Content::Datum(schema.decode(bytes).map_err(unfit(id))?),
        (_, None) => Content::None,
    };
    let observation = Observation::new(version, content);
    let sight = if kind == Kind::Raw { Sight::Bytes(observation) } else { Sight::Content(observation) };
    Ok(Seen { id: id.to_owned(), kind, schema, sight })
}

/// A region without a content, as a host describes it.
fn told(client: &client::Client, id: &str, kind: Kind, schema: Option<Schema>, row: &Value) -> Outcome<Seen> {
    let mut sheet = client.describe(id)?;
    let document = match kind {
        Kind::Frames => sheet["frames"].take(),
        Kind::Lock | Kind::Rlock => sheet["lock"].take(),
        _ => sheet["state"].take(),
    };
    let version = document["newest"].as_u64().or_else(|| sheet["version"].as_u64()).unwrap_or(0);
    let line = row["preview"].as_str().unwrap_or_default().to_owned();
    Ok(Seen { id: id.to_owned(), kind, schema, sight: Sight::Told(Told { version, line, document }) })
}
