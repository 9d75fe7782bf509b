//! A scalar of the host, changed by one instruction there.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Result;
use super::place::{Conflict, Place};
use crate::protocol::operation::Part;

/// A scalar. `T` is what its JSON becomes: a number or `bool`.
#[derive(Debug, Clone)]
pub struct Value(pub(super) Place);

impl Value {
    /// What it is, and its version.
    pub fn read<T: DeserializeOwned>(&self) -> Result<(T, u64)> {
        self.0.read(Part::default())
    }

    /// What it is once its version is another one than `version`.
    pub fn wait<T: DeserializeOwned>(&self, version: u64, timeout: Option<Duration>) -> Result<(T, u64)> {
        self.0.wait(version, timeout)
    }

    /// Makes it that; its version.
    pub fn store<T: Serialize>(&self, content: &T) -> Result<u64> {
        self.0.write(Part::default(), content)
    }

    /// Makes it that if its version is `version`.
    pub fn store_if<T: Serialize + DeserializeOwned>(
        &self,
        version: u64,
        content: &T,
    ) -> Result<Result<u64, Conflict<T>>> {
        self.0.write_if(version, content)
    }

    /// Adds to it; what it is now.
    pub fn add<T: Serialize + DeserializeOwned>(&self, by: &T) -> Result<T> {
        self.0.add(&[], by)
    }

    /// Makes it `new` if it is `expected`. What it was, as an error if that is something else.
    pub fn compare_exchange<T: Serialize + DeserializeOwned>(&self, expected: &T, new: &T) -> Result<Result<T, T>> {
        self.0.compare_exchange(&[], expected, new)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }
}
