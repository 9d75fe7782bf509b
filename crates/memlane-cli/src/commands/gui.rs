//! `memlane gui`: a host of the space for this machine, and its page in the browser.
//!
//! `--json` prints what `memlane host --json` prints.

use memlane_net::host::Running;

use crate::browser;
use crate::commands::host::{self, HostCommand, Taken};
use crate::context::Context;
use crate::failure::Outcome;

/// See and change the regions in a browser
///
/// Serves the page until Ctrl-C, at port 7440 of this machine or, when that is taken, at one that is free. Prints its
/// address, which lets in whoever has it, and opens it when there is a display.
#[derive(Debug, clap::Args)]
pub(crate) struct Gui {
    #[command(flatten)]
    host: HostCommand,

    /// Open no browser
    #[arg(long)]
    no_browser: bool,
}

impl Gui {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let Self { host, no_browser } = self;
        host.serve(context, Taken::GoElsewhere, |running| present(context, running, !no_browser))
    }
}

fn present(context: &Context, running: &Running, opens: bool) -> Outcome {
    if context.json() {
        host::present(context, running)?;
    } else {
        context.print(running.url())?;
        context.say("Ctrl-C ends it");
    }
    if opens {
        browser::open(context, running.url());
    }
    Ok(())
}
