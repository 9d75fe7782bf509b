//! Elements of the host, which change one by one.

use std::ops::Range;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Result;
use super::place::Place;
use crate::protocol::operation::Part;

/// Elements. `T` is what their JSON becomes.
#[derive(Debug, Clone)]
pub struct Array(pub(super) Place);

impl Array {
    /// All of them, nested as the shape says.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(self.0.read(Part::default())?.0)
    }

    /// All of their bytes, in the order in which they lie.
    pub fn read_bytes(&self) -> Result<Bytes> {
        Ok(self.0.read_bytes(Part::default())?.0)
    }

    /// A run of them, counted in the order in which they lie.
    pub fn read_run<T: DeserializeOwned>(&self, elements: Range<u64>) -> Result<Vec<T>> {
        Ok(self.0.read(run(&elements))?.0)
    }

    /// The bytes of a run.
    pub fn read_run_bytes(&self, elements: Range<u64>) -> Result<Bytes> {
        Ok(self.0.read_bytes(run(&elements))?.0)
    }

    /// One of them, by one number for each dimension.
    pub fn load<T: DeserializeOwned>(&self, index: &[usize]) -> Result<T> {
        Ok(self.0.read(at(index))?.0)
    }

    /// Makes one that.
    pub fn store<T: Serialize>(&self, index: &[usize], element: &T) -> Result<()> {
        self.0.write(at(index), element).map(drop)
    }

    /// Makes all of them that, one by one.
    pub fn write<T: Serialize + ?Sized>(&self, elements: &T) -> Result<()> {
        self.0.write(Part::default(), elements).map(drop)
    }

    /// Makes those from `start` on that, one by one.
    pub fn write_run<T: Serialize>(&self, start: u64, elements: &[T]) -> Result<()> {
        self.0.write(run(&(start..start + elements.len() as u64)), elements).map(drop)
    }

    /// Makes all of them these bytes, one by one.
    pub fn write_bytes(&self, bytes: impl Into<Bytes>) -> Result<()> {
        self.0.write_bytes(Part::default(), bytes).map(drop)
    }

    /// Adds to one; what it is now.
    pub fn add<T: Serialize + DeserializeOwned>(&self, index: &[usize], by: &T) -> Result<T> {
        self.0.add(index, by)
    }

    /// Makes one `new` if it is `expected`. What it was, as an error if that is something else.
    pub fn compare_exchange<T: Serialize + DeserializeOwned>(
        &self,
        index: &[usize],
        expected: &T,
        new: &T,
    ) -> Result<Result<T, T>> {
        self.0.compare_exchange(index, expected, new)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}

fn at(index: &[usize]) -> Part {
    Part { index: index.to_vec(), ..Part::default() }
}

pub(super) fn run(elements: &Range<u64>) -> Part {
    let count = elements.end.saturating_sub(elements.start);
    Part { start: Some(elements.start), count: Some(count), ..Part::default() }
}
