//! The page: a host of the demo's space, on this machine and as long as the demo lives, so that a browser shows the
//! regions too.

use crate::failure::{Exit, Failure, Outcome};
use memlane::Space;
use memlane_net::host::{Host, HostError, Running};
use std::net::Ipv4Addr;

/// Serves the demo's regions. Dropped, it ends at once.
#[derive(Debug)]
pub(super) struct Page {
    host: Running,
}

impl Page {
    /// At a port that is free.
    pub(super) fn open(space: &Space) -> Outcome<Self> {
        let host = Host::new(space.clone()).listen((Ipv4Addr::LOCALHOST, 0).into());
        Ok(Self { host: host.start().map_err(|error| not_served(&error))? })
    }

    /// Where it is, with what lets one in.
    pub(super) fn address(&self) -> String {
        let token = self.host.tokens().read_write().unwrap_or_default();
        format!("http://{}/#token={token}", self.host.address())
    }

    /// Tells those who look that it ends.
    pub(super) fn close(self) -> Outcome {
        self.host.stop().map_err(|error| not_served(&error))
    }
}

fn not_served(error: &HostError) -> Failure {
    Failure::new(Exit::Failure, format!("the demo's page cannot be served: {error}"))
}
