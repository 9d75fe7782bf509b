//! Whatever the network does, each change happens once, in order, and nobody hangs.
//!
//! Clients in Rust and the one of `peers/client.py` work through a proxy that delays, cuts, resets and silences their
//! connections. `MEMLANE_CHAOS=long` makes ten times as much of it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chance::Chance;
use memlane::{Queue, QueueSpec, Space, Text, Value};
use memlane_net::client::{Client, Error, Options};
use memlane_net::view::document::hexadecimal;
use proxy::{End, Plan, Proxy};
use python::Python;
use serde_json::json;
use served::{HostProcess, Served};

mod chance;
mod proxy;
mod python;
mod served;

/// Longer than anything here takes; whoever is not done by then hangs.
const FOR_EVER: Duration = Duration::from_mins(4);

fn scale() -> u64 {
    if std::env::var_os("MEMLANE_CHAOS").is_some_and(|chaos| chaos == "long") { 10 } else { 1 }
}

/// Does all of it at once, and fails if it is not done in time.
fn all_in_time<'a>(work: impl IntoIterator<Item = Box<dyn FnOnce() + Send + 'a>>) {
    thread::scope(|scope| {
        let (done, wait) = mpsc::channel();
        let mut count = 0;
        for work in work {
            count += 1;
            let done = done.clone();
            scope.spawn(move || {
                work();
                done.send(()).expect("somebody waits");
            });
        }
        drop(done);
        for finished in 0..count {
            match wait.recv_timeout(FOR_EVER) {
                Ok(()) => {}
                // One of them panicked, and the scope says so.
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    eprintln!("{} of {count} hang", count - finished);
                    std::process::abort();
                }
            }
        }
    });
}

/// Connections of a few hundred to some thousand bytes, each ended in some way; one in thirty falls silent.
fn ill_treatment(seed: u64) -> impl FnMut(u64) -> Plan + Send + 'static {
    let mut chance = Chance::new(seed);
    move |_| {
        let cut = 300 + chance.below(12_000);
        let end = match chance.below(30) {
            0 => End::Silence,
            below if below % 2 == 0 => End::Reset,
            _ => End::Close,
        };
        let (cut_request, cut_answer) =
            if chance.below(2) == 0 { (Some(cut), None) } else { (None, Some(cut)) };
        let delay = Duration::from_micros(if chance.below(10) == 0 { chance.below(3000) } else { 0 });
        let piece = if chance.below(4) == 0 { 1 + chance.below(40) as usize } else { 0 };
        Plan { delay, cut_request, cut_answer, end, piece }
    }
}

/// Client `who` puts 0, 1, 2 …: what it puts says so.
fn message(who: u64, number: u64) -> Vec<u8> {
    [who.to_le_bytes(), number.to_le_bytes()].concat()
}

#[test]
fn adds_and_puts_through_a_bad_network_happen_once_and_in_order() {
    const CLIENTS: u64 = 5;
    let each = 2000 * scale();
    let served = Served::new(|host| host);
    let sum = Value::<i64>::create(&served.space, "sum", 0).unwrap();
    let queue = Queue::create(&served.space, "queue", &QueueSpec::bytes(1 << 22)).unwrap();
    let proxies: Vec<_> =
        (0..CLIENTS).map(|who| Proxy::new(served.address(), ill_treatment(who + 1))).collect();
    let in_rust = |who: u64| {
        let client = served.remote_by(proxies[who as usize].address());
        let (sum, queue) = (client.value("sum"), client.queue("queue"));
        for number in 0..each {
            sum.add(&1_i64).unwrap();
            queue.put(message(who, number), None).unwrap();
        }
    };
    let in_python = |who: u64| {
        let mut client = Python::new(proxies[who as usize].address(), served.token());
        for number in 0..each {
            let added = client.ask(&json!({"op": "add", "id": "sum", "by": 1}));
            assert!(added["header"]["content"].is_i64(), "{added}");
            let put =
                client.ask(&json!({"op": "put", "id": "queue", "hex": hexadecimal(&message(who, number))}));
            assert_eq!(put["header"]["put"], 1, "{put}");
        }
    };
    let count = || {
        let mut next = [0; CLIENTS as usize];
        for _ in 0..CLIENTS * each {
            let found = queue.get(Some(FOR_EVER)).unwrap().bytes;
            let who = u64::from_le_bytes(found[..8].try_into().unwrap());
            let number = u64::from_le_bytes(found[8..].try_into().unwrap());
            assert_eq!(number, next[who as usize], "the next message of client {who}");
            next[who as usize] += 1;
        }
        assert!(queue.try_get().unwrap().is_none());
    };
    let work = (0..CLIENTS).map(|who| {
        let work: Box<dyn FnOnce() + Send> =
            if who == 0 { Box::new(move || in_python(who)) } else { Box::new(move || in_rust(who)) };
        work
    });
    let counting: Box<dyn FnOnce() + Send> = Box::new(count);
    all_in_time(work.chain([counting]));
    assert_eq!(sum.load(), (CLIENTS * each) as i64);
    let connections: Vec<_> = proxies.iter().map(Proxy::connections).collect();
    println!("{} adds and as many puts over {connections:?} connections", CLIENTS * each);
    assert!(connections.iter().all(|count| *count > each / 200), "the network was not bad");
}

/// One `add`, over a connection that is treated so, and whatever connections follow.
fn add_once(served: &Served, sum: &Value<i64>, first: Plan) {
    let before = sum.load();
    let proxy = Proxy::new(served.address(), move |n| if n == 0 { first } else { Plan::default() });
    let client = served.remote_by(proxy.address());
    assert_eq!(client.value("sum").add(&1_i64).unwrap(), before + 1, "{first:?}");
    assert_eq!(sum.load(), before + 1, "{first:?}");
}

#[test]
fn a_cut_at_any_byte_of_a_request_or_an_answer_loses_and_repeats_nothing() {
    const AT_ONCE: usize = 4;
    let plain = Served::new(|host| host);
    let proxy = Proxy::new(plain.address(), |_| Plan::default());
    Value::<i64>::create(&plain.space, "sum", 0).unwrap();
    plain.remote_by(proxy.address()).value("sum").add(&1_i64).unwrap();
    let [request, answer] = proxy.passed();
    println!("cut after 1 to {request} bytes of the request and 1 to {answer} of the answer");
    let one_in_turn = |first: usize| {
        let served = Served::new(|host| host);
        let sum = Value::<i64>::create(&served.space, "sum", 0).unwrap();
        for cut in (1 + first as u64..=request).step_by(AT_ONCE) {
            let end = if cut % 3 == 0 { End::Reset } else { End::Close };
            add_once(&served, &sum, Plan { cut_request: Some(cut), end, ..Plan::default() });
        }
        for cut in (1 + first as u64..=answer).step_by(AT_ONCE) {
            let end = if cut % 3 == 0 { End::Reset } else { End::Close };
            add_once(&served, &sum, Plan { cut_answer: Some(cut), end, ..Plan::default() });
        }
    };
    all_in_time((0..AT_ONCE).map(|first| {
        let work: Box<dyn FnOnce() + Send> = Box::new(move || one_in_turn(first));
        work
    }));
}

#[test]
fn texts_written_through_a_bad_network_never_tear() {
    const LENGTHS: [usize; 3] = [7, 900, 60_000];
    let served = Served::new(|host| host);
    let text = Text::create(&served.space, "text", 65_536).unwrap();
    let over = AtomicBool::new(false);
    let looks = || {
        let mut seen = 0;
        while !over.load(Ordering::Acquire) {
            let (found, version) = text.read().unwrap();
            assert!(found.bytes().all(|byte| Some(byte) == found.bytes().next()), "a torn text");
            assert!(found.is_empty() || LENGTHS.contains(&found.len()), "{} bytes", found.len());
            seen = version.max(seen);
            let _ = text.wait_newer(version, Some(Duration::from_millis(20)));
        }
    };
    let writes = |who: u64| {
        let mut chance = Chance::new(who + 100);
        let proxy = Proxy::new(served.address(), move |_| Plan {
            cut_request: Some(500 + chance.below(150_000)),
            end: if chance.below(2) == 0 { End::Reset } else { End::Close },
            piece: if chance.below(2) == 0 { 1400 } else { 0 },
            ..Plan::default()
        });
        let client = served.remote_by(proxy.address());
        let text = client.text("text");
        for number in 0..60 * scale() {
            let letter = char::from(b'a' + (number + who) as u8 % 26).to_string();
            text.write(&letter.repeat(LENGTHS[number as usize % 3])).unwrap();
            let (found, _) = text.read().unwrap();
            assert!(
                found.bytes().all(|byte| Some(byte) == found.bytes().next()),
                "a torn text, over the network"
            );
        }
    };
    let writers = || {
        thread::scope(|scope| {
            let writers: Vec<_> = (0..3).map(|who| scope.spawn(move || writes(who))).collect();
            let outcomes: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
            over.store(true, Ordering::Release);
            for outcome in outcomes {
                outcome.expect("the writer's own message stands above");
            }
        });
    };
    let work: [Box<dyn FnOnce() + Send>; 2] = [Box::new(looks), Box::new(writers)];
    all_in_time(work);
}

#[test]
fn a_connection_that_falls_silent_is_found_within_ten_seconds() {
    let served = Served::new(|host| host);
    let sum = Value::<i64>::create(&served.space, "sum", 0).unwrap();
    // The hello and its answer pass; later answers do not arrive, and nobody says so.
    let proxy = Proxy::new(served.address(), |n| {
        if n == 0 {
            Plan { cut_answer: Some(900), end: End::Silence, ..Plan::default() }
        } else {
            Plan::default()
        }
    });
    let client = served.remote_by(proxy.address());
    let start = std::time::Instant::now();
    for _ in 0..50 {
        client.value("sum").add(&1_i64).unwrap();
    }
    let took = start.elapsed();
    assert_eq!((sum.load(), proxy.connections()), (50, 2));
    assert!(took < Duration::from_secs(20), "it took {took:?}");
    println!("a silent connection was given up, and all was done after {took:.1?}");
}

/// Not a test: the host that `a_host_that_is_killed…` starts and kills.
#[test]
fn host_process() {
    served::serve_if_ordered();
}

#[test]
fn a_host_that_is_killed_comes_back_as_it_was_and_clients_go_on() {
    const CLIENTS: u64 = 20;
    let directory = tempfile::tempdir().unwrap();
    let place: PathBuf = directory.path().join("space");
    let space = Space::at(&place).unwrap();
    let sums: Vec<_> =
        (0..CLIENTS).map(|who| Value::<i64>::create(&space, &format!("sum/{who}"), 0).unwrap()).collect();
    let note = Text::create(&space, "note", 100).unwrap();
    let version = note.write("before").unwrap();
    let mut host = HostProcess::start(&place, served::free_port());
    let (address, token) = (host.address, host.token.clone());
    let rounds = 3 * scale();
    let over = AtomicBool::new(false);
    let adds = |who: u64| {
        let client = Client::connect(&address.to_string(), Options::new().token(&token).remote()).unwrap();
        let value = client.value(&format!("sum/{who}"));
        let (mut done, mut unknown) = (0_i64, 0_i64);
        while !over.load(Ordering::Acquire) {
            match value.add(&1_i64) {
                Ok(_) => done += 1,
                Err(Error::OutcomeUnknown { .. }) => unknown += 1,
                Err(error) => panic!("client {who}: {error}"),
            }
        }
        let sum = sums[who as usize].load();
        assert!(
            (done..=done + unknown).contains(&sum),
            "client {who}: {done} done and {unknown} unknown, but the sum is {sum}"
        );
        assert!(unknown <= rounds as i64, "client {who} lost more than one each time: {unknown}");
        assert_eq!(client.text("note").read().unwrap(), ("before".into(), version));
        (done, unknown)
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|who| scope.spawn(move || adds(who))).collect();
        for _ in 0..rounds {
            let before: Vec<_> = sums.iter().map(Value::load).collect();
            let moved = || sums.iter().zip(&before).all(|(sum, before)| sum.load() > *before + 20);
            wait_until(moved, "every client adds");
            host.child.kill().unwrap();
            host.child.wait().unwrap();
            host = HostProcess::start(&place, address.port());
            assert_eq!(host.token, token, "the token is the same");
        }
        let before: Vec<_> = sums.iter().map(Value::load).collect();
        wait_until(
            || sums.iter().zip(&before).all(|(sum, before)| sum.load() > *before),
            "every client goes on",
        );
        over.store(true, Ordering::Release);
        let counts: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        let (done, unknown) = counts.iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
        println!("{rounds} kills: {done} adds were answered, {unknown} are unknown");
    });
}

/// Looks again and again, for there is nothing to wait for across all of them.
fn wait_until(mut is_so: impl FnMut() -> bool, what: &str) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < FOR_EVER, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
