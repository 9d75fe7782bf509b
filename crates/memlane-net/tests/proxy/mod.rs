//! A TCP proxy that treats connections badly: delays, cuts and silences them, as a plan says.
#![allow(dead_code)] // Each test takes what it needs.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to one connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plan {
    /// How long each piece waits, towards the host and back.
    pub delay: Duration,
    /// After so many bytes towards the host: the end.
    pub cut_request: Option<u64>,
    /// After so many bytes towards the client: the end.
    pub cut_answer: Option<u64>,
    /// What the end is.
    pub end: End,
    /// Pieces of at most so many bytes; 0: as they come.
    pub piece: usize,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// Both sides see the end of the stream.
    #[default]
    Close,
    /// Both sides see a reset.
    Reset,
    /// Neither side sees anything: no byte goes through any more.
    Silence,
}

/// A proxy before one host.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    host: SocketAddr,
    plan: Mutex<Box<dyn FnMut(u64) -> Plan + Send>>,
    connections: AtomicU64,
    /// Bytes that went through, towards the host and back.
    passed: [AtomicU64; 2],
    open: Mutex<Vec<TcpStream>>,
    stopped: AtomicBool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("State").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Before `host`; the n-th connection, from 0, is treated as `plan(n)` says.
    pub fn new(host: SocketAddr, plan: impl FnMut(u64) -> Plan + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(State {
            host,
            plan: Mutex::new(Box::new(plan)),
            connections: AtomicU64::new(0),
            passed: Default::default(),
            open: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.stopped.load(Ordering::Acquire) {
                    return;
                }
                accepting.join(&client);
            }
        });
        Self { address, state }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there were.
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::Acquire)
    }

    /// Bytes that went through: towards the host, and back.
    pub fn passed(&self) -> [u64; 2] {
        self.state.passed.each_ref().map(|passed| passed.load(Ordering::Acquire))
    }

    /// Ends all connections now, by a reset.
    pub fn cut(&self) {
        for stream in self.state.open.lock().expect("no panic").drain(..) {
            reset(&stream);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Release);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        self.cut();
    }
}

impl State {
    fn join(self: &Arc<Self>, client: &TcpStream) {
        let number = self.connections.fetch_add(1, Ordering::AcqRel);
        let plan = (self.plan.lock().expect("no panic"))(number);
        let Ok(host) = TcpStream::connect(self.host) else {
            reset(client);
            return;
        };
        for stream in [client, &host] {
            stream.set_nodelay(true).expect("a TCP socket");
            self.open.lock().expect("no panic").push(stream.try_clone().expect("a descriptor"));
        }
        let silent = Arc::new(AtomicBool::new(false));
        let both = |from: &TcpStream, to: &TcpStream, cut: Option<u64>, way: usize| {
            let from = from.try_clone().expect("a descriptor");
            let to = to.try_clone().expect("a descriptor");
            let (silent, state) = (Arc::clone(&silent), Arc::clone(self));
            thread::spawn(move || pass(from, to, cut, plan, &silent, &state.passed[way]));
        };
        both(client, &host, plan.cut_request, 0);
        both(&host, client, plan.cut_answer, 1);
    }
}

/// Passes bytes on until the plan's end or the stream's.
fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    mut left: Option<u64>,
    plan: Plan,
    silent: &AtomicBool,
    passed: &AtomicU64,
) {
    let mut piece = vec![0; if plan.piece == 0 { 64 * 1024 } else { plan.piece }];
    loop {
        let most = left.map_or(piece.len(), |left| piece.len().min(left.max(1) as usize));
        let count = match from.read(&mut piece[..most]) {
            Ok(count) if count > 0 => count,
            _ => break,
        };
        if left == Some(0) {
            return end(&from, &to, plan.end, silent);
        }
        thread::sleep(plan.delay);
        if !silent.load(Ordering::Acquire) && to.write_all(&piece[..count]).is_err() {
            break;
        }
        passed.fetch_add(count as u64, Ordering::AcqRel);
        if let Some(left) = &mut left {
            *left -= count as u64;
            if *left == 0 {
                return end(&from, &to, plan.end, silent);
            }
        }
    }
    if !silent.load(Ordering::Acquire) {
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}

fn end(from: &TcpStream, to: &TcpStream, end: End, silent: &AtomicBool) {
    match end {
        End::Close => [from, to].into_iter().for_each(|stream| {
            let _ = stream.shutdown(Shutdown::Both);
        }),
        End::Reset => [from, to].into_iter().for_each(reset),
        // What is sent still vanishes: the other thread goes on reading.
        End::Silence => silent.store(true, Ordering::Release),
    }
}

/// Ends a connection so that the other side sees a reset.
fn reset(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
    let _ = stream.shutdown(Shutdown::Both);
}
