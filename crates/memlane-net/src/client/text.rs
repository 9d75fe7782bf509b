//! Text of the host, which changes as a whole.

use std::time::Duration;

use bytes::Bytes;

use super::error::{Error, Result};
use super::place::{Conflict, Place, seconds};
use crate::protocol::operation::{Form, Operation, Part};

/// UTF-8 of bounded length. Of any length it is sent as a payload, which no header limits.
#[derive(Debug, Clone)]
pub struct Text(pub(super) Place);

impl Text {
    /// What it is, and its version.
    pub fn read(&self) -> Result<(String, u64)> {
        let (bytes, version) = self.0.read_bytes(Part::default())?;
        Ok((self.text(&bytes)?, version))
    }

    /// What it is once its version is another one than `version`.
    pub fn wait(&self, version: u64, timeout: Option<Duration>) -> Result<(String, u64)> {
        let (id, timeout) = (self.0.id.clone(), seconds(timeout));
        let mut done = self.0.ask(Operation::Wait { id, version, timeout, form: Form::Bytes })?;
        Ok((self.text(&done.payload)?, self.0.take(&mut done, "version")?))
    }

    /// Makes it that; its version.
    pub fn write(&self, text: &str) -> Result<u64> {
        let mut done = self.put(text, None)?;
        self.0.take(&mut done, "version")
    }

    /// Makes it that if its version is `version`.
    pub fn write_if(&self, version: u64, text: &str) -> Result<Result<u64, Conflict<String>>> {
        self.0.written_if(self.put(text, Some(version)))
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }

    fn put(&self, text: &str, if_version: Option<u64>) -> Result<super::link::Done> {
        let (id, part) = (self.0.id.clone(), Part::default());
        // No payload at all would be no text at all.
        let content = text.is_empty().then(|| text.into());
        let payload = Bytes::copy_from_slice(text.as_bytes());
        self.0.ask_with(Operation::Write { id, part, content, if_version }, payload)
    }

    fn text(&self, bytes: &Bytes) -> Result<String> {
        String::from_utf8(bytes.to_vec()).map_err(|error| Error::Misunderstood {
            host: self.0.client.link().host(),
            reason: format!("expected UTF-8 in `{}`: {error}", self.0.id),
        })
    }
}
