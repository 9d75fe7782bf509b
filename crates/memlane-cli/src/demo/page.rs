//! The page: a host of the demo's space, on this machine and as long as the demo lives, so that a browser shows the
//! regions too.

use crate::commands::host::failure;
use crate::failure::Outcome;
use memlane::Space;
use memlane_net::host::{Host, Running};
use std::net::Ipv4Addr;

/// At a port that is free; it comes with what lets one in.
pub(super) fn serve(space: &Space) -> Outcome<Running> {
    Host::new(space.clone()).listen((Ipv4Addr::LOCALHOST, 0).into()).start().map_err(failure)
}

/// Tells those who look that it ends.
pub(super) fn end(host: Running) -> Outcome {
    host.stop().map_err(failure)
}
