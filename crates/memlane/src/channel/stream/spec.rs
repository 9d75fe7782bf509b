//! What a stream is made for.

use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout::stream::StreamLayout;
use crate::layout::{self, MAX_REGION_SIZE};
use crate::schema::{Schema, SchemaError};
use crate::space::Space;

/// Records that are kept, unless asked otherwise: five seconds of a 200 Hz sensor.
const DEFAULT_CAPACITY: u64 = 1024;
/// Readers that a lossless publisher can wait for, unless asked otherwise.
const DEFAULT_READERS: u32 = 16;
/// One record is being overwritten while another is read.
const MIN_CAPACITY: u64 = 2;
const MAX_CAPACITY: u64 = 1 << 32;
const MAX_READERS: u64 = 1024;

/// Where the parameters stand in the header.
const CAPACITY: usize = 0;
const LOSSLESS: usize = 1;
const READERS: usize = 2;

/// The parameters' names, in their order.
pub(super) const PARAMETERS: [&str; 3] = ["capacity", "lossless", "readers"];

/// What a stream is made for: what a record is, how many are kept, whether the publisher waits for readers.
#[derive(Debug, Clone)]
pub struct StreamSpec {
    schema: Result<Schema, SchemaError>,
    capacity: u64,
    readers: u32,
}

/// A stream's parameters, checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    pub(super) lossless: bool,
    pub(super) readers: usize,
    /// Bytes of a record.
    pub(super) size: usize,
    pub(super) layout: StreamLayout,
}

impl StreamSpec {
    /// Records that the schema describes, given as text or as a [`Schema`].
    pub fn of(schema: impl TryInto<Schema, Error: Into<SchemaError>>) -> Self {
        Self { schema: schema.try_into().map_err(Into::into), capacity: DEFAULT_CAPACITY, readers: 0 }
    }

    /// How many records are kept at least, 2 to 2³² (1024 unless said): the next power of two that fills whole pages.
    #[must_use]
    pub fn capacity(mut self, records: u64) -> Self {
        self.capacity = records;
        self
    }

    /// The publisher waits for its readers as long as they live, up to 16 of them.
    #[must_use]
    pub fn lossless(self) -> Self {
        self.lossless_for(DEFAULT_READERS)
    }

    /// The publisher waits for up to `readers` readers (1 to 1024) as long as they live.
    #[must_use]
    pub fn lossless_for(mut self, readers: u32) -> Self {
        // None would be a stream that is not lossless.
        self.readers = readers.max(1);
        self
    }

    /// The plan of a new region.
    pub(super) fn blueprint(&self, space: &Space, id: &str) -> Result<Blueprint> {
        let schema = self.schema.clone().map_err(|source| Error::Schema { id: id.into(), source })?;
        let size = schema.size();
        let most = MAX_CAPACITY.min(MAX_REGION_SIZE / (size as u64 + 8));
        let bad = |parameter, limit, found| Error::BadParameter { id: id.into(), parameter, limit, found };
        if !(MIN_CAPACITY..=most).contains(&self.capacity) {
            return Err(bad("the capacity", format!("{MIN_CAPACITY} to {most} records"), self.capacity));
        }
        if u64::from(self.readers) > MAX_READERS {
            return Err(bad("the number of readers", format!("1 to {MAX_READERS}"), u64::from(self.readers)));
        }
        let body = layout::body_offset(space.participants);
        let layout = StreamLayout::new(body, self.readers as usize, self.capacity as usize, size);
        let mut parameters = [0; 8];
        parameters[CAPACITY] = layout.capacity as u64;
        parameters[LOSSLESS] = u64::from(self.readers != 0);
        parameters[READERS] = u64::from(self.readers);
        Ok(Blueprint {
            kind: Kind::Stream,
            schema: Some(schema),
            parameters,
            control_size: layout.payload_offset,
            total_size: layout.total_size,
            initial: Vec::new(),
        })
    }
}

impl Parameters {
    /// What a region's header says, if it agrees with itself.
    pub(super) fn of(description: &Description) -> Result<Self, String> {
        let [capacity, lossless, readers, ..] = description.parameters;
        let size = description.schema.as_ref().map_or(0, Schema::size);
        let in_limits = (MIN_CAPACITY..=MAX_CAPACITY).contains(&capacity)
            && capacity <= MAX_REGION_SIZE / (size as u64 + 8)
            && readers <= MAX_READERS
            && lossless == u64::from(readers != 0)
            && size > 0;
        if !in_limits {
            return Err(format!(
                "its capacity {capacity}, readers {readers} or record size {size} make no sense"
            ));
        }
        let layout = StreamLayout::new(description.body_offset, readers as usize, capacity as usize, size);
        let expected = (layout.payload_offset, layout.total_size, layout.capacity as u64);
        if expected != (description.control_size, description.total_size, capacity) {
            return Err(format!("its size is {} instead of {}", description.total_size, layout.total_size));
        }
        Ok(Self { lossless: lossless != 0, readers: readers as usize, size, layout })
    }
}
