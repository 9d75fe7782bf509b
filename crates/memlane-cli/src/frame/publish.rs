//! `memlane frame publish`: pictures or raw video into a frame channel, each frame decoded or read straight
//! into shared memory.

use super::cadence::Cadence;
use super::interrupt::Interrupt;
use super::pace::Pace;
use super::progress::Progress;
use super::source::{Source, SourceArguments};
use super::stamp::{self, STAMP_BYTES};
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use memlane::{FramePublisher, Observer, Space};
use serde_json::json;
use std::collections::HashSet;
use std::time::Instant;

/// Publish pictures or raw video as a frame channel
///
/// Example: ffmpeg -i video.mp4 -vf scale=640:404 -f rawvideo -pix_fmt bgr24 - | memlane frame publish camera/front -
/// --width 640 --height 404
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The channel; made when it does not exist
    id: String,

    #[command(flatten)]
    source: SourceArguments,

    /// Frames a second [default: as fast as the source gives them]
    #[arg(long, value_name = "HZ", value_parser = super::pace::parse_rate)]
    rate: Option<f64>,

    /// Frames that stay on offer, when the channel is made
    #[arg(long, value_name = "FRAMES", default_value_t = 4)]
    history: u32,

    /// Frames that all subscribers together can hold, two for each as a rule, when the channel is made
    #[arg(long, value_name = "ENTRIES", default_value_t = 8)]
    borrows: u32,

    /// End after so many frames
    #[arg(long, value_name = "FRAMES")]
    count: Option<u64>,

    /// Put a checksum over the first 16 bytes of each frame, for `frame view --verify`: "mlstamp1", then
    /// XXH64 of the rest seeded with the frame's number
    #[arg(long)]
    stamp: bool,
}

/// What has been published.
#[derive(Debug)]
struct Published {
    frames: u64,
    last: u64,
    cadence: Cadence,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let source = self.source.open()?;
        if self.stamp && source.format().bytes() < STAMP_BYTES {
            let message =
                format!("a stamp needs frames of {STAMP_BYTES} bytes; leave out --stamp, or use larger ones");
            return Err(Failure::new(Exit::Usage, message));
        }
        let spec = source.format().spec().history(self.history).borrows(self.borrows);
        let space = context.space()?;
        let mut publisher = FramePublisher::open_or_create(space, &self.id, &spec)?;
        let mut published = Published { frames: 0, last: 0, cadence: Cadence::default() };
        let ended = self.publish(space, source, &mut publisher, &mut published);
        // What was published stays published, however it ended.
        self.summarise(context, &published)?;
        ended
    }

    fn publish(
        &self,
        space: &Space,
        mut source: Source,
        publisher: &mut FramePublisher,
        published: &mut Published,
    ) -> Outcome {
        let interrupt = Interrupt::listen()?;
        let observer = Observer::open(space, &self.id)?;
        let mut progress = Progress::on_terminal();
        let mut pace = Pace::new(self.rate);
        while self.count.is_none_or(|count| published.frames < count) {
            let mut loan = publisher.loan()?;
            if !source.next_into(&mut loan, &interrupt)? {
                break;
            }
            if self.stamp {
                let sequence = loan.sequence();
                stamp::put(&mut loan, sequence);
            }
            pace.wait(&interrupt);
            if interrupt.requested() {
                break;
            }
            published.last = loan.publish();
            published.frames += 1;
            published.cadence.count(Instant::now());
            progress.frame(|| {
                let readers = human::count(subscribers(&observer), "subscriber");
                format!("{} frames, {readers}", published.frames)
            });
        }
        Ok(())
    }

    fn summarise(&self, context: &Context, published: &Published) -> Outcome {
        let Published { frames, last, cadence } = published;
        let (seconds, rate) = (cadence.span().as_secs_f64(), cadence.rate());
        if context.json() {
            let id = &self.id;
            return context
                .print(json!({ "id": id, "frames": frames, "last": last, "seconds": seconds, "fps": rate }));
        }
        context.print(format!("{frames} frames in {seconds:.1} s, {rate:.1} fps; the last is number {last}"))
    }
}

/// How many processes subscribe, each with any number of entries.
fn subscribers(observer: &Observer) -> usize {
    let state = observer.frames();
    state.map_or(0, |state| state.subscribers.iter().map(|reader| reader.slot).collect::<HashSet<_>>().len())
}
