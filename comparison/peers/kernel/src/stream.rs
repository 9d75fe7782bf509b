//! A Unix socket of bytes that follow each other.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use anyhow::{Result, ensure};
use harness::{Incoming, Keeps, Outgoing, Passing, Terms, Wait};

use crate::connect;

pub(crate) enum Stream {}

impl Passing for Stream {
    const NAME: &'static str = "unix stream";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = Outgoing<UnixStream>;
    type Receiver = Incoming<UnixStream>;

    fn sender(_: &Terms, lane: &str) -> Result<Outgoing<UnixStream>> {
        let address = SocketAddr::from_abstract_name(lane)?;
        Ok(Outgoing(connect(|| UnixStream::connect_addr(&address))?))
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Incoming<UnixStream>> {
        ensure!(terms.readers == 1, "a connection has one reader");
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(lane)?)?;
        let is_busy = terms.wait == Wait::Busy;
        Incoming::open(terms.size, move || {
            let (stream, _) = listener.accept()?;
            stream.set_nonblocking(is_busy)?;
            Ok(stream)
        })
    }
}
