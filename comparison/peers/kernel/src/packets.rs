//! A Unix socket that keeps messages apart; the longest are those that its buffer has room for.

use std::hint::spin_loop;
use std::os::fd::OwnedFd;

use anyhow::{Result, ensure};
use harness::{Keeps, Passing, Receiver, Sender, Terms, Wait};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketType, accept, bind, connect, listen, recv,
    send, socket,
};

pub(crate) enum Packets {}

impl Passing for Packets {
    const NAME: &'static str = "unix seqpacket";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = Client;
    type Receiver = Server;

    fn sender(_: &Terms, lane: &str) -> Result<Client> {
        let address = SocketAddrUnix::new_abstract_name(lane.as_bytes())?;
        let attempt = || {
            let socket = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
            connect(&socket, &address).map(|()| socket)
        };
        Ok(Client(crate::connect(attempt)?))
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Server> {
        ensure!(terms.readers == 1, "a connection has one reader");
        let listener = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
        bind(&listener, &SocketAddrUnix::new_abstract_name(lane.as_bytes())?)?;
        listen(&listener, 1)?;
        let flags = if terms.wait == Wait::Busy { RecvFlags::DONTWAIT } else { RecvFlags::empty() };
        Ok(Server { connection: accept(&listener)?, listener, flags, message: vec![0; terms.size] })
    }
}

pub(crate) struct Client(OwnedFd);

impl Sender for Client {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        send(&self.0, message, SendFlags::NOSIGNAL)?;
        Ok(())
    }
}

pub(crate) struct Server {
    listener: OwnedFd,
    connection: OwnedFd,
    flags: RecvFlags,
    message: Vec<u8>,
}

impl Receiver for Server {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        loop {
            match recv(&self.connection, &mut self.message[..], self.flags) {
                // The sender is gone; the next one may come.
                Ok((0, _)) | Err(Errno::CONNRESET) => self.connection = accept(&self.listener)?,
                Ok((received, _)) => return Ok(look(&self.message[..received])),
                Err(Errno::AGAIN) => spin_loop(),
                Err(Errno::INTR) => (),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
