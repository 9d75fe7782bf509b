//! What is seen of one region, by its kind.

use image::{RgbImage, imageops};
use memlane::Kind;
use memlane::observer::{Content as Observed, Observation};
use memlane::schema::{Datum, Schema};
use memlane_net::view::sight::{datum_text, decode};
use serde_json::Value;

use crate::failure::Outcome;
use crate::frame::picture;
use crate::sight::Sight;
use crate::source::{Seen, Source};
use crate::standing::message_line;

/// Messages of a queue that are shown.
const MESSAGES: u64 = 50;
/// Records of a stream that are shown, and elements of an array.
const RECORDS: u64 = 240;
pub(super) const ELEMENTS: usize = 4096;
/// Pixels of a picture in each direction: no terminal shows more.
const PIXELS: u32 = 400;

/// A region, looked into.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Detail {
    pub(super) id: String,
    pub(super) content: Content,
}

/// What it shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Text(String),
    /// A value (without a name) or a record's fields, those of inner records by `a.b`, each as it is typed.
    Fields(Vec<(String, String)>),
    /// An array's elements in C order as far as they are shown, and the length of its rows.
    Elements(Vec<String>, usize),
    /// The newest frame, made smaller.
    Picture(RgbImage),
    /// A stream's newest records, by channel.
    Channels(Vec<(String, Vec<f64>)>),
    /// Messages in a few words, the oldest first.
    Messages(Vec<String>, u64),
    /// A document, as it is.
    Document(Value),
    /// Why there is nothing to see.
    Nothing(String),
}

impl Detail {
    /// Looks now.
    pub(super) fn of(source: &Source, id: &str) -> Outcome<Self> {
        let seen = source.see(id)?;
        let content = match seen.kind {
            Kind::Frames => picture(source, &seen)?,
            Kind::Stream => channels(source, &seen)?,
            Kind::Queue => {
                let messages = source.peek(id, MESSAGES)?;
                let length = seen.sight.json(id)?["length"].as_u64().unwrap_or(0);
                Content::Messages(messages.iter().map(message_line).collect(), length)
            }
            _ => content(&seen)?,
        };
        Ok(Self { id: id.to_owned(), content })
    }
}

fn content(seen: &Seen) -> Outcome<Content> {
    Ok(match &seen.sight {
        Sight::Content(Observation { content: Observed::Text(text), .. }) => Content::Text(text.clone()),
        Sight::Content(Observation { content: Observed::Datum(datum), .. }) => {
            let mut fields = Vec::new();
            flatten("", datum, &mut fields);
            Content::Fields(fields)
        }
        Sight::Content(Observation { content: Observed::Elements(bytes, schema), .. })
        | Sight::Bytes(Observation { content: Observed::Elements(bytes, schema), .. }) => {
            elements(bytes, schema)
        }
        sight => Content::Document(sight.json(&seen.id)?),
    })
}

/// Fields of inner structures each by itself.
fn flatten(name: &str, datum: &Datum, fields: &mut Vec<(String, String)>) {
    match datum {
        Datum::Struct(inner) => {
            for (field, datum) in inner {
                let path = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                flatten(&path, datum, fields);
            }
        }
        // As it is typed: JSON, where a number or a text would not do.
        Datum::Array(_) => fields.push((name.to_owned(), crate::datum_json::to_json(datum).to_string())),
        datum => fields.push((name.to_owned(), datum_text(datum))),
    }
}

fn elements(bytes: &[u8], schema: &Schema) -> Content {
    let items = bytes.chunks_exact(schema.item_size().max(1)).take(ELEMENTS);
    let shown = items
        .map(|item| schema.dtype().decode(item).map_or_else(|_| "?".to_owned(), |item| datum_text(&item)));
    Content::Elements(shown.collect(), schema.shape().last().copied().unwrap_or(1).max(1))
}

fn picture(source: &Source, seen: &Seen) -> Outcome<Content> {
    let Some(schema) = seen.schema.as_ref().filter(|_| seen.sight.version() > 0) else {
        return Ok(Content::Nothing(seen.sight.line()));
    };
    let Some(bytes) = source.bytes(&seen.id)? else { return Ok(Content::Nothing(seen.sight.line())) };
    let picture = match picture::of_frame(schema, &bytes) {
        Ok(picture) => picture.into_rgb8(),
        Err(failure) => return Ok(Content::Nothing(failure.into_message())),
    };
    let (width, height) = picture.dimensions();
    let shrink = |size: u32| (size * PIXELS).div_ceil(width.max(height).max(1)).max(1);
    let small = if width.max(height) > PIXELS {
        imageops::thumbnail(&picture, shrink(width), shrink(height))
    } else {
        picture
    };
    Ok(Content::Picture(small))
}

fn channels(source: &Source, seen: &Seen) -> Outcome<Content> {
    let Some(schema) = &seen.schema else { return Ok(Content::Nothing(seen.sight.line())) };
    let since = seen.sight.version().saturating_sub(RECORDS);
    let (_, _, bytes) = source.records(&seen.id)?.from(since, RECORDS)?;
    let mut channels: Vec<(String, Vec<f64>)> = Vec::new();
    for record in bytes.chunks_exact(schema.size().max(1)) {
        let mut numbers = Vec::new();
        numbers_of("", &decode(&seen.id, schema, record)?, &mut numbers);
        channels.resize_with(numbers.len(), Default::default);
        for ((name, points), (number_name, number)) in channels.iter_mut().zip(numbers) {
            *name = number_name;
            points.push(number);
        }
    }
    Ok(Content::Channels(channels))
}

/// Each number of a record, by the way to it.
fn numbers_of(name: &str, datum: &Datum, numbers: &mut Vec<(String, f64)>) {
    match datum {
        Datum::Struct(fields) => {
            for (field, datum) in fields {
                numbers_of(
                    &format!("{name}{}{field}", if name.is_empty() { "" } else { "." }),
                    datum,
                    numbers,
                );
            }
        }
        Datum::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                numbers_of(&format!("{name}[{index}]"), item, numbers);
            }
        }
        datum => {
            if let Ok(number) = datum.to_string().parse() {
                numbers.push((name.to_owned(), number));
            }
        }
    }
}
