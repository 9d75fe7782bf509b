//! `memlane frame recv`: pictures out of a mapped picture file that another program writes, measured, saved,
//! or published as a frame channel.

use super::format::{Encoding, Format};
use super::interrupt::{Interrupt, LOOK_PERIOD};
use super::mapped::{self, parse_name};
use super::picture;
use super::progress::Progress;
use super::reception::Reception;
use crate::context::Context;
use crate::document;
use crate::failure::{Exit, Failure, Outcome};
use crate::human::{self, parse_duration};
use memlane::{FramePublisher, Space, Timestamp};
use memlane_interop::Name;
use memlane_interop::mmap_frame::{MmapFrameReader, Picture};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;

/// Read a mapped picture file of another program, and publish it as a frame channel
///
/// Waits for the file and for new pictures. Ends after --count, or with Ctrl-C, and prints a summary.
/// Pictures that were replaced before they were read are not counted: the file does not number them.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file's name in /dev/shm, as in shm_open
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    mmap: Name,

    /// Publish the pictures as this channel, with their times of capture
    #[arg(long, value_name = "ID")]
    to: Option<String>,

    /// End after so many pictures [default with --save alone: 1]
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Save the last picture: a PNG, or a JPEG if the name says so
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// Give up when no new picture came for so long
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
}

/// Where received pictures go.
struct Destination<'a> {
    space: &'a Space,
    id: &'a str,
    /// Made for the first picture, whose size it has.
    publisher: Option<FramePublisher>,
}

impl Arguments {
    pub(crate) fn run(mut self, context: &Context) -> Outcome {
        if self.save.is_some() && self.to.is_none() {
            self.count.get_or_insert(1);
        }
        let mut reception = Reception::new();
        let ended = self.receive(context, &mut reception);
        if context.json() {
            let name = json!({ "mmap": self.mmap.to_string() });
            context.print(document::merged(name, reception.to_json()))?;
        } else {
            context.print(&reception)?;
        }
        ended
    }

    fn receive(&self, context: &Context, reception: &mut Reception) -> Outcome {
        let interrupt = Interrupt::listen()?;
        let mut progress = Progress::on_terminal();
        let mut reader = MmapFrameReader::open(&self.mmap);
        let mut destination = match &self.to {
            Some(id) => {
                Some(Destination { space: mapped::space(context.new_source()?)?, id, publisher: None })
            }
            None => None,
        };
        let mut last = None;
        while self.count.is_none_or(|count| reception.frames() < count) {
            let Some(picture) = self.next(&mut reader, &interrupt)? else { break };
            if let Some(destination) = &mut destination {
                destination.publish(&picture)?;
            }
            reception.frame(picture.timestamp as u64, Some(human::age(wall_clock_of(&picture))));
            progress.frame(|| format!("{} pictures", reception.frames()));
            last = Some(picture);
        }
        match (&self.save, last) {
            (Some(path), Some(last)) => save(&last, path),
            _ => Ok(()),
        }
    }

    /// The next picture; `None` after an interrupt.
    fn next(&self, reader: &mut MmapFrameReader, interrupt: &Interrupt) -> Outcome<Option<Picture>> {
        let start = Instant::now();
        while !interrupt.requested() {
            match reader.next(Some(LOOK_PERIOD)) {
                Ok(picture) => return Ok(Some(picture)),
                Err(error) if !error.is_timeout() => return Err(error.into()),
                Err(error) if self.timeout.is_some_and(|timeout| start.elapsed() >= timeout) => {
                    return Err(error.into());
                }
                Err(_) => {}
            }
        }
        Ok(None)
    }
}

impl Destination<'_> {
    fn publish(&mut self, picture: &Picture) -> Outcome {
        let spec = format_of(picture)?.spec();
        let publisher = match &mut self.publisher {
            Some(publisher) => publisher,
            empty => empty.insert(FramePublisher::open_or_create(self.space, self.id, &spec)?),
        };
        let mut loan = publisher.loan()?;
        if loan.len() != picture.pixels.len() {
            return Err(self.other_size(picture));
        }
        loan.copy_from_slice(&picture.pixels);
        loan.publish_captured(captured(picture));
        Ok(())
    }

    fn other_size(&self, picture: &Picture) -> Failure {
        let Picture { width, height, channels, .. } = picture;
        let message = format!(
            "the pictures have {width}×{height}×{channels} now, but the frames of region `{}` have another size; \
             remove it with `memlane rm {}` and start again",
            self.id, self.id
        );
        Failure::new(Exit::Mismatch, message)
    }
}

fn save(picture: &Picture, path: &Path) -> Outcome {
    let pixels = picture::of_pixels(format_of(picture)?, &picture.pixels);
    pixels.map_or(Ok(()), |pixels| picture::save(&pixels, path))
}

/// The writers of such files take their pixels from OpenCV.
fn format_of(picture: &Picture) -> Outcome<Format> {
    let channels = picture.channels;
    let encoding = Encoding::of_channels(channels as usize).ok_or_else(|| {
        let message =
            format!("a picture with {channels} channels cannot be published or saved; 1, 3 or 4 can");
        Failure::new(Exit::Mismatch, message)
    })?;
    Ok(Format { width: picture.width as usize, height: picture.height as usize, encoding })
}

/// The file's clock counts milliseconds; the monotonic one is reckoned from it.
fn captured(picture: &Picture) -> Timestamp {
    let wall = wall_clock_of(picture);
    let now = Timestamp::now();
    Timestamp { wall, monotonic: now.monotonic.saturating_sub(now.wall.saturating_sub(wall)) }
}

fn wall_clock_of(picture: &Picture) -> u64 {
    u64::try_from(picture.timestamp).unwrap_or(0).saturating_mul(NANOSECONDS_PER_MILLISECOND)
}
