//! The host: a block of text, and a listener that serves it to any number of clients.
//!
//! Each connection is a task of its own that parses what comes, so that none can keep another from being
//! served. What can be asked of the host is bounded: connections in all and from one address, bytes of a
//! request, time for one. A client that sends nothing at all may stay as long as it likes.
//!
//! Crash case: the block stays, and the next host of its name takes it over. Connections end with the process.

use super::connection::connect;
use super::error::Error;
use super::limits::{Limits, Seats};
use memlane_interop::Name;
use memlane_interop::text_block::{self, TextBlock};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How often the block's name is looked for.
const NAMING: Duration = Duration::from_millis(50);
/// After a connection that could not be accepted, for want of descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const BACKLOG: u32 = 128;
/// A name by chance is taken once in four billion.
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
    let seats = Seats::new(limits);
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
