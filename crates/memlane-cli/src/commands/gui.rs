//! `memlane gui`: a host of the space for this machine, and its page in the browser.
//!
//! `--json` prints what `memlane host --json` prints; of a host that runs already, what it answers to `sharing`.

use std::env;
use std::process::{Command, Stdio};

use memlane_net::client::hosts_of;
use memlane_net::host::Running;
use memlane_net::protocol::operation::Operation;
use serde_json::{Map, Value};

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
/// Serves the page until Ctrl-C, at port 7440 of this machine or, when that is taken, at one that is free; where a host
/// serves the space already, its page is taken. Prints the page's address, which lets in whoever has it, and opens it
/// when there is a display.
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
        if let Some(sharing) = running_host(context).filter(|_| host.is_plain()) {
            return present_running(context, &sharing, !no_browser);
        }
        host.serve(context, Taken::GoElsewhere, |running| present(context, running, !no_browser))
    }
}

/// What a host that serves the space already says of where it is.
fn running_host(context: &Context) -> Option<Map<String, Value>> {
    let hosts = hosts_of(context.space().ok()?);
    hosts.iter().find_map(|host| Some(host.request(Operation::Sharing, Vec::new()).ok()?.0))
}

fn present_running(context: &Context, sharing: &Map<String, Value>, opens: bool) -> Outcome {
    let url = sharing.get("url").and_then(Value::as_str).unwrap_or_default();
    if context.json() {
        context.print(Value::from(sharing.clone()))?;
    } else {
        context.print(url)?;
        context.say("it is served by a host that runs already");
    }
    if opens && let Some(once) = sharing.get("url_once").and_then(Value::as_str) {
        open(context, once);
    }
    Ok(())
}

fn present(context: &Context, running: &Running, opens: bool) -> Outcome {
    if context.json() {
        host::present(context, running)?;
    } else {
        context.print(running.url())?;
        context.say("Ctrl-C ends it");
    }
    if opens {
        open(context, &running.url_once().map_err(host::failure)?);
    }
    Ok(())
}

/// Shows it in the browser, if there is where. The address stands on a command line: it is good once.
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
