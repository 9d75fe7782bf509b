//! Hosts for tests: one in this process, and one in a process of its own, which is this program, started anew with
//! orders in its environment.
#![allow(dead_code)] // Each test takes what it needs.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use memlane::Space;
use memlane_net::client::{Client, Error, Options};
use memlane_net::host::{Host, Running};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A host of an empty space, in this process and at a free port of the loopback.
pub struct Served {
    pub space: Space,
    pub host: Running,
    pub directory: TempDir,
}

impl Served {
    pub fn new(configure: impl FnOnce(Host) -> Host) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let space = Space::at(directory.path().join("space")).expect("a space");
        let host = Host::new(space.clone()).listen(([127, 0, 0, 1], 0).into());
        Self { space, host: configure(host).start().expect("a host"), directory }
    }

    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }

    /// What lets in to read and write.
    pub fn token(&self) -> &str {
        self.host.tokens().read_write().expect("a token")
    }

    /// Of a client that goes through the host for everything.
    pub fn options(&self) -> Options {
        Options::new().token(self.token()).remote()
    }

    /// Such a client.
    pub fn remote(&self) -> Client {
        Client::connect(&self.address().to_string(), self.options()).expect("a host")
    }

    /// Such a client by way of `address`. A network that cuts the very first conversation short is tried again, as a
    /// person would.
    pub fn remote_by(&self, address: SocketAddr) -> Client {
        loop {
            match Client::connect(&address.to_string(), self.options()) {
                Err(Error::Unreachable { .. }) => {}
                outcome => return outcome.expect("a host"),
            }
        }
    }
}

/// Where it finds its orders.
const ORDERS: &str = "MEMLANE_TEST_HOST";

/// Becomes a host, until it is killed, if that is what this process was started for. A test of the name `host_process`
/// calls this, or a `main`.
pub fn serve_if_ordered() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Value = serde_json::from_str(&orders).expect("orders");
    let space = Space::at(orders["space"].as_str().expect("a directory")).expect("a space");
    let address = orders["listen"].as_str().and_then(|address| address.parse().ok()).expect("an address");
    let host = Host::new(space).listen(address).start().expect("a host");
    println!("\nHOST {} {}", host.address(), host.tokens().read_write().expect("a token"));
    loop {
        thread::park();
    }
}

/// A port that nobody has: the host's tokens are kept for it.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// The host, killed when it is dropped.
#[derive(Debug)]
pub struct HostProcess {
    pub child: Child,
    pub address: SocketAddr,
    pub token: String,
    /// Kept open: after a minute the test program says that its test is slow, and dies if nobody can hear it.
    _output: BufReader<ChildStdout>,
}

impl HostProcess {
    /// Serves the space at `space` on the loopback.
    pub fn start(space: &Path, port: u16) -> Self {
        let program = Command::new(std::env::current_exe().expect("this program"));
        Self::start_by(program, space, ([127, 0, 0, 1], port).into())
    }

    /// Serves the space at `space`; `program` starts this program somehow.
    pub fn start_by(mut program: Command, space: &Path, listen: SocketAddr) -> Self {
        let mut child = program
            .args(["--exact", "host_process", "--nocapture"])
            .env(ORDERS, json!({"space": space, "listen": listen}).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let words = lines.find_map(|line| line.strip_prefix("HOST ").map(str::to_owned));
        let words = words.expect("the host says where it is");
        let (address, token) = words.split_once(' ').expect("an address and a token");
        Self {
            child,
            address: address.parse().expect("an address"),
            token: token.to_owned(),
            _output: output,
        }
    }

    /// Kills it; another one can serve at its port.
    pub fn kill(self) -> u16 {
        self.address.port()
    }

    /// Bytes of memory that it has.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
