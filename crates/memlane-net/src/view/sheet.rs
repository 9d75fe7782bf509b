//! Everything known about a region: what `memlane show` shows, and a host's `describe`.
//!
//! A region document (module `document`) with `file` (`path`, `mode`, `owner`), `version`, `content`, `lock`,
//! `participants`, `preview` (one line), for frame channels `frames`, and for kinds that neither have a content nor
//! are frames or plain locks
//! `state` (then `content` is null). When the content cannot be read, `error` says why.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use memlane::schema::Schema;
use memlane::{Observer, Result};
use serde_json::{Value, json};

use super::sight::Sight;
use super::{document, human, user};

/// The region, whose file is `file`, as a document; of a content of more elements than `most` is said that it is.
pub fn document(observer: &Observer, file: &Path, most: usize) -> Result<Value> {
    let elements = observer.description().schema.as_ref().map_or(0, Schema::item_count);
    let mode = std::fs::metadata(file).ok().map(|status| human::mode(status.mode()));
    let participants: Vec<_> = observer.participants().iter().map(document::participant).collect();
    let mut more = json!({
        "file": {"mode": mode, "owner": user::owner_of(file), "path": file},
        "version": observer.version(),
        "content": null,
        "lock": document::lock(&observer.lock()),
        "participants": participants,
    });
    let sight = Sight::of(observer);
    if let Ok(sight) = &sight {
        more["preview"] = sight.line().into();
    }
    match sight {
        Ok(Sight::Content(_) | Sight::Bytes(_)) if elements > most => {
            more["error"] =
                format!("{elements} elements are too many to be shown at once: read a part").into();
        }
        Ok(sight @ (Sight::Content(_) | Sight::Bytes(_))) => more["content"] = sight.json(observer.id())?,
        Ok(Sight::Frames(state)) => more["frames"] = document::frames(&state),
        Ok(Sight::Lock(_)) => {}
        Ok(Sight::Standing(standing, _)) => more["state"] = standing.json(),
        Ok(Sight::Told(told)) => more["state"] = told.document,
        Err(error) => more["error"] = error.to_string().into(),
    }
    Ok(document::merged(document::region(observer.id(), observer.description()), more))
}
