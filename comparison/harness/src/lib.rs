//! What is measured: the loops, the same for everybody. A peer says how it passes bytes ([`Passing`]), locks
//! ([`Locking`]) and makes regions ([`Attaching`]), and is a program of its own, so that one which does not build or
//! run is a row in the report and no more:
//!
//! ```no_run
//! # use harness::*;
//! # enum Frames {}
//! # impl Passing for Frames {
//! #     const NAME: &'static str = "frames";
//! #     const KEEPS: Keeps = Keeps::Newest;
//! #     const IN_PLACE: bool = false;
//! #     type Sender = Neither;
//! #     type Receiver = Neither;
//! #     fn sender(_: &Terms, _: &str) -> anyhow::Result<Neither> { todo!() }
//! #     fn receiver(_: &Terms, _: &str) -> anyhow::Result<Neither> { todo!() }
//! # }
//! # struct Neither;
//! # impl Sender for Neither { fn send(&mut self, _: &[u8]) -> anyhow::Result<()> { todo!() } }
//! # impl Receiver for Neither {
//! #     fn receive<R>(&mut self, _: impl FnOnce(&[u8]) -> R) -> anyhow::Result<R> { todo!() }
//! # }
//! Peer::new("somebody", "1.2.3").passes::<Frames>().run();
//! ```
//!
//! `PROGRAM list` says what a peer offers; `PROGRAM side WAY WORK INDEX CORE TERMS` is one of the processes of a
//! measurement, see [`side`].

#![deny(unsafe_code)]

mod attaching;
mod bytes;
mod locking;
mod pages;
mod passing;
mod side;
mod terms;

pub use attaching::Attaching;
pub use bytes::{Incoming, Outgoing};
pub use locking::Locking;
pub use pages::Pages;
pub use passing::{Keeps, Passing, Receiver, Sender};
pub use side::{Order, Outcome, Percentiles, READY, Round, Said, Work, monotonic};
pub use terms::{Terms, Wait, Write};

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// How long an end waits for the other one to be opened.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Opens one side of a work: the index says which one.
pub(crate) type Open = fn(&Terms, usize) -> Result<Work>;

/// One way to do things that a peer offers.
struct Way {
    offer: Offer,
    opens: Vec<Open>,
}

/// What the driver is told of a way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// The way, such as `frames`.
    pub way: String,
    /// What can be measured of it, such as `round trip`.
    pub works: Vec<String>,
    /// Whether all messages arrive, or the newest.
    pub keeps: Option<Keeps>,
    /// Whether a message can be written where it is read.
    pub in_place: bool,
}

/// What a peer says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offers {
    /// Its name.
    pub peer: String,
    /// The version that is measured.
    pub version: String,
    /// Its ways.
    pub ways: Vec<Offer>,
}

/// A peer: its ways to do things.
pub struct Peer {
    name: &'static str,
    version: String,
    ways: Vec<Way>,
}

impl Peer {
    /// A peer without any ways yet.
    pub fn new(name: &'static str, version: impl Into<String>) -> Self {
        Self { name, version: version.into(), ways: Vec::new() }
    }

    /// It passes bytes this way.
    #[must_use]
    pub fn passes<P: Passing>(mut self) -> Self {
        let way = self.way(P::NAME);
        way.offer.keeps = Some(P::KEEPS);
        way.offer.in_place = P::IN_PLACE;
        way.add(&passing::works::<P>());
        self
    }

    /// It locks this way.
    #[must_use]
    pub fn locks<L: Locking>(mut self) -> Self {
        self.way(L::NAME).add(&locking::works::<L>());
        self
    }

    /// Its regions, or what it calls them, are made and opened this way.
    #[must_use]
    pub fn attaches<A: Attaching>(mut self) -> Self {
        self.way(A::NAME).add(&attaching::works::<A>());
        self
    }

    fn way(&mut self, name: &str) -> &mut Way {
        let index = self.ways.iter().position(|way| way.offer.way == name).unwrap_or_else(|| {
            let offer = Offer { way: name.to_owned(), works: Vec::new(), keeps: None, in_place: false };
            self.ways.push(Way { offer, opens: Vec::new() });
            self.ways.len() - 1
        });
        &mut self.ways[index]
    }

    /// Does what the command line says.
    pub fn run(self) -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match self.obey(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error:#}", self.name);
                ExitCode::FAILURE
            }
        }
    }

    fn obey(&self, arguments: &[&str]) -> Result<()> {
        match *arguments {
            ["list"] => {
                let ways = self.ways.iter().map(|way| way.offer.clone()).collect();
                let offers = Offers { peer: self.name.to_owned(), version: self.version.clone(), ways };
                println!("{}", serde_json::to_string(&offers)?);
                Ok(())
            }
            ["side", way, work, index, core, terms] => {
                let open = self.find(way, work)?;
                let terms: Terms = serde_json::from_str(terms).context("the terms")?;
                side::serve(core.parse()?, || open(&terms, index.parse()?))
            }
            _ => bail!("expected `list` or `side WAY WORK INDEX CORE TERMS`"),
        }
    }

    fn find(&self, way: &str, work: &str) -> Result<Open> {
        let way = self
            .ways
            .iter()
            .find(|known| known.offer.way == way)
            .with_context(|| format!("no way {way:?}"))?;
        let index =
            way.offer.works.iter().position(|known| known == work).with_context(|| format!("no {work:?}"))?;
        Ok(way.opens[index])
    }
}

impl Way {
    fn add(&mut self, works: &[(&'static str, Open)]) {
        for &(work, open) in works {
            self.offer.works.push(work.to_owned());
            self.opens.push(open);
        }
    }
}
