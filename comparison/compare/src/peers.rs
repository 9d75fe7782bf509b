//! The programs that are measured, and what each says that it offers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{Keeps, Offer, Offers};

use crate::failed::{Failed, Outcome};
use crate::sides::Sides;

/// Longer than it takes to say what one offers.
const LIMIT: Duration = Duration::from_secs(10);

/// A program, or why there is none.
pub(crate) struct Peer {
    /// Its name in the report: `iceoryx2`.
    pub(crate) name: String,
    pub(crate) offers: Outcome<Offers>,
    program: PathBuf,
}

/// A way of a peer: `iceoryx2.publish-subscribe`.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) peer: &'a str,
    pub(crate) program: &'a Path,
    pub(crate) offer: &'a Offer,
}

impl Way<'_> {
    /// Peer and way, as comparisons name it.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.peer, self.offer.way)
    }

    /// What becomes of messages that nobody has fetched yet.
    pub(crate) fn keeps(&self) -> &'static str {
        match self.offer.keeps {
            Some(Keeps::All) => "all",
            Some(Keeps::Newest) => "the newest",
            None => "",
        }
    }
}

/// All of them, in the order in which they were given.
pub(crate) struct Peers(Vec<Peer>);

impl Peers {
    /// Asks each program; `absent` are names and why there is no program.
    pub(crate) fn ask(programs: &[PathBuf], absent: &[(String, String)]) -> Self {
        let asked = programs.iter().map(|program| {
            let name = program.file_name().unwrap_or_default().to_string_lossy();
            let name = name.strip_prefix("peer-").unwrap_or(&name).to_owned();
            Peer { name, offers: ask(program), program: program.clone() }
        });
        let absent = absent.iter().map(|(name, why)| Peer {
            name: name.clone(),
            offers: Err(Failed(why.clone())),
            program: PathBuf::new(),
        });
        Self(asked.chain(absent).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.0.iter()
    }

    /// Every way of every peer that is there.
    pub(crate) fn ways(&self) -> impl Iterator<Item = Way<'_>> {
        self.0.iter().flat_map(|peer| {
            let offers = peer.offers.as_ref().map_or(&[][..], |offers| &offers.ways);
            offers.iter().map(|offer| Way { peer: &peer.name, program: &peer.program, offer })
        })
    }

    /// Why there is no way of this name that does this work.
    pub(crate) fn why_not(&self, way: &str, work: &str) -> Failed {
        let (name, _) = way.split_once('.').unwrap_or((way, ""));
        match self.0.iter().find(|peer| peer.name == name) {
            None => Failed(format!("there is no peer {name}")),
            Some(Peer { offers: Err(failed), .. }) => failed.clone(),
            Some(_) => Failed(format!("{name} offers no {way} for: {work}")),
        }
    }
}

fn ask(program: &Path) -> Outcome<Offers> {
    let mut command = Command::new(program);
    command.arg("list");
    let line = Sides::answer(command, LIMIT)?;
    serde_json::from_str(&line).map_err(|error| Failed(format!("says {line:?} of what it offers: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_not_there_says_why() {
        let absent = [("boost".to_owned(), "does not build: no header".to_owned())];
        let peers = Peers::ask(&["no-such-directory/peer-gone".into(), "/bin/false".into()], &absent);
        let why = |way| peers.why_not(way, "rate").0;
        assert!(why("gone.any").starts_with("cannot be started: No such file"), "{}", why("gone.any"));
        assert_eq!(why("false.any"), "ended and said nothing");
        assert_eq!(why("boost.queue"), "does not build: no header");
        assert_eq!(why("other.any"), "there is no peer other");
        assert_eq!(peers.ways().count(), 0);
    }
}
