//! What a comparison is: one work, done by some ways in turn.

use harness::{Keeps, Offer, Terms, Write};

use crate::figure::Figure;
use crate::plot::Chart;

/// One work. All ways are measured in turn; with several variants, each way's variants are.
pub(crate) struct Comparison {
    /// What is done, as the report's heading: `one way, 8 B, busy`.
    pub(crate) what: String,
    /// As the harness calls it.
    pub(crate) work: &'static str,
    pub(crate) manner: Manner,
    pub(crate) variants: Vec<Variant>,
    /// What is made of each round; the first one decides the order of the rows.
    pub(crate) figures: &'static [Figure],
    pub(crate) goals: Vec<Goal>,
    /// Where the first figure is drawn.
    pub(crate) chart: Option<Chart>,
}

/// What a round is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Of the same processes each time, so many times that it takes as long as a round should.
    Again {
        /// At least so many.
        least: u64,
    },
    /// Of the same processes each time, so many times.
    Counted(u64),
    /// Of processes of its own, so many times; of ten thousand there is one round.
    Anew(u64),
    /// A process that starts: until it has opened what the first side has made.
    Start,
}

/// What distinguishes measurements of one way.
pub(crate) struct Variant {
    /// Empty if there is one only.
    pub(crate) label: String,
    pub(crate) terms: Terms,
    /// How many processes.
    pub(crate) sides: usize,
}

/// A row of the goals: two measurements, and the bound for the first figure of ours divided by that of theirs.
pub(crate) struct Goal {
    pub(crate) ours: &'static str,
    /// Another way, or the same way in another variant; without it the bound is for our figure itself.
    pub(crate) theirs: Option<&'static str>,
    /// The variants of ours and of theirs, by their places in the list.
    pub(crate) variants: [usize; 2],
    pub(crate) figure: Figure,
    pub(crate) bound: f64,
}

impl Manner {
    /// How many rounds of those that were asked for: what takes long is not done again and again.
    pub(crate) fn rounds(self, wanted: usize) -> usize {
        match self {
            Self::Anew(count) => wanted.min((10_000 / count.max(1)) as usize).max(1),
            _ => wanted,
        }
    }
}

impl Comparison {
    /// Whether this way offers the work, and can do it as the variants want it.
    pub(crate) fn is_for(&self, offer: &Offer) -> bool {
        let can = |variant: &Variant| {
            let terms = &variant.terms;
            // A reader that rests never fetches what all of them must have.
            (!terms.rest || offer.keeps != Some(Keeps::All)) && (terms.write == Write::Copy || offer.in_place)
        };
        offer.works.iter().any(|work| *work == self.work) && self.variants.iter().all(can)
    }
}
