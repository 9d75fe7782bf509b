//! Sources: where the frames come from that `publish` and `send` pass on.

mod pictures;
mod raw;

use super::format::{self, Encoding, Format};
use super::interrupt::Interrupt;
use crate::failure::{Exit, Failure, Outcome};
use pictures::Pictures;
use raw::RawVideo;
use std::path::PathBuf;

/// The name of the standard input.
const STANDARD_INPUT: &str = "-";

/// Which frames, and what they become.
#[derive(Debug, clap::Args)]
pub(super) struct SourceArguments {
    /// A picture (PNG or JPEG), a folder of them, or `-`: raw video on the standard input, as `ffmpeg -f
    /// rawvideo -pix_fmt bgr24 -` writes it
    source: PathBuf,

    /// Pixels in a row. Raw video needs it; pictures are scaled to it
    #[arg(long, value_name = "PIXELS", requires = "height", value_parser = clap::value_parser!(u32).range(1..))]
    width: Option<u32>,

    /// Rows. Raw video needs it; pictures are scaled to it
    #[arg(long, value_name = "PIXELS", requires = "width", value_parser = clap::value_parser!(u32).range(1..))]
    height: Option<u32>,

    /// Samples of a pixel, where no encoding says it: 1, 3 or 4
    #[arg(long, value_name = "COUNT")]
    channels: Option<usize>,

    /// What the samples of a frame are [default: bgr8]. Pictures are converted to it; raw video is taken to
    /// be it
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,

    /// Begin again at the end
    #[arg(long = "loop")]
    repeat: bool,
}

/// Frames, one after the other.
#[derive(Debug)]
pub(super) enum Source {
    Pictures(Pictures),
    Raw(RawVideo),
}

impl SourceArguments {
    pub(super) fn open(&self) -> Outcome<Source> {
        let encoding = format::chosen(self.encoding, self.channels)?;
        let size = self.width.zip(self.height);
        if self.source.as_os_str() != STANDARD_INPUT {
            return Ok(Source::Pictures(Pictures::open(&self.source, size, encoding, self.repeat)?));
        }
        let usage = |message| Failure::new(Exit::Usage, message);
        if self.repeat {
            return Err(usage("the standard input cannot be read again; leave out --loop"));
        }
        let size =
            size.ok_or_else(|| usage("raw video does not tell its size; give --width and --height"))?;
        let format = Format { width: size.0 as usize, height: size.1 as usize, encoding };
        Ok(Source::Raw(RawVideo::of_standard_input(format)?))
    }
}

impl Source {
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Pictures(pictures) => pictures.format(),
            Self::Raw(video) => video.format(),
        }
    }

    /// Writes the next frame over `frame`; `false` when there is none any more, or after an interrupt.
    pub(super) fn next_into(&mut self, frame: &mut [u8], interrupt: &Interrupt) -> Outcome<bool> {
        match self {
            Self::Pictures(pictures) => pictures.next_into(frame),
            Self::Raw(video) => video.next_into(frame, interrupt),
        }
    }
}
