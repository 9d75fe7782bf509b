//! The host: a block of text, and a listener that serves it to any number of clients.
//!
//! Each connection is a task of its own that parses what comes, so that none can keep another from being
//! served. What can be asked of the host is bounded: connections in all and from one address, bytes of a
//! request, time for one. A client that sends nothing at all may stay as long as it likes.
//!
//! Crash case: the block stays, and the next host of its name takes it over. Connections end with the process.

use super::error::Error;
use super::metadata::Metadata;
use super::reply::{Refusal, Reply};
use super::request::{Parser, Request};
use memlane_interop::Name;
use memlane_interop::text_block::{self, TextBlock};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};

/// A READ without a line end is one after so long without another byte.
const QUIET: Duration = Duration::from_millis(50);
/// How often the block's name is looked for.
const NAMING: Duration = Duration::from_millis(50);
/// After a connection that could not be accepted, for want of descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const BACKLOG: u32 = 128;
const BUFFER_BYTES: usize = 8192;
/// A name by chance is taken once in four milliards of times.
const NAME_ATTEMPTS: u32 = 4;

/// Where to listen, and what to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The block's name; one by chance unless said.
    pub name: Option<Name>,
    /// What clients may ask for.
    pub limits: Limits,
}

impl Default for Options {
    /// On every address, on a port of the system's choice, under a name by chance.
    fn default() -> Self {
        Self { listen: (Ipv4Addr::UNSPECIFIED, 0).into(), name: None, limits: Limits::default() }
    }
}

/// What clients may ask for. Connections beyond are closed at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_address: usize,
    /// From the first byte of a request to its last, and for taking a reply.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 256, connections_per_address: 64, patience: Duration::from_secs(10) }
    }
}

/// A block of text that is served until this is stopped or dropped.
///
/// ```
/// use memlane_net::legacy::{Client, Host, Options};
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let host = Host::start(Options::default()).await?;
/// let address = format!("127.0.0.1:{}", host.address().port());
/// let mut client = Client::connect(&address, host.name().text()).await?;
/// client.write("你好").await?;
/// assert_eq!(host.block().read()?, "你好");
/// host.stop().await?; // closes the listener, removes the block
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Host {
    address: SocketAddr,
    block: Arc<TextBlock>,
    stop: Option<oneshot::Sender<()>>,
    accepting: JoinHandle<()>,
}

impl Host {
    /// Makes the block, or takes over the one that a dead memlane host left, and listens.
    ///
    /// # Errors
    /// [`Error::Listen`]; [`Error::UnusableName`]; [`Error::Block`] if the name is taken.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address: options.listen, source };
        let listener = listen(options.listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let block = spawn_blocking(move || make(options.name)).await.map_err(|_| Error::Ending)??;
        let block = Arc::new(block);
        let (stop, stopped) = oneshot::channel();
        tracing::info!(%address, block = block.name().text(), "hosting");
        let accepting = tokio::spawn(accept(listener, block.clone(), options.limits, stopped));
        Ok(Self { address, block, stop: Some(stop), accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The block's name, which clients have to type.
    pub fn name(&self) -> &Name {
        self.block.name()
    }

    /// The block, to be read and written beside the clients. Its calls block their thread.
    pub fn block(&self) -> &Arc<TextBlock> {
        &self.block
    }

    /// Closes the listener and all connections, and removes the block.
    ///
    /// # Errors
    /// [`Error::Block`] if the block cannot be removed.
    pub async fn stop(mut self) -> Result<(), Error> {
        drop(self.stop.take());
        let _ = (&mut self.accepting).await;
        tracing::info!(address = %self.address, "stopped");
        let block = self.block.clone();
        Ok(spawn_blocking(move || block.unlink()).await.map_err(|_| Error::Ending)??)
    }
}

impl Drop for Host {
    /// A host that was not stopped leaves no block behind either, if its program ends in good order.
    fn drop(&mut self) {
        self.accepting.abort();
        if self.stop.is_some() {
            let _ = self.block.unlink();
        }
    }
}

/// Connections inherit that the system looks whether a silent peer is still there.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_keepalive(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn make(name: Option<Name>) -> Result<TextBlock, Error> {
    let Some(name) = name else { return make_by_chance() };
    if name.text().contains(char::is_whitespace) {
        return Err(Error::UnusableName { name: name.text().to_owned() });
    }
    Ok(TextBlock::create(&name)?)
}

fn make_by_chance() -> Result<TextBlock, Error> {
    let by_chance = || Name::new(&format!("memlane_{:08x}", RandomState::new().hash_one(()) as u32));
    let mut attempts = 0;
    loop {
        let name = by_chance().map_err(|error| Error::UnusableName { name: error.to_string() })?;
        attempts += 1;
        match TextBlock::create(&name) {
            Err(text_block::Error::Exists { .. } | text_block::Error::Busy { .. })
                if attempts < NAME_ATTEMPTS => {}
            made => return Ok(made?),
        }
    }
}

/// Takes connections until it is told to stop; with it they all end.
async fn accept(
    listener: TcpListener,
    block: Arc<TextBlock>,
    limits: Limits,
    mut stopped: oneshot::Receiver<()>,
) {
    let seats = Arc::new(Seats { limits, taken: Mutex::default() });
    let mut connections = JoinSet::new();
    let mut naming = interval(NAMING);
    naming.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_named = true;
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            _ = naming.tick() => was_named = keep_name(&block, was_named),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(seat) = seats.clone().take(peer.ip()) {
                        connections.spawn(connect(stream, peer, block.clone(), seat));
                    } else {
                        tracing::warn!(%peer, "closed: too many connections");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

/// Gives the block its name back; says whether it has it, and complains once.
fn keep_name(block: &TextBlock, was_named: bool) -> bool {
    match block.ensure_named() {
        Ok(true) => {
            tracing::warn!(block = block.name().text(), "another program removed the name; it is back");
        }
        Ok(false) => {}
        Err(error) => {
            if was_named {
                tracing::error!(%error, "the block has lost its name");
            }
            return false;
        }
    }
    true
}

/// How many connections there are, by address.
#[derive(Debug)]
struct Seats {
    limits: Limits,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place, given back when dropped.
#[derive(Debug)]
struct Seat {
    seats: Arc<Seats>,
    address: IpAddr,
}

impl Seats {
    fn take(self: Arc<Self>, address: IpAddr) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.get(&address).copied().unwrap_or(0);
        let in_all: usize = taken.values().sum();
        if here >= self.limits.connections_per_address || in_all >= self.limits.connections {
            return None;
        }
        taken.insert(address, here + 1);
        drop(taken);
        Some(Seat { seats: self, address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.address).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.address);
        } else {
            taken.insert(self.address, left);
        }
    }
}

async fn connect(stream: TcpStream, peer: SocketAddr, block: Arc<TextBlock>, seat: Seat) {
    tracing::debug!(%peer, "connected");
    let mut connection = Connection { stream, block, patience: seat.seats.limits.patience };
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
