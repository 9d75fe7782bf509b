//! A service alone, without anybody who publishes or subscribes.

use anyhow::Result;
use harness::{Attaching, Terms};

use crate::{Open, Slices, slices};

pub(crate) enum Service {}

impl Attaching for Service {
    const NAME: &'static str = "service";
    type Region = Slices;

    fn make(terms: &Terms, id: &str) -> Result<Slices> {
        slices(terms, id, Open::Create, true, 1)
    }

    fn open(terms: &Terms, id: &str) -> Result<Slices> {
        slices(terms, id, Open::Existing, true, 1)
    }
}
