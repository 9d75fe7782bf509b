//! The JSON documents of `--json`, and their names.
//!
//! | document | names |
//! |---|---|
//! | region | `id`, `kind`, `schema`, `size`, `participants_at_most`, `ephemeral`, `uuid`, `created`, `creator` (`program`, `pid`), `note` |
//! | participant | `pid`, `program`, `process` (equal in all regions of a process), `slot`, `generation`, `alive`, `state`, `attached`, `waits` |
//! | wait | `thread`, `what`, `seconds` |
//! | edge | a participant that waits, with `id`, `kind`, `thread`, `what`, `seconds`, `holders` (participants with `thread` and `held_seconds`, or null where only the process is known) |
//! | lock | `holder` (a participant with `thread`, `held_seconds`, `depth`, or null), `waiters`, `inconsistent`, `recoveries`, `contended` |
//! | frames | `newest`, `captured`, `age_seconds`, `length`, `history`, `borrows`, `publisher` (a participant or null), `subscribers` |
//! | rwlock | a lock with `readers` (participants with `count`) |
//! | semaphore | `total`, `free`, `owned`, `holders` (participants with `count`) |
//! | event | `set`, `auto_reset` |
//! | condition | `waiters` |
//! | barrier | `parties`, `waiting`, `phase`, `broken`, `members` |
//! | queue | `length`, `put`, `used`, `capacity`, `messages_at_most`, `closed`, `acknowledged`, `leases`, `oldest` (a message or null) |
//! | message | `tag`, `size`, `text` or `hex`, `redelivered` |
//! | pipe | `duplex`, `left`, `right` (`state`: fresh, open, closed, died; `participant`), `used` (there and back), `capacity` |
//! | stream | `published`, `capacity`, `record_size`, `lossless`, `publisher` (a participant or null), `readers` (participants with `behind`), `newest` |
//!
//! Moments are RFC 3339 in UTC, durations seconds, sizes bytes. Names are added and never change their
//! meaning.

use std::time::Duration;

use memlane::Participant;
use memlane::frames::PublisherState;
use memlane::header::Description;
use memlane::lock::{Holder, LockState};
use memlane::observer::FramesState;
use memlane::participant::WaitingThread;
use memlane::wait_graph::{Edge, Holding};
use serde_json::{Value, json};

use super::human;

/// What a region says of itself.
pub fn region(id: &str, description: &Description) -> Value {
    let Description {
        kind,
        schema,
        total_size,
        participants,
        ephemeral,
        uuid,
        created,
        creator_pid,
        creator,
        note,
        ..
    } = description;
    json!({
        "id": id,
        "kind": kind.name(),
        "schema": schema.as_ref().map(ToString::to_string),
        "size": total_size,
        "participants_at_most": participants,
        "ephemeral": ephemeral,
        "uuid": hexadecimal(uuid),
        "created": human::rfc3339(*created),
        "creator": {"program": creator, "pid": creator_pid},
        "note": note,
    })
}

/// A participant of a region.
pub fn participant(participant: &Participant) -> Value {
    json!({
        "pid": participant.pid,
        "program": participant.program,
        "process": hexadecimal(&participant.process),
        "slot": participant.slot,
        "generation": participant.generation,
        "alive": participant.alive,
        "state": participant.process_state().to_string(),
        "attached": human::rfc3339(participant.attached),
        "waits": participant.waits.iter().map(wait).collect::<Vec<_>>(),
    })
}

/// A lock.
pub fn lock(state: &LockState) -> Value {
    json!({
        "holder": state.holder.as_ref().map(holder),
        "waiters": state.waiters.iter().map(participant).collect::<Vec<_>>(),
        "inconsistent": state.inconsistent,
        "recoveries": state.recoveries,
        "contended": state.contended,
    })
}

/// A frame channel.
pub fn frames(state: &FramesState) -> Value {
    let publisher = match &state.publisher {
        PublisherState::Alive(publisher) | PublisherState::Died(publisher) => participant(publisher),
        _ => Value::Null,
    };
    json!({
        "newest": state.newest,
        "captured": state.captured.map(|captured| human::rfc3339(captured.wall)),
        "age_seconds": state.captured.map(|captured| seconds(captured.age())),
        "length": state.length,
        "history": state.history,
        "borrows": state.borrows,
        "publisher": publisher,
        "subscribers": state.subscribers.iter().map(participant).collect::<Vec<_>>(),
    })
}

/// Not finer than the clocks behind it.
pub fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}

/// Adds the names of one document to another.
pub fn merged(mut document: Value, more: Value) -> Value {
    if let (Value::Object(into), Value::Object(from)) = (&mut document, more) {
        into.extend(from);
    }
    document
}

/// Two digits a byte.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// A thread that waits.
pub fn wait(wait: &WaitingThread) -> Value {
    json!({
        "thread": wait.thread,
        "what": wait.what.name(),
        "seconds": seconds(human::monotonic_age(wait.since)),
    })
}

/// A thread that waits, and who could end that.
pub fn edge(edge: &Edge) -> Value {
    let holder = |holder: &Holding| {
        let held = json!({"thread": holder.thread, "held_seconds": holder.held_for.map(seconds)});
        merged(participant(&holder.participant), held)
    };
    let wait = json!({
        "id": edge.id,
        "kind": edge.kind.name(),
        "thread": edge.thread,
        "what": edge.what.name(),
        "seconds": seconds(edge.waited),
        "holders": edge.holders.iter().map(holder).collect::<Vec<_>>(),
    });
    merged(participant(&edge.participant), wait)
}

fn holder(holder: &Holder) -> Value {
    let lock =
        json!({"thread": holder.thread, "held_seconds": seconds(holder.held_for), "depth": holder.depth});
    merged(participant(&holder.participant), lock)
}
