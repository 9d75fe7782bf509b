//! What is seen, by a thread of its own that looks while the terminal is drawn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use memlane_net::client::Subscription;
use memlane_net::protocol::operation::Operation;
use memlane_net::view::snapshot::{Rows, Snapshot};
use serde_json::Value;

use super::detail::{Content, Detail};
use super::state::View;
use crate::failure::{Failure, Outcome};
use crate::source::Source;
use crate::words::text;

/// Between two looks at the regions.
const TABLES: Duration = Duration::from_millis(250);
/// And at a picture.
const PICTURES: Duration = Duration::from_millis(66);
/// And at who is attached and who waits, for which every region is opened.
const PROCESSES: Duration = Duration::from_secs(1);
/// Events of rows that are taken in at one look; what comes later is taken in at the next.
const EVENTS: usize = 64;

/// What the user looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) view: View,
    pub(super) region: Option<String>,
}

/// What is new.
#[derive(Debug)]
pub(super) enum News {
    /// All rows (module `view::row` of memlane-net), in the order of their ids.
    Rows(Vec<Arc<Value>>),
    Processes(Vec<Value>),
    /// Locks and edges.
    Locks(Vec<Value>, Vec<Value>),
    /// Of the region wished for, or why there is nothing.
    Detail(Result<Detail, String>),
    /// What could not be looked at.
    Trouble(String),
}

/// Where rows come from.
enum Listing {
    Here(Box<Snapshot>, Arc<Rows>),
    There(Subscription, BTreeMap<String, Arc<Value>>),
}

/// Looks until nobody wishes for anything any more.
#[allow(clippy::needless_pass_by_value)] // They go to this thread.
pub(super) fn run(source: &Source, wishes: Receiver<Wish>, news: Sender<News>) {
    let mut listing = None;
    let mut wish = Wish { view: View::Regions, region: None };
    let (mut rows_due, mut processes_due) = (Instant::now(), Instant::now());
    let mut period = TABLES;
    let mut last = None;
    let mut was_connected = true;
    loop {
        match wishes.recv_timeout(period.min(rows_due.saturating_duration_since(Instant::now()))) {
            Ok(new) => (wish, processes_due, last) = (new, Instant::now(), None),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        let mut told = Vec::new();
        if rows_due <= now {
            rows_due = now + TABLES;
            told.extend(rows(source, &mut listing).transpose());
        }
        // Asking a host that is gone would be waiting for it.
        let is_connected = source.is_connected();
        if is_connected && !was_connected {
            // What went meanwhile, another look tells.
            (listing, processes_due, last) = (None, now, None);
        }
        was_connected = is_connected;
        if is_connected && processes_due <= now {
            processes_due = now + PROCESSES;
            told.extend(others(source, wish.view));
        }
        period = TABLES;
        if let (true, View::Detail, Some(id)) = (is_connected, wish.view, &wish.region) {
            let seen = Detail::of(source, id).map_err(Failure::into_message);
            let is_picture = seen.as_ref().is_ok_and(|seen| matches!(seen.content, Content::Picture(_)));
            period = if is_picture && matches!(source, Source::Here(_)) { PICTURES } else { TABLES };
            // A picture of which nothing has changed is not drawn again.
            if last.as_ref() != Some(&seen) {
                last = Some(seen.clone());
                told.push(Ok(News::Detail(seen)));
            }
        }
        for told in told {
            let told = told.unwrap_or_else(|failure: Failure| News::Trouble(failure.into_message()));
            if news.send(told).is_err() {
                return;
            }
        }
    }
}

/// The rows, if there are new ones.
fn rows(source: &Source, listing: &mut Option<Listing>) -> Outcome<Option<News>> {
    let listing = match listing {
        Some(listing) => listing,
        None => listing.insert(Listing::of(source)?),
    };
    Ok(listing.next()?.map(News::Rows))
}

/// Of the views that show no rows.
fn others(source: &Source, view: View) -> Option<Outcome<News>> {
    // What cannot be looked into is a row of its own, and nothing more is to be said of it.
    let quiet = |_: std::fmt::Arguments<'_>| {};
    match view {
        View::Participants => Some(source.processes(&quiet, &[]).map(News::Processes)),
        View::Locks => {
            Some(source.locks(&quiet, false).and_then(|locks| Ok(News::Locks(locks, source.edges()?))))
        }
        View::Regions | View::Detail | View::Help => None,
    }
}

impl Listing {
    fn of(source: &Source) -> Outcome<Self> {
        Ok(match source {
            Source::Here(space) => Self::Here(Box::new(Snapshot::new(space.clone())), Arc::default()),
            Source::There(client) => {
                let rate = Some(1.0 / TABLES.as_secs_f64());
                let watch = Operation::Watch { patterns: Vec::new(), rate };
                Self::There(client.subscribe(watch)?, BTreeMap::new())
            }
        })
    }

    fn next(&mut self) -> Outcome<Option<Vec<Arc<Value>>>> {
        match self {
            Self::Here(snapshot, last) => {
                let rows = snapshot.look()?;
                if Arc::ptr_eq(&rows, last) {
                    return Ok(None);
                }
                *last = rows;
                Ok(Some(last.values().map(|row| Arc::clone(&row.document)).collect()))
            }
            Self::There(subscription, rows) => {
                let mut is_new = false;
                for _ in 0..EVENTS {
                    let moment = Some(Duration::from_millis(1));
                    let Some(event) = Subscription::next(subscription, moment)? else { break };
                    is_new = true;
                    let items =
                        |name: &str| event.body.get(name).and_then(Value::as_array).into_iter().flatten();
                    for id in items("gone") {
                        rows.remove(text(id));
                    }
                    for row in items("changed") {
                        rows.insert(text(&row["id"]).to_owned(), Arc::new(row.clone()));
                    }
                }
                Ok(is_new.then(|| rows.values().cloned().collect()))
            }
        }
    }
}
