//! What a subscription delivers next: the newest, whenever there is something new.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use memlane::Kind;
use serde_json::{Map, Value, json};
use tokio::time::{self, Instant};

use super::feed::{Feed, Stamp, is_looked_at};
use super::picture::Setting;
use super::service::{Done, Service, bad, frame_fields, records_from, shown};
use crate::protocol::event::Delivery;
use crate::protocol::fault::Fault;
use crate::protocol::operation::{Form, Part};
use crate::view::pattern;
use crate::view::sight::Sight;
use crate::view::snapshot::Rows;

/// Bytes of a batch of records at most, unless one record has more.
const BATCH_BYTES: usize = 4 << 20;
/// Bytes of rows in one event, whose header has to have room for them.
const ROWS_BYTES: usize = 512 << 10;
/// Looks a second at rows, unless said otherwise, and at most.
const ROWS_RATE: f64 = 4.0;
const MOST_ROWS_RATE: f64 = 20.0;

/// What is delivered, and what was. Belongs to a connection.
#[derive(Debug)]
pub(crate) struct Subscription {
    source: Source,
    pace: Pace,
}

#[derive(Debug)]
enum Source {
    Content {
        feed: Arc<Feed>,
        form: Form,
        seen: Option<Stamp>,
        after: Option<u64>,
    },
    /// How other kinds stand.
    Standing {
        feed: Arc<Feed>,
        seen: Option<Stamp>,
    },
    Frames {
        feed: Arc<Feed>,
        last: Option<u64>,
        setting: Option<Setting>,
    },
    Records {
        feed: Arc<Feed>,
        cursor: u64,
        most: u64,
    },
    /// Which rows were delivered, and as of which look.
    Rows {
        service: Arc<Service>,
        patterns: Vec<String>,
        known: Option<HashMap<String, u64>>,
        /// Rows of which some were never told.
        rest: Option<Arc<Rows>>,
    },
}

/// When the next event may come.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    due: Instant,
}

/// An event's fields and its payload.
type Event = (Map<String, Value>, Bytes);

impl Subscription {
    pub(super) fn of_region(
        service: &Arc<Service>,
        id: &str,
        delivery: &Delivery,
    ) -> Result<(Map<String, Value>, Self), Fault> {
        let pace = Pace::new(delivery.rate)?;
        let feed = service.feeds.open(service, id)?;
        let handle = &feed.handle;
        let (kind, schema) = (handle.kind(), handle.observer.description().schema.clone());
        refuse_unfit(kind, delivery)?;
        let fields = json!({"kind": kind.name(), "schema": schema.as_ref().map(ToString::to_string)});
        let now = handle.observer.version();
        let source = match kind {
            Kind::Frames => {
                let setting = Setting::of(schema.as_ref(), delivery)?;
                // Seen in a region of that name that was there before: all is new in this one.
                let last = delivery.after.filter(|after| *after <= now);
                Source::Frames { setting, last, feed }
            }
            Kind::Stream => {
                let size = schema.as_ref().map_or(1, memlane::schema::Schema::size).max(1);
                let room = (BATCH_BYTES / size).max(1) as u64;
                let most = delivery.most.map_or(room, |most| u64::from(most).clamp(1, room));
                let cursor = delivery.after.filter(|after| *after <= now).unwrap_or(now);
                Source::Records { cursor, most, feed }
            }
            _ if is_looked_at(kind) => Source::Standing { feed, seen: None },
            _ => Source::Content { form: delivery.form, seen: None, after: delivery.after, feed },
        };
        Ok((Done::of(fields).fields, Self { source, pace }))
    }

    pub(super) fn of_rows(
        service: &Arc<Service>,
        patterns: &[String],
        rate: Option<f64>,
    ) -> Result<Self, Fault> {
        let pace = Pace::new(Some(rate.unwrap_or(ROWS_RATE).min(MOST_ROWS_RATE)))?;
        let (service, patterns) = (Arc::clone(service), patterns.to_vec());
        Ok(Self { source: Source::Rows { service, patterns, known: None, rest: None }, pace })
    }

    /// Waits for something new, no sooner than its rate allows. Dropping the future loses nothing; a fault is the end,
    /// `not_found` when the region was removed.
    pub(crate) async fn next(&mut self) -> Result<Event, Fault> {
        self.pace.wait().await;
        let event = match &mut self.source {
            Source::Content { feed, form, seen, after } => next_content(feed, *form, seen, after).await?,
            Source::Standing { feed, seen } => next_standing(feed, seen).await?,
            Source::Frames { feed, last, setting } => next_frame(feed, last, setting.as_ref()).await?,
            Source::Records { feed, cursor, most } => next_records(feed, cursor, *most).await?,
            Source::Rows { service, patterns, known, rest } => {
                let event = next_rows(service, patterns, known, rest, &mut self.pace).await?;
                if rest.is_some() {
                    // It follows at once.
                    return Ok(event);
                }
                event
            }
        };
        self.pace.begin();
        Ok(event)
    }
}

impl Pace {
    fn new(rate: Option<f64>) -> Result<Self, Fault> {
        let interval = match rate {
            None => Duration::ZERO,
            Some(rate) if rate.is_finite() && rate >= 1e-6 => Duration::from_secs_f64(1.0 / rate),
            Some(rate) => {
                return Err(bad(format!("the rate must be events a second, above 0, found {rate}")));
            }
        };
        Ok(Self { interval, due: Instant::now() })
    }

    async fn wait(&self) {
        if !self.interval.is_zero() {
            time::sleep_until(self.due).await;
        }
    }

    fn begin(&mut self) {
        self.due = Instant::now() + self.interval;
    }
}

/// What a kind does not have is refused by name.
fn refuse_unfit(kind: Kind, delivery: &Delivery) -> Result<(), Fault> {
    let refuse = |what: &str, whose: &str| Err(bad(format!("`{what}` is for {whose}, found {kind}")));
    if delivery.most.is_some() && kind != Kind::Stream {
        return refuse("most", "streams");
    }
    match (delivery.scale, delivery.jpeg) {
        (Some(_), _) if kind != Kind::Frames => refuse("scale", "frames"),
        (_, Some(_)) if kind != Kind::Frames => refuse("jpeg", "frames"),
        _ => Ok(()),
    }
}

async fn next_content(
    feed: &Feed,
    form: Form,
    seen: &mut Option<Stamp>,
    after: &mut Option<u64>,
) -> Result<Event, Fault> {
    let handle = &feed.handle;
    let schema = handle.observer.description().schema.as_ref();
    loop {
        let stamp = feed.newer_than(*seen).await?;
        // What the client says that it saw is not new.
        let is_known = seen.is_none() && *after == Some(stamp.version);
        if is_known {
            *seen = Some(stamp);
            continue;
        }
        let content = feed.content(stamp)?;
        let Done { fields, payload } = shown(handle.id(), schema, &content, &Part::default(), form)?;
        *seen = Some(stamp);
        return Ok((fields, payload));
    }
}

async fn next_standing(feed: &Feed, seen: &mut Option<Stamp>) -> Result<Event, Fault> {
    let stamp = feed.newer_than(*seen).await?;
    let sight = Sight::of(&feed.handle.observer)?;
    let content = sight.json(feed.handle.id())?;
    *seen = Some(stamp);
    Ok((Done::of(json!({"version": sight.version(), "content": content})).fields, Bytes::new()))
}

async fn next_frame(feed: &Feed, last: &mut Option<u64>, setting: Option<&Setting>) -> Result<Event, Fault> {
    loop {
        let seen = last.unwrap_or(0);
        feed.newer_than(Some(Stamp::of_version(seen))).await?;
        let frame = feed.frame().await?.filter(|frame| frame.sequence > seen);
        // Between a frame that was announced and its copy nothing goes back.
        let Some(frame) = frame else { continue };
        let mut fields = frame_fields(&feed.handle, frame.sequence, frame.captured, frame.bytes.len());
        fields["missed"] = json!(last.map_or(0, |last| frame.sequence - last - 1));
        let bytes = match setting {
            None => frame.bytes.clone(),
            Some(setting) => {
                let picture = frame.picture(setting).await?;
                fields["shape"] = json!(picture.shape);
                fields["encoding"] = json!(picture.encoding);
                picture.bytes
            }
        };
        *last = Some(frame.sequence);
        return Ok((Done::of(fields).fields, bytes));
    }
}

async fn next_records(feed: &Feed, cursor: &mut u64, most: u64) -> Result<Event, Fault> {
    loop {
        feed.newer_than(Some(Stamp::of_version(*cursor))).await?;
        let records = records_from(&feed.handle, *cursor, most)?;
        if records.is_empty() {
            continue;
        }
        *cursor = records.first + records.len() as u64;
        let fields = json!({"first": records.first, "count": records.len(), "lost": records.lost});
        return Ok((Done::of(fields).fields, records.bytes.into()));
    }
}

/// The rows that changed, as many as one event has room for: those first that were never told, and then those that were
/// told longest ago, so that all have their turn where everything changes all the time.
async fn next_rows(
    service: &Service,
    patterns: &[String],
    known: &mut Option<HashMap<String, u64>>,
    rest: &mut Option<Arc<Rows>>,
    pace: &mut Pace,
) -> Result<Event, Fault> {
    loop {
        let shown = match rest.take() {
            Some(rest) => rest,
            None => service.rows.look().await?,
        };
        let before = known.as_ref();
        let is_first = before.is_none();
        let seen = |id: &str| before.and_then(|known| known.get(id)).copied();
        let mut changed: Vec<_> = shown
            .iter()
            .filter(|(id, row)| pattern::is_wanted(patterns, id) && seen(id) != Some(row.look))
            .collect();
        changed.sort_by_key(|(id, _)| seen(id));
        let mut bytes = 0;
        let room = changed.iter().take_while(|(_, row)| {
            let has_room = bytes <= ROWS_BYTES;
            bytes += row.document.to_string().len();
            has_room
        });
        let told = room.count();
        let is_listed = changed.get(told).is_none_or(|(id, _)| seen(id).is_some());
        changed.truncate(told);
        let gone: Vec<String> = before
            .into_iter()
            .flatten()
            .map(|(id, _)| id)
            .filter(|id| !shown.contains_key(*id))
            .cloned()
            .collect();
        if !is_first && changed.is_empty() && gone.is_empty() {
            pace.begin();
            pace.wait().await;
            continue;
        }
        let rows: Vec<_> = changed.iter().map(|(_, row)| Value::clone(&row.document)).collect();
        let fields = Done::of(json!({"changed": rows, "gone": gone})).fields;
        let known = known.get_or_insert_default();
        for id in &gone {
            known.remove(id);
        }
        known.extend(changed.into_iter().map(|(id, row)| (id.clone(), row.look)));
        *rest = (!is_listed).then_some(shown);
        return Ok((fields, Bytes::new()));
    }
}
