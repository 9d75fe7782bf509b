//! `memlane set ID VALUE`: changes a region, all of it or a part.
//!
//! A record changes as a whole, whatever part is given: of a JSON object the fields named, the others stay.
//! An array changes element by element, a raw region byte by byte. With a condition (`--if-version`, `--if-value`)
//! nothing is written if somebody was faster: then what stands is printed as by `get`, and the exit code is 5. `--json`
//! prints `id` and `version`.

use std::io::{self, Read};

use memlane::Kind;
use memlane::observer::{Content, Observation};
use memlane::schema::{Datum, Schema};
use serde_json::json;

use super::get::{no_content, no_parts, print_seen};
use crate::context::Context;
use crate::datum_json;
use crate::datum_json::unfit;
use crate::edit::Edit;
use crate::failure::{Exit, Failure, Outcome, unreadable_text};
use crate::selection::PartArguments;
use crate::sight::Sight;
use crate::source::{Seen, Source};

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
#[derive(Debug)]
pub(crate) enum Change {
    /// It was made, and this version has it.
    Made(u64),
    /// The condition did not hold, for this reason.
    Refused(String),
}

impl Set {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let source = context.source_of(&self.id)?;
        match self.change(source, &self.text()?)? {
            Change::Made(version) if context.json() => {
                context.print(json!({"id": self.id, "version": version}))
            }
            Change::Made(_) => Ok(()),
            Change::Refused(reason) => {
                print_seen(context, &source.see(&self.id)?, &self.part.selection())?;
                let message = format!("region `{}` was not changed: {reason}", self.id);
                Err(Failure::new(Exit::Mismatch, message))
            }
        }
    }

    /// A change that nobody typed on a command line: of a part, by what `get` prints of it, if it is still `expected`.
    pub(crate) fn of_part(id: &str, part: PartArguments, value: String, expected: Option<String>) -> Self {
        Self { id: id.to_owned(), value, part, if_version: None, if_value: expected }
    }

    /// Makes the change as it was given.
    pub(crate) fn apply(&self, source: &Source) -> Outcome<Change> {
        self.change(source, &self.value)
    }

    fn change(&self, source: &Source, text: &str) -> Outcome<Change> {
        let seen = source.see(&self.id)?;
        if matches!(seen.kind, Kind::Value | Kind::Text) && !self.part.selection().is_all() {
            return Err(no_parts(&seen));
        }
        match (seen.kind, &seen.schema) {
            (Kind::Value, Some(schema)) => self.set_value(source, schema, text),
            (Kind::Record, Some(schema)) => self.set_record(source, schema, text),
            (Kind::Array | Kind::Raw, Some(schema)) => {
                self.set_elements(source, schema, text, seen.kind == Kind::Raw)
            }
            (Kind::Text, _) => self.set_text(source, text),
            _ => Err(no_content(&seen)),
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

    fn set_value(&self, source: &Source, schema: &Schema, text: &str) -> Outcome<Change> {
        if self.if_version.is_some() {
            return Err(unusable("the version of a value is a hint that cannot be compared; use --if-value"));
        }
        let parse = |text: &str| -> Outcome<Datum> {
            Ok(datum_json::from_text(text, schema.dtype(), &[]).map_err(unfit(&self.id))?)
        };
        let new = parse(text)?;
        let Some(expected) = &self.if_value else {
            return Ok(Change::Made(source.store(&self.id, &new)?));
        };
        Ok(match source.exchange(&self.id, schema, &parse(expected)?, &new)? {
            Ok(version) => Change::Made(version),
            Err(found) => Change::Refused(format!("expected {expected}, found {found}")),
        })
    }

    fn set_record(&self, source: &Source, schema: &Schema, text: &str) -> Outcome<Change> {
        let selection = self.part.selection();
        let parse = |text: &str| Edit::parse(&self.id, schema, &selection, text);
        let edit = parse(text)?;
        let expected = self.if_value.as_deref().map(parse).transpose()?;
        for _ in 0..MAX_ATTEMPTS {
            let (version, Content::Datum(content)) = read(source, &self.id)? else {
                return Err(unusable("the region has no schema"));
            };
            if let Some(reason) = self.objection(version) {
                return Ok(Change::Refused(reason));
            }
            if let (Some(expected), Some(value)) = (&expected, &self.if_value)
                && !expected.is_in(&content)?
            {
                return Ok(Change::Refused(format!("expected {value}, found another value")));
            }
            if let Some(version) = source.write_record_if(&self.id, version, &edit.applied_to(&content)?)? {
                return Ok(Change::Made(version));
            }
        }
        Err(self.outrun())
    }

    fn set_text(&self, source: &Source, new: &str) -> Outcome<Change> {
        if self.if_version.is_none() && self.if_value.is_none() {
            let written = source.write_text(&self.id, None, new)?;
            return written.map(Change::Made).ok_or_else(|| self.outrun());
        }
        for _ in 0..MAX_ATTEMPTS {
            let (version, Content::Text(content)) = read(source, &self.id)? else {
                return Err(unusable("the region holds no text"));
            };
            if let Some(reason) = self.objection(version) {
                return Ok(Change::Refused(reason));
            }
            if self.if_value.as_ref().is_some_and(|expected| *expected != content) {
                return Ok(Change::Refused("expected that text, found another".to_owned()));
            }
            if let Some(version) = source.write_text(&self.id, Some(version), new)? {
                return Ok(Change::Made(version));
            }
        }
        Err(self.outrun())
    }

    /// Of an array or of raw bytes: encoded as a whole first, so that what does not fit changes nothing.
    fn set_elements(&self, source: &Source, schema: &Schema, text: &str, is_raw: bool) -> Outcome<Change> {
        let selection = self.part.selection();
        if self.if_version.is_some() || self.if_value.is_some() {
            return Err(unusable("elements change one by one, without conditions"));
        }
        if selection.field.is_some() {
            return Err(unusable("an element is written as a whole; give all its fields as JSON"));
        }
        let unfit = unfit(&self.id);
        let element = selection.element(&self.id, schema.shape())?;
        let bytes = if element.is_some() {
            let datum = datum_json::from_text(text, schema.dtype(), &[]).map_err(&unfit)?;
            let mut bytes = vec![0; schema.item_size()];
            schema.dtype().encode(&datum, &mut bytes).map_err(&unfit)?;
            bytes
        } else {
            let content = datum_json::from_text(text, schema.dtype(), schema.shape()).map_err(&unfit)?;
            schema.encode(&content).map_err(&unfit)?
        };
        let start = element.unwrap_or(0);
        Ok(Change::Made(source.write_run(&self.id, schema, start, &bytes, is_raw)?))
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

/// The content and its version; it changes too fast for one look at times, and the next may be luckier.
fn read(source: &Source, id: &str) -> Outcome<(u64, Content)> {
    let Seen { sight: Sight::Content(Observation { version, content, .. }), .. } = source.see(id)? else {
        return Ok((0, Content::None));
    };
    Ok((version, content))
}

fn unusable(message: &str) -> Failure {
    Failure::new(Exit::Usage, message)
}
