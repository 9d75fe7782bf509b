//! The browser of whoever sits in front of this machine.

use std::env;
use std::process::{Command, Stdio};

use crate::context::Context;

/// What a desktop session sets.
const DISPLAYS: [&str; 2] = ["DISPLAY", "WAYLAND_DISPLAY"];
/// The user's own choice, also where there is no display.
const BROWSER_VARIABLE: &str = "BROWSER";
/// Opens what it is given with what the desktop has for it.
const OPENER: &str = "xdg-open";

/// Shows what is at the address, if there is where. It stands on a command line, which every user of the machine can
/// see: no token is in it.
pub(crate) fn open(context: &Context, url: &str) {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let chosen = env::var(BROWSER_VARIABLE).ok().filter(|browser| !browser.is_empty());
    let Some(browser) = chosen.or_else(|| DISPLAYS.into_iter().any(is_set).then(|| OPENER.into())) else {
        return;
    };
    // Several may be named; the first is the preferred one.
    let browser = browser.split(':').next().unwrap_or_default();
    let quiet = Command::new(browser)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = quiet {
        context.say(format_args!("`{browser}` could not be started: {error}; open the address yourself"));
    }
}
