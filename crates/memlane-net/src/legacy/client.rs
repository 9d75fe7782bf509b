//! The client: a host's text, through this machine's memory where that is possible, else over the network.
//!
//! Over the network a request is sent when the reply before has come, its header apart from its content, and a
//! reply has ended when a moment has passed after a line end: the original needs the one and gives no other
//! sign of the other. A request that was sent is never sent again by itself, so no write is applied twice.
//!
//! Crash case: a client that is killed leaves nothing. One whose call is given up, by a timeout or because its
//! future is dropped, refuses further requests: the late reply would be taken for theirs.

use super::error::Error;
use super::metadata::{self, Metadata};
use super::reply::content_of;
use crate::machine;
use memlane_interop::Name;
use memlane_interop::text_block::{self, BLOCK_BYTES, TextBlock};
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const METADATA_TIMEOUT: Duration = Duration::from_secs(15);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The original hangs when content comes with its header.
const HEADER_LEAD: Duration = Duration::from_millis(20);
/// A line end with nothing behind it for so long ends a reply.
const QUIET: Duration = Duration::from_millis(30);

/// Far more than a block holds, each wrong byte of it a replacement character.
const REPLY_BYTES_MAX: usize = 16 * BLOCK_BYTES;
const BUFFER_BYTES: usize = 8192;

/// How a client reaches the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Through this machine's memory.
    Local,
    /// Over the network.
    Remote,
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Local => "local",
            Self::Remote => "remote",
        })
    }
}

/// A connection to a host, memlane's or the original. See [`Host`](super::Host) for an example.
#[derive(Debug)]
pub struct Client {
    address: String,
    stream: TcpStream,
    /// The block, if it is in this machine's memory.
    block: Option<Arc<TextBlock>>,
    why: String,
    /// A request is on its way.
    is_asking: bool,
}

impl Client {
    /// Connects to the host at `address` (`name:port`) that serves the block `id`, and looks for that block in
    /// this machine's memory. That it is not there never fails the connection.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::Timeout`] after 10 s without a connection or 15 s without a first line,
    /// [`Error::Metadata`] if that is not what it should be, [`Error::WrongId`] if the host serves another
    /// block.
    pub async fn connect(address: &str, id: &str) -> Result<Self, Error> {
        let connecting = TcpStream::connect(address);
        let stream = within(CONNECT_TIMEOUT, address, "connect", async { Ok(connecting.await) }).await?;
        let failed = |source| Error::Connect { address: address.to_owned(), source };
        let mut stream = stream.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let line = read_metadata(&mut stream, address);
        let line = within(METADATA_TIMEOUT, address, "send its metadata", line).await?;
        let metadata = Metadata::parse(&line)?;
        let expected = id.strip_prefix('/').unwrap_or(id);
        if metadata.name.strip_prefix('/').unwrap_or(&metadata.name) != expected {
            return Err(Error::WrongId { expected: id.to_owned(), found: metadata.name });
        }
        let host = stream.peer_addr().map_err(failed)?.ip();
        let (block, why) = match spawn_blocking(move || attach(host, &metadata)).await {
            Ok(Ok(block)) => (Some(Arc::new(block)), format!("{id} is in this machine's memory")),
            Ok(Err(why)) => (None, why),
            Err(_) => return Err(Error::Ending),
        };
        tracing::debug!(address, id, why, "connected");
        Ok(Self { address: address.to_owned(), stream, block, why, is_asking: false })
    }

    /// How it reaches the text.
    pub fn mode(&self) -> Mode {
        if self.block.is_some() { Mode::Local } else { Mode::Remote }
    }

    /// Why it does so, for people.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Goes over the network from now on, as the original always does: to find out whether that way works.
    pub fn use_network(&mut self) {
        if self.block.take().is_some() {
            "it was asked to go over the network".clone_into(&mut self.why);
        }
    }

    /// Whether somebody holds the lock at this moment; `None` where only the host knows.
    pub fn is_locked(&self) -> Option<bool> {
        self.block.as_ref().map(|block| block.is_locked())
    }

    /// The text.
    ///
    /// # Errors
    /// [`Error::Closed`], also in local mode when the host has stopped; [`Error::Timeout`] after 10 s;
    /// [`Error::Refused`] with the host's reason; [`Error::Block`].
    pub async fn read(&mut self) -> Result<String, Error> {
        self.drop_late_bytes()?;
        match self.block.clone() {
            Some(block) => in_block(move || block.read()).await,
            None => self.ask("READ\n", None).await,
        }
    }

    /// Replaces the text, whoever wrote it.
    ///
    /// # Errors
    /// [`Error::Block`] for a text that does not fit, which is not sent; and as of [`read`](Self::read): after
    /// [`Error::Closed`] and [`Error::Timeout`] it is not known whether the host has written it.
    pub async fn write(&mut self, text: &str) -> Result<(), Error> {
        let text = text_block::check(text)?.to_owned();
        self.drop_late_bytes()?;
        match self.block.clone() {
            Some(block) => in_block(move || block.write(&text)).await,
            None => self.send(&text).await,
        }
    }

    /// Replaces the text if it is still `expected`, as [`read`](Self::read) gave it; else gives back what
    /// stands. The protocol has no such request: over the network the text is read and then written, and
    /// somebody who writes in between is overwritten.
    ///
    /// # Errors
    /// As of [`write`](Self::write).
    pub async fn write_if(&mut self, expected: &str, text: &str) -> Result<Result<(), String>, Error> {
        let text = text_block::check(text)?.to_owned();
        if let Some(block) = self.block.clone() {
            self.drop_late_bytes()?;
            let expected = expected.to_owned();
            return in_block(move || block.write_if(&expected, &text)).await;
        }
        let found = self.read().await?;
        if found != expected {
            return Ok(Err(found));
        }
        self.drop_late_bytes()?;
        self.send(&text).await.map(Ok)
    }

    async fn send(&mut self, text: &str) -> Result<(), Error> {
        let header = format!("WRITE {}\n", text.len());
        self.ask(&header, Some(format!("{text}\n"))).await.map(drop)
    }

    async fn ask(&mut self, header: &str, content: Option<String>) -> Result<String, Error> {
        self.is_asking = true;
        let Self { stream, address, .. } = self;
        let exchange = exchange(stream, address, header, content);
        let reply = within(REQUEST_TIMEOUT, address, "answer", exchange).await?;
        self.is_asking = false;
        content_of(&reply)
    }

    /// What comes before anything was asked belongs to an earlier reply.
    fn drop_late_bytes(&mut self) -> Result<(), Error> {
        if self.is_asking {
            return Err(Error::Abandoned { address: self.address.clone() });
        }
        let mut buffer = [0; BUFFER_BYTES];
        loop {
            match self.stream.try_read(&mut buffer) {
                Ok(0) => return Err(closed(&self.address)("the host left")),
                Ok(late) => tracing::debug!(address = self.address, late, "dropped late bytes"),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(closed(&self.address)(error)),
            }
        }
    }
}

/// The block, or why it cannot be reached through memory.
fn attach(host: std::net::IpAddr, metadata: &Metadata) -> Result<TextBlock, String> {
    if !machine::is_local(host) {
        return Err(format!("{host} is another machine's address"));
    }
    if !metadata.is_of_a_block() {
        return Err("the host's block has another layout".to_owned());
    }
    let name = Name::new(&metadata.name).map_err(|error| error.to_string())?;
    TextBlock::attach(&name).map_err(|error| error.to_string())
}

async fn in_block<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, text_block::Error> + Send + 'static,
) -> Result<T, Error> {
    Ok(spawn_blocking(work).await.map_err(|_| Error::Ending)??)
}

async fn read_metadata(stream: &mut TcpStream, address: &str) -> Result<String, Error> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        // Byte by byte: it is a short line, and what follows is another's.
        match stream.read_u8().await {
            Ok(byte) if line.len() < metadata::LINE_BYTES_MAX => line.push(byte),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !line.is_empty() => break,
            Err(error) => return Err(closed(address)(error)),
        }
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

async fn exchange(
    stream: &mut TcpStream,
    address: &str,
    header: &str,
    content: Option<String>,
) -> Result<Vec<u8>, Error> {
    stream.write_all(header.as_bytes()).await.map_err(closed(address))?;
    if let Some(content) = content {
        sleep(HEADER_LEAD).await;
        stream.write_all(content.as_bytes()).await.map_err(closed(address))?;
    }
    let mut reply = Vec::new();
    while reply.len() <= REPLY_BYTES_MAX {
        let has_line_end = reply.ends_with(b"\n");
        let receiving = stream.read_buf(&mut reply);
        let received = if has_line_end {
            match timeout(QUIET, receiving).await {
                Ok(received) => received,
                Err(_) => return Ok(reply),
            }
        } else {
            receiving.await
        };
        match received.map_err(closed(address))? {
            0 if has_line_end => return Ok(reply),
            0 => return Err(closed(address)("the host left before it had answered")),
            _ => {}
        }
    }
    Err(Error::Unexpected { found: format!("more than {REPLY_BYTES_MAX} bytes") })
}

async fn within<T>(
    limit: Duration,
    address: &str,
    action: &'static str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = |_| Error::Timeout { address: address.to_owned(), action, waited: limit };
    timeout(limit, work).await.map_err(late)?
}

fn closed<E: fmt::Display>(address: &str) -> impl Fn(E) -> Error {
    move |reason| Error::Closed { address: address.to_owned(), reason: reason.to_string() }
}
