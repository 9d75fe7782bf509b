//! Making and removing regions.

use memlane::schema::Schema;
use memlane::{
    AnyArray, AnyValue, Barrier, Condition, Error, Event, FramePublisher, FrameSpec, Lock, Observer,
    PipeSpec, Queue, QueueSpec, RLock, Raw, Record, RwLock, Semaphore, SignalSemaphore, Space,
    StreamPublisher, StreamSpec, Text,
};
use serde_json::{Value, json};

use super::{Done, Outcome, Service, bad};
use crate::protocol::fault::Fault;
use crate::protocol::operation::Specification;
use crate::view::datum_json::{self, unfit};
use crate::view::document;

/// Which fields of a specification a kind takes.
const FIELDS: [(&str, &[&str]); 15] = [
    ("value", &["schema", "initial"]),
    ("record", &["schema"]),
    ("array", &["schema"]),
    ("text", &["capacity", "initial"]),
    ("raw", &["capacity"]),
    ("lock", &[]),
    ("rlock", &[]),
    ("rwlock", &[]),
    ("semaphore", &["count", "signal", "most"]),
    ("event", &["auto_reset"]),
    ("condition", &["count"]),
    ("barrier", &["count"]),
    ("queue", &["capacity", "most", "acknowledged"]),
    ("pipe", &["capacity", "one_way"]),
    ("stream", &["schema", "capacity", "lossless"]),
];
const FIELDS_OF_FRAMES: &[&str] = &["schema", "capacity", "history", "borrows"];
const FIELDS_OF_ALL: &[&str] = &["kind", "participants", "note"];

impl Service {
    pub(super) async fn create(&self, id: String, wanted: Specification, exist_ok: bool) -> Outcome {
        check_fields(&wanted)?;
        let space = space_for(&self.space, &wanted)?;
        self.aside(move |_| {
            let created = make(&space, &id, &wanted, exist_ok)?;
            let observer = Observer::open(&space, &id)?;
            let region = document::region(&id, observer.description());
            Ok::<_, Fault>(Done::of(document::merged(region, json!({"created": created}))))
        })
        .await
    }

    pub(super) fn delete(&self, id: &str) -> Outcome {
        self.space.remove(id)?;
        self.handles.forget(id);
        self.feeds.look_again();
        Ok(Done::default())
    }
}

/// Refuses what does not fit the kind, by name.
fn check_fields(wanted: &Specification) -> Result<(), Fault> {
    let kind = wanted.kind.as_str();
    let known = FIELDS.iter().find(|(name, _)| *name == kind).map(|(_, fields)| *fields);
    let known = known.or_else(|| (kind == "frames").then_some(FIELDS_OF_FRAMES)).ok_or_else(|| {
        let kinds = FIELDS.map(|(name, _)| name).join(", ");
        bad(format!("expected a kind ({kinds}, frames), found `{kind}`"))
    })?;
    let said = serde_json::to_value(wanted).unwrap_or_default();
    let said = said.as_object().into_iter().flat_map(|fields| fields.keys());
    match said
        .into_iter()
        .find(|name| !known.contains(&name.as_str()) && !FIELDS_OF_ALL.contains(&name.as_str()))
    {
        None => Ok(()),
        Some(name) if known.is_empty() => {
            Err(bad(format!("a {kind} is made without any field of its own, found `{name}`")))
        }
        Some(name) => Err(bad(format!("a {kind} is made with {}, found `{name}`", known.join(", ")))),
    }
}

fn space_for(space: &Space, wanted: &Specification) -> Result<Space, Fault> {
    let mut space = space.clone();
    match wanted.participants {
        None => {}
        Some(count @ 1..=4095) => space = space.participants(count),
        Some(count) => return Err(bad(format!("participants must be 1 to 4095, found {count}"))),
    }
    Ok(wanted.note.iter().fold(space, |space, note| space.note(note)))
}

/// Makes it, or finds one like it where that will do; says whether it was made.
fn make(space: &Space, id: &str, wanted: &Specification, exist_ok: bool) -> Result<bool, Fault> {
    match make_new(space, id, wanted) {
        Err(fault) if exist_ok && fault.code == "already_exists" => {
            expect_like(space, id, wanted)?;
            Ok(false)
        }
        made => made.map(|()| true),
    }
}

fn make_new(space: &Space, id: &str, wanted: &Specification) -> Result<(), Fault> {
    match wanted.kind.as_str() {
        "value" => {
            let primitive = scalar(id, wanted)?;
            drop(AnyValue::create(space, id, primitive, &initial(id, wanted, primitive)?)?);
        }
        "record" => drop(Record::create(space, id, schema(id, wanted)?)?),
        "array" => drop(AnyArray::create(space, id, schema(id, wanted)?)?),
        "text" => make_text(space, id, wanted)?,
        "raw" => drop(Raw::create(space, id, capacity(wanted)?)?),
        "lock" => drop(Lock::create(space, id)?),
        "rlock" => drop(RLock::create(space, id)?),
        "rwlock" => drop(RwLock::create(space, id)?),
        "semaphore" => match (wanted.signal, wanted.most) {
            (false, None) => drop(Semaphore::create(space, id, wanted.count.unwrap_or(1))?),
            (false, Some(_)) => return Err(bad("a semaphore has a `most` only with `signal`")),
            (true, None) => drop(SignalSemaphore::create(space, id, wanted.count.unwrap_or(0))?),
            (true, Some(most)) => {
                drop(SignalSemaphore::create_bounded(space, id, wanted.count.unwrap_or(0), most)?);
            }
        },
        "event" if wanted.auto_reset => drop(Event::create_auto_reset(space, id)?),
        "event" => drop(Event::create(space, id)?),
        "condition" => drop(Condition::create(space, id, wanted.count.unwrap_or(CONDITION_THREADS))?),
        "barrier" => {
            let count = wanted.count.ok_or_else(|| missing("barrier", "count", "parties"))?;
            drop(Barrier::create(space, id, count)?);
        }
        "queue" => drop(Queue::create(space, id, &queue_spec(wanted)?)?),
        "pipe" => drop(pipe_spec(wanted)?.create(space, id)?),
        "stream" => drop(StreamPublisher::create(space, id, &stream_spec(id, wanted)?)?),
        _ => drop(FramePublisher::create(space, id, &frame_spec(id, wanted)?)?),
    }
    Ok(())
}

/// Threads that can wait for a condition, as its own default is.
const CONDITION_THREADS: u32 = 128;

/// Whether what stands there is what was asked for.
fn expect_like(space: &Space, id: &str, wanted: &Specification) -> Result<(), Fault> {
    match wanted.kind.as_str() {
        "value" => {
            let primitive = scalar(id, wanted)?;
            drop(AnyValue::open_as(space, id, primitive)?);
        }
        "record" => drop(Record::open_or_create(space, id, schema(id, wanted)?)?),
        "array" => drop(AnyArray::open_or_create(space, id, schema(id, wanted)?)?),
        "text" => drop(Text::open_or_create(space, id, capacity(wanted)?)?),
        "raw" => drop(Raw::open_or_create(space, id, capacity(wanted)?)?),
        "lock" => drop(Lock::open_or_create(space, id)?),
        "rlock" => drop(RLock::open_or_create(space, id)?),
        "rwlock" => drop(RwLock::open_or_create(space, id)?),
        "semaphore" => match (wanted.signal, wanted.most) {
            (false, _) => drop(Semaphore::open_or_create(space, id, wanted.count.unwrap_or(1))?),
            (true, None) => drop(SignalSemaphore::open_or_create(space, id, wanted.count.unwrap_or(0))?),
            (true, Some(most)) => {
                let count = wanted.count.unwrap_or(0);
                drop(SignalSemaphore::open_or_create_bounded(space, id, count, most)?);
            }
        },
        "event" if wanted.auto_reset => drop(Event::open_or_create_auto_reset(space, id)?),
        "event" => drop(Event::open_or_create(space, id)?),
        "condition" => drop(Condition::open(space, id)?),
        "barrier" => {
            // Opening it would take part in it.
            let observer = Observer::open(space, id)?;
            let found = u64::from(observer.barrier()?.parties);
            let expected = u64::from(wanted.count.ok_or_else(|| missing("barrier", "count", "parties"))?);
            if found != expected {
                let (id, parameter) = (id.to_owned(), "parties");
                return Err(Error::ParameterMismatch { id, parameter, expected, found }.into());
            }
        }
        "queue" => drop(Queue::open_or_create(space, id, &queue_spec(wanted)?)?),
        "pipe" => drop(pipe_spec(wanted)?.open_or_create(space, id)?),
        "stream" => match StreamPublisher::open_or_create(space, id, &stream_spec(id, wanted)?) {
            // That somebody publishes is told last.
            Ok(_) | Err(Error::PublisherExists { .. }) => {}
            Err(error) => return Err(error.into()),
        },
        _ => match FramePublisher::open_or_create(space, id, &frame_spec(id, wanted)?) {
            Ok(_) | Err(Error::PublisherExists { .. }) => {}
            Err(error) => return Err(error.into()),
        },
    }
    Ok(())
}

/// The first content is checked and written before anybody is told of the text.
fn make_text(space: &Space, id: &str, wanted: &Specification) -> Result<(), Fault> {
    let initial = match &wanted.initial {
        None => "",
        Some(Value::String(text)) => text,
        Some(other) => return Err(bad(format!("the initial content of a text is a string, found {other}"))),
    };
    let capacity = capacity(wanted)?;
    if initial.len() > capacity {
        return Err(Error::TooLarge { id: id.into(), size: initial.len(), capacity }.into());
    }
    let text = Text::create(space, id, capacity)?;
    if !initial.is_empty() {
        text.write(initial)?;
    }
    Ok(())
}

fn schema(id: &str, wanted: &Specification) -> Result<Schema, Fault> {
    let text = wanted.schema.as_deref().ok_or_else(|| missing(&wanted.kind, "schema", "what it holds"))?;
    Ok(text.parse().map_err(unfit(id))?)
}

fn scalar(id: &str, wanted: &Specification) -> Result<memlane::schema::Primitive, Fault> {
    let schema = schema(id, wanted)?;
    let plain = schema.native_scalar().filter(|primitive| schema == Schema::new(*primitive));
    plain.ok_or_else(|| bad(format!("a value's schema is a scalar such as f64, u32 or bool, found {schema}")))
}

fn initial(
    id: &str,
    wanted: &Specification,
    primitive: memlane::schema::Primitive,
) -> Result<memlane::schema::Datum, Fault> {
    match &wanted.initial {
        None => Ok(primitive.datum_of(0)),
        Some(value) => Ok(datum_json::from_json(value, &primitive.into(), &[]).map_err(unfit(id))?),
    }
}

fn capacity(wanted: &Specification) -> Result<usize, Fault> {
    let capacity = wanted.capacity.ok_or_else(|| missing(&wanted.kind, "capacity", "how many bytes"))?;
    Ok(usize::try_from(capacity).unwrap_or(usize::MAX))
}

fn queue_spec(wanted: &Specification) -> Result<QueueSpec, Fault> {
    let spec = QueueSpec::bytes(capacity(wanted)?);
    let spec = wanted.most.iter().fold(spec, |spec, most| spec.messages(*most));
    Ok(if wanted.acknowledged { spec.acknowledged() } else { spec })
}

fn pipe_spec(wanted: &Specification) -> Result<PipeSpec, Fault> {
    let capacity = capacity(wanted)?;
    Ok(if wanted.one_way { PipeSpec::one_way(capacity) } else { PipeSpec::duplex(capacity) })
}

fn stream_spec(id: &str, wanted: &Specification) -> Result<StreamSpec, Fault> {
    let spec = StreamSpec::of(schema(id, wanted)?);
    let spec = wanted.capacity.iter().fold(spec, |spec, records| spec.capacity(*records));
    Ok(if wanted.lossless { spec.lossless() } else { spec })
}

fn frame_spec(id: &str, wanted: &Specification) -> Result<FrameSpec, Fault> {
    let spec = match (&wanted.schema, wanted.capacity) {
        (Some(_), Some(_)) => return Err(bad("frames have a `schema` or a `capacity`, found both")),
        (None, Some(_)) => FrameSpec::bytes(capacity(wanted)?),
        _ => FrameSpec::of(schema(id, wanted)?),
    };
    let spec = wanted.history.iter().fold(spec, |spec, history| spec.history(*history));
    Ok(wanted.borrows.iter().fold(spec, |spec, borrows| spec.borrows(*borrows)))
}

fn missing(kind: &str, field: &str, what: &str) -> Fault {
    bad(format!("a {kind} needs `{field}`: {what}"))
}
