//! `memlane gui`: a host of the space for this machine, and its page in the browser.
//!
//! `--json` prints what `memlane host --json` prints.

use std::env;
use std::process::{Command, Stdio};

use memlane_net::host::Running;

use crate::commands::host::{self, HostCommand, Taken};
use crate::context::Context;
use crate::failure::Outcome;

/// What a desktop session sets.
const DISPLAYS: [&str; 2] = ["DISPLAY", "WAYLAND_DISPLAY"];
/// The user's own choice, also where there is no display.
const BROWSER_VARIABLE: &str = "BROWSER";
/// Opens what it is given with what the desktop has for it.
const OPENER: &str = "xdg-open";

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
        open(context, running.url());
    }
    Ok(())
}

/// Shows it in the browser, if there is where.
fn open(context: &Context, url: &str) {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let chosen = env::var(BROWSER_VARIABLE).ok().filter(|browser| !browser.is_empty());
    let Some(browser) = chosen.or_else(|| DISPLAYS.into_iter().any(is_set).then(|| OPENER.into())) else {
        return;
    };
    // Several may be named; the first is the preferred one.
    let browser = browser.split(':').next().unwrap_or_default();
    let quiet = Command::new(browser).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    if let Err(error) = quiet {
        context.say(format_args!("`{browser}` could not be started: {error}; open the address yourself"));
    }
}
