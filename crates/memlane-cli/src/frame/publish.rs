//! `memlane frame publish`: pictures or raw video into a frame channel, each frame decoded or read straight
//! into shared memory, or into what is sent to a host.

use super::cadence::Cadence;
use super::interrupt::Interrupt;
use super::pace::Pace;
use super::progress::Progress;
use super::source::{Source, SourceArguments};
use super::stamp::{self, STAMP_BYTES};
use crate::context::Context;
use crate::datum_json::unfit;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use crate::source::Publisher;
use serde_json::json;
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
        let spec = source.format().spec();
        let schema = spec.schema().map_err(unfit(&self.id))?;
        let places = context.new_source()?;
        let mut publisher = places.publisher(&self.id, schema, self.history, self.borrows)?;
        let mut published = Published { frames: 0, last: 0, cadence: Cadence::default() };
        let ended = self.publish(context, source, &mut publisher, &mut published);
        // What was published stays published, however it ended.
        self.summarise(context, &published)?;
        ended
    }

    fn publish(
        &self,
        context: &Context,
        mut source: Source,
        publisher: &mut Publisher,
        published: &mut Published,
    ) -> Outcome {
        let interrupt = Interrupt::listen()?;
        let mut progress = Progress::on_terminal();
        let mut pace = Pace::new(self.rate);
        while self.count.is_none_or(|count| published.frames < count) {
            let mut loan = publisher.loan()?;
            if !source.next_into(&mut loan, &interrupt)? {
                break;
            }
            pace.wait(&interrupt);
            if interrupt.requested() {
                break;
            }
            let stamped = if self.stamp { Some(loan.sequence()?) } else { None };
            if let Some(sequence) = stamped {
                stamp::put(&mut loan, sequence);
            }
            published.last = loan.publish()?;
            if let Some(sequence) = stamped.filter(|sequence| *sequence != published.last) {
                context.say(misnumbered(sequence, published.last));
            }
            published.frames += 1;
            published.cadence.count(Instant::now());
            progress.frame(|| {
                let readers = publisher.subscribers().map(|count| human::count(count, "subscriber"));
                let readers = readers.map(|readers| format!(", {readers}")).unwrap_or_default();
                format!("{} frames{readers}", published.frames)
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

/// Of a stamp that fits another number.
fn misnumbered(stamped: u64, published: u64) -> String {
    format!(
        "a frame was stamped as number {stamped} and published as {published}, because somebody else published in \
         between; viewers that verify call it torn"
    )
}
