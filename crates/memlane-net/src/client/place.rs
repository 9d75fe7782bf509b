//! A region by its id: what all kinds are. Nothing is looked up before it is used.

use std::time::Duration;

use bytes::Bytes;
use memlane::Space;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::error::{Error, Result};
use super::handle::{Client, Mode};
use super::lease::Lease;
use super::link::{Done, Link};
use super::subscription::Subscription;
use crate::protocol::event::Delivery;
use crate::protocol::fault;
use crate::protocol::operation::{Form, Operation, Part};

/// A region of the host.
#[derive(Debug, Clone)]
pub struct Place {
    pub(super) client: Client,
    pub(super) id: String,
}

/// Another content came first: it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict<T> {
    /// What there is.
    pub content: T,
    /// Its version.
    pub version: u64,
}

/// Seconds, as the protocol has them.
pub(super) fn seconds(timeout: Option<Duration>) -> Option<f64> {
    timeout.map(|timeout| timeout.as_secs_f64())
}

impl Place {
    /// The region's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The session that it is reached through.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The memory to open it in, where this client may use it directly: [`Client::space`], unless it may not write the
    /// region's file. The methods here go through the host in any case.
    pub fn space(&self) -> Option<&Space> {
        self.client.space().filter(|_| self.obstacle().is_none())
    }

    /// Whether this client has the region's memory itself.
    pub fn mode(&self) -> Mode {
        if self.space().is_some() { Mode::Local } else { Mode::Remote }
    }

    /// Why it is in that [mode](Self::mode), for people.
    pub fn why(&self) -> String {
        self.obstacle().unwrap_or_else(|| self.client.why().to_owned())
    }

    /// What keeps a local client from this region's memory. Of a region that is not there yet, nothing.
    fn obstacle(&self) -> Option<String> {
        let path = self.client.space()?.directory().join(&self.id);
        let rights = Access::READ_OK | Access::WRITE_OK;
        match accessat(CWD, &path, rights, AtFlags::EACCESS) {
            Ok(()) | Err(Errno::NOENT) => None,
            Err(error) => Some(format!(
                "this client is on the host's machine, but may not write {}: {}; it goes through the host",
                path.display(),
                std::io::Error::from(error)
            )),
        }
    }

    /// All that is known of it: the document of `memlane show --json`.
    pub fn describe(&self) -> Result<Json> {
        self.client.describe(&self.id)
    }

    /// What is new in it.
    pub fn subscribe(&self, delivery: Delivery) -> Result<Subscription> {
        self.client.subscribe(Operation::Subscribe { id: self.id.clone(), delivery })
    }

    pub(super) fn ask(&self, operation: Operation) -> Result<Done> {
        self.client.ask(operation, Bytes::new())
    }

    pub(super) fn ask_with(&self, operation: Operation, payload: Bytes) -> Result<Done> {
        self.client.ask(operation, payload)
    }

    /// A field of an answer.
    pub(super) fn take<T: DeserializeOwned>(&self, done: &mut Done, name: &'static str) -> Result<T> {
        done.take(name, self.client.link())
    }

    /// What an answer says is held now.
    pub(super) fn lease(&self, done: &mut Done) -> Result<Lease> {
        let number = self.take(done, "lease")?;
        Ok(Lease::new(self.client.clone(), number, done.session))
    }

    /// A part of the content, as JSON, and the version.
    pub(super) fn read<T: DeserializeOwned>(&self, part: Part) -> Result<(T, u64)> {
        let mut done = self.ask(Operation::Read { id: self.id.clone(), part, form: Form::Json })?;
        Ok((self.take(&mut done, "content")?, self.take(&mut done, "version")?))
    }

    /// A part of the content, as it lies in the region, and the version.
    pub(super) fn read_bytes(&self, part: Part) -> Result<(Bytes, u64)> {
        let mut done = self.ask(Operation::Read { id: self.id.clone(), part, form: Form::Bytes })?;
        let version = self.take(&mut done, "version")?;
        Ok((done.payload, version))
    }

    /// The content once its version is another one than `version`.
    pub(super) fn wait<T: DeserializeOwned>(
        &self,
        version: u64,
        timeout: Option<Duration>,
    ) -> Result<(T, u64)> {
        let timeout = seconds(timeout);
        let mut done =
            self.ask(Operation::Wait { id: self.id.clone(), version, timeout, form: Form::Json })?;
        Ok((self.take(&mut done, "content")?, self.take(&mut done, "version")?))
    }

    /// Writes a part; its version.
    pub(super) fn write<T: Serialize + ?Sized>(&self, part: Part, content: &T) -> Result<u64> {
        let content = Some(self.json(content)?);
        let mut done = self.ask(Operation::Write { id: self.id.clone(), part, content, if_version: None })?;
        self.take(&mut done, "version")
    }

    /// Writes the content if its version is `version`.
    pub(super) fn write_if<T: Serialize + DeserializeOwned>(
        &self,
        version: u64,
        content: &T,
    ) -> Result<Result<u64, Conflict<T>>> {
        let content = Some(self.json(content)?);
        let (id, part) = (self.id.clone(), Part::default());
        let done = self.ask(Operation::Write { id, part, content, if_version: Some(version) });
        self.written_if(done)
    }

    /// What came of a conditional write.
    pub(super) fn written_if<T: DeserializeOwned>(
        &self,
        done: Result<Done>,
    ) -> Result<Result<u64, Conflict<T>>> {
        match done {
            Ok(mut done) => Ok(Ok(self.take(&mut done, "version")?)),
            Err(Error::Fault { fault, .. }) if fault.code == fault::CONFLICT => {
                let (fields, payload) = (fault.more, Bytes::new());
                let mut done = Done { fields, payload, session: 0 };
                let version = self.take(&mut done, "version")?;
                Ok(Err(Conflict { content: self.take(&mut done, "content")?, version }))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes bytes as they are to lie in the region.
    pub(super) fn write_bytes(&self, part: Part, bytes: impl Into<Bytes>) -> Result<u64> {
        let operation = Operation::Write { id: self.id.clone(), part, content: None, if_version: None };
        let mut done = self.ask_with(operation, bytes.into())?;
        self.take(&mut done, "version")
    }

    /// Adds, and gives what it is now.
    pub(super) fn add<T: Serialize + DeserializeOwned>(&self, index: &[usize], by: &T) -> Result<T> {
        let (index, by) = (index.to_vec(), self.json(by)?);
        let mut done = self.ask(Operation::Add { id: self.id.clone(), index, by })?;
        self.take(&mut done, "content")
    }

    /// Exchanges, and gives what it was, as an error where that is not what was expected.
    pub(super) fn compare_exchange<T: Serialize + DeserializeOwned>(
        &self,
        index: &[usize],
        expected: &T,
        new: &T,
    ) -> Result<Result<T, T>> {
        let operation = Operation::CompareExchange {
            id: self.id.clone(),
            index: index.to_vec(),
            expected: self.json(expected)?,
            new: self.json(new)?,
        };
        let mut done = self.ask(operation)?;
        let was = self.take(&mut done, "content")?;
        Ok(if self.take(&mut done, "exchanged")? { Ok(was) } else { Err(was) })
    }

    /// A type that is no JSON cannot be said to a host.
    fn json<T: Serialize + ?Sized>(&self, content: &T) -> Result<Json> {
        serde_json::to_value(content).map_err(|error| Error::Misunderstood {
            host: self.client.link().host(),
            reason: format!("what is to be written to `{}` is no JSON: {error}", self.id),
        })
    }
}

impl Done {
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &'static str, link: &Link) -> Result<T> {
        let value = self.fields.remove(name).unwrap_or(Json::Null);
        serde_json::from_value(value).map_err(|error| Error::Misunderstood {
            host: link.host(),
            reason: format!("the answer's `{name}` is not what was expected: {error}"),
        })
    }
}
