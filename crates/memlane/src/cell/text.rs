//! Text: UTF-8 of bounded length that changes as a whole.
//!
//! A reader sees one writer's text, never a mixture; a killed writer leaves the old text. Editors write on
//! condition ([`Text::write_if`]), so that nobody overwrites what he has not seen.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let notes = memlane::Text::open_or_create(&space, "notes", 4096)?;
//! let version = notes.write("first")?;
//! notes.write("second")?;
//! let conflict = notes.write_if(version, "third")?.expect_err("somebody was faster");
//! assert_eq!(conflict.content, "second");
//! # Ok(()) }
//! ```

use super::content::{self, Content};
use super::newer::Newer;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::region::{Opening, Region};
use crate::schema::{DType, Schema};
use crate::space::Space;
use std::time::Duration;

/// A region of kind `text`.
#[derive(Debug)]
pub struct Text {
    content: Content,
}

/// A conditional write that came too late: what stands instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict<T> {
    /// The version that stands.
    pub version: u64,
    /// Its content.
    pub content: T,
}

impl Text {
    /// Opens the text `id`, or makes it, empty, with room for `capacity` bytes of UTF-8.
    pub fn open_or_create(space: &Space, id: &str, capacity: usize) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, capacity)
    }

    /// Makes the text `id`, which must not exist.
    pub fn create(space: &Space, id: &str, capacity: usize) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, capacity)
    }

    /// Opens the text `id`, which must exist.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, capacity: usize) -> Result<Self> {
        let schema = DType::bytes(capacity).and_then(|bytes| Schema::new(bytes).with_encoding("utf-8"));
        let schema = schema.map_err(|source| Error::Schema { id: id.into(), source })?;
        let blueprint = content::blueprint(space, Kind::Text, schema, capacity, b"");
        Self::of(Region::obtain(space, id, opening, &blueprint)?)
    }

    fn of(region: Region) -> Result<Self> {
        region.expect_kind(Kind::Text)?;
        let capacity = region.schema()?.size();
        Ok(Self { content: Content::new(region, capacity)? })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        self.content.region()
    }

    /// Most bytes of UTF-8 it holds.
    pub fn capacity(&self) -> usize {
        self.content.capacity()
    }

    /// The version that [`Self::write_if`] compares.
    pub fn version(&self) -> u64 {
        self.content.version()
    }

    /// The text and its version.
    pub fn read(&self) -> Result<(String, u64)> {
        let (version, bytes) = self.content.read()?;
        Ok((self.check(bytes)?, version))
    }

    /// Replaces the text; gives back its version.
    pub fn write(&self, text: &str) -> Result<u64> {
        self.content.write(text.as_bytes())
    }

    /// Replaces the text if its version is still `expected`; else gives back what stands.
    pub fn write_if(&self, expected: u64, text: &str) -> Result<Result<u64, Conflict<String>>> {
        match self.content.write_if(expected, text.as_bytes())? {
            Ok(version) => Ok(Ok(version)),
            Err(stale) => Ok(Err(Conflict { version: stale.version, content: self.check(stale.content)? })),
        }
    }

    /// Waits for a version other than `seen`.
    pub fn wait_newer(&self, seen: u64, timeout: Option<Duration>) -> Result<u64> {
        self.newer(seen).wait(timeout)
    }

    /// A version other than `seen`, to wait for among other things.
    pub fn newer(&self, seen: u64) -> Newer {
        Newer::than(self.region(), seen, None)
    }

    fn check(&self, bytes: Vec<u8>) -> Result<String> {
        String::from_utf8(bytes)
            .map_err(|error| self.region().corrupt(format!("its text is not UTF-8: {error}")))
    }
}
