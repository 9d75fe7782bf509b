//! The client against a host of a hundred lines that can be told to misbehave, through a proxy that cuts.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use memlane_net::client::{Client, Error, Mode, Options};
use memlane_net::protocol::fault::Fault;
use memlane_net::protocol::hello::ClientHello;
use memlane_net::protocol::ledger::{Admission, Ledger};
use memlane_net::protocol::message::{Frame, Message};
use memlane_net::protocol::operation::{Answer, Operation, Outcome, Outline, Request};
use serde_json::{Map, Value, json};
use tungstenite::WebSocket;

/// What a host is told to do.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // Each is a way to misbehave.
struct Manners {
    /// Refuses everybody.
    refused: Option<Fault>,
    /// Sends every answer twice.
    stutters: bool,
    /// Hears, and says nothing any more, not even pongs.
    is_dead: bool,
    /// Closes the connection instead of the answer to an `add`, which it has done.
    swallows_adds: bool,
    /// Answers with something that is no answer.
    raves: bool,
    /// Says that the client is on its machine.
    boast: Option<Boast>,
    max_in_flight: usize,
}

/// A space that a host says is its own, and how it proves that.
#[derive(Debug, Clone)]
struct Boast {
    space: PathBuf,
    proof: fn(&ClientHello) -> Option<String>,
}

#[derive(Debug)]
struct Host {
    address: SocketAddr,
    manners: Mutex<Manners>,
    sessions: Mutex<HashMap<String, Ledger<Frame>>>,
    counter: AtomicI64,
    adds: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
    hellos: Mutex<Vec<ClientHello>>,
}

impl Host {
    fn start(manners: Manners) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            manners: Mutex::new(Manners { max_in_flight: manners.max_in_flight.max(16), ..manners }),
            sessions: Mutex::default(),
            counter: AtomicI64::new(0),
            adds: AtomicUsize::new(0),
            connections: Mutex::default(),
            hellos: Mutex::default(),
        });
        let serving = Arc::clone(&host);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (host, stream) = (Arc::clone(&serving), stream.unwrap());
                host.connections.lock().unwrap().push(stream.try_clone().unwrap());
                // A connection that was cut ends its thread.
                thread::spawn(move || {
                    let end = stream.try_clone().unwrap();
                    let _ = host.converse(stream);
                    let _ = end.shutdown(Shutdown::Both);
                });
            }
        });
        host
    }

    fn manners(&self) -> Manners {
        self.manners.lock().unwrap().clone()
    }

    fn behave(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.manners.lock().unwrap());
    }

    /// As a host that was killed and started again.
    fn forget(&self) {
        self.sessions.lock().unwrap().clear();
        self.hang_up();
    }

    fn hang_up(&self) {
        for stream in self.connections.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn converse(&self, stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut socket = tungstenite::accept(stream).ok()?;
        let boast = self.manners().boast;
        let space = boast.as_ref().map_or(Path::new("/nowhere"), |boast| &boast.space);
        let hello = json!({"hello": {"protocol": 1, "memlane": "0", "host": "script",
            "instance": "a", "space": space,
            "secret": "host-1", "challenge": "b"}});
        say(&mut socket, &Frame::new(&hello, b""))?;
        let hello: ClientHello = hear(&mut socket)?.header().ok()?;
        if let Some(fault) = self.manners().refused {
            return say(&mut socket, &Frame::new(&json!({"refused": fault}), b""));
        }
        self.hellos.lock().unwrap().push(hello.clone());
        let proof = boast.as_ref().and_then(|boast| (boast.proof)(&hello));
        let max_in_flight = self.manners().max_in_flight;
        let mut sessions = self.sessions.lock().unwrap();
        let resumed = hello.hello.session.filter(|session| sessions.contains_key(session));
        let session = resumed.clone().unwrap_or_else(|| {
            format!(
                "{:x}",
                self.counter.as_ptr() as usize + sessions.len() + self.adds.load(Ordering::SeqCst)
            )
        });
        sessions.entry(session.clone()).or_insert_with(|| Ledger::new(max_in_flight));
        drop(sessions);
        let welcome = json!({"welcome": {"session": session, "resumed": resumed.is_some(), "access": "read-write",
            "local": boast.is_some(), "proof": proof,
            "why": "there is no proof", "max_message": 1 << 20, "max_in_flight": max_in_flight, "grace": 5.0}});
        say(&mut socket, &Frame::new(&welcome, b""))?;
        loop {
            let message = hear(&mut socket)?;
            while self.manners().is_dead {
                thread::sleep(Duration::from_millis(10));
            }
            if self.manners().raves {
                say(&mut socket, &Frame::Text("{}".into()))?;
            }
            let outline: Outline = message.header().ok()?;
            let mut sessions = self.sessions.lock().unwrap();
            let ledger = sessions.get_mut(&session)?;
            ledger.acknowledge(outline.ack);
            if outline.n.is_none() {
                continue;
            }
            let request: Request = message.header().unwrap();
            let answers = match ledger.admit(request.n, request.operation.is_remembered()) {
                Admission::Do => self.perform(ledger, &request),
                Admission::Done(answer) => vec![answer],
                Admission::Underway => Vec::new(),
                admission => panic!("{admission:?} of {request:?}"),
            };
            drop(sessions);
            if matches!(request.operation, Operation::Add { .. }) && self.manners().swallows_adds {
                return None;
            }
            for answer in answers {
                for _ in 0..=usize::from(self.manners().stutters) {
                    say(&mut socket, &answer)?;
                }
            }
            if matches!(request.operation, Operation::Bye) {
                return None;
            }
        }
    }

    fn perform(&self, ledger: &mut Ledger<Frame>, request: &Request) -> Vec<Frame> {
        let mut answers = Vec::new();
        let mut answer = |n, outcome| {
            let frame = Frame::new(&Answer { n, outcome }, b"");
            ledger.answered(n, &frame, frame.len());
            answers.push(frame);
        };
        match &request.operation {
            Operation::Add { by, .. } => {
                self.adds.fetch_add(1, Ordering::SeqCst);
                let now =
                    self.counter.fetch_add(by.as_i64().unwrap(), Ordering::SeqCst) + by.as_i64().unwrap();
                answer(request.n, ok(json!({"content": now, "version": now})));
            }
            // Nobody ever gets the lock.
            Operation::Lock { .. } => {}
            Operation::Cancel { request: n } => {
                if *n > 0 {
                    answer(*n, Outcome::Error(Fault::new("cancelled", "the wait was cancelled")));
                }
                answer(request.n, ok(json!({})));
            }
            _ => answer(request.n, ok(json!({"content": 7, "version": 1, "regions": []}))),
        }
        answers
    }
}

fn ok(fields: Value) -> Outcome {
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    Outcome::Ok(fields)
}

fn say(socket: &mut WebSocket<TcpStream>, frame: &Frame) -> Option<()> {
    let message = match frame.clone() {
        Frame::Text(text) => tungstenite::Message::text(text),
        Frame::Binary(bytes) => tungstenite::Message::Binary(bytes),
    };
    socket.send(message).ok()
}

fn hear(socket: &mut WebSocket<TcpStream>) -> Option<Message> {
    loop {
        match socket.read().ok()? {
            tungstenite::Message::Text(text) => return Message::from_text(text).ok(),
            tungstenite::Message::Binary(bytes) => return Message::from_binary(bytes).ok(),
            _ => {}
        }
    }
}

/// Passes bytes on, until it is told to cut the connection after so many more.
struct Proxy {
    address: SocketAddr,
    /// What may still pass from the client, and to it.
    left: [Arc<Mutex<Option<usize>>>; 2],
}

impl Proxy {
    fn before(host: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let left = [Arc::default(), Arc::default()];
        let budgets = left.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let Ok(host) = TcpStream::connect(host) else { continue };
                client.set_nodelay(true).unwrap();
                host.set_nodelay(true).unwrap();
                let both = [client.try_clone().unwrap(), host.try_clone().unwrap()];
                let [up, down] = budgets.clone();
                let ends = [both[1].try_clone().unwrap(), both[0].try_clone().unwrap()];
                thread::spawn(move || pass(client, &both[1], &up));
                thread::spawn(move || pass(host, &ends[1], &down));
            }
        });
        Self { address, left }
    }
}

fn pass(mut from: TcpStream, mut to: &TcpStream, left: &Mutex<Option<usize>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let mut left = left.lock().unwrap();
        let passed = left.map_or(length, |left| left.min(length));
        if to.write_all(&buffer[..passed]).is_err() {
            break;
        }
        match &mut *left {
            Some(left) if *left == passed => break,
            Some(left) => *left -= passed,
            None => {}
        }
    }
    // The next connection passes everything.
    *left.lock().unwrap() = None;
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn options() -> Options {
    Options::new().token("sesame").name("test")
}

fn client(address: SocketAddr) -> Client {
    Client::connect(&address.to_string(), options()).unwrap()
}

#[test]
fn a_connection_that_is_cut_at_any_byte_does_everything_once() {
    for direction in 0..2 {
        for offset in 0..160 {
            let host = Host::start(Manners::default());
            let proxy = Proxy::before(host.address);
            let client = client(proxy.address);
            let value = client.value("a");
            assert_eq!(value.add(&1).unwrap(), 1);
            *proxy.left[direction].lock().unwrap() = Some(offset);
            let sums: Vec<i64> = (0..4).map(|_| value.add(&1).unwrap()).collect();
            assert_eq!(sums, [2, 3, 4, 5], "cut after {offset} bytes in direction {direction}");
            assert_eq!(host.adds.load(Ordering::SeqCst), 5);
        }
    }
}

#[test]
fn answers_that_come_twice_count_once() {
    let host = Host::start(Manners { stutters: true, ..Manners::default() });
    let client = client(host.address);
    for sum in 1..100 {
        assert_eq!(client.value("a").add(&1).unwrap(), sum);
    }
}

#[test]
fn a_host_that_forgot_leaves_an_add_unknown_and_a_look_is_repeated() {
    let host = Host::start(Manners { swallows_adds: true, ..Manners::default() });
    let client = client(host.address);
    let adding = {
        let client = client.clone();
        thread::spawn(move || client.value("a").add(&1))
    };
    // The host did it, and every time it comes again it is underway or recorded, and swallowed.
    while host.hellos.lock().unwrap().len() < 3 {
        thread::sleep(Duration::from_millis(1));
    }
    host.behave(|manners| manners.swallows_adds = false);
    host.forget();
    let error =
        adding.join().unwrap().map_or_else(|error| error, |sum| panic!("nobody can know that it is {sum}"));
    assert!(
        matches!(&error, Error::OutcomeUnknown { operation, id, .. } if operation == "add"
            && id.as_deref() == Some("a")),
        "{error}"
    );
    assert_eq!(error.code(), Some("outcome_unknown"));
    assert!(error.to_string().contains("look at what is there before doing it again"), "{error}");
    assert_eq!(host.adds.load(Ordering::SeqCst), 1, "it was never sent to the new host");
    assert_eq!(client.value("a").add(&1).unwrap(), 2);
    assert_eq!(client.value("a").read::<i64>().unwrap(), (7, 1));
}

#[test]
fn what_was_asked_while_there_was_no_connection_is_done_when_there_is_one_and_not_after_patience() {
    let host = Host::start(Manners::default());
    let proxy = Proxy::before(host.address);
    let options = options().patience(Duration::from_millis(300));
    let client = Client::connect(&proxy.address.to_string(), options).unwrap();
    host.behave(|manners| manners.refused = Some(Fault::new("limit", "too many connections")));
    host.hang_up();
    while client.is_connected() {
        thread::sleep(Duration::from_millis(1));
    }
    let before = Instant::now();
    let error = client.value("a").add(&1).unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { reason, .. } if reason.contains("too many connections")),
        "{error}"
    );
    assert!((280..2000).contains(&(before.elapsed().as_millis() as u64)), "{:?}", before.elapsed());
    host.behave(|manners| manners.refused = None);
    while client.value("a").read::<i64>().is_err() {}
    assert_eq!(client.value("a").add(&1).unwrap(), 1, "what was refused was not done later");
    host.hang_up();
    assert_eq!(client.value("a").add(&1).unwrap(), 2);
}

#[test]
fn a_call_with_a_timeout_ends_in_time_without_a_connection() {
    let host = Host::start(Manners::default());
    let client = client(host.address);
    host.behave(|manners| manners.refused = Some(Fault::new("limit", "too many connections")));
    host.hang_up();
    let before = Instant::now();
    let error = client.lock("a").lock(Some(Duration::from_millis(200))).unwrap_err();
    // It depends on whether it was sent before the client saw the end of the connection.
    assert!(matches!(error, Error::Unreachable { .. } | Error::OutcomeUnknown { .. }), "{error}");
    assert!(before.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_connection_that_is_open_at_one_end_only_is_found() {
    let host = Host::start(Manners::default());
    let client = client(host.address);
    host.behave(|manners| manners.is_dead = true);
    let before = Instant::now();
    let adding = {
        let client = client.clone();
        thread::spawn(move || client.value("a").add(&1))
    };
    while host.hellos.lock().unwrap().len() < 2 {
        thread::sleep(Duration::from_millis(20));
        assert!(before.elapsed() < Duration::from_secs(12), "it was never found");
    }
    assert!(before.elapsed() > Duration::from_secs(8), "a host may be slow");
    host.behave(|manners| manners.is_dead = false);
    assert_eq!(adding.join().unwrap().unwrap(), 1);
    assert_eq!(host.adds.load(Ordering::SeqCst), 1);
}

#[test]
fn refusals_say_what_to_do() {
    let refused = |code, message| {
        let host = Host::start(Manners { refused: Some(Fault::new(code, message)), ..Manners::default() });
        Client::connect(&host.address.to_string(), options()).unwrap_err()
    };
    let error = refused("unauthorised", "the token is wrong");
    assert!(matches!(&error, Error::Refused { fault, .. } if fault.code == "unauthorised"));
    assert!(
        error.to_string().contains("the token is wrong; give the token that `memlane host` printed"),
        "{error}"
    );
    let error = refused("unsupported_version", "this host speaks version 2");
    assert!(error.to_string().contains("use the same version of memlane on both machines"), "{error}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Client::connect(&nobody.to_string(), options()).unwrap_err();
    assert!(
        matches!(error, Error::Unreachable { .. })
            && error.to_string().contains("is `memlane host` running there"),
        "{error}"
    );
}

#[test]
fn a_host_that_turns_a_client_away_later_ends_it() {
    let host = Host::start(Manners::default());
    let client = client(host.address);
    host.behave(|manners| manners.refused = Some(Fault::new("unauthorised", "the token is wrong")));
    host.hang_up();
    let error = client.value("a").add(&1).unwrap_err();
    assert!(matches!(error, Error::Refused { .. } | Error::OutcomeUnknown { .. }), "{error}");
    assert!(matches!(client.list(&[]).unwrap_err(), Error::Refused { .. }));
}

#[test]
fn a_host_that_does_not_prove_itself_has_no_client_use_a_space() {
    let directory = tempfile::tempdir().unwrap();
    let space = directory.path().join("space");
    let secret = space.join(".memlane/host-1");
    std::fs::create_dir_all(secret.parent().unwrap()).unwrap();
    std::fs::write(&secret, "5".repeat(64)).unwrap();
    let proofs: [fn(&ClientHello) -> Option<String>; 4] =
        [|_| None, |_| Some(String::new()), |_| Some("0".repeat(64)), |client| client.hello.proof.clone()];
    let connect = |proof, options| {
        let boast = Some(Boast { space: space.clone(), proof });
        let host = Host::start(Manners { boast, ..Manners::default() });
        let client = Client::connect(&host.address.to_string(), options).unwrap();
        let hellos = host.hellos.lock().unwrap();
        (client, hellos[0].hello.proof.clone())
    };
    for proof in proofs {
        let (client, proved) = connect(proof, options());
        assert!(proved.is_some(), "the client knows the secret");
        assert_eq!(client.mode(), Mode::Remote);
        assert!(client.space().is_none() && client.why().contains("did not prove"), "{}", client.why());
        assert_eq!(client.value("a").add(&1).unwrap(), 1, "through the host it goes on");
    }
    // One who would not try is not talked into it, nor one who cannot check.
    let (client, proved) = connect(proofs[2], options().remote());
    assert!(proved.is_none() && client.space().is_none() && client.why().contains("told not to try"));
    std::fs::remove_file(secret).unwrap();
    let (client, proved) = connect(proofs[2], options());
    assert!(proved.is_none() && client.space().is_none() && client.why().contains("is not on this machine"));
}

#[test]
fn a_host_that_raves_ends_the_client_with_a_word() {
    let host = Host::start(Manners { raves: true, ..Manners::default() });
    let error = client(host.address).list(&[]).unwrap_err();
    assert!(matches!(error, Error::Misunderstood { .. }), "{error}");
}

#[test]
fn something_else_than_a_host_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope");
        }
    });
    let error = Client::connect(&address.to_string(), options()).unwrap_err();
    assert!(error.to_string().contains("it answers HTTP 404"), "{error}");
}

#[test]
fn one_that_waits_long_does_not_hold_up_the_others() {
    let host = Host::start(Manners::default());
    let client = client(host.address);
    let waiting = {
        let client = client.clone();
        thread::spawn(move || client.lock("a").lock(None))
    };
    for sum in 1..=200 {
        assert_eq!(client.value("a").add(&1).unwrap(), sum, "a host that allows 16 in flight");
    }
    assert!(!waiting.is_finished());
    host.behave(|manners| manners.refused = Some(Fault::new("unauthorised", "go")));
    host.hang_up();
    assert!(waiting.join().unwrap().is_err());
}

#[test]
fn threads_share_a_client() {
    let host = Host::start(Manners { max_in_flight: 256, ..Manners::default() });
    let client = client(host.address);
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let (client, host) = (client.clone(), Arc::clone(&host));
            thread::spawn(move || {
                for round in 0..500 {
                    client.value("a").add(&1).unwrap();
                    if thread == 0 && round % 100 == 50 {
                        host.hang_up();
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(client.value("a").add(&0).unwrap(), 4000);
    assert!(
        client.mode() == Mode::Remote && client.why().contains("there is no proof: "),
        "{}",
        client.why()
    );
    assert!(client.why().contains("/nowhere/.memlane/host-1 is not on this machine"), "{}", client.why());
}

#[test]
fn a_wait_ends_from_within() {
    let host = Host::start(Manners::default());
    let client = client(host.address);
    let ended = memlane::interruption::interruptible(|| true, || client.lock("a").lock(None));
    assert!(matches!(ended, Err(Error::Interrupted { .. })), "{ended:?}");
    assert_eq!(client.value("a").add(&1).unwrap(), 1);
}

#[test]
fn what_is_too_large_is_told_before_it_is_sent() {
    let host = Host::start(Manners::default());
    let client = client(host.address);
    let error = client.raw("a").write(0, vec![0; 2 << 20]).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "message", most: 1_048_576, .. }), "{error}");
    let error = client.record("a").write(&"x".repeat(300_000)).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "header", .. }), "{error}");
    let before = client.request(Operation::Status, Vec::new()).unwrap();
    assert!(before.0 != Map::new());
}

#[test]
fn the_end_of_a_client_is_said_to_the_host() {
    let host = Host::start(Manners::default());
    let client = client(host.address);
    let before = Instant::now();
    drop(client);
    assert!(before.elapsed() < Duration::from_millis(400), "the host closed the connection");
}
