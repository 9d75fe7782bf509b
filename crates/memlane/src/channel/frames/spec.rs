//! What a frame channel is made for.

use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout::{self, FramesLayout, MAX_REGION_SIZE};
use crate::schema::{Primitive, Schema, SchemaError};
use crate::space::Space;

/// Borrow entries of a pool, unless asked otherwise: four subscribers with two each.
const DEFAULT_BORROWS: u32 = 8;
/// Frames on offer, unless asked otherwise: a reader that is late by one still gets both.
const DEFAULT_HISTORY: u32 = 2;
const MAX_BORROWS: u32 = 1024;
const MAX_HISTORY: u32 = 2048;

/// Where the parameters stand in the header.
const HISTORY: usize = 0;
const BORROWS: usize = 1;
const CAPACITY: usize = 2;
const VARIABLE: usize = 3;

/// What a frame channel is made for: the shape of its frames, how many stay on offer, how many can be held.
#[derive(Debug, Clone)]
pub struct FrameSpec {
    schema: Result<Schema, SchemaError>,
    history: u32,
    borrows: u32,
    variable: bool,
}

/// A channel's parameters, checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    pub(super) history: u64,
    pub(super) capacity: usize,
    pub(super) variable: bool,
    pub(super) layout: FramesLayout,
}

impl FrameSpec {
    /// Pictures of `height` × `width` pixels with `channels` samples of `sample` each, rows from the top, no
    /// padding. The encoding is `bgr8`, `mono8`, `mono16` … as usual for that shape; say otherwise with
    /// [`Self::encoding`].
    pub fn image(height: usize, width: usize, channels: usize, sample: Primitive) -> Self {
        let shape = [height, width, channels];
        let shape = if channels == 1 { &shape[..2] } else { &shape[..] };
        let spec = Self::from_schema(Schema::new(sample).with_shape(shape));
        match (sample, channels) {
            (Primitive::U8, 1) => spec.encoding("mono8"),
            (Primitive::U16, 1) => spec.encoding("mono16"),
            (Primitive::U8, 3) => spec.encoding("bgr8"),
            (Primitive::U8, 4) => spec.encoding("bgra8"),
            (Primitive::F32, 1) => spec.encoding("32fc1"),
            _ => spec,
        }
    }

    /// Frames of any length up to `capacity` bytes.
    pub fn bytes(capacity: usize) -> Self {
        let spec = Self::from_schema(Schema::new(Primitive::U8).with_shape(&[capacity]));
        Self { variable: true, ..spec }
    }

    /// Frames that the schema describes.
    pub fn of(schema: Schema) -> Self {
        Self::from_schema(Ok(schema))
    }

    fn from_schema(schema: Result<Schema, SchemaError>) -> Self {
        Self { schema, history: DEFAULT_HISTORY, borrows: DEFAULT_BORROWS, variable: false }
    }

    /// How the bytes are to be understood: `bgr8`, `rgb8`, `mono8`, `mono16`, `32fc1`, `jpeg`, `png` …
    #[must_use]
    pub fn encoding(mut self, encoding: &str) -> Self {
        self.schema = self.schema.and_then(|schema| schema.with_encoding(encoding));
        self
    }

    /// How many frames stay on offer, 1 to 2048 (2 unless said). Each costs a frame's memory.
    #[must_use]
    pub fn history(mut self, frames: u32) -> Self {
        self.history = frames;
        self
    }

    /// How many frames all subscribers together can hold, 1 to 1024 (8 unless said). Each costs a frame's
    /// memory.
    #[must_use]
    pub fn borrows(mut self, entries: u32) -> Self {
        self.borrows = entries;
        self
    }

    /// The schema of its frames, if that is one; of frames of any length, as many bytes as the longest has.
    pub fn schema(&self) -> Result<&Schema, SchemaError> {
        self.schema.as_ref().map_err(Clone::clone)
    }

    /// Whether its frames are of any length.
    #[must_use]
    pub fn is_variable(&self) -> bool {
        self.variable
    }

    /// The plan of a new region.
    pub(super) fn blueprint(&self, space: &Space, id: &str) -> Result<Blueprint> {
        let schema = self.schema.clone().map_err(|source| Error::Schema { id: id.into(), source })?;
        check(id, "history", u64::from(self.history), u64::from(MAX_HISTORY))?;
        check(id, "borrows", u64::from(self.borrows), u64::from(MAX_BORROWS))?;
        let capacity = schema.size();
        check(id, "the size of a frame", capacity as u64, MAX_REGION_SIZE / u64::from(self.slots()))?;
        let body = layout::body_offset(space.participants);
        let frames = FramesLayout::new(body, self.borrows as usize, self.history as usize, capacity);
        let mut parameters = [0; 8];
        parameters[HISTORY] = u64::from(self.history);
        parameters[BORROWS] = u64::from(self.borrows);
        parameters[CAPACITY] = capacity as u64;
        parameters[VARIABLE] = u64::from(self.variable);
        Ok(Blueprint {
            kind: Kind::Frames,
            schema: Some(schema),
            parameters,
            control_size: frames.payload_offset,
            total_size: frames.total_size,
            initial: Vec::new(),
        })
    }

    fn slots(&self) -> u32 {
        self.borrows + self.history + 1
    }
}

impl Parameters {
    /// What a region's header says, if it agrees with itself.
    pub(super) fn of(description: &Description) -> Result<Self, String> {
        let [history, borrows, capacity, variable, ..] = description.parameters;
        let in_limits = (1..=u64::from(MAX_HISTORY)).contains(&history)
            && (1..=u64::from(MAX_BORROWS)).contains(&borrows)
            && description.schema.as_ref().is_some_and(|schema| schema.size() as u64 == capacity)
            && capacity <= MAX_REGION_SIZE;
        if !in_limits {
            return Err(format!(
                "its history {history}, borrows {borrows} or frame size {capacity} make no sense"
            ));
        }
        let layout =
            FramesLayout::new(description.body_offset, borrows as usize, history as usize, capacity as usize);
        if (layout.payload_offset, layout.total_size) != (description.control_size, description.total_size) {
            return Err(format!("its size is {} instead of {}", description.total_size, layout.total_size));
        }
        Ok(Self { history, capacity: capacity as usize, variable: variable != 0, layout })
    }

    /// Where the frame in `slot` lies in the payload.
    pub(super) fn payload_of(&self, slot: usize, length: usize) -> std::ops::Range<usize> {
        let start = slot * self.layout.stride;
        start..start + length
    }
}

fn check(id: &str, parameter: &'static str, found: u64, most: u64) -> Result<()> {
    if (1..=most).contains(&found) {
        return Ok(());
    }
    Err(Error::BadParameter { id: id.into(), parameter, limit: format!("1 to {most}"), found })
}
