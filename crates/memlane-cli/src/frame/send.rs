//! `memlane frame send`: pictures, raw video or a frame channel into a mapped picture file, for a viewer that
//! reads such a file.

use super::format::Format;
use super::interrupt::{Interrupt, LOOK_PERIOD};
use super::mapped::{self, Replacement, parse_name};
use super::pace::{Pace, parse_rate};
use super::progress::Progress;
use super::source::SourceArguments;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use memlane::{Error, FrameSubscriber, Space};
use memlane_interop::Name;
use memlane_interop::mmap_frame::MmapFrameWriter;
use serde_json::json;
use std::time::Instant;

/// Write pictures, raw video or a frame channel into a mapped picture file
///
/// The file has a 24-byte header (width, height, channels, timestamp in milliseconds, valid) and the pixels,
/// as C++ cameras and Python viewers exchange them under /dev/shm. It stays when the command ends, with the
/// last picture in it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file's name in /dev/shm, as in shm_open
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    mmap: Name,

    /// Send the frames of this channel instead of a source
    #[arg(long, value_name = "ID", conflicts_with_all = ["source", "rate"])]
    from: Option<String>,

    #[command(flatten)]
    source: Option<SourceArguments>,

    /// Pictures a second [default: as fast as the source gives them]
    #[arg(long, value_name = "HZ", value_parser = parse_rate)]
    rate: Option<f64>,

    /// How one picture replaces the other
    #[arg(long, value_enum, default_value_t = Replacement::InPlace)]
    publish: Replacement,

    /// End after so many pictures
    #[arg(long, value_name = "FRAMES")]
    count: Option<u64>,
}

/// The segment, and what went into it.
struct Sending {
    writer: MmapFrameWriter,
    interrupt: Interrupt,
    progress: Progress,
    count: Option<u64>,
    sent: u64,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let start = Instant::now();
        let from = match &self.from {
            Some(id) => Some((mapped::space(context.source()?)?, id)),
            None => None,
        };
        let mut sending = Sending {
            writer: MmapFrameWriter::create(&self.mmap, self.publish.into())?,
            interrupt: Interrupt::listen()?,
            progress: Progress::on_terminal(),
            count: self.count,
            sent: 0,
        };
        let ended = match (from, &self.source) {
            (Some((space, id)), _) => sending.pass_on_channel(space, id),
            (None, Some(source)) => sending.pass_on_source(source, self.rate),
            (None, None) => {
                Err(Failure::new(Exit::Usage, "nothing to send: give a source, or a channel with --from"))
            }
        };
        let Sending { sent, progress, .. } = sending;
        drop(progress);
        let seconds = start.elapsed().as_secs_f64();
        if context.json() {
            context.print(json!({ "mmap": self.mmap.to_string(), "frames": sent, "seconds": seconds }))?;
        } else {
            context.print(format!("{sent} pictures to {} in {seconds:.1} s", self.mmap))?;
        }
        ended
    }
}

impl Sending {
    fn is_enough(&self) -> bool {
        self.count.is_some_and(|count| self.sent >= count) || self.interrupt.requested()
    }

    fn pass_on_source(&mut self, arguments: &SourceArguments, rate: Option<f64>) -> Outcome {
        let mut source = arguments.open()?;
        let format = one_byte_samples(source.format())?;
        let mut pixels = vec![0; format.bytes()];
        let mut pace = Pace::new(rate);
        while !self.is_enough() {
            if !source.next_into(&mut pixels, &self.interrupt)? {
                break;
            }
            pace.wait(&self.interrupt);
            if self.interrupt.requested() {
                break;
            }
            self.send(format, &pixels)?;
        }
        Ok(())
    }

    /// Straight from one shared memory into the other.
    fn pass_on_channel(&mut self, space: &Space, id: &str) -> Outcome {
        let subscriber = FrameSubscriber::open(space, id)?;
        let format = Format::of_schema(subscriber.schema()).ok_or_else(|| no_pictures(id, &subscriber))?;
        let format = one_byte_samples(format)?;
        while !self.is_enough() {
            match subscriber.next(Some(LOOK_PERIOD)) {
                Ok(frame) => self.send(format, &frame)?,
                Err(Error::Timeout { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn send(&mut self, format: Format, pixels: &[u8]) -> Outcome {
        let [width, height, channels] =
            [format.width, format.height, format.encoding.channels()].map(|side| side as u32);
        self.writer.write(width, height, channels, pixels)?;
        self.sent += 1;
        let sent = self.sent;
        self.progress.frame(|| format!("{sent} pictures"));
        Ok(())
    }
}

/// The header knows no other.
fn one_byte_samples(format: Format) -> Outcome<Format> {
    if format.encoding.sample().size() == 1 {
        return Ok(format);
    }
    let name = format.encoding.name();
    Err(Failure::new(
        Exit::Mismatch,
        format!("a mapped picture file has samples of one byte, not {name}; send mono8"),
    ))
}

fn no_pictures(id: &str, subscriber: &FrameSubscriber) -> Failure {
    let schema = subscriber.schema();
    let message =
        format!("region `{id}` has the schema {schema}, which is no picture that a mapped file can hold");
    Failure::new(Exit::Mismatch, message)
}
