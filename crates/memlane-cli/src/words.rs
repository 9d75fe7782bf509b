//! Documents in words for people.

use std::time::Duration;

use serde_json::Value;

use crate::human;

/// A text of a document; nothing where there is none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Seconds of a document.
pub(crate) fn duration(value: &Value) -> String {
    human::duration(Duration::try_from_secs_f64(value.as_f64().unwrap_or(0.0)).unwrap_or_default())
}

/// How long ago a moment of a document was.
pub(crate) fn age(value: &Value) -> String {
    human::duration(human::age(human::parse_rfc3339(text(value)).unwrap_or(0)))
}

/// The items of a list.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// `python (pid 4711)`, with what is known.
pub(crate) fn who(participant: &Value) -> String {
    let (program, pid) = (text(&participant["program"]), participant["pid"].as_u64().unwrap_or(0));
    match (program, pid) {
        (_, 0) => "(unknown process)".to_owned(),
        ("", pid) => format!("unnamed program (pid {pid})"),
        (program, pid) => format!("{program} (pid {pid})"),
    }
}

/// A lock's holder, or that it is free.
pub(crate) fn lock(lock: &Value) -> String {
    let holder = &lock["holder"];
    let held = match holder {
        Value::Null => "free".to_owned(),
        _ => {
            let dead = if holder["alive"] == false { "dead " } else { "" };
            let held_for = duration(&holder["held_seconds"]);
            format!("held by {dead}{}, thread {}, for {held_for}", who(holder), holder["thread"])
        }
    };
    let waiting = match items(&lock["waiters"]).count() {
        0 => String::new(),
        waiters => format!(", {waiters} waiting"),
    };
    let mark = if lock["inconsistent"] == true { ", inconsistent" } else { "" };
    format!("{held}{waiting}{mark}")
}
