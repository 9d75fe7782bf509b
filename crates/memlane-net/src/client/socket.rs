//! The bytes between client and host: TCP, plain or in TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::io::{read, retry_on_intr};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::options::Address;
use crate::protocol::hello::Ends;

/// Bytes that TLS encrypts together at most.
const DECRYPTED: usize = 16 * 1024;

/// A connection's bytes. Until [`Self::never_block`], everything has to happen before a deadline.
#[derive(Debug)]
pub(super) enum Socket {
    Plain(Tcp),
    Tls(Box<StreamOwned<ClientConnection, Tcp>>),
}

/// A socket that can be polled and shut down by others than who reads and writes it.
#[derive(Debug)]
pub(super) struct Tcp {
    stream: Arc<TcpStream>,
    /// Until when everything has to be done; none once it never blocks.
    deadline: Option<Instant>,
    /// When something came last.
    heard: Instant,
}

impl Socket {
    pub(super) fn connect(
        address: &Address,
        tls: Option<Arc<ClientConfig>>,
        deadline: Instant,
    ) -> io::Result<Self> {
        let stream = connect(address, deadline)?;
        stream.set_nodelay(true)?;
        let tcp = Tcp { stream: Arc::new(stream), deadline: Some(deadline), heard: Instant::now() };
        let Some(config) = tls else { return Ok(Self::Plain(tcp)) };
        let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, tcp))))
    }

    /// The socket itself, to poll and to shut down.
    pub(super) fn stream(&self) -> &Arc<TcpStream> {
        &self.tcp().stream
    }

    /// When something came last.
    pub(super) fn heard(&self) -> Instant {
        self.tcp().heard
    }

    pub(super) fn ends(&self) -> io::Result<Ends> {
        let stream = self.stream();
        Ok(Ends { client: stream.local_addr()?, host: stream.peer_addr()? })
    }

    /// From now on what would block gives [`io::ErrorKind::WouldBlock`].
    pub(super) fn never_block(&mut self) -> io::Result<()> {
        self.stream().set_nonblocking(true)?;
        match self {
            Self::Plain(tcp) => tcp.deadline = None,
            Self::Tls(stream) => stream.sock.deadline = None,
        }
        Ok(())
    }

    /// Appends what there is to read, as far as there is capacity; how many bytes.
    pub(super) fn read_onto(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => {
                let read = tcp.timed(|stream| Ok(retry_on_intr(|| read(stream, spare_capacity(bytes)))?))?;
                tcp.heard = Instant::now();
                Ok(read)
            }
            // What was decrypted is copied, into initialised memory.
            Self::Tls(stream) => {
                let (length, capacity) = (bytes.len(), bytes.capacity());
                bytes.resize(capacity.min(length + DECRYPTED), 0);
                let read = stream.read(&mut bytes[length..]);
                bytes.truncate(length + *read.as_ref().unwrap_or(&0));
                read
            }
        }
    }

    /// Whether bytes may lie here of which the system knows nothing.
    pub(super) fn may_hold_more(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    fn tcp(&self) -> &Tcp {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

/// Each of the host's addresses in turn.
fn connect(address: &Address, deadline: Instant) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let addresses: Vec<SocketAddr> = (address.host.as_str(), address.port).to_socket_addrs()?.collect();
    for address in addresses {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time"));
    }
    Ok(left)
}

/// Whoever sees the end of a connection shuts it down, so that everybody who polls it sees it too.
pub(super) fn shut_down(stream: &TcpStream) {
    // Shut down already, by us or the other side.
    let _ = stream.shutdown(Shutdown::Both);
}

impl Tcp {
    /// A socket's own timeout says `WouldBlock`, which means something else.
    fn timed<R>(&self, operation: impl FnOnce(&TcpStream) -> io::Result<R>) -> io::Result<R> {
        let Some(deadline) = self.deadline else { return operation(&self.stream) };
        let left = left(deadline)?;
        self.stream.set_read_timeout(Some(left))?;
        self.stream.set_write_timeout(Some(left))?;
        operation(&self.stream).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time"),
            _ => error,
        })
    }
}

impl Read for Tcp {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.timed(|mut stream| stream.read(buffer))?;
        self.heard = Instant::now();
        Ok(length)
    }
}

impl Write for Tcp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.timed(|mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
