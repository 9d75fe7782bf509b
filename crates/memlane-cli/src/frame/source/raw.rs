//! Raw video on the standard input: frame after frame without anything between, read straight to where it is
//! wanted.

use crate::failure::{Exit, Failure, Outcome};
use crate::frame::format::Format;
use crate::frame::interrupt::{Interrupt, LOOK_PERIOD};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;

/// A stream of frames of one format.
#[derive(Debug)]
pub(in crate::frame) struct RawVideo {
    /// The standard input without its buffer, which would be a copy.
    input: File,
    format: Format,
    frames: u64,
}

impl RawVideo {
    pub(super) fn of_standard_input(format: Format) -> Outcome<Self> {
        let input = io::stdin().as_fd().try_clone_to_owned().map_err(|error| unreadable(&error))?;
        Ok(Self { input: File::from(input), format, frames: 0 })
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// A stream that ends within a frame is an error; between two frames it simply ends.
    pub(super) fn next_into(&mut self, frame: &mut [u8], interrupt: &Interrupt) -> Outcome<bool> {
        let mut filled = 0;
        while let Some(rest) = frame.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            if !self.wait_for_bytes(interrupt)? {
                return Ok(false);
            }
            match self.input.read(rest) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(self.truncated(filled, frame.len())),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        self.frames += 1;
        Ok(true)
    }

    /// Whether there is something to read, be it the end; `false` after an interrupt, which a read would
    /// sleep through.
    fn wait_for_bytes(&self, interrupt: &Interrupt) -> Outcome<bool> {
        let period = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK_PERIOD.subsec_nanos()) };
        while !interrupt.requested() {
            let mut inputs = [PollFd::new(&self.input, PollFlags::IN)];
            match poll(&mut inputs, Some(&period)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(unreadable(&error.into())),
            }
        }
        Ok(false)
    }

    fn truncated(&self, filled: usize, expected: usize) -> Failure {
        let Format { width, height, encoding } = self.format;
        let message = format!(
            "the standard input ended {filled} bytes into frame {}, which has {expected}; the {} before it are whole; see \
             that its source writes {width}×{height} pixels of {}",
            self.frames + 1,
            self.frames,
            encoding.name()
        );
        Failure::new(Exit::Failure, message)
    }
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Exit::Failure, format!("the standard input cannot be read: {error}"))
}
