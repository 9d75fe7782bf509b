//! Who changed what, and what was refused: the last requests of that kind, for people who look.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

use super::watcher::locked;

/// So many are kept.
const KEPT: usize = 1000;

/// The last entries, and how many there were.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Mutex<VecDeque<Entry>>,
    newest: watch::Sender<u64>,
}

/// Put into words when somebody looks: every change is noted, and few are read.
#[derive(Debug)]
struct Entry {
    number: u64,
    moment: SystemTime,
    session: Option<String>,
    client: String,
    from: Option<SocketAddr>,
    op: String,
    id: Option<String>,
    outcome: String,
}

/// Who asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    /// None by plain HTTP.
    pub(super) session: Option<&'a str>,
    pub(super) client: &'a str,
    pub(super) from: Option<SocketAddr>,
}

impl Log {
    /// Notes what became of a request of somebody, on a region if it named one.
    pub(super) fn add(&self, who: &Who<'_>, op: &str, id: Option<&str>, outcome: &str) {
        let mut entries = locked(&self.entries);
        let number = *self.newest.borrow() + 1;
        entries.push_back(Entry {
            number,
            moment: SystemTime::now(),
            session: who.session.map(Into::into),
            client: who.client.into(),
            from: who.from,
            op: op.into(),
            id: id.map(Into::into),
            outcome: outcome.into(),
        });
        if entries.len() > KEPT {
            entries.pop_front();
        }
        self.newest.send_replace(number);
    }

    /// Those after number `since`, once there is one.
    pub(super) async fn after(&self, since: u64) -> Vec<Value> {
        // The sender is ours: it is not gone before we are.
        let _ = self.newest.subscribe().wait_for(|newest| *newest > since).await;
        let entries = locked(&self.entries);
        entries.iter().filter(|entry| entry.number > since).map(Entry::document).collect()
    }
}

impl Entry {
    fn document(&self) -> Value {
        json!({
            "number": self.number,
            "moment": self.moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64,
            "session": self.session,
            "client": self.client,
            "from": self.from.map(|from| from.to_string()),
            "op": self.op,
            "id": self.id,
            "outcome": self.outcome,
        })
    }
}
