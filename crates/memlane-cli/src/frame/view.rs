//! `memlane frame view`: a subscriber that measures, checks, shows and saves what a frame channel brings.
//!
//! It goes on when the publisher dies, as any subscriber does, and says so once for each death. At a host it goes on
//! when the host is started anew.

use super::interrupt::{Interrupt, LOOK_PERIOD};
use super::live_picture::{self, LivePicture};
use super::progress::Progress;
use super::reception::Reception;
use super::stamp::{self, Verdict};
use super::{picture, screen};
use crate::context::Context;
use crate::document;
use crate::failure::{Exit, Failure, Outcome};
use crate::human::parse_duration;
use crate::source::{Asked, Came, Received, Source, Subscription};
use memlane::Error;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Subscribe to a frame channel: rate, latency, missed and torn frames, pictures
///
/// Waits for the channel and for frames; goes on when the publisher dies and another takes over. Ends after
/// --count or --duration, or with Ctrl-C, and prints a summary. At a host (--at), latencies are between the wall clocks
/// of two machines, and with --picture alone the host sends what the terminal can show: the rest counts as missed.
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

    /// Begin with up to so many frames that were published before; a host has the newest one
    #[arg(long, value_name = "FRAMES", default_value_t = 0)]
    history: u64,

    /// Look for a frame for so many microseconds before sleeping: costs a processor, wakes at once. Not at a host
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
        let reception = &mut view.reception;
        reception.by_wall_clocks = subscriber.is_remote();
        reception.publishers_died = (!subscriber.is_remote()).then_some(0);
        let ended = view.watch(&subscriber);
        view.finish(ended)
    }

    /// Waits for the channel; `None` after an interrupt.
    fn subscribe(&self, context: &Context, interrupt: &Interrupt) -> Outcome<Option<Subscription>> {
        let source = context.new_source()?;
        if !source.contains(&self.id)? {
            context.say(format!("waiting for region `{}` in {source}", self.id));
            if !self.wait_for_channel(source, interrupt)? {
                return Ok(None);
            }
        }
        let spin = Duration::from_micros(self.spin);
        // Whoever checks or saves frames wants all of them, and whole.
        let for_terminal = self.picture && !self.verify && self.save.is_none();
        let asked = Asked { history: self.history, spin, rate: for_terminal.then_some(live_picture::RATE) };
        let scale = |schema: &_| live_picture::scale(schema).filter(|_| for_terminal);
        source.frames(&self.id, &asked, scale).map(Some)
    }

    fn wait_for_channel(&self, source: &Source, interrupt: &Interrupt) -> Outcome<bool> {
        let start = Instant::now();
        source.wait_for(&self.id, LOOK_PERIOD, || {
            self.check_patience(start, "the creation")?;
            Ok(!interrupt.requested())
        })
    }

    /// Whether to wait on.
    fn check_patience(&self, start: Instant, what: &'static str) -> Outcome {
        let waited = start.elapsed();
        if self.timeout.is_some_and(|timeout| waited >= timeout) {
            return Err(Error::Timeout { id: self.id.clone(), what, waited }.into());
        }
        Ok(())
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
    fn watch(&mut self, subscriber: &Subscription) -> Outcome<()> {
        // The last frame is held while the next one is taken, so that it is there to be saved at the end.
        let mut held = None;
        let mut started = None;
        while !self.is_enough(started) {
            let Some(frame) = self.next(subscriber, started)? else { break };
            let latency = subscriber.latency(&frame);
            started.get_or_insert_with(Instant::now);
            self.reception.frame(frame.sequence(), latency);
            self.reception.missed = subscriber.missed();
            self.verify(&frame)?;
            self.show(subscriber, &frame)?;
            held = Some(frame);
        }
        match (&self.arguments.save, held) {
            (Some(path), Some(frame)) => {
                picture::save_frame(subscriber.schema_of(&frame)?.as_ref(), &frame, path)
            }
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
        subscriber: &'s Subscription,
        started: Option<Instant>,
    ) -> Outcome<Option<Received<'s>>> {
        let start = Instant::now();
        while !self.is_enough(started) {
            match subscriber.next(LOOK_PERIOD)? {
                Came::Frame(frame) => return Ok(Some(frame)),
                Came::Nothing(what) => self.arguments.check_patience(start, what)?,
                Came::PublisherDied(error) => {
                    *self.reception.publishers_died.get_or_insert(0) += 1;
                    self.context.say(error);
                }
                Came::Removed => {
                    let message = format!(
                        "region `{}` was removed; its publisher makes a new one when it is started again",
                        self.arguments.id
                    );
                    return Err(Failure::new(Exit::NotFound, message));
                }
            }
        }
        Ok(None)
    }

    fn verify(&mut self, frame: &Received<'_>) -> Outcome {
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

    fn show(&mut self, subscriber: &Subscription, frame: &Received<'_>) -> Outcome {
        let reception = &self.reception;
        self.progress.frame(|| format!("{} frames, missed {}", reception.frames(), reception.missed));
        match &mut self.live_picture {
            Some(live_picture) if live_picture.is_due() => {
                let schema = subscriber.schema_of(frame)?;
                live_picture.draw(picture::of_frame(&schema, frame)?, self.progress.line())
            }
            _ => Ok(()),
        }
    }

    /// Gives the terminal back, and says what was seen, however it ended.
    fn finish(self, ended: Outcome) -> Outcome {
        let Self { arguments, context, reception, progress, live_picture, .. } = self;
        drop((progress, live_picture));
        if context.json() {
            let clock = if reception.by_wall_clocks { "wall" } else { "monotonic" };
            let told = json!({ "id": arguments.id, "latency_clock": clock });
            context.print(document::merged(told, reception.to_json()))?;
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
