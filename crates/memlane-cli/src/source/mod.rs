//! Where the regions are that a command is about: in this machine's memory, or at a host. Commands ask here and print
//! what they are given; they do not care which of the two it is.
//!
//! | module | what |
//! |---|---|
//! | `listing` | the documents of listings |
//! | `looking` | one region, as it stands |
//! | `changing` | making, writing and removing |
//! | `passing` | what is waited for and taken |
//! | `frames` | frame channels |

mod changing;
mod frames;
mod listing;
mod looking;
mod passing;

use std::fmt::{self, Display};

use memlane::Space;
use memlane_net::client::Client;

pub(crate) use frames::{Asked, Came, Publisher, Received, Subscription};
pub(crate) use looking::Seen;
pub(crate) use passing::Taken;

/// Where the regions are.
#[derive(Debug)]
pub(crate) enum Source {
    /// In a space of this machine.
    Here(Space),
    /// At a host, on another machine or out of reach of this user.
    There(Client),
}

impl Source {
    /// Whether it can be looked at now. A host that is gone is looked for all the time.
    pub(crate) fn is_connected(&self) -> bool {
        match self {
            Self::Here(_) => true,
            Self::There(client) => client.is_connected(),
        }
    }
}

/// The directory, or the host.
impl Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(space) => space.directory().display().fmt(formatter),
            Self::There(client) => write!(formatter, "the host at {}", client.address()),
        }
    }
}
