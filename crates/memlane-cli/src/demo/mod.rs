//! `memlane demo`: real processes, real pictures, and a publisher that is killed.
//!
//! The command starts itself again in several roles: a publisher of pictures, a stand-by for it, two viewers.
//! They meet in a space of their own and talk through shared memory alone. Half-way through, the publisher is
//! killed by SIGKILL while it has half a frame written; the viewers go on holding what they hold, the
//! stand-by takes over, and all of it is measured.
//!
//! ```text
//! demo ──orders, one a line──▶ standard input of each child    its end ends the child: none outlives the demo
//!      ◀──reports, one a line── its standard output
//! publisher ──frames, caption──▶ viewers ──counter──▶ demo     shared memory
//! ```
//!
//! | killed | what remains | who repairs |
//! |---|---|---|
//! | a child | the regions, whole; the demo reports the loss and fails | nobody |
//! | the demo itself | its directory; the children end at once | the next demo removes it |

mod publisher;
mod viewer;

mod film;
mod message;
mod orders;
mod regions;

mod board;
mod child;
mod director;
mod display;
mod stage;
mod summary;

use crate::context::Context;
use crate::failure::Outcome;
use crate::human::parse_duration;
use director::Director;
use std::time::Duration;

/// Below it there is no time for all that is to be seen.
const SHORTEST: Duration = Duration::from_secs(2);

/// See it work: publisher, viewers, and what happens when the publisher is killed
///
/// Starts real processes in a space of their own, kills the publisher in the middle of a frame, and lets a
/// stand-by take over. Ends by itself, leaves nothing behind, and succeeds only if every promise was kept.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {
    /// How long it goes on
    #[arg(long, value_name = "TIME", default_value = "12s", value_parser = parse_length)]
    duration: Duration,

    /// Begin again and again until Ctrl-C, with another publisher killed each time
    #[arg(long)]
    forever: bool,

    /// What a child process is to be
    #[arg(long, value_enum, hide = true)]
    role: Option<Role>,
}

/// What a child process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    Publisher,
    Viewer,
}

impl DemoArguments {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self.role {
            Some(Role::Publisher) => publisher::run(context),
            Some(Role::Viewer) => viewer::run(context),
            None => Director::run(context, self.duration, self.forever),
        }
    }
}

fn parse_length(text: &str) -> Result<Duration, String> {
    let length = parse_duration(text)?;
    if length < SHORTEST {
        return Err(format!("expected {} s or more, found {text}", SHORTEST.as_secs()));
    }
    Ok(length)
}
