//! A structure of the host, which changes as a whole or by a field.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Result;
use super::place::{Conflict, Place};
use crate::protocol::operation::Part;

/// A structure. `T` is what its JSON becomes: an object with its fields.
#[derive(Debug, Clone)]
pub struct Record(pub(super) Place);

impl Record {
    /// What it is, and its version.
    pub fn read<T: DeserializeOwned>(&self) -> Result<(T, u64)> {
        self.0.read(Part::default())
    }

    /// Its bytes, as the region's schema says, and its version.
    pub fn read_bytes(&self) -> Result<(Bytes, u64)> {
        self.0.read_bytes(Part::default())
    }

    /// A field, `a.b` of a record in a record.
    pub fn read_field<T: DeserializeOwned>(&self, field: &str) -> Result<(T, u64)> {
        self.0.read(of(field))
    }

    /// What it is once its version is another one than `version`.
    pub fn wait<T: DeserializeOwned>(&self, version: u64, timeout: Option<Duration>) -> Result<(T, u64)> {
        self.0.wait(version, timeout)
    }

    /// Makes it that; its version.
    pub fn write<T: Serialize + ?Sized>(&self, content: &T) -> Result<u64> {
        self.0.write(Part::default(), content)
    }

    /// Makes it these bytes, as the region's schema says; its version.
    pub fn write_bytes(&self, bytes: impl Into<Bytes>) -> Result<u64> {
        self.0.write_bytes(Part::default(), bytes)
    }

    /// Makes it that if its version is `version`.
    pub fn write_if<T: Serialize + DeserializeOwned>(
        &self,
        version: u64,
        content: &T,
    ) -> Result<Result<u64, Conflict<T>>> {
        self.0.write_if(version, content)
    }

    /// Changes a field and leaves the others; the version.
    pub fn write_field<T: Serialize + ?Sized>(&self, field: &str, content: &T) -> Result<u64> {
        self.0.write(of(field), content)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}

fn of(field: &str) -> Part {
    Part { field: Some(field.to_owned()), ..Part::default() }
}
