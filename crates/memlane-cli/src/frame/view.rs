//! `memlane frame view`: a subscriber that measures, checks, shows and saves what a frame channel brings.
//!
//! It goes on when the publisher dies, as any subscriber does, and says so once for each death.

use super::interrupt::{Interrupt, LOOK_PERIOD};
use super::live_picture::LivePicture;
use super::progress::Progress;
use super::reception::Reception;
use super::stamp::{self, Verdict};
use super::{picture, screen};
use crate::context::Context;
use crate::document;
use crate::failure::{Exit, Failure, Outcome};
use crate::human::parse_duration;
use memlane::frames::{Frame, OnPublisherDeath};
use memlane::{Error, FrameSubscriber, Space, Timestamp};
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Subscribe to a frame channel: rate, latency, missed and torn frames, pictures
///
/// Waits for the channel and for frames; goes on when the publisher dies and another takes over. Ends after
/// --count or --duration, or with Ctrl-C, and prints a summary.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The channel
    id: String,

    /// End after so many frames [default with --save alone: 1]
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// End after so long, counted from the first frame
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    duration: Option<Duration>,

    /// Begin with up to so many frames that were published before
    #[arg(long, value_name = "FRAMES", default_value_t = 0)]
    history: u64,

    /// Look for a frame for so many microseconds before sleeping: costs a processor, wakes at once
    #[arg(long, value_name = "MICROSECONDS", default_value_t = 0)]
    spin: u64,

    /// Save the last frame as a picture: a PNG, or a JPEG if the name says so
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// Draw the pictures in the terminal
    #[arg(long, conflicts_with = "json")]
    picture: bool,

    /// Check every frame against the checksum that `frame publish --stamp` puts into it
    #[arg(long)]
    verify: bool,

    /// Give up when no frame, or no channel, came for so long
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
}

/// A view under way.
struct View<'a> {
    arguments: &'a Arguments,
    context: &'a Context,
    interrupt: Interrupt,
    reception: Reception,
    progress: Progress,
    live_picture: Option<LivePicture>,
}

impl Arguments {
    pub(crate) fn run(mut self, context: &Context) -> Outcome {
        if self.picture && !screen::is_there() {
            let message = "pictures can be drawn in a terminal only; use --save FILE, or leave out --picture";
            return Err(Failure::new(Exit::Usage, message));
        }
        if self.save.is_some() && self.duration.is_none() && !self.picture {
            self.count.get_or_insert(1);
        }
        let interrupt = Interrupt::listen()?;
        let subscriber = self.subscribe(context, &interrupt)?;
        let Some(subscriber) = subscriber else { return Ok(()) };
        let mut view = View::new(&self, context, interrupt)?;
        let ended = view.watch(&subscriber);
        view.finish(ended)
    }

    /// Waits for the channel; `None` after an interrupt.
    fn subscribe(&self, context: &Context, interrupt: &Interrupt) -> Outcome<Option<FrameSubscriber>> {
        let space = context.space()?;
        if !space.contains(&self.id)? {
            context.say(format!("waiting for region `{}` in {}", self.id, space.directory().display()));
        }
        if !self.wait_for_channel(space, interrupt)? {
            return Ok(None);
        }
        let subscriber = FrameSubscriber::open(space, &self.id)?
            .history(self.history)
            .spin(Duration::from_micros(self.spin))
            .on_publisher_death(OnPublisherDeath::Report);
        Ok(Some(subscriber))
    }

    fn wait_for_channel(&self, space: &Space, interrupt: &Interrupt) -> Outcome<bool> {
        let start = Instant::now();
        while !interrupt.requested() {
            match space.wait_for(&self.id, Some(LOOK_PERIOD)) {
                Ok(()) => return Ok(true),
                Err(Error::Timeout { .. })
                    if self.timeout.is_none_or(|timeout| start.elapsed() < timeout) => {}
                Err(Error::Timeout { id, what, .. }) => {
                    return Err(Error::Timeout { id, what, waited: start.elapsed() }.into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}

impl<'a> View<'a> {
    fn new(arguments: &'a Arguments, context: &'a Context, interrupt: Interrupt) -> Outcome<Self> {
        let mut reception = Reception::new();
        reception.torn = arguments.verify.then_some(0);
        let live_picture = arguments.picture.then(LivePicture::open).transpose()?;
        let progress = if live_picture.is_some() { Progress::unprinted() } else { Progress::on_terminal() };
        Ok(Self { arguments, context, interrupt, reception, progress, live_picture })
    }

    /// Takes frames until it is enough.
    fn watch(&mut self, subscriber: &FrameSubscriber) -> Outcome<()> {
        let came = Timestamp::now().monotonic;
        // The last frame is held while the next one is taken, so that it is there to be saved at the end.
        let mut held = None;
        let mut started = None;
        while !self.is_enough(started) {
            let Some(frame) = self.next(subscriber, started)? else { break };
            let latency = (frame.captured().monotonic >= came).then(|| frame.age());
            started.get_or_insert_with(Instant::now);
            self.reception.frame(frame.sequence(), latency);
            self.reception.missed = subscriber.missed();
            self.verify(&frame)?;
            self.show(subscriber, &frame)?;
            held = Some(frame);
        }
        match (&self.arguments.save, held) {
            (Some(path), Some(frame)) => picture::save_frame(subscriber.schema(), &frame, path),
            _ => Ok(()),
        }
    }

    fn is_enough(&self, started: Option<Instant>) -> bool {
        let counted = self.arguments.count.is_some_and(|count| self.reception.frames() >= count);
        let lasted =
            self.arguments.duration.zip(started).is_some_and(|(limit, start)| start.elapsed() >= limit);
        counted || lasted || self.interrupt.requested()
    }

    /// The next frame; `None` when the view's own time has passed, or after an interrupt.
    fn next<'s>(
        &mut self,
        subscriber: &'s FrameSubscriber,
        started: Option<Instant>,
    ) -> Outcome<Option<Frame<'s>>> {
        let start = Instant::now();
        while !self.is_enough(started) {
            match subscriber.next(Some(LOOK_PERIOD)) {
                Ok(frame) => return Ok(Some(frame)),
                Err(Error::Timeout { id, what, .. }) => self.check_patience(subscriber, start, &id, what)?,
                Err(error @ Error::PublisherDied { .. }) => {
                    self.reception.publishers_died += 1;
                    self.context.say(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// No frame came: whether to wait on.
    fn check_patience(
        &self,
        subscriber: &FrameSubscriber,
        start: Instant,
        id: &str,
        what: &'static str,
    ) -> Outcome {
        if subscriber.region().unlinked() {
            let message =
                format!("region `{id}` was removed; its publisher makes a new one when it is started again");
            return Err(Failure::new(Exit::NotFound, message));
        }
        let waited = start.elapsed();
        if self.arguments.timeout.is_some_and(|timeout| waited >= timeout) {
            return Err(Error::Timeout { id: id.to_owned(), what, waited }.into());
        }
        Ok(())
    }

    fn verify(&mut self, frame: &Frame<'_>) -> Outcome {
        let Some(torn) = &mut self.reception.torn else { return Ok(()) };
        match stamp::check(frame, frame.sequence()) {
            Verdict::Whole => Ok(()),
            Verdict::Torn => {
                *torn += 1;
                Ok(())
            }
            Verdict::Unstamped => {
                let (id, sequence) = (&self.arguments.id, frame.sequence());
                let message = format!(
                    "frame {sequence} of region `{id}` has no stamp; publish with --stamp, or leave out --verify"
                );
                Err(Failure::new(Exit::Mismatch, message))
            }
        }
    }

    fn show(&mut self, subscriber: &FrameSubscriber, frame: &Frame<'_>) -> Outcome {
        let reception = &self.reception;
        self.progress.frame(|| format!("{} frames, missed {}", reception.frames(), reception.missed));
        match &mut self.live_picture {
            Some(live_picture) if live_picture.is_due() => {
                live_picture.draw(picture::of_frame(subscriber.schema(), frame)?, self.progress.line())
            }
            _ => Ok(()),
        }
    }

    /// Gives the terminal back, and says what was seen, however it ended.
    fn finish(self, ended: Outcome) -> Outcome {
        let Self { arguments, context, reception, progress, live_picture, .. } = self;
        drop((progress, live_picture));
        if context.json() {
            let id = json!({ "id": arguments.id });
            context.print(document::merged(id, reception.to_json()))?;
        } else {
            context.print(&reception)?;
        }
        ended?;
        match reception.torn {
            Some(torn) if torn > 0 => Err(Failure::new(
                Exit::Failure,
                format!("{torn} frames do not match their stamps; they are torn"),
            )),
            _ => Ok(()),
        }
    }
}
