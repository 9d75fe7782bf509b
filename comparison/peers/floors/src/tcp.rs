use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::{Keeps, PATIENCE, Pages, Passing, Receiver, Sender, Terms, Wait, read_message};

/// TCP on this machine's loopback, without delay.
pub(crate) enum Tcp {}

impl Passing for Tcp {
    const NAME: &'static str = "tcp";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = Client;
    type Receiver = Server;

    fn sender(_: &Terms, lane: &str) -> Result<Client> {
        let port = ports(lane)?;
        let start = Instant::now();
        while port.word(0).load(Acquire) == 0 {
            ensure!(start.elapsed() < PATIENCE, "nobody listens");
            sleep(Duration::from_millis(1));
        }
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port.word(0).load(Acquire) as u16))?;
        stream.set_nodelay(true)?;
        Ok(Client(stream))
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Server> {
        ensure!(terms.readers == 1, "a connection has one reader");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = ports(lane)?;
        port.word(0).store(u64::from(listener.local_addr()?.port()), Release);
        let stream = accept(&listener, terms.wait)?;
        Ok(Server { listener, stream, wait: terms.wait, message: vec![0; terms.size], _port: port })
    }
}

/// Where the sender finds the port.
fn ports(lane: &str) -> Result<Pages> {
    Pages::open_or_create(lane, 8, |_| Ok(()))
}

fn accept(listener: &TcpListener, wait: Wait) -> Result<TcpStream> {
    let (stream, _) = listener.accept()?;
    stream.set_nonblocking(wait == Wait::Busy)?;
    Ok(stream)
}

pub(crate) struct Client(TcpStream);

impl Sender for Client {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        Ok(self.0.write_all(message)?)
    }
}

pub(crate) struct Server {
    listener: TcpListener,
    stream: TcpStream,
    wait: Wait,
    message: Vec<u8>,
    _port: Pages,
}

impl Receiver for Server {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        while !read_message(&mut self.stream, &mut self.message)? {
            self.stream = accept(&self.listener, self.wait)?;
        }
        Ok(look(&self.message))
    }
}
