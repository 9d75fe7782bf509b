//! A segment with a heap and names in it, of which one is for the bytes.

use anyhow::Result;
use harness::{Attaching, Terms};

use crate::shim::Segment;

pub(crate) enum ManagedSharedMemory {}

impl Attaching for ManagedSharedMemory {
    const NAME: &'static str = "managed_shared_memory";
    type Region = Segment;

    fn make(terms: &Terms, id: &str) -> Result<Segment> {
        Segment::make(id, terms.size)
    }

    fn open(_: &Terms, id: &str) -> Result<Segment> {
        Segment::open(id)
    }
}
