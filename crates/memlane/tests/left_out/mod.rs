//! What a machine cannot show is left out, and that is said; under CI it is a failure.
#![allow(dead_code)] // Every suite uses a part.

use std::io::Write;

/// Says what is not shown here and why. Past the harness, which would keep it for itself.
pub(crate) fn leave_out(what: &str, why: &str) {
    let message = format!("LEFT OUT: {what}, {why}");
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{message}");
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Whether the tests run as root, who can become another user. Said when not.
pub(crate) fn can_become_another_user(what: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        leave_out(what, "only root can become another user; run the tests as root");
    }
    is_root
}
