//! `memlane frame`: pictures from files and video streams into a frame channel, out of it, and over the
//! mapped picture files of other programs.
//!
//! | verb | from | to |
//! |---|---|---|
//! | [`publish`] | pictures, a folder, raw video on the standard input | a frame channel |
//! | [`view`] | a frame channel | numbers, the terminal, a PNG |
//! | [`send`] | the same sources, or a frame channel | a mapped picture file |
//! | [`recv`] | a mapped picture file | numbers, a PNG, a frame channel |

mod publish;
mod recv;
mod send;
mod view;

mod live_picture;
mod mapped;
mod progress;
mod reception;
mod source;

pub(crate) mod cadence;
pub(crate) mod format;
pub(crate) mod half_blocks;
pub(crate) mod interrupt;
pub(crate) mod latency;
pub(crate) mod pace;
pub(crate) mod picture;
pub(crate) mod screen;
pub(crate) mod stamp;

use crate::context::Context;
use crate::failure::Outcome;

/// Publish pictures and video, view them, exchange them with programs that map picture files
#[derive(Debug, clap::Subcommand)]
pub(crate) enum FrameCommand {
    Publish(publish::Arguments),
    View(view::Arguments),
    Send(send::Arguments),
    Recv(recv::Arguments),
}

impl FrameCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Publish(arguments) => arguments.run(context),
            Self::View(arguments) => arguments.run(context),
            Self::Send(arguments) => arguments.run(context),
            Self::Recv(arguments) => arguments.run(context),
        }
    }
}
