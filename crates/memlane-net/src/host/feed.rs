//! What is new in a region, for all who subscribed to it: one watch for all of them, and one copy of each frame.
//!
//! Only while somebody wants to know, the host asks to be woken: a producer whose subscribers are all slow meets
//! nobody, and one that is faster than a thousand changes a second wakes the host no oftener than that. Contents,
//! frames and streams are waited for; how all other kinds stand is looked at twenty times a second.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use memlane::Kind;
use memlane::frames::Timestamp;
use memlane::observer::Observation;
use tokio::sync::{Notify, OnceCell, watch};
use tokio::task::{self, AbortHandle};
use tokio::time;

use super::picture::{Picture, Setting};
use super::service::{Attached, Handle, Service};
use super::watcher::locked;
use crate::protocol::fault::Fault;
use crate::view::sight::Sight;

/// Between two wakes by one region, unless it is a frame channel: frames are delivered one by one, which takes longer
/// than it takes to wake somebody.
const SHORTEST: Duration = Duration::from_millis(1);
/// Between two looks at how a region stands.
const LOOK: Duration = Duration::from_millis(50);
/// Between two looks at whether a region was removed.
const LOOK_FOR_REMOVAL: Duration = Duration::from_secs(1);

/// The feeds by the regions' uuids.
#[derive(Debug, Default)]
pub(crate) struct Feeds {
    open: Mutex<HashMap<[u8; 16], Weak<Feed>>>,
    /// Something was removed.
    removals: watch::Sender<u64>,
}

/// One region, followed as long as somebody has this.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) handle: Arc<Handle>,
    news: Arc<News>,
    follower: OnceLock<AbortHandle>,
    /// The newest content that somebody asked for.
    content: Mutex<Option<(Stamp, Arc<Observation>)>>,
    /// The newest frame that somebody asked for.
    frame: tokio::sync::Mutex<Option<Arc<Frame>>>,
}

/// Between who follows a region and who wants to know.
#[derive(Debug, Default)]
struct News {
    tick: watch::Sender<Tick>,
    /// How many want to know.
    wanted: AtomicUsize,
    want: Notify,
}

/// What was seen last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tick {
    stamp: Stamp,
    is_gone: bool,
}

/// What tells a content from the one before: its version, and of a value the scalar; of frames and streams how far they
/// are; of all else a count of looks that showed something new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) version: u64,
    bits: u64,
}

impl Stamp {
    /// Of what has no more than a version: frames and streams.
    pub(crate) fn of_version(version: u64) -> Self {
        Self { version, bits: 0 }
    }
}

/// A frame, copied once for all.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) sequence: u64,
    pub(crate) captured: Timestamp,
    pub(crate) bytes: Bytes,
    pictures: Mutex<HashMap<Setting, Arc<OnceCell<Picture>>>>,
}

impl Feeds {
    /// Follows the region `id`, if nobody does yet.
    pub(crate) fn open(&self, service: &Arc<Service>, id: &str) -> Result<Arc<Feed>, Fault> {
        let handle = service.handle(id)?;
        let mut open = locked(&self.open);
        if let Some(feed) = open.get(&handle.uuid()).and_then(Weak::upgrade) {
            return Ok(feed);
        }
        open.retain(|_, feed| feed.strong_count() > 0);
        let news = Arc::new(News::default());
        news.tick.send_replace(Tick { stamp: stamp_of(&handle, Stamp::default()), is_gone: false });
        let feed = Arc::new(Feed {
            handle,
            news,
            follower: OnceLock::new(),
            content: Mutex::default(),
            frame: tokio::sync::Mutex::default(),
        });
        let follower = Follower {
            service: Arc::clone(service),
            handle: Arc::clone(&feed.handle),
            news: Arc::clone(&feed.news),
            removals: self.removals.subscribe(),
            standing: Sight::of(&feed.handle.observer).ok().filter(|_| is_looked_at(feed.handle.kind())),
            rests_until: time::Instant::now(),
        };
        let _ = feed.follower.set(task::spawn(follower.run()).abort_handle());
        open.insert(feed.handle.uuid(), Arc::downgrade(&feed));
        Ok(feed)
    }

    /// A region was removed: whoever follows one sees whether it was that.
    pub(crate) fn look_again(&self) {
        self.removals.send_modify(|count| *count += 1);
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Some(follower) = self.follower.get() {
            follower.abort();
        }
    }
}

/// Somebody wants to know, as long as this lives.
struct Want<'a>(&'a News);

impl<'a> Want<'a> {
    fn new(news: &'a News) -> Self {
        news.wanted.fetch_add(1, Ordering::AcqRel);
        news.want.notify_one();
        Self(news)
    }
}

impl Drop for Want<'_> {
    fn drop(&mut self) {
        self.0.wanted.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Feed {
    /// Waits until the region shows something else than `seen`; the fault `not_found` when it was removed.
    pub(crate) async fn newer_than(&self, seen: Option<Stamp>) -> Result<Stamp, Fault> {
        let mut ticks = self.news.tick.subscribe();
        let mut want = None;
        loop {
            let Tick { stamp, is_gone } = *ticks.borrow_and_update();
            if is_gone {
                return Err(self.removed());
            }
            // A tick may be of long ago, when somebody wanted to know last.
            let now = stamp_of(&self.handle, stamp);
            if Some(now) != seen {
                return Ok(now);
            }
            want.get_or_insert_with(|| Want::new(&self.news));
            if ticks.changed().await.is_err() {
                return Err(self.removed());
            }
        }
    }

    fn removed(&self) -> Fault {
        let message = format!("region `{}` was removed; nothing new will be seen of it", self.handle.id());
        Fault::new("not_found", message)
    }

    /// The content at about that moment, read once for all who ask.
    pub(crate) fn content(&self, stamp: Stamp) -> Result<Arc<Observation>, Fault> {
        let mut content = locked(&self.content);
        if let Some((_, seen)) = content.as_ref().filter(|(known, _)| *known == stamp) {
            return Ok(Arc::clone(seen));
        }
        let seen = Arc::new(self.handle.observer.read()?);
        *content = Some((stamp, Arc::clone(&seen)));
        Ok(seen)
    }

    /// The newest frame, copied once for all who ask; nothing when there never was one.
    pub(crate) async fn frame(&self) -> Result<Option<Arc<Frame>>, Fault> {
        let mut frame = self.frame.lock().await;
        let newest = self.handle.observer.version();
        if let Some(frame) = frame.as_ref().filter(|frame| frame.sequence == newest) {
            return Ok(Some(Arc::clone(frame)));
        }
        let copied = if let Ok(Attached::Frames(frames)) = self.handle.attached() {
            // In the memory of the frame before, where nobody has that any more.
            let before = frame.take().and_then(Arc::into_inner);
            let before = before.and_then(|before| before.bytes.try_into_mut().ok());
            let mut bytes = before.map(Vec::from).unwrap_or_default();
            frames.copy(&mut bytes)?.map(|(sequence, captured)| (sequence, captured, bytes))
        } else {
            // Without the right to take part.
            let seen = self.handle.observer.latest_frame()?;
            seen.map(|frame| (frame.sequence, frame.captured, frame.bytes))
        };
        *frame = copied.map(|(sequence, captured, bytes)| {
            Arc::new(Frame { sequence, captured, bytes: bytes.into(), pictures: Mutex::default() })
        });
        Ok(frame.clone())
    }
}

impl Frame {
    /// The frame as a picture of that setting, made once for all who ask.
    pub(crate) async fn picture(&self, setting: &Setting) -> Result<Picture, Fault> {
        let cell = Arc::clone(locked(&self.pictures).entry(setting.clone()).or_default());
        let make = || async {
            let (setting, bytes) = (setting.clone(), self.bytes.clone());
            let made = task::spawn_blocking(move || setting.picture_of(&bytes)).await;
            made.map_err(|error| Fault::new("system", error.to_string()))?
        };
        cell.get_or_try_init(make).await.cloned()
    }
}

/// Whether changes of a kind are not to be waited for.
pub(crate) fn is_looked_at(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Value | Kind::Record | Kind::Array | Kind::Raw | Kind::Text | Kind::Frames | Kind::Stream
    )
}

/// What the region shows now; `known` where that is not told from the region alone.
fn stamp_of(handle: &Handle, known: Stamp) -> Stamp {
    if is_looked_at(handle.kind()) {
        return known;
    }
    let version = handle.observer.version();
    let bits = match handle.attached() {
        Ok(Attached::Value(value)) => {
            let reading = value.read();
            return Stamp {
                version: reading.version,
                bits: value.primitive().bits_of(&reading.value).unwrap_or_default(),
            };
        }
        _ => 0,
    };
    Stamp { version, bits }
}

/// The task that follows a region.
struct Follower {
    service: Arc<Service>,
    handle: Arc<Handle>,
    news: Arc<News>,
    removals: watch::Receiver<u64>,
    /// How it stood at the last look.
    standing: Option<Sight>,
    /// Before this moment it wakes nobody.
    rests_until: time::Instant,
}

impl Follower {
    async fn run(mut self) {
        loop {
            while self.news.wanted.load(Ordering::Acquire) == 0 {
                self.news.want.notified().await;
            }
            let stamp = self.look();
            self.news.tick.send_if_modified(|tick| {
                let is_new = tick.stamp != stamp;
                tick.stamp = stamp;
                is_new
            });
            if self.wait(stamp).await {
                self.news.tick.send_modify(|tick| tick.is_gone = true);
                return;
            }
        }
    }

    fn look(&mut self) -> Stamp {
        let known = self.news.tick.borrow().stamp;
        if !is_looked_at(self.handle.kind()) {
            return stamp_of(&self.handle, known);
        }
        let Ok(sight) = Sight::of(&self.handle.observer) else { return known };
        let is_new = !self.standing.as_ref().is_some_and(|before| before.is_same(&sight));
        self.standing = Some(sight);
        Stamp { version: known.version + u64::from(is_new), bits: 0 }
    }

    /// Until it may show something else than `stamp`; says whether it was removed.
    async fn wait(&mut self, stamp: Stamp) -> bool {
        if self.handle.observer.unlinked() {
            return true;
        }
        // What is looked at anyway need not be taken part in.
        let attached = if is_looked_at(self.handle.kind()) { None } else { self.handle.attached().ok() };
        let newer =
            attached.and_then(|attached| attached.newer(stamp.version, Some(stamp.bits)).ok().flatten());
        let watch = newer.and_then(|thing| self.service.watchers.watch(thing).ok());
        // Where it cannot be waited for, it is looked at.
        let is_watched = watch.is_some();
        let changed = async {
            match watch {
                Some(watch) => {
                    watch.await;
                    time::sleep_until(self.rests_until).await;
                    if self.handle.kind() != Kind::Frames {
                        self.rests_until = time::Instant::now() + SHORTEST;
                    }
                }
                None => time::sleep(LOOK).await,
            }
        };
        tokio::select! {
            () = changed => false,
            _ = self.removals.changed() => self.handle.observer.unlinked(),
            () = time::sleep(LOOK_FOR_REMOVAL), if is_watched => self.handle.observer.unlinked(),
        }
    }
}
