//! One client of a host: what it asks for is parsed as it comes and answered in turn.

use super::limits::Seat;
use super::metadata::Metadata;
use super::reply::{Refusal, Reply};
use super::request::{Parser, Request};
use memlane_interop::text_block::{self, TextBlock};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

/// A READ without a line end is one after so long without another byte.
const QUIET: Duration = Duration::from_millis(50);
const BUFFER_BYTES: usize = 8192;

/// Serves a client until it leaves, and keeps its seat for as long.
pub(super) async fn connect(stream: TcpStream, peer: SocketAddr, block: Arc<TextBlock>, seat: Seat) {
    tracing::debug!(%peer, "connected");
    let mut connection = Connection { stream, block, patience: seat.limits().patience };
    match connection.serve().await {
        Ok(()) => tracing::debug!(%peer, "left"),
        Err(error) => tracing::debug!(%peer, %error, "lost"),
    }
}

/// What a wait for more came to.
enum Received {
    /// So many bytes; 0 at the end.
    Bytes(usize),
    /// Nothing for a moment.
    Quiet,
}

/// A client's connection.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    block: Arc<TextBlock>,
    patience: Duration,
}

impl Connection {
    async fn serve(&mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        self.send(Metadata::of_block(self.block.name().text()).to_line().as_bytes()).await?;
        let mut parser = Parser::default();
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut deadline = None;
        loop {
            match self.receive(&mut buffer, &parser, deadline).await? {
                Received::Quiet => _ = self.answer(parser.quiet()).await?,
                Received::Bytes(0) => return self.answer(parser.finish()).await.map(drop),
                Received::Bytes(count) => {
                    let mut input = &buffer[..count];
                    while let Some(request) = parser.take(&mut input) {
                        deadline = None;
                        if !self.answer(Some(request)).await? {
                            return Ok(());
                        }
                    }
                }
            }
            let is_idle = parser.is_between_requests();
            deadline = if is_idle { None } else { deadline.or_else(|| Some(Instant::now() + self.patience)) };
        }
    }

    /// Waits for more. Who has begun a request has to end it in time.
    async fn receive(
        &mut self,
        buffer: &mut [u8],
        parser: &Parser,
        deadline: Option<Instant>,
    ) -> io::Result<Received> {
        let reading = self.stream.read(buffer);
        let count = if parser.awaits_quiet() {
            match timeout(QUIET, reading).await {
                Ok(count) => count?,
                Err(_) => return Ok(Received::Quiet),
            }
        } else if let Some(deadline) = deadline {
            timeout_at(deadline, reading).await.map_err(slow)??
        } else {
            reading.await?
        };
        Ok(Received::Bytes(count))
    }

    /// Says whether what follows can be understood.
    async fn answer(&mut self, request: Option<Request>) -> io::Result<bool> {
        let (reply, goes_on) = match request {
            None | Some(Request::Unknown) => return Ok(true),
            Some(Request::Read) => (self.with_block(read).await?, true),
            Some(Request::Write(content)) => {
                (self.with_block(move |block| write(block, &content)).await?, true)
            }
            Some(Request::TooLong(found)) => (too_long(found), true),
            Some(Request::Flood(found)) => (too_long(found), false),
            Some(Request::BadLength(text)) => (Reply::Refused(&Refusal::BadLength(&text)).to_bytes(), true),
            Some(Request::Interrupted) => (Reply::Refused(&Refusal::Interrupted).to_bytes(), false),
        };
        self.send(&reply).await?;
        Ok(goes_on)
    }

    /// The block's lock is waited for in a thread that may.
    async fn with_block(
        &self,
        work: impl FnOnce(&TextBlock) -> Vec<u8> + Send + 'static,
    ) -> io::Result<Vec<u8>> {
        let block = self.block.clone();
        spawn_blocking(move || work(&block)).await.map_err(io::Error::other)
    }

    /// All of it in one piece: the original takes a line end at the end of a piece for the end of the reply.
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(self.patience, self.stream.write_all(bytes)).await.map_err(slow)?
    }
}

fn read(block: &TextBlock) -> Vec<u8> {
    match block.read() {
        Ok(text) => Reply::Content(&text).to_bytes(),
        Err(error) => Reply::Refused(&error).to_bytes(),
    }
}

fn write(block: &TextBlock, content: &[u8]) -> Vec<u8> {
    let written = match std::str::from_utf8(content) {
        Ok(text) => block.write(text),
        Err(error) => return Reply::Refused(&Refusal::NotUtf8(error.valid_up_to())).to_bytes(),
    };
    match written {
        Ok(()) => Reply::Written.to_bytes(),
        Err(error) => Reply::Refused(&error).to_bytes(),
    }
}

fn too_long(found: u64) -> Vec<u8> {
    Reply::Refused(&text_block::Error::TooLong { found: found as usize }).to_bytes()
}

fn slow<E>(_: E) -> io::Error {
    io::ErrorKind::TimedOut.into()
}
