//! Contents: read, waited for, written, added to and exchanged.

use memlane::observer::{Content, Observation};
use memlane::schema::{Datum, Schema};
use memlane::{AnyArray, AnyValue, Error, Kind, Raw, Record, Text};
use serde_json::{Value, json};

use super::{Attached, Done, Handle, Outcome, Patience, Service, bad};
use crate::host::watcher::Thing;
use crate::protocol::fault::{self, Fault};
use crate::protocol::operation::{Form, Part};
use crate::view::datum_json::{self, unfit};
use crate::view::edit::Edit;
use crate::view::selection::Selection;
use crate::view::sight::Sight;

/// More items are not written as JSON: they would be many times their size.
pub(super) const MOST_JSON_ITEMS: usize = 1 << 16;
/// Nobody gets more bytes in one answer.
const MOST_BYTES: usize = 1 << 30;

impl Service {
    pub(super) fn read(&self, id: &str, part: &Part, form: Form) -> Outcome {
        read(&*self.handle(id)?, part, form)
    }

    pub(super) async fn wait(&self, id: &str, version: u64, timeout: Option<f64>, form: Form) -> Outcome {
        let patience = Patience::new(timeout)?;
        let handle = self.handle(id)?;
        let attached = handle.attached()?;
        let is_newer = || Ok((handle.observer.version() != version).then_some(()));
        let newer = self.until(&patience, is_newer, || newer_than(&handle, attached, version)).await?;
        match newer {
            Some(()) => read(&handle, &Part::default(), form),
            None => Err(handle.timed_out("a newer content", &patience)),
        }
    }

    pub(super) fn write(
        &self,
        id: &str,
        part: &Part,
        content: Option<Value>,
        payload: &[u8],
        if_version: Option<u64>,
    ) -> Outcome {
        if content.is_some() && !payload.is_empty() {
            return Err(bad("a write has `content` or a payload, found both"));
        }
        let handle = self.handle(id)?;
        let new = New { id, part, content, payload };
        match (handle.attached()?, if_version) {
            (Attached::Value(value), _) => new.into_value(value, if_version),
            (Attached::Record(record), _) => new.into_record(record, if_version),
            (Attached::Text(text), _) => new.into_text(text, if_version),
            (Attached::Array(array), None) => new.into_array(array),
            (Attached::Raw(raw), None) => new.into_raw(raw),
            (Attached::Array(_) | Attached::Raw(_), Some(_)) => {
                Err(bad(format!("`if_version` is for values, records and texts, found {}", handle.kind())))
            }
            _ => Err(handle.wrong_kind("a content: a value, record, text, array or raw region")),
        }
    }

    pub(super) fn add(&self, id: &str, index: &[usize], by: &Value) -> Outcome {
        let handle = self.handle(id)?;
        match handle.attached()? {
            Attached::Value(value) => {
                no_index(index)?;
                let by = datum_json::from_json(by, &value.primitive().into(), &[]).map_err(unfit(id))?;
                let content = value.add(&by)?;
                let version = value.read().version;
                Ok(Done::of(json!({"content": datum_json::to_json(&content), "version": version})))
            }
            Attached::Array(array) => {
                let content = array.add(element_of(id, array, index)?, &scalar_of(id, array, by)?)?;
                let version = array.region().version();
                Ok(Done::of(json!({"content": datum_json::to_json(&content), "version": version})))
            }
            _ => Err(handle.wrong_kind("a value or an array")),
        }
    }

    pub(super) fn compare_exchange(
        &self,
        id: &str,
        index: &[usize],
        expected: &Value,
        new: &Value,
    ) -> Outcome {
        let handle = self.handle(id)?;
        let outcome = match handle.attached()? {
            Attached::Value(value) => {
                no_index(index)?;
                let datum =
                    |json| datum_json::from_json(json, &value.primitive().into(), &[]).map_err(unfit(id));
                value.compare_exchange(&datum(expected)?, &datum(new)?)?
            }
            Attached::Array(array) => {
                let (expected, new) = (scalar_of(id, array, expected)?, scalar_of(id, array, new)?);
                array.compare_exchange(element_of(id, array, index)?, &expected, &new)?
            }
            _ => return Err(handle.wrong_kind("a value or an array")),
        };
        let (is_exchanged, before) = (outcome.is_ok(), outcome.unwrap_or_else(|found| found));
        Ok(Done::of(json!({"exchanged": is_exchanged, "content": datum_json::to_json(&before)})))
    }
}

/// What the region shows, or a part of it.
pub(crate) fn read(handle: &Handle, part: &Part, form: Form) -> Outcome {
    let observer = &handle.observer;
    match handle.kind() {
        Kind::Frames => {
            whole_only(handle, part)?;
            newest_frame(handle)
        }
        Kind::Array | Kind::Raw if !part.is_whole() => read_run(handle, part, form),
        Kind::Value | Kind::Record | Kind::Text | Kind::Array | Kind::Raw => {
            shown(handle.id(), observer.description().schema.as_ref(), &observer.read()?, part, form)
        }
        _ => {
            whole_only(handle, part)?;
            let sight = Sight::of(observer)?;
            Ok(Done::of(json!({"version": sight.version(), "content": sight.json(handle.id())?})))
        }
    }
}

fn newest_frame(handle: &Handle) -> Outcome {
    // Without the right to take part, the observer's copy has to do, which maps the frame each time.
    let Ok(Attached::Frames(frames)) = handle.attached() else {
        let Some(frame) = handle.observer.latest_frame()? else {
            return Ok(Done::of(json!({"sequence": 0})));
        };
        let fields = frame_fields(handle, frame.sequence, frame.captured, frame.bytes.len());
        return Ok(Done::of(fields).with(frame.bytes));
    };
    let mut bytes = Vec::new();
    let Some((sequence, captured)) = frames.copy(&mut bytes)? else {
        return Ok(Done::of(json!({"sequence": 0})));
    };
    Ok(Done::of(frame_fields(handle, sequence, captured, bytes.len())).with(bytes))
}

/// What is said of a frame of so many bytes. One that is shorter than its schema has no shape.
pub(crate) fn frame_fields(
    handle: &Handle,
    sequence: u64,
    captured: memlane::Timestamp,
    length: usize,
) -> Value {
    let mut fields = json!({
        "sequence": sequence,
        "captured_wall": captured.wall,
        "captured_monotonic": captured.monotonic,
    });
    if let Some(schema) = &handle.observer.description().schema {
        if schema.size() == length {
            fields["shape"] = json!(schema.shape());
        }
        fields["encoding"] = json!(schema.encoding());
    }
    fields
}

/// Until the content is another one.
fn newer_than(handle: &Handle, attached: &Attached, version: u64) -> Result<Thing, Fault> {
    attached.newer(version, None)?.ok_or_else(|| {
        let message = format!("`wait` is for contents, frames and streams; subscribe to a {}", handle.kind());
        Fault::new(fault::UNKNOWN_OPERATION, message)
    })
}

/// A content or a part of it, as asked for.
pub(crate) fn shown(
    id: &str,
    schema: Option<&Schema>,
    seen: &Observation,
    part: &Part,
    form: Form,
) -> Outcome {
    let version = Done::of(json!({"version": seen.version}));
    if part.is_whole() {
        return match (&seen.content, form) {
            (Content::Datum(datum), Form::Bytes) => {
                let schema = schema.ok_or_else(|| no_schema(id))?;
                Ok(version.with(schema.encode(datum).map_err(unfit(id))?))
            }
            (Content::Elements(bytes, _), Form::Bytes) => Ok(version.with(bytes.clone())),
            (Content::Text(text), Form::Bytes) => Ok(version.with(text.clone().into_bytes())),
            (Content::Datum(datum), Form::Json) => Ok(with_content(version, datum_json::to_json(datum))),
            (Content::Text(text), Form::Json) => Ok(with_content(version, Value::from(text.as_str()))),
            (Content::Elements(bytes, schema), Form::Json) => {
                check_json_items(id, schema.item_count())?;
                let datum = schema.decode(bytes).map_err(unfit(id))?;
                Ok(with_content(version, datum_json::to_json(&datum)))
            }
            _ => Ok(version),
        };
    }
    let schema = schema.filter(|_| !matches!(seen.content, Content::Text(_))).ok_or_else(|| no_parts(id))?;
    no_run(part)?;
    let selection = selection_of(part);
    let datum = selection.of(id, schema, seen)?;
    shown_datum(id, version, &datum, form, || selection.part(id, schema)?.schema().map_err(unfit(id)))
}

fn shown_datum(
    id: &str,
    done: Done,
    datum: &Datum,
    form: Form,
    schema: impl FnOnce() -> memlane::Result<Schema>,
) -> Outcome {
    match form {
        Form::Json => Ok(with_content(done, datum_json::to_json(datum))),
        Form::Bytes => Ok(done.with(schema()?.encode(datum).map_err(unfit(id))?)),
    }
}

fn with_content(mut done: Done, content: Value) -> Done {
    done.fields.insert("content".into(), content);
    done
}

/// Elements of an array or bytes of a raw region, without copying all of them where that can be avoided.
fn read_run(handle: &Handle, part: &Part, form: Form) -> Outcome {
    let id = handle.id();
    let schema = handle.observer.description().schema.as_ref().ok_or_else(|| no_schema(id))?;
    let (start, count) = match run_of(id, schema, part)? {
        Run::Elements(start, count) => (start, count),
        // A field is in one element.
        Run::Inside(number) => (number, 1),
    };
    let (item, version) = (schema.item_size(), handle.observer.version());
    if count.saturating_mul(item) > MOST_BYTES {
        return Err(too_much(id, count));
    }
    let mut bytes = vec![0; count * item];
    match handle.attached() {
        Ok(Attached::Array(array)) => array.read(start, &mut bytes)?,
        Ok(Attached::Raw(raw)) => raw.read(start, &mut bytes)?,
        // Without the right to take part.
        _ => {
            let Content::Elements(all, _) = handle.observer.read()?.content else { return Err(no_parts(id)) };
            bytes.copy_from_slice(all.get(start * item..(start + count) * item).unwrap_or_default());
        }
    }
    let done = Done::of(json!({"version": version}));
    if part.start.is_some() || part.count.is_some() {
        return match form {
            Form::Bytes => Ok(done.with(bytes)),
            Form::Json => {
                check_json_items(id, count)?;
                let decode = |item| Ok(datum_json::to_json(&schema.dtype().decode(item).map_err(unfit(id))?));
                let items: memlane::Result<Vec<_>> = bytes.chunks_exact(item.max(1)).map(decode).collect();
                Ok(with_content(done, Value::Array(items?)))
            }
        };
    }
    let element = Schema::new(schema.dtype().clone());
    let inside = Selection { field: part.field.clone(), index: Vec::new() };
    let whole = element.decode(&bytes).map_err(unfit(id))?;
    let found = inside.part(id, &element)?;
    let datum = found.of(&whole).ok_or_else(|| no_parts(id))?;
    shown_datum(id, done, datum, form, || found.schema().map_err(unfit(id)))
}

/// Which elements a part of an array is, or is in.
enum Run {
    Elements(usize, usize),
    Inside(usize),
}

fn run_of(id: &str, schema: &Schema, part: &Part) -> Result<Run, Fault> {
    let all = schema.item_count();
    if part.start.is_some() || part.count.is_some() {
        if part.field.is_some() || !part.index.is_empty() {
            return Err(bad(
                "a part is a run (`start`, `count`) or an element (`index`, `field`), found both",
            ));
        }
        let start = usize::try_from(part.start.unwrap_or(0)).unwrap_or(usize::MAX);
        let rest = all.checked_sub(start).ok_or_else(|| out_of_range(id, start, all))?;
        let count = part.count.map_or(rest, |count| usize::try_from(count).unwrap_or(usize::MAX));
        if count > rest {
            return Err(out_of_range(id, start.saturating_add(count).saturating_sub(1), all));
        }
        return Ok(Run::Elements(start, count));
    }
    let number = selection_of(part).element(id, schema.shape())?;
    number.map(Run::Inside).ok_or_else(|| bad("a field of an array is one of an element: say `index`"))
}

/// What a write makes of a content.
struct New<'a> {
    id: &'a str,
    part: &'a Part,
    content: Option<Value>,
    payload: &'a [u8],
}

impl New<'_> {
    /// As a datum of a schema.
    fn datum(&self, schema: &Schema) -> Result<Datum, Fault> {
        let datum = match &self.content {
            Some(value) => datum_json::from_json(value, schema.dtype(), schema.shape()),
            None => schema.decode(self.payload),
        };
        Ok(datum.map_err(unfit(self.id))?)
    }

    /// As bytes of a schema.
    fn bytes(&self, schema: &Schema) -> Result<Vec<u8>, Fault> {
        match &self.content {
            Some(_) => Ok(schema.encode(&self.datum(schema)?).map_err(unfit(self.id))?),
            None => Ok(self.payload.to_vec()),
        }
    }

    fn into_value(self, value: &AnyValue, if_version: Option<u64>) -> Outcome {
        whole_or_no_parts(self.id, self.part)?;
        let new = self.datum(&Schema::new(value.primitive()))?;
        let Some(expected) = if_version else {
            value.store(&new)?;
            return Ok(Done::of(json!({"version": value.read().version})));
        };
        let reading = value.read();
        let is_in = reading.version == expected && value.compare_exchange(&reading.value, &new)?.is_ok();
        let now = value.read();
        if is_in {
            return Ok(Done::of(json!({"version": now.version})));
        }
        Err(conflict(self.id, expected, now.version, datum_json::to_json(&now.value)))
    }

    fn into_record(self, record: &Record, if_version: Option<u64>) -> Outcome {
        no_run(self.part)?;
        let (id, schema) = (self.id, record.schema());
        let selection = selection_of(self.part);
        let edit = match self.content {
            Some(value) => Edit::of_json(id, schema, &selection, value)?,
            None => Edit::of_bytes(id, schema, &selection, self.payload)?,
        };
        loop {
            let (before, version) = record.read()?;
            if let Some(expected) = if_version.filter(|expected| *expected != version) {
                return Err(conflict(id, expected, version, datum_json::to_json(&before)));
            }
            // Somebody who was faster is in the next look.
            if let Ok(version) = record.write_if(version, &edit.applied_to(&before)?)? {
                return Ok(Done::of(json!({"version": version})));
            }
        }
    }

    fn into_text(self, text: &Text, if_version: Option<u64>) -> Outcome {
        whole_or_no_parts(self.id, self.part)?;
        let new = match &self.content {
            Some(Value::String(new)) => new.as_str(),
            Some(other) => return Err(bad(format!("the content of a text is a string, found {other}"))),
            None => {
                std::str::from_utf8(self.payload).map_err(|error| bad(format!("a text is UTF-8: {error}")))?
            }
        };
        let version = match if_version {
            None => text.write(new)?,
            Some(expected) => text.write_if(expected, new)?.map_err(|newer| {
                conflict(self.id, expected, newer.version, Value::from(newer.content.as_str()))
            })?,
        };
        Ok(Done::of(json!({"version": version})))
    }

    fn into_array(self, array: &AnyArray) -> Outcome {
        let id = self.id;
        let schema = array.region().description().schema.clone().ok_or_else(|| no_schema(id))?;
        let element = Schema::new(schema.dtype().clone());
        let (start, bytes) = if self.part.is_whole() {
            let bytes = self.bytes(&schema)?;
            if bytes.len() != schema.size() {
                return Err(wrong_size(id, bytes.len(), schema.size()));
            }
            (0, bytes)
        } else {
            match run_of(id, &schema, self.part)? {
                Run::Elements(start, count) => (start, self.run(&element, count)?),
                Run::Inside(number) if self.part.field.is_none() => {
                    let bytes = self.bytes(&element)?;
                    if bytes.len() != element.size() {
                        return Err(wrong_size(id, bytes.len(), element.size()));
                    }
                    (number, bytes)
                }
                Run::Inside(number) => {
                    let inside = Selection { field: self.part.field.clone(), index: Vec::new() };
                    let edit = match self.content {
                        Some(value) => Edit::of_json(id, &element, &inside, value)?,
                        None => Edit::of_bytes(id, &element, &inside, self.payload)?,
                    };
                    (number, edit.applied_to(&array.load(number)?)?)
                }
            }
        };
        array.write(start, &bytes)?;
        Ok(Done::of(json!({"version": array.region().version()})))
    }

    /// So many elements, or as many as there are bytes of when nobody said how many.
    fn run(&self, element: &Schema, count: usize) -> Result<Vec<u8>, Fault> {
        let bytes = match &self.content {
            None => self.payload.to_vec(),
            Some(Value::Array(items)) if items.len() <= count => {
                let mut bytes = Vec::with_capacity(items.len() * element.size());
                for item in items {
                    let datum = datum_json::from_json(item, element.dtype(), &[]).map_err(unfit(self.id))?;
                    bytes.extend(element.encode(&datum).map_err(unfit(self.id))?);
                }
                bytes
            }
            Some(Value::Array(items)) => return Err(wrong_size(self.id, items.len(), count)),
            Some(other) => return Err(bad(format!("a run is an array of its elements, found {other}"))),
        };
        let wanted = count * element.size();
        if bytes.len() > wanted || (self.part.count.is_some() && bytes.len() != wanted) {
            return Err(wrong_size(self.id, bytes.len(), wanted));
        }
        Ok(bytes)
    }

    fn into_raw(self, raw: &Raw) -> Outcome {
        let id = self.id;
        let schema = raw.region().description().schema.clone().ok_or_else(|| no_schema(id))?;
        let (start, count) = if self.part.is_whole() {
            (0, raw.len())
        } else {
            match run_of(id, &schema, self.part)? {
                Run::Elements(start, count) => (start, count),
                Run::Inside(number) => {
                    let bytes = self.bytes(&Schema::new(schema.dtype().clone()))?;
                    raw.write(number, &bytes)?;
                    return Ok(Done::of(json!({"version": raw.region().version()})));
                }
            }
        };
        raw.write(start, &self.run(&Schema::new(schema.dtype().clone()), count)?)?;
        Ok(Done::of(json!({"version": raw.region().version()})))
    }
}

/// The number of the element of an array that is meant.
fn element_of(id: &str, array: &AnyArray, index: &[usize]) -> Result<usize, Fault> {
    let schema = array.region().description().schema.as_ref().ok_or_else(|| no_schema(id))?;
    let number = Selection { field: None, index: index.to_vec() }.element(id, schema.shape())?;
    number.ok_or_else(|| bad("say which element: `index`, one number for each dimension"))
}

fn scalar_of(id: &str, array: &AnyArray, value: &Value) -> Result<Datum, Fault> {
    let schema = array.region().description().schema.as_ref().ok_or_else(|| no_schema(id))?;
    Ok(datum_json::from_json(value, schema.dtype(), &[]).map_err(unfit(id))?)
}

fn selection_of(part: &Part) -> Selection {
    Selection { field: part.field.clone(), index: part.index.clone() }
}

fn whole_only(handle: &Handle, part: &Part) -> Result<(), Fault> {
    if part.is_whole() { Ok(()) } else { Err(no_parts(handle.id())) }
}

fn whole_or_no_parts(id: &str, part: &Part) -> Result<(), Fault> {
    if part.is_whole() { Ok(()) } else { Err(no_parts(id)) }
}

fn no_run(part: &Part) -> Result<(), Fault> {
    if part.start.is_none() && part.count.is_none() {
        return Ok(());
    }
    Err(bad("a run (`start`, `count`) is one of an array's elements or of raw bytes"))
}

fn no_index(index: &[usize]) -> Result<(), Fault> {
    if index.is_empty() { Ok(()) } else { Err(bad("a value has no elements: leave `index` out")) }
}

fn no_parts(id: &str) -> Fault {
    bad(format!("region `{id}` has no such parts: read or write it as a whole"))
}

fn no_schema(id: &str) -> Fault {
    Error::Corrupt { id: id.into(), what: "it has no schema".into() }.into()
}

fn out_of_range(id: &str, index: usize, len: usize) -> Fault {
    Error::OutOfRange { id: id.into(), what: "element", index: index as u64, len: len as u64 }.into()
}

fn wrong_size(id: &str, found: usize, expected: usize) -> Fault {
    Fault::new("too_large", format!("region `{id}`: expected {expected} bytes or elements, found {found}"))
}

fn check_json_items(id: &str, count: usize) -> Result<(), Fault> {
    if count <= MOST_JSON_ITEMS { Ok(()) } else { Err(too_much(id, count)) }
}

fn too_much(id: &str, count: usize) -> Fault {
    let message = format!(
        "region `{id}`: {count} elements are too many for one answer: ask for a part, or for {MOST_JSON_ITEMS} at most as JSON and {MOST_BYTES} bytes as bytes"
    );
    Fault::new("too_large", message)
}

fn conflict(id: &str, expected: u64, version: u64, content: Value) -> Fault {
    let message = format!("region `{id}` is of version {version} now, not {expected}");
    Fault::new(fault::CONFLICT, message).with("version", version).with("content", content)
}
