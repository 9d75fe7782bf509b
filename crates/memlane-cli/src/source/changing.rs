//! Making, writing and removing.

use memlane::schema::{Datum, Schema};
use memlane::{AnyArray, AnyValue, Observer, Raw, Record, Text};
use memlane_net::client::{self, hosts_of};
use memlane_net::force_release::{Decision, Freed, force_release};
use memlane_net::protocol::fault;
use memlane_net::protocol::operation::{Operation, Part};
use memlane_net::view::datum_json::{from_json, to_json, unfit};
use memlane_net::view::document;
use serde_json::{Map, Value};

use super::Source;
use crate::commands::create::Create;
use crate::failure::Outcome;

/// A conditional write: the version that has it, or nothing when somebody was faster.
pub(crate) type WriteIf = Option<u64>;

impl Source {
    /// Makes a region. Its document.
    pub(crate) fn create(&self, wanted: &Create) -> Outcome<Value> {
        match self {
            Self::Here(space) => {
                let id = wanted.make(space)?;
                Ok(document::region(id, Observer::open(space, id)?.description()))
            }
            Self::There(client) => {
                let (id, specification) = wanted.specification()?;
                Ok(client.create(id, specification, false)?)
            }
        }
    }

    pub(crate) fn remove(&self, id: &str) -> Outcome {
        match self {
            Self::Here(space) => Ok(space.remove(id)?),
            Self::There(client) => Ok(client.delete(id)?),
        }
    }

    /// Frees a lock that its holder does not give back.
    pub(crate) fn force_release(&self, id: &str, decision: Decision) -> Outcome<Freed> {
        match self {
            Self::Here(space) => match hosts_of(space).iter().find(|host| holds_for_session(host, id)) {
                // The host's process is the holder, and is not what is meant.
                Some(host) => free_at(host, id, decision),
                None => Ok(force_release(space, id, decision)?),
            },
            Self::There(client) => free_at(client, id, decision),
        }
    }

    /// Makes a value that; its version.
    pub(crate) fn store(&self, id: &str, new: &Datum) -> Outcome<u64> {
        match self {
            Self::Here(space) => {
                let value = AnyValue::open(space, id)?;
                value.store(new)?;
                Ok(value.region().version())
            }
            Self::There(client) => Ok(client.value(id).store(&to_json(new))?),
        }
    }

    /// Makes a value `new` if it is `expected`. Its version, or what it is instead.
    pub(crate) fn exchange(
        &self,
        id: &str,
        schema: &Schema,
        expected: &Datum,
        new: &Datum,
    ) -> Outcome<Result<u64, Datum>> {
        match self {
            Self::Here(space) => {
                let value = AnyValue::open(space, id)?;
                let exchanged = value.compare_exchange(expected, new)?;
                Ok(exchanged.map(|_| value.region().version()))
            }
            Self::There(client) => {
                let value = client.value(id);
                match value.compare_exchange(&to_json(expected), &to_json(new))? {
                    Ok(_) => Ok(Ok(value.read::<Value>()?.1)),
                    Err(found) => Ok(Err(from_json(&found, schema.dtype(), &[]).map_err(unfit(id))?)),
                }
            }
        }
    }

    /// Makes a record these bytes if its version is `version`.
    pub(crate) fn write_record_if(&self, id: &str, version: u64, bytes: &[u8]) -> Outcome<WriteIf> {
        match self {
            Self::Here(space) => Ok(Record::open(space, id)?.write_if(version, bytes)?.ok()),
            Self::There(client) => write(client, id, Part::default(), bytes, Some(version)),
        }
    }

    /// Makes a text that, or only if its version is `version`.
    pub(crate) fn write_text(&self, id: &str, version: Option<u64>, new: &str) -> Outcome<WriteIf> {
        match (self, version) {
            (Self::Here(space), None) => Ok(Some(Text::open(space, id)?.write(new)?)),
            (Self::Here(space), Some(version)) => Ok(Text::open(space, id)?.write_if(version, new)?.ok()),
            (Self::There(client), None) => Ok(Some(client.text(id).write(new)?)),
            (Self::There(client), Some(version)) => Ok(client.text(id).write_if(version, new)?.ok()),
        }
    }

    /// Makes a run of an array's elements, or of raw bytes, that; the version.
    pub(crate) fn write_run(
        &self,
        id: &str,
        schema: &Schema,
        start: usize,
        bytes: &[u8],
        is_raw: bool,
    ) -> Outcome<u64> {
        match self {
            Self::Here(space) if is_raw => {
                let raw = Raw::open(space, id)?;
                raw.write(start, bytes)?;
                Ok(raw.region().version())
            }
            Self::Here(space) => {
                let array = AnyArray::open(space, id)?;
                for (index, item) in (start..).zip(bytes.chunks_exact(schema.item_size())) {
                    array.store(index, &schema.dtype().decode(item).map_err(unfit(id))?)?;
                }
                Ok(array.region().version())
            }
            Self::There(client) => {
                let count = Some((bytes.len() / schema.item_size().max(1)) as u64);
                let part = Part { start: Some(start as u64), count, ..Part::default() };
                Ok(write(client, id, part, bytes, None)?.unwrap_or(0))
            }
        }
    }
}

fn holds_for_session(host: &client::Client, id: &str) -> bool {
    let locks = host.locks(false).unwrap_or_default();
    locks.iter().any(|lock| lock["id"] == id && !lock["holder"]["session"].is_null())
}

fn free_at(client: &client::Client, id: &str, decision: Decision) -> Outcome<Freed> {
    let Decision { confirmed, consistent } = decision;
    let (fields, _) =
        client.request(Operation::ForceRelease { id: id.to_owned(), confirmed, consistent }, Vec::new())?;
    let was = fields.get("was").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Freed { was, killed: fields.get("killed") == Some(&Value::Bool(true)) })
}

fn write(
    client: &client::Client,
    id: &str,
    part: Part,
    bytes: &[u8],
    if_version: Option<u64>,
) -> Outcome<WriteIf> {
    let operation = Operation::Write { id: id.to_owned(), part, content: None, if_version };
    let version = |fields: Map<String, Value>| fields.get("version").and_then(Value::as_u64);
    match client.request(operation, bytes.to_vec()) {
        Ok((fields, _)) => Ok(Some(version(fields).unwrap_or(0))),
        Err(client::Error::Fault { fault, .. }) if fault.code == fault::CONFLICT => Ok(None),
        Err(error) => Err(error.into()),
    }
}
