//! TCP on this machine's loopback, without delay.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::{Incoming, Keeps, Outgoing, PATIENCE, Pages, Passing, Terms, Wait};

pub(crate) enum Tcp {}

impl Passing for Tcp {
    const NAME: &'static str = "tcp";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = Outgoing<TcpStream>;
    type Receiver = Incoming<TcpStream>;

    fn sender(_: &Terms, lane: &str) -> Result<Outgoing<TcpStream>> {
        let port = port(lane)?;
        let start = Instant::now();
        while port.word(0).load(Acquire) == 0 {
            ensure!(start.elapsed() < PATIENCE, "nobody listens");
            sleep(Duration::from_millis(1));
        }
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port.word(0).load(Acquire) as u16))?;
        stream.set_nodelay(true)?;
        Ok(Outgoing(stream))
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Incoming<TcpStream>> {
        ensure!(terms.readers == 1, "a connection has one reader");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = port(lane)?;
        port.word(0).store(u64::from(listener.local_addr()?.port()), Release);
        let is_busy = terms.wait == Wait::Busy;
        Incoming::open(terms.size, move || {
            let _ = &port;
            let (stream, _) = listener.accept()?;
            stream.set_nonblocking(is_busy)?;
            Ok(stream)
        })
    }
}

/// Where the sender finds the port.
fn port(lane: &str) -> Result<Pages> {
    Pages::open_or_create(lane, 8, |_| Ok(()))
}
