//! Records: a structure that changes as a whole, or one field at a time.
//!
//! A reader sees one writer's record, never a mixture; a killed writer leaves the old one.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! use memlane::schema::Datum;
//! let pose = memlane::Record::open_or_create(&space, "robot/pose", "{x:<f8,y:<f8,name:|S8}")?;
//! pose.write_field("x", &Datum::Float(1.5))?;
//! assert_eq!(pose.read_field("x")?, Datum::Float(1.5));
//! # Ok(()) }
//! ```

use super::content::{self, Content};
use super::newer::Newer;
use super::text::Conflict;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::region::{Opening, Region};
use crate::schema::{Datum, Field, Schema, SchemaError};
use crate::space::Space;
use std::time::Duration;

/// A region of kind `record`.
#[derive(Debug)]
pub struct Record {
    content: Content,
    schema: Schema,
}

impl Record {
    /// Opens the record `id`, whose schema must be `schema`, or makes it, all zero. The schema is given as
    /// text or as a [`Schema`].
    pub fn open_or_create(
        space: &Space,
        id: &str,
        schema: impl TryInto<Schema, Error: Into<SchemaError>>,
    ) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, schema)
    }

    /// Makes the record `id`, which must not exist.
    pub fn create(
        space: &Space,
        id: &str,
        schema: impl TryInto<Schema, Error: Into<SchemaError>>,
    ) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, schema)
    }

    /// Opens the record `id`, which must exist, whatever its schema.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    fn obtain(
        space: &Space,
        id: &str,
        opening: Opening,
        schema: impl TryInto<Schema, Error: Into<SchemaError>>,
    ) -> Result<Self> {
        let schema =
            schema.try_into().map_err(|source| Error::Schema { id: id.into(), source: source.into() })?;
        let size = schema.size();
        let blueprint = content::blueprint(space, Kind::Record, schema, size, &vec![0; size]);
        Self::of(Region::obtain(space, id, opening, &blueprint)?)
    }

    fn of(region: Region) -> Result<Self> {
        region.expect_kind(Kind::Record)?;
        let schema = region.schema()?.clone();
        Ok(Self { content: Content::new(region, schema.size())?, schema })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        self.content.region()
    }

    /// How its bytes are to be read.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The version that [`Self::write_if`] compares.
    pub fn version(&self) -> u64 {
        self.content.version()
    }

    /// The record's bytes, as many as the schema says, and their version.
    pub fn read_bytes(&self) -> Result<(Vec<u8>, u64)> {
        let (version, mut bytes) = self.content.read()?;
        // The length word is fixed by the schema; a shorter one is another program's mistake, shown as zeros.
        bytes.resize(self.schema.size(), 0);
        Ok((bytes, version))
    }

    /// The decoded record and its version.
    pub fn read(&self) -> Result<(Datum, u64)> {
        let (bytes, version) = self.read_bytes()?;
        Ok((self.schema.decode(&bytes).map_err(|source| self.unfit(source))?, version))
    }

    /// One field of the newest record.
    pub fn read_field(&self, name: &str) -> Result<Datum> {
        let (bytes, _) = self.read_bytes()?;
        self.field(name)?.decode(&bytes).map_err(|source| self.unfit(source))
    }

    /// Replaces the record by bytes of the schema's size; gives back the version.
    pub fn write_bytes(&self, bytes: &[u8]) -> Result<u64> {
        self.check_size(bytes)?;
        self.content.write(bytes)
    }

    /// Replaces the record.
    pub fn write(&self, record: &Datum) -> Result<u64> {
        self.content.write(&self.schema.encode(record).map_err(|source| self.unfit(source))?)
    }

    /// Changes one field and leaves the others as they are, as one change.
    pub fn write_field(&self, name: &str, value: &Datum) -> Result<()> {
        let field = self.field(name)?;
        self.content.update(|bytes| {
            bytes.resize(self.schema.size(), 0);
            field.encode(value, bytes).map_err(|source| self.unfit(source))
        })
    }

    /// Replaces the record's bytes if its version is still `expected`; else gives back what stands.
    pub fn write_if(&self, expected: u64, bytes: &[u8]) -> Result<Result<u64, Conflict<Vec<u8>>>> {
        self.check_size(bytes)?;
        let written = self.content.write_if(expected, bytes)?;
        Ok(written.map_err(|stale| Conflict { version: stale.version, content: stale.content }))
    }

    /// Waits for a version other than `seen`.
    pub fn wait_newer(&self, seen: u64, timeout: Option<Duration>) -> Result<u64> {
        self.newer(seen).wait(timeout)
    }

    /// A version other than `seen`, to wait for among other things.
    pub fn newer(&self, seen: u64) -> Newer {
        Newer::than(self.region(), seen, None)
    }

    fn field(&self, name: &str) -> Result<&Field> {
        let field = self.schema.field(name);
        field.ok_or_else(|| Error::NoField {
            id: self.region().id().into(),
            name: name.into(),
            schema: self.schema.to_string(),
        })
    }

    fn check_size(&self, bytes: &[u8]) -> Result<()> {
        let capacity = self.schema.size();
        if bytes.len() == capacity {
            return Ok(());
        }
        Err(Error::TooLarge { id: self.region().id().into(), size: bytes.len(), capacity })
    }

    fn unfit(&self, source: SchemaError) -> Error {
        Error::Schema { id: self.region().id().into(), source }
    }
}
