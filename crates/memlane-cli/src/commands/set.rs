//! `memlane set ID VALUE`: changes a region, all of it or a part.
//!
//! A record changes as a whole, whatever part is given: of a JSON object the fields named, the others stay.
//! An array changes element by element, a raw region byte by byte. With a condition (`--if-version`, `--if-value`)
//! nothing is written if somebody was faster: then what stands is printed as by `get`, and the exit code is 5. `--json`
//! prints `id` and `version`.

use std::io::{self, Read};

use memlane::schema::{Datum, Schema};
use memlane::{AnyArray, AnyValue, Kind, Observer, Raw, Record, Region, Space, Text};
use serde_json::json;

use super::get::{no_content, no_parts, print_sight};
use crate::context::Context;
use crate::datum_json;
use crate::datum_json::unfit;
use crate::edit::Edit;
use crate::failure::{Exit, Failure, Outcome, unreadable_text};
use crate::selection::PartArguments;
use crate::sight::Sight;

/// A change of one part is tried again when another part changes meanwhile; that often is not by chance.
const MAX_ATTEMPTS: u32 = 1000;
const STANDARD_INPUT: &str = "-";

/// Change the content of a region
#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// The region
    id: String,

    /// A number, a text, or JSON for records, arrays and raw bytes; - reads the standard input
    #[arg(allow_hyphen_values = true)]
    value: String,

    #[command(flatten)]
    part: PartArguments,

    /// Only if the version is still N (records and texts), as `get --json` and `show` tell it
    #[arg(long, value_name = "N", conflicts_with = "if_value")]
    if_version: Option<u64>,

    /// Only if the content, or the part meant, is still VALUE
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    if_value: Option<String>,
}

/// What a change came to.
enum Change {
    /// It was made, and this version has it.
    Made(u64),
    /// The condition did not hold, for this reason.
    Refused(String),
}

impl Set {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let space = context.existing_space()?;
        let observer = Observer::open(space, &self.id)?;
        let text = self.text()?;
        let kind = observer.description().kind;
        if matches!(kind, Kind::Value | Kind::Text) && !self.part.selection().is_all() {
            return Err(no_parts(&observer));
        }
        let change = match kind {
            Kind::Value => self.set_value(space, &text)?,
            Kind::Record => self.set_record(space, &text)?,
            Kind::Array => self.set_array(space, &text)?,
            Kind::Raw => self.set_raw(space, &text)?,
            Kind::Text => self.set_text(space, &text)?,
            _ => return Err(no_content(&observer)),
        };
        match change {
            Change::Made(version) if context.json() => {
                context.print(json!({"id": self.id, "version": version}))
            }
            Change::Made(_) => Ok(()),
            Change::Refused(reason) => {
                print_sight(context, &observer, &Sight::of(&observer)?, &self.part.selection())?;
                let message = format!("region `{}` was not changed: {reason}", self.id);
                Err(Failure::new(Exit::Mismatch, message))
            }
        }
    }

    /// The value as given, or what the standard input holds.
    fn text(&self) -> Outcome<String> {
        if self.value != STANDARD_INPUT {
            return Ok(self.value.clone());
        }
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map_err(|error| unreadable_text(&error))?;
        Ok(text)
    }

    fn set_value(&self, space: &Space, text: &str) -> Outcome<Change> {
        if self.if_version.is_some() {
            return Err(unusable("the version of a value is a hint that cannot be compared; use --if-value"));
        }
        let value = AnyValue::open(space, &self.id)?;
        let parse = |text: &str| -> Outcome<Datum> {
            Ok(datum_json::from_text(text, &value.primitive().into(), &[]).map_err(unfit(&self.id))?)
        };
        let new = parse(text)?;
        if let Some(expected) = &self.if_value {
            if let Err(found) = value.compare_exchange(&parse(expected)?, &new)? {
                return Ok(Change::Refused(format!("expected {expected}, found {found}")));
            }
        } else {
            value.store(&new)?;
        }
        Ok(Change::Made(value.region().version()))
    }

    fn set_record(&self, space: &Space, text: &str) -> Outcome<Change> {
        let record = Record::open(space, &self.id)?;
        let parse = |text: &str| Edit::parse(&self.id, record.schema(), &self.part.selection(), text);
        let edit = parse(text)?;
        let expected = self.if_value.as_deref().map(parse).transpose()?;
        for _ in 0..MAX_ATTEMPTS {
            let (content, version) = record.read()?;
            if let Some(reason) = self.objection(version) {
                return Ok(Change::Refused(reason));
            }
            if let (Some(expected), Some(value)) = (&expected, &self.if_value)
                && !expected.is_in(&content)?
            {
                return Ok(Change::Refused(format!("expected {value}, found another value")));
            }
            if let Ok(version) = record.write_if(version, &edit.applied_to(&content)?)? {
                return Ok(Change::Made(version));
            }
        }
        Err(self.outrun())
    }

    fn set_text(&self, space: &Space, new: &str) -> Outcome<Change> {
        let text = Text::open(space, &self.id)?;
        if self.if_version.is_none() && self.if_value.is_none() {
            return Ok(Change::Made(text.write(new)?));
        }
        for _ in 0..MAX_ATTEMPTS {
            let (content, version) = text.read()?;
            if let Some(reason) = self.objection(version) {
                return Ok(Change::Refused(reason));
            }
            if self.if_value.as_ref().is_some_and(|expected| *expected != content) {
                return Ok(Change::Refused("expected that text, found another".to_owned()));
            }
            if let Ok(version) = text.write_if(version, new)? {
                return Ok(Change::Made(version));
            }
        }
        Err(self.outrun())
    }

    fn set_array(&self, space: &Space, text: &str) -> Outcome<Change> {
        let array = AnyArray::open(space, &self.id)?;
        let (schema, start, bytes) = self.elements(array.region(), text)?;
        for (index, item) in (start..).zip(bytes.chunks_exact(schema.item_size())) {
            array.store(index, &schema.dtype().decode(item).map_err(unfit(&self.id))?)?;
        }
        Ok(Change::Made(array.region().version()))
    }

    fn set_raw(&self, space: &Space, text: &str) -> Outcome<Change> {
        let raw = Raw::open(space, &self.id)?;
        let (_, start, bytes) = self.elements(raw.region(), text)?;
        raw.write(start, &bytes)?;
        Ok(Change::Made(raw.region().version()))
    }

    /// The schema of an array or of raw bytes, the number of the first element meant, and the bytes of all that are:
    /// encoded as a whole first, so that what does not fit changes nothing.
    fn elements<'a>(&self, region: &'a Region, text: &str) -> Outcome<(&'a Schema, usize, Vec<u8>)> {
        if self.if_version.is_some() || self.if_value.is_some() {
            return Err(unusable("elements change one by one, without conditions"));
        }
        if self.part.selection().field.is_some() {
            return Err(unusable("an element is written as a whole; give all its fields as JSON"));
        }
        let Some(schema) = &region.description().schema else {
            return Err(unusable("the region has no schema"));
        };
        let unfit = unfit(&self.id);
        if let Some(index) = self.part.selection().element(&self.id, schema.shape())? {
            let element = datum_json::from_text(text, schema.dtype(), &[]).map_err(&unfit)?;
            let mut bytes = vec![0; schema.item_size()];
            schema.dtype().encode(&element, &mut bytes).map_err(unfit)?;
            return Ok((schema, index, bytes));
        }
        let content = datum_json::from_text(text, schema.dtype(), schema.shape()).map_err(&unfit)?;
        Ok((schema, 0, schema.encode(&content).map_err(unfit)?))
    }

    /// Why the content at `version` is not to be changed.
    fn objection(&self, version: u64) -> Option<String> {
        let expected = self.if_version.filter(|expected| *expected != version)?;
        Some(format!("expected version {expected}, found {version}"))
    }

    fn outrun(&self) -> Failure {
        let id = &self.id;
        Failure::new(
            Exit::Busy,
            format!("region `{id}` changed {MAX_ATTEMPTS} times while it was edited; try again"),
        )
    }
}

fn unusable(message: &str) -> Failure {
    Failure::new(Exit::Usage, message)
}
