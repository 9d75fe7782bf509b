//! What the host costs beside bare sockets and Redis, on the loopback, as ratios within one run.
//!
//! Each row measures ours and a yardstick alternately, A B A B, and prints the medians as a Markdown table. Host, Redis
//! and the bare peers are processes of their own. Run it with `cargo xtask bench --network`; `-- read`, `picture`,
//! `fan-out` or `stall` runs that alone.

#[path = "../tests/served/mod.rs"]
mod served;

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, Space, Value};
use memlane_net::client::{Client, FrameSubscriber, Options, Subscription};
use memlane_net::protocol::event::Delivery;
use served::HostProcess;

/// Alternations of ours and the yardstick.
const ROUNDS: usize = 21;
const PICTURE: usize = 404 * 640 * 3;
const SUBSCRIBERS: usize = 100;
/// Says to this program that it is a bare peer.
const PEER: &str = "MEMLANE_BENCH_PEER";
const LONG: Option<Duration> = Some(Duration::from_mins(1));

fn main() {
    served::serve_if_ordered();
    if std::env::var_os(PEER).is_some() {
        return be_a_peer();
    }
    let directory = tempfile::tempdir_in("/dev/shm").expect("a directory in /dev/shm");
    let place = directory.path().join("space");
    let space = Space::at(&place).expect("a space");
    let host = HostProcess::start(&place, served::free_port());
    let redis = Redis::start();
    println!("| what | ours | yardstick | | ratio | goal |\n|---|---:|---|---:|---:|---:|");
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let measures: [(&str, &dyn Fn()); 4] = [
        ("read", &|| small_read(&space, &host, redis.as_ref())),
        ("picture", &|| picture(&space, &host, redis.as_ref())),
        ("fan-out", &|| fan_out(&space, &host)),
        ("stall", &|| stalled_subscriber(&space, &host)),
    ];
    for (_, measure) in measures.iter().filter(|(name, _)| name.contains(&wanted)) {
        measure();
    }
    if redis.is_none() {
        eprintln!("LEFT OUT: the rows beside Redis; get it: apt-get install redis-server");
    }
}

fn client(host: &HostProcess) -> Client {
    let options = Options::new().token(host.token.as_str()).remote();
    Client::connect(&host.address.to_string(), options).expect("a host")
}

fn row(name: &str, yardstick: &str, goal: f64, (ours, theirs): (f64, f64)) {
    let ratio = ours / theirs;
    let verdict = if ratio <= goal { "✓" } else { "✗" };
    let (ours, theirs) = (ours / 1000.0, theirs / 1000.0);
    println!("| {name} | {ours:.1} µs | {yardstick} | {theirs:.1} µs | {ratio:.2} | ≤ {goal} {verdict} |");
}

/// Runs both alternately and gives the median nanoseconds of each.
fn alternate(mut ours: impl FnMut() -> f64, mut theirs: impl FnMut() -> f64) -> (f64, f64) {
    let (mut a, mut b): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (ours(), theirs())).unzip();
    (median(&mut a), median(&mut b))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds of one of `count` repetitions.
fn time(count: u32, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| work());
    start.elapsed().as_nanos() as f64 / f64::from(count)
}

fn small_read(space: &Space, host: &HostProcess, redis: Option<&Redis>) {
    const COUNT: u32 = 500;
    Value::create(space, "speed", 1.5).expect("a value");
    let client = client(host);
    let value = client.value("speed");
    let ours = || time(COUNT, || assert_eq!(value.read::<f64>().expect("a value").0, 1.5));
    let (_peer, mut bare) = peer();
    let ping = || time(COUNT, || bare.ask(b'p', 1));
    row("read a value", "bare TCP ping-pong, 1 B", 2.5, alternate(ours, ping));
    let Some(redis) = redis else { return };
    let mut redis = redis.connect();
    redis.set("speed", b"1.5");
    row("read a value", "Redis GET", 1.0, alternate(ours, || time(COUNT, || redis.get("speed", 3))));
}

fn picture(space: &Space, host: &HostProcess, redis: Option<&Redis>) {
    const COUNT: u32 = 20;
    let spec = FrameSpec::image(404, 640, 3, Primitive::U8);
    let mut camera = FramePublisher::create(space, "camera", &spec).expect("a channel");
    let client = client(host);
    let frames = client.frames("camera").subscribe(Delivery::default()).expect("a subscription");
    let mut next = || {
        camera.loan().expect("a slot").publish();
        receive(&frames);
    };
    let (_peer, mut bare) = peer();
    let mut ours = || time(COUNT, &mut next);
    row("publish 775,680 B, until the subscriber has it", "bare socket copy", 1.3, {
        alternate(&mut ours, || time(COUNT, || bare.ask(b'f', PICTURE)))
    });
    let Some(redis) = redis else { return };
    let mut redis = redis.connect();
    redis.set("camera", &vec![7; PICTURE]);
    row("publish 775,680 B, until the subscriber has it", "Redis GET", 0.6, {
        alternate(&mut ours, || time(COUNT, || redis.get("camera", PICTURE)))
    });
}

fn receive(frames: &FrameSubscriber) {
    let frame = frames.next(LONG).expect("the host").expect("a frame");
    assert_eq!(black_box(&frame.bytes).len(), PICTURE);
}

/// From the change of a value until all subscribers, each with a connection of its own, know of it.
fn fan_out(space: &Space, host: &HostProcess) {
    let value = Value::create(space, "fan", 0_i64).expect("a value");
    let clients: Vec<_> = (0..SUBSCRIBERS).map(|_| client(host)).collect();
    let subscribe =
        |client: &Client| client.value("fan").place().subscribe(Delivery::default()).expect("a value");
    let subscriptions: Vec<Subscription> = clients.iter().map(subscribe).collect();
    let until_all = |expected: i64| {
        for subscription in &subscriptions {
            let told = || subscription.next(LONG).expect("the host").expect("a change");
            while told().body["content"] != expected {}
        }
    };
    until_all(0);
    let mut newest = 0;
    let mut peers: Vec<_> = (0..SUBSCRIBERS).map(|_| peer()).collect();
    let ours = || {
        newest += 1;
        time(1, || {
            value.store(newest);
            until_all(newest);
        })
    };
    let bare = || {
        time(1, || {
            for (_, bare) in &mut peers {
                bare.say(b'p');
            }
            for (_, bare) in &mut peers {
                bare.hear(1);
            }
        })
    };
    row("a change, until 100 subscribers know of it", "100 bare TCP ping-pongs", 2.5, alternate(ours, bare));
}

/// What it costs a producer that one subscriber does not read.
fn stalled_subscriber(space: &Space, host: &HostProcess) {
    const COUNT: u32 = 2000;
    let spec = FrameSpec::image(404, 640, 3, Primitive::U8);
    let picture = vec![7; PICTURE];
    let publisher = |id: &str| FramePublisher::create(space, id, &spec).expect("a channel");
    let (mut alone, mut watched) = (publisher("alone"), publisher("watched"));
    let publish = |camera: &mut FramePublisher| {
        time(COUNT, || {
            let mut frame = camera.loan().expect("a slot");
            frame.copy_from_slice(&picture);
            frame.publish();
        })
    };
    let client = client(host);
    let delivery = Delivery { window: Some(4), ..Delivery::default() };
    // Never read from: the window is full after four frames.
    let _stalled = client.frames("watched").subscribe(delivery).expect("a subscription");
    let medians = alternate(|| publish(&mut watched), || publish(&mut alone));
    row("copy and publish 775,680 B, a subscriber stalls", "nobody subscribes", 1.05, medians);
}

/// A connection to a process that answers each byte `p` with one byte, and `f` with a picture's.
struct Bare(TcpStream, Vec<u8>);

impl Bare {
    fn say(&mut self, what: u8) {
        self.0.write_all(&[what]).expect("the peer");
    }

    fn hear(&mut self, length: usize) {
        self.0.read_exact(&mut self.1[..length]).expect("the peer");
        black_box(&self.1);
    }

    fn ask(&mut self, what: u8, length: usize) {
        self.say(what);
        self.hear(length);
    }
}

/// Kills its process when dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn peer() -> (Killed, Bare) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let mut child = command.env(PEER, "1").stdout(Stdio::piped()).spawn().expect("this program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("its port");
    let stream = TcpStream::connect(("127.0.0.1", line.trim().parse().expect("a port"))).expect("the peer");
    stream.set_nodelay(true).expect("a TCP socket");
    (Killed(child), Bare(stream, vec![0; PICTURE]))
}

fn be_a_peer() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("its address").port());
    let (mut stream, _) = listener.accept().expect("the bench");
    stream.set_nodelay(true).expect("a TCP socket");
    let picture = vec![7; PICTURE];
    let mut asked = [0];
    while stream.read_exact(&mut asked).is_ok() {
        let answer = if asked == *b"f" { &picture[..] } else { &asked[..] };
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}

/// A Redis without a disk.
struct Redis {
    _server: Killed,
    port: u16,
}

/// A connection to it, speaking RESP by hand: no client library between us and it.
struct RedisClient(BufReader<TcpStream>, Vec<u8>);

impl Redis {
    fn start() -> Option<Self> {
        let port = served::free_port();
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
            "--bind",
            "127.0.0.1",
        ]);
        let server = Killed(command.stdout(Stdio::null()).spawn().ok()?);
        let redis = Self { _server: server, port };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(redis)
    }

    fn connect(&self) -> RedisClient {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("Redis");
        stream.set_nodelay(true).expect("a TCP socket");
        RedisClient(BufReader::with_capacity(PICTURE, stream), vec![0; PICTURE + 2])
    }
}

impl RedisClient {
    fn set(&mut self, key: &str, value: &[u8]) {
        let head = format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n", key.len(), value.len());
        let command = [head.as_bytes(), value, b"\r\n"].concat();
        self.0.get_mut().write_all(&command).expect("Redis");
        assert_eq!(self.line(), "+OK\r\n");
    }

    fn get(&mut self, key: &str, length: usize) {
        let command = format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len());
        self.0.get_mut().write_all(command.as_bytes()).expect("Redis");
        assert_eq!(self.line(), format!("${length}\r\n"));
        self.0.read_exact(&mut self.1[..length + 2]).expect("Redis");
        black_box(&self.1);
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("Redis");
        line
    }
}
