//! A client, as programs hold it.

use std::fmt::{self, Display};
use std::sync::Arc;

use bytes::Bytes;
use memlane::Space;
use serde_json::{Map, Value as Json};

use super::error::{Error, Result};
use super::greeting::greet;
use super::janitor;
use super::link::{Done, Link};
use super::options::{Address, Options};
use super::subscription::Subscription;
use super::{
    Array, Barrier, Condition, Event, Frames, Lock, Pipe, Place, Queue, Raw, Record, RwLock, Semaphore,
    Stream, Text, Value,
};
use crate::protocol::hello::{Access, HostDescription, SECRET_FOLDER};
use crate::protocol::operation::{Operation, Specification};

/// A session with a host. Clones share it; it ends when the last of them, and all that was got from them, is dropped,
/// and gives back what it held.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    link: Arc<Link>,
    space: Option<Space>,
    why: String,
}

/// Whether a client has the memory itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is on the host's machine, and may: [`Client::space`].
    Local,
    /// Everything goes through the host.
    Remote,
}

/// Clients of the hosts that serve `space` on this machine and let this user prove it, as each left its secret there.
/// Hosts that are gone are left out.
pub fn hosts_of(space: &Space) -> Vec<Client> {
    let folder = space.directory().join(SECRET_FOLDER);
    let files = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|file| file.ok()?.file_name().into_string().ok());
    let ports = files.filter_map(|name| name.strip_prefix("host-")?.parse::<u16>().ok());
    let connect = |port| Client::connect(&format!("127.0.0.1:{port}"), Options::new().name("memlane")).ok();
    let here = |client: &Client| client.space().is_some_and(|served| served.directory() == space.directory());
    ports.filter_map(connect).filter(here).collect()
}

impl Client {
    /// Connects to the host at `address`: `HOST` or `HOST:PORT`. It is tried once.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when nobody answers there, [`Error::Refused`] without the right token.
    pub fn connect(address: &str, options: Options) -> Result<Self> {
        let address: Address = address.parse()?;
        let greeted = greet(&address, &options, None)?;
        let (mut space, mut why) = (None, greeted.welcome.why.clone());
        if greeted.welcome.local {
            match Space::at(&greeted.host.space) {
                Ok(opened) => space = Some(opened),
                Err(error) => why = format!("this client is on the host's machine, but {error}"),
            }
        } else if let Some(no_proof) = &greeted.no_proof {
            why = format!("{why}: {no_proof}");
        }
        let link = Arc::new(Link::new(address, options, greeted));
        let started = janitor::start(Arc::clone(&link));
        started.map_err(|error| Error::Unreachable {
            host: link.host(),
            reason: format!("no thread could be started to look after the connection: {error}"),
        })?;
        Ok(Self { shared: Arc::new(Shared { link, space, why }) })
    }

    /// Whether this client has the memory itself.
    pub fn mode(&self) -> Mode {
        if self.shared.space.is_some() { Mode::Local } else { Mode::Remote }
    }

    /// Why it is in that [mode](Self::mode), for people.
    pub fn why(&self) -> &str {
        &self.shared.why
    }

    /// The memory itself, in local mode. It needs no host any more.
    pub fn space(&self) -> Option<&Space> {
        self.shared.space.as_ref()
    }

    /// Where the host is.
    pub fn address(&self) -> &Address {
        &self.link().address
    }

    /// What the host says of itself.
    pub fn host(&self) -> HostDescription {
        self.link().lock().host.clone()
    }

    /// What the token gives.
    pub fn access(&self) -> Access {
        self.link().lock().welcome.access
    }

    /// Whether there is a connection at this moment.
    pub fn is_connected(&self) -> bool {
        self.link().lock().socket.is_some()
    }

    /// Any operation of the protocol: the fields of `ok`, and the payload. The methods for each kind are this.
    ///
    /// A lease that an answer names is the caller's to release.
    pub fn request(
        &self,
        operation: Operation,
        payload: impl Into<Bytes>,
    ) -> Result<(Map<String, Json>, Bytes)> {
        let Done { fields, payload, .. } = self.ask(operation, payload.into())?;
        Ok((fields, payload))
    }

    /// [`Self::request`], and in which of this client's sessions it was done. A lease holds in its own session alone:
    /// what is asked of one names that session, and in another one gives `lease_ended`.
    pub fn request_in(
        &self,
        session: Option<u64>,
        operation: Operation,
        payload: impl Into<Bytes>,
    ) -> Result<(Map<String, Json>, Bytes, u64)> {
        let Done { fields, payload, session } = self.link().ask(operation, payload.into(), session)?;
        Ok((fields, payload, session))
    }

    /// Begins a subscription by [`Operation::Subscribe`] or [`Operation::Watch`].
    pub fn subscribe(&self, operation: Operation) -> Result<Subscription> {
        Subscription::new(self, operation)
    }

    /// The regions whose ids match one of `patterns`, or all: rows as of `memlane ls --json`.
    pub fn list(&self, patterns: &[&str]) -> Result<Vec<Json>> {
        let patterns = patterns.iter().map(ToString::to_string).collect();
        self.rows(Operation::List { patterns }, "regions")
    }

    /// All that is known of a region: the document of `memlane show --json`.
    pub fn describe(&self, id: &str) -> Result<Json> {
        let (fields, _) = self.request(Operation::Describe { id: id.to_owned() }, Bytes::new())?;
        Ok(Json::Object(fields))
    }

    /// Who is attached where: rows as of `memlane ps --json`.
    pub fn participants(&self) -> Result<Vec<Json>> {
        self.rows(Operation::Participants, "participants")
    }

    /// Which locks are held or waited for, and with `all` the free ones too: rows as of `memlane locks --json`.
    pub fn locks(&self, all: bool) -> Result<Vec<Json>> {
        self.rows(Operation::Locks { all }, "locks")
    }

    /// Makes a region, which must not exist unless `exist_ok`. Its document.
    pub fn create(&self, id: &str, specification: Specification, exist_ok: bool) -> Result<Json> {
        let operation = Operation::Create { id: id.to_owned(), specification, exist_ok };
        let (fields, _) = self.request(operation, Bytes::new())?;
        Ok(Json::Object(fields))
    }

    /// Removes a region's name; those attached keep its memory.
    pub fn delete(&self, id: &str) -> Result<()> {
        self.request(Operation::Delete { id: id.to_owned() }, Bytes::new()).map(drop)
    }

    /// The rows of a listing.
    pub fn rows(&self, operation: Operation, name: &'static str) -> Result<Vec<Json>> {
        let mut done = self.ask(operation, Bytes::new())?;
        done.take(name, self.link())
    }

    /// A scalar.
    pub fn value(&self, id: &str) -> Value {
        Value(self.place(id))
    }

    /// A structure.
    pub fn record(&self, id: &str) -> Record {
        Record(self.place(id))
    }

    /// Elements.
    pub fn array(&self, id: &str) -> Array {
        Array(self.place(id))
    }

    /// Text.
    pub fn text(&self, id: &str) -> Text {
        Text(self.place(id))
    }

    /// Bytes.
    pub fn raw(&self, id: &str) -> Raw {
        Raw(self.place(id))
    }

    /// A lock or an rlock, or any region's own lock.
    pub fn lock(&self, id: &str) -> Lock {
        Lock(self.place(id))
    }

    /// A lock for many readers or one writer.
    pub fn rwlock(&self, id: &str) -> RwLock {
        RwLock(self.place(id))
    }

    /// A semaphore, of permits or of signals.
    pub fn semaphore(&self, id: &str) -> Semaphore {
        Semaphore(self.place(id))
    }

    /// A flag to wait for.
    pub fn event(&self, id: &str) -> Event {
        Event(self.place(id))
    }

    /// A condition under a lock.
    pub fn condition(&self, id: &str) -> Condition {
        Condition(self.place(id))
    }

    /// A meeting.
    pub fn barrier(&self, id: &str) -> Barrier {
        Barrier(self.place(id))
    }

    /// Messages, each taken once.
    pub fn queue(&self, id: &str) -> Queue {
        Queue(self.place(id))
    }

    /// Messages between two ends.
    pub fn pipe(&self, id: &str) -> Pipe {
        Pipe(self.place(id))
    }

    /// Pictures.
    pub fn frames(&self, id: &str) -> Frames {
        Frames(self.place(id))
    }

    /// Records of fixed size, kept for a while.
    pub fn stream(&self, id: &str) -> Stream {
        Stream(self.place(id))
    }

    /// A region of any kind.
    pub fn place(&self, id: &str) -> Place {
        Place { client: self.clone(), id: id.to_owned() }
    }

    pub(super) fn ask(&self, operation: Operation, payload: Bytes) -> Result<Done> {
        self.link().ask(operation, payload, None)
    }

    pub(super) fn link(&self) -> &Arc<Link> {
        &self.shared.link
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.link.leave();
    }
}

impl Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Local => "local",
            Self::Remote => "remote",
        })
    }
}
