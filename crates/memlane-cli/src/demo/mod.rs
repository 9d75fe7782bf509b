//! `memlane demo`: real processes, real pictures, and some of them are killed.
//!
//! The command starts itself again in several roles: a publisher of pictures, a stand-by for it, two viewers; an
//! armband, a dispatcher of jobs, and two workers with one arm. They meet in a space of their own and talk through
//! shared memory alone. Half-way through, the publisher is killed by SIGKILL while it has half a frame written; the
//! viewers go on holding what they hold, the stand-by takes over, and all of it is measured. Then the worker that has
//! the arm's lock is killed, as at any time by whoever sets the event for it: the next one is told and puts the parts
//! right, and the job is done by another. A page in the browser shows all regions.
//!
//! ```text
//! demo ──orders, one a line──▶ standard input of each child    its end ends the child: none outlives the demo
//!      ◀──reports, one a line── its standard output
//! publisher ──frames, caption──▶ viewers ──counter──▶ demo     shared memory
//! armband ──stream, record──▶ whoever looks
//! dispatcher ──queue──▶ workers ──lock, record, counters──▶ demo ◀──event── whoever sets it
//! ```
//!
//! | killed | what remains | who repairs |
//! |---|---|---|
//! | publisher, viewer | the regions, whole; the demo reports the loss and fails, if it was not the demo's doing | nobody |
//! | armband, dispatcher, worker | the regions, and what a table in `arm.rs` says | the next worker; the demo starts another |
//! | the demo itself | its directory; the children end at once | the next demo removes it |

mod publisher;
mod viewer;

mod dispatcher;
mod sensor;
mod worker;

mod arm;
mod film;
mod message;
mod orders;
mod regions;

mod board;
mod child;
mod crew;
mod director;
mod display;
mod page;
mod plan;
mod summary;

use crate::context::Context;
use crate::failure::Outcome;
use crate::human::parse_duration;
use director::Director;
use plan::Plan;
use rustix::thread::set_name;
use std::ffi::CStr;
use std::io;
use std::time::Duration;

/// Below it there is no time for all that is to be seen.
const SHORTEST: Duration = Duration::from_secs(2);

/// See it work: camera, armband, workers, and what happens when one of them is killed
///
/// Starts real processes in a space of their own, kills the camera in the middle of a frame and lets a stand-by take
/// over, then kills the worker that has the lock. A page in the browser shows the regions, and its button of
/// `demo/kill-holder` kills a worker too. On a terminal it goes on until Ctrl-C, elsewhere for 12 s; it leaves nothing
/// behind, and succeeds only if every promise was kept.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {
    /// How long it goes on
    #[arg(long, value_name = "TIME", value_parser = parse_length)]
    duration: Option<Duration>,

    /// Begin again and again until Ctrl-C, as on a terminal, each time after --duration
    #[arg(long)]
    forever: bool,

    /// Open no browser; without a terminal none is opened anyway
    #[arg(long)]
    no_browser: bool,

    /// What a child process is to be
    #[arg(long, value_enum, hide = true)]
    role: Option<Role>,
}

/// What a child process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    Publisher,
    Viewer,
    Sensor,
    Dispatcher,
    Worker,
}

impl DemoArguments {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        // Before anything is opened: participants are listed by it.
        set_name(self.role.map_or(c"memlane-demo", Role::process)).map_err(io::Error::from)?;
        match self.role {
            Some(Role::Publisher) => publisher::run(context),
            Some(Role::Viewer) => viewer::run(context),
            Some(Role::Sensor) => sensor::run(context),
            Some(Role::Dispatcher) => dispatcher::run(context),
            Some(Role::Worker) => worker::run(context),
            None => Director::run(context, Plan::new(context, self.duration, self.forever, self.no_browser)),
        }
    }
}

impl Role {
    /// What its process is called, by `ps` and by whoever lists participants.
    fn process(self) -> &'static CStr {
        match self {
            Self::Publisher => c"camera",
            Self::Viewer => c"viewer",
            Self::Sensor => c"armband",
            Self::Dispatcher => c"dispatcher",
            Self::Worker => c"worker",
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
