//! What a pipe is made for.

use crate::channel::ring::{MAX_RING, UNIT, units_of};
use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout;
use crate::layout::pipe::PipeLayout;
use crate::region::{Opening, Region};
use crate::space::Space;

/// Units of a message's header.
pub(super) const HEADER: u32 = 1;

/// Where the parameters stand in the header.
const CAPACITY: usize = 0;
const DUPLEX: usize = 1;

/// The parameters' names, in their order.
pub(super) const PARAMETERS: [&str; 2] = ["capacity", "two ways"];

/// What a pipe is made for: which ways messages go, and how many bytes of them can be on the way.
#[derive(Debug, Clone, Copy)]
pub struct PipeSpec {
    capacity: usize,
    duplex: bool,
}

/// An end of a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that sends, in a one-way pipe.
    Left = 0,
    /// The one that receives, in a one-way pipe.
    Right = 1,
}

impl Side {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// A pipe's parameters, checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    pub(super) duplex: bool,
    pub(super) layout: PipeLayout,
}

impl PipeSpec {
    /// Both ends send and receive; each way has room for a message of `capacity` bytes, or for as many as fit with 8
    /// bytes more for each; rounded up to whole pages.
    #[must_use]
    pub fn duplex(capacity: usize) -> Self {
        Self { capacity, duplex: true }
    }

    /// The left end sends, the right end receives.
    #[must_use]
    pub fn one_way(capacity: usize) -> Self {
        Self { capacity, duplex: false }
    }

    /// Makes the pipe `id`, which must not exist, without taking an end.
    pub fn create(&self, space: &Space, id: &str) -> Result<Region> {
        self.obtain(space, id, Opening::Create)
    }

    /// Opens the pipe `id`, which must be like this, or makes it, without taking an end.
    pub fn open_or_create(&self, space: &Space, id: &str) -> Result<Region> {
        self.obtain(space, id, Opening::OpenOrCreate)
    }

    pub(super) fn obtain(&self, space: &Space, id: &str, opening: Opening) -> Result<Region> {
        let blueprint = self.blueprint(space, id)?;
        let region = Region::obtain(space, id, opening, &blueprint)?;
        region.expect_parameters(&blueprint, &PARAMETERS)?;
        Ok(region)
    }

    /// Opens the pipe `id`, which must exist, without taking an end.
    pub fn open(space: &Space, id: &str) -> Result<Region> {
        let region = Region::open(space, id)?;
        region.expect_kind(Kind::Pipe)?;
        Ok(region)
    }

    /// The plan of a new region.
    fn blueprint(self, space: &Space, id: &str) -> Result<Blueprint> {
        let ring = units_of(self.capacity, HEADER).map(|units| units as usize * UNIT);
        let ring = ring.filter(|_| self.capacity > 0).ok_or_else(|| Error::BadParameter {
            id: id.into(),
            parameter: "the capacity",
            limit: format!("1 to {} bytes", MAX_RING - HEADER as usize * UNIT),
            found: self.capacity as u64,
        })?;
        let rings = if self.duplex { 2 } else { 1 };
        let layout = PipeLayout::new(layout::body_offset(space.participants), rings, ring);
        let mut parameters = [0; 8];
        parameters[CAPACITY] = layout.ring_size as u64;
        parameters[DUPLEX] = u64::from(self.duplex);
        Ok(Blueprint {
            kind: Kind::Pipe,
            schema: None,
            parameters,
            control_size: layout.rings_offset,
            total_size: layout.total_size,
            initial: Vec::new(),
        })
    }
}

impl Parameters {
    /// What a region's header says, if it agrees with itself.
    pub(super) fn of(description: &Description) -> Result<Self, String> {
        let [capacity, duplex, ..] = description.parameters;
        let ring = usize::try_from(capacity).ok().filter(|ring| (1..=MAX_RING).contains(ring));
        let (Some(ring), 0..=1) = (ring, duplex) else {
            return Err(format!("its capacity {capacity} makes no sense"));
        };
        let layout = PipeLayout::new(description.body_offset, 1 + duplex as usize, ring);
        let expected = (layout.rings_offset, layout.total_size, layout.ring_size);
        if expected != (description.control_size, description.total_size, ring) {
            return Err(format!("its size is {} instead of {}", description.total_size, layout.total_size));
        }
        Ok(Self { duplex: duplex != 0, layout })
    }
}
