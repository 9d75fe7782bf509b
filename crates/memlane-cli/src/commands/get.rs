//! `memlane get ID`: the content of a region, or a part of it.
//!
//! `--json` prints `id`, `version` and `content` in one object; of a frame channel the content is the frames
//! document, of a lock the lock document (module `document`), of other kinds how they stand. `--raw` writes the bytes
//! as they lie in memory: a scalar in native byte order, a record, an array in C order, a raw region's bytes,
//! a text's UTF-8, or the newest frame.

use memlane::observer::{Content, Observation};
use memlane::schema::Datum;
use memlane_net::view::selection::Selection;
use serde_json::json;

use crate::context::Context;
use crate::datum_json;
use crate::failure::{Exit, Failure, Outcome};
use crate::selection::PartArguments;
use crate::sight::{self, Sight};
use crate::source::Seen;

/// Print the content of a region
#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// The region
    id: String,

    #[command(flatten)]
    part: PartArguments,

    /// Write the bytes as they lie in memory; of a frame channel the newest frame
    #[arg(long, conflicts_with_all = ["json", "field", "index"])]
    raw: bool,
}

impl Get {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let source = context.source()?;
        if self.raw {
            let bytes = source.bytes(&self.id)?;
            return context.write(&bytes.map_or_else(|| Err(no_content(&source.see(&self.id)?)), Ok)?);
        }
        print_seen(context, &source.see(&self.id)?, &self.part.selection())
    }
}

/// Prints what is seen of the part selected.
pub(crate) fn print_seen(context: &Context, seen: &Seen, selection: &Selection) -> Outcome {
    let (id, sight) = (&seen.id, &seen.sight);
    match (sight, &seen.schema) {
        (Sight::Content(observation) | Sight::Bytes(observation), Some(schema)) if !selection.is_all() => {
            let part = selection.of(id, schema, observation)?;
            print_datum(context, id, observation.version, &part)
        }
        _ if !selection.is_all() => Err(no_parts(seen)),
        _ if context.json() => context.print(sight.document(id)?),
        (Sight::Content(observation) | Sight::Bytes(observation), _) => {
            context.print(whole_text(id, observation)?)
        }
        _ => context.print(sight.line()),
    }
}

fn print_datum(context: &Context, id: &str, version: u64, datum: &Datum) -> Outcome {
    if context.json() {
        return context.print(json!({"id": id, "version": version, "content": datum_json::to_json(datum)}));
    }
    context.print(sight::datum_text(datum))
}

fn whole_text(id: &str, observation: &Observation) -> Outcome<String> {
    Ok(match &observation.content {
        Content::Datum(datum) => sight::datum_text(datum),
        // The end of a text's last line is that of the output's.
        Content::Text(text) => text.strip_suffix('\n').unwrap_or(text).to_owned(),
        Content::Elements(bytes, schema) => sight::decode(id, schema, bytes)?.to_string(),
        _ => String::new(),
    })
}

/// For kinds whose content is one thing.
pub(crate) fn no_parts(seen: &Seen) -> Failure {
    let (id, kind) = (&seen.id, seen.kind);
    Failure::new(Exit::Mismatch, format!("region `{id}` is a {kind}, which has no fields and no elements"))
}

/// For kinds that have nothing to read or write.
pub(crate) fn no_content(seen: &Seen) -> Failure {
    let (id, kind) = (&seen.id, seen.kind);
    Failure::new(
        Exit::Mismatch,
        format!("region `{id}` is a {kind}, which has no content; see `memlane show {id}`"),
    )
}
