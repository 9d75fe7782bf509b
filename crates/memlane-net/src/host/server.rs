//! The host itself: from a space and a few settings to a port that serves it.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use memlane::Space;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::HostError;
use super::access::{Gate, Tickets, Tokens};
use super::connections::Connections;
use super::conversation::Peer;
use super::http::router;
use super::limits::Limits;
use super::log::Log;
use super::metered::{Metered, Pulse};
use super::metrics::Metrics;
use super::page;
use super::secret::{Vault, random};
use super::service::Service;
use super::sessions::Sessions;
use super::shared::Shared;
use super::sharing::Sharing;
use super::tls::Tls;
use crate::machine;
use crate::protocol::DEFAULT_PORT;
use crate::protocol::fault::{self, Fault};
use crate::protocol::hello::{Ends, MAX_SECRET, secret_name};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// Bytes of an HTTP request's head.
const HEAD_BYTES: usize = 16 * 1024;
const INSTANCE_BYTES: usize = 16;
/// Threads that serve connections at most.
const MOST_THREADS: usize = 4;
/// How long a stop waits for clients that do not take their last messages.
const STOP: Duration = Duration::from_millis(800);
/// What a connection is told for which there is no place.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
    there are too many connections, in all or from this address; try again later\n";
/// The pause after the system could not accept, as when files run out.
const BREATH: Duration = Duration::from_millis(50);

/// A host that is to be: what to serve, where and to whom.
///
/// ```
/// use memlane_net::host::Host;
/// # let directory = tempfile::tempdir()?;
/// let space = memlane::Space::at(directory.path().join("space"))?;
/// let running = Host::new(space).listen(([127, 0, 0, 1], 0).into()).start()?;
/// println!("connect to {} with {:?}", running.address(), running.tokens().read_write());
/// running.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A host is a participant of what it serves: killed, it leaves what any participant leaves. Its clients come back to
/// the next one by themselves.
#[derive(Debug, Clone)]
pub struct Host {
    space: Space,
    listen: SocketAddr,
    tokens: Option<Tokens>,
    tls: Option<Tls>,
    read_only: bool,
    only: Vec<String>,
    names: Vec<String>,
    limits: Limits,
}

impl Host {
    /// Of all regions of `space`, on this machine's loopback address at port 7440.
    pub fn new(space: Space) -> Self {
        Self {
            space,
            listen: (Ipv4Addr::LOCALHOST, DEFAULT_PORT).into(),
            tokens: None,
            tls: None,
            read_only: false,
            only: Vec::new(),
            names: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// Where to listen. Port 0 is one that is free.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The tokens that let clients in. Without them two are made at random, and kept in the space for the next host at
    /// the same port; at port 0 they are new each time.
    #[must_use]
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Encrypts all connections. Without it, whoever sees the packets sees everything, the tokens too.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Nobody may change anything, whatever the token.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Shares only regions that one of these patterns selects (`*`: any characters; a folder: all in it).
    #[must_use]
    pub fn only(mut self, patterns: impl IntoIterator<Item = String>) -> Self {
        self.only.extend(patterns);
        self
    }

    /// Another name by which clients may reach this machine, beside its addresses and its own name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// How much clients may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Listens; clients can connect from now on, and are served once [`Bound::serve`] is awaited.
    pub async fn bind(self) -> Result<Bound, HostError> {
        self.bind_to(Vec::new()).await
    }

    #[allow(clippy::unused_async)] // Listening takes a runtime, and who awaits has one.
    async fn bind_to(self, threads: Vec<runtime::Handle>) -> Result<Bound, HostError> {
        let listener = listen(self.listen).map_err(|error| HostError::Listen(self.listen, error))?;
        let address = listener.local_addr().map_err(|error| HostError::Listen(self.listen, error))?;
        let vault = Vault::of(self.space.directory())?;
        let tokens = match self.tokens {
            Some(tokens) => tokens,
            None if self.listen.port() == 0 => Tokens::random()?,
            None => Tokens::kept(&vault, address.port())?,
        };
        let host = machine::name();
        let names: Vec<_> = self.names.into_iter().chain(names_of(&host)).collect();
        let tls = self.tls.map(|tls| tls.prepare(&vault, &names)).transpose()?;
        let secret = random(MAX_SECRET / 2).map_err(HostError::Random)?;
        vault.write(&secret_name(address.port()), &secret)?;
        let gate = Gate {
            tokens,
            tickets: Tickets::default(),
            secret,
            instance: random(INSTANCE_BYTES).map_err(HostError::Random)?,
            read_only: self.read_only,
            only: self.only,
            names,
        };
        let shared = Shared {
            space: self.space.directory().to_owned(),
            service: Service::new(self.space),
            gate,
            limits: self.limits,
            sessions: Sessions::default(),
            connections: Arc::new(Connections::default()),
            metrics: Arc::new(Metrics::default()),
            log: Log::default(),
            sharing: Sharing::default(),
            stopping: watch::Sender::new(false),
            vault,
            tls,
            host,
            address,
            began: Instant::now(),
            threads,
        };
        Ok(Bound { listener, shared: Arc::new(shared) })
    }

    /// Serves on threads of its own, for programs that are not async.
    pub fn start(self) -> Result<Running, HostError> {
        // Connections stay on the thread that they are given to: passing them on costs more than they do.
        let threads = available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
        let runtimes = (0..threads).map(|_| {
            let mut runtime = runtime::Builder::new_multi_thread();
            runtime.worker_threads(1).enable_all().thread_name("memlane-host").build()
        });
        let runtimes: Vec<_> = runtimes.collect::<Result<_, _>>().map_err(HostError::Threads)?;
        let threads = runtimes.iter().map(|runtime| runtime.handle().clone()).collect();
        let bound = runtimes[0].block_on(self.bind_to(threads))?;
        let shared = bound.shared.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = runtimes[0].spawn(bound.serve(async {
            let _ = stopped.await;
        }));
        Ok(Running { shared, stop, serving, runtimes })
    }
}

/// A host that listens.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    shared: Arc<Shared>,
}

impl Bound {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// What lets clients in.
    pub fn tokens(&self) -> &Tokens {
        &self.shared.gate.tokens
    }

    /// The SHA-256 of its certificate in hexadecimal digits, by which clients know it; `None` without TLS.
    pub fn fingerprint(&self) -> Option<&str> {
        self.shared.fingerprint()
    }

    /// Where a browser of another machine, or of this one if no other can reach it, finds its page: with a token, for
    /// writing if there is one. Whoever has it has the token.
    pub fn url(&self) -> String {
        self.shared.url()
    }

    /// Serves until `shutdown` is done. Then clients are told, what sessions hold is given back, connections are closed
    /// and the secret is removed, all within a second.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), HostError> {
        let Self { listener, shared } = self;
        let tls = shared.tls.as_ref().map(|tls| TlsAcceptor::from(tls.config.clone()));
        let leftovers = Leftovers(shared.clone());
        let closed = shared.stopping.subscribe();
        tokio::select! {
            () = accept_all(&listener, &shared, tls.as_ref(), &closed) => {}
            () = shutdown => {}
        }
        drop(listener);
        tracing::info!("stopping");
        shared.stop();
        shared.sessions.end_all(&Fault::new(fault::SHUTTING_DOWN, "the host stops"));
        let _ = timeout(STOP, shared.connections.all_ended()).await;
        drop(leftovers);
        Ok(())
    }
}

/// What a host that ends puts away, also when its future is dropped.
struct Leftovers(Arc<Shared>);

impl Drop for Leftovers {
    fn drop(&mut self) {
        let shared = &self.0;
        shared.stop();
        shared.vault.remove(&secret_name(shared.address.port()), &shared.gate.secret);
    }
}

/// A host on threads of its own. Dropped, it stops at once.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Result<(), HostError>>,
    runtimes: Vec<runtime::Runtime>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// What lets clients in.
    pub fn tokens(&self) -> &Tokens {
        &self.shared.gate.tokens
    }

    /// Where a browser finds its page once, within a minute: an address that may stand on a command line, where others
    /// can see it.
    pub fn url_once(&self) -> Result<String, HostError> {
        page::url_once(&self.shared).map_err(HostError::Random)
    }

    /// Where a browser finds its page, as of [`Bound::url`].
    pub fn url(&self) -> String {
        self.shared.url()
    }

    /// The SHA-256 of its certificate, as of [`Bound::fingerprint`].
    pub fn fingerprint(&self) -> Option<&str> {
        self.shared.fingerprint()
    }

    /// Tells its clients, and stops within a second.
    pub fn stop(self) -> Result<(), HostError> {
        let _ = self.stop.send(());
        let served = self.runtimes[0].block_on(self.serving);
        self.runtimes.into_iter().for_each(|runtime| runtime.shutdown_timeout(STOP));
        served.unwrap_or_else(|failed| Err(HostError::Threads(failed.into())))
    }
}

pub(super) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections of a host that was killed are still ending; they are no reason not to start.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts whoever comes; `closed` tells them when it is over.
pub(super) async fn accept_all(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    tls: Option<&TlsAcceptor>,
    closed: &watch::Receiver<bool>,
) {
    let router = router(shared.clone());
    let mut turns = shared.threads.iter().cycle();
    loop {
        match listener.accept().await {
            Ok((socket, client)) => {
                let thread = turns.next().cloned().unwrap_or_else(runtime::Handle::current);
                accept(socket, client, shared, &router, tls, closed, &thread);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(BREATH).await;
            }
        }
    }
}

fn accept(
    socket: TcpStream,
    client: SocketAddr,
    shared: &Arc<Shared>,
    router: &Router,
    tls: Option<&TlsAcceptor>,
    closed: &watch::Receiver<bool>,
    thread: &runtime::Handle,
) {
    let Some(place) = shared.connections.place(client.ip(), &shared.limits) else {
        shared.metrics.refused();
        tracing::warn!(from = %client, "refused a connection: there are too many");
        // A full buffer of a new connection there is not; who speaks TLS sees no more than the end.
        let _ = socket.try_write(TOO_MANY);
        return;
    };
    shared.metrics.connected();
    let Ok(host) = socket.local_addr() else { return };
    // Small answers are not kept back for more to come.
    let _ = socket.set_nodelay(true);
    let (pulse, place) = (Pulse::new(), Arc::new(place));
    let peer = Peer { ends: Ends { client, host }, by: None, pulse, place, closed: closed.clone() };
    let (shared, router, tls) = (shared.clone(), router.clone(), tls.cloned());
    // A socket belongs to the thread that it is made on.
    let passed = socket.into_std();
    thread.spawn(async move {
        let Ok(socket) = passed.and_then(TcpStream::from_std) else { return };
        let socket = Metered::new(socket, shared.metrics.clone(), peer.pulse.clone());
        let Some(tls) = tls else { return serve_http(shared, router, peer, socket).await };
        if let Ok(Ok(socket)) = timeout(shared.limits.hello, tls.accept(socket)).await {
            serve_http(shared, router, peer, socket).await;
        }
    });
}

/// Speaks HTTP on a connection until it becomes a WebSocket or ends.
async fn serve_http(
    shared: Arc<Shared>,
    router: Router,
    peer: Peer,
    socket: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
) {
    let (pulse, door) = (peer.pulse.clone(), peer.clone());
    let router = router.layer(axum::Extension(peer));
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(shared.limits.hello)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router))
            .with_upgrades()
    );
    // What is wrong with a connection is its client's business.
    let _ = tokio::select! {
        served = connection.as_mut() => served,
        () = pulse.stopped(shared.limits.silence) => return,
        () = door.closed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
}

/// What others may call it.
fn names_of(host: &str) -> impl Iterator<Item = String> {
    let short = host.split('.').next().unwrap_or(host);
    [host.to_owned(), short.to_owned(), format!("{short}.local")].into_iter()
}
