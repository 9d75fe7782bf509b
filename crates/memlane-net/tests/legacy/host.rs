//! Our host: what clients of any kind get from it.

use crate::{DEADLINE, Served, await_true, peers, private_name, shared_name};
use memlane_interop::text_block::TextBlock;
use memlane_net::legacy::{Client, Error, Host, Limits, Options};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// A bare connection, past its metadata.
struct Bare(TcpStream);

impl Bare {
    fn connect(served: &Served) -> Self {
        let stream = TcpStream::connect(served.socket_address()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut bare = Self(stream);
        bare.expect(&format!("{} 4096 0 4095 0 5\n", served.host.name().text()));
        bare
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    fn expect(&mut self, reply: &str) {
        let mut found = vec![0; reply.len()];
        self.0.read_exact(&mut found).unwrap();
        assert_eq!(String::from_utf8_lossy(&found), reply);
    }

    /// The host has closed it, without another word.
    fn expect_end(&mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => assert_eq!(String::from_utf8_lossy(&rest), ""),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

fn served() -> (tempfile::TempDir, Served) {
    let (directory, name) = private_name();
    (directory, Served::start(name, Limits::default()))
}

#[test]
fn the_text_is_read_and_written() {
    let (_directory, served) = served();
    let mut client = Bare::connect(&served);
    client.send("READ\n");
    client.expect("OK \n");
    client.send("WRITE 13\n你好\n世界\n");
    client.expect("OK\n");
    client.send("READ\n");
    client.expect("OK 你好\n世界\n");
    assert_eq!(served.host.block().read().unwrap(), "你好\n世界");
}

#[test]
fn errors_have_the_original_s_words() {
    let (_directory, served) = served();
    let mut client = Bare::connect(&served);
    client.send(format!("WRITE 5000\n{}\n", "a".repeat(5000)));
    client.expect("ERROR 文本太长: 5000 > 4091 bytes\n");
    client.send(format!("WRITE 100000\n{}\n", "a".repeat(100_000)));
    client.expect("ERROR 文本太长: 100000 > 4091 bytes\n");
    client.send("WRITE abc\n");
    client.expect("ERROR invalid literal for int() with base 10: 'abc'\n");
    client.send(b"WRITE 2\n\xe4\xbd\n");
    client.expect("ERROR the content is not UTF-8 from byte 0 on; nothing was written\n");
    client.send(b"WRITE 3\na\0b\n");
    client.expect("ERROR the text has a NUL at byte 1");
    let mut client = Bare::connect(&served);
    client.send("WRITE 10\nhalf");
    client.0.shutdown(Shutdown::Write).unwrap();
    client.expect("ERROR 连接中断\n");
    client.expect_end();
    assert_eq!(served.host.block().read().unwrap(), "");
}

#[test]
fn a_lock_that_is_never_given_back_is_told_in_the_original_s_words() {
    let (_directory, served) = served();
    File::options().write(true).open(served.host.name().path()).unwrap().write_all_at(&[1], 0).unwrap();
    let mut client = Bare::connect(&served);
    client.send("READ\nWRITE 1\nx\n");
    client.expect("ERROR 获取锁超时（5.0秒）\nERROR 获取锁超时（5.0秒）\n");
}

#[test]
fn what_is_no_request_has_no_answer() {
    let (_directory, served) = served();
    let mut client = Bare::connect(&served);
    client.send("read\nDONE\nSYNC_UPDATE\n\n\0\nREAD\n");
    client.expect("OK \n");
    client.0.shutdown(Shutdown::Write).unwrap();
    client.expect_end();
}

/// Trap: the original answers none of these.
#[test]
fn requests_in_pieces_and_in_heaps_are_answered() {
    let (_directory, served) = served();
    let mut client = Bare::connect(&served);
    for byte in "WRITE 6\r\n你好\r\nREAD\r\n".bytes() {
        client.send([byte]);
    }
    client.expect("OK\nOK 你好\n");
    client.send("READ\n".repeat(1000));
    client.expect(&"OK 你好\n".repeat(1000));
    client.send("WRITE 1\nxWRITE 1\ny\nREAD\n");
    client.expect("OK\nOK\nOK y\n");
}

#[test]
fn a_read_without_a_line_end_is_answered_after_a_moment_or_at_the_end() {
    let (_directory, served) = served();
    let mut client = Bare::connect(&served);
    client.send("READ");
    client.expect("OK \n");
    client.send("\nREAD");
    client.expect("OK \n");
    client.send("READ");
    client.0.shutdown(Shutdown::Write).unwrap();
    client.expect("OK \n");
    client.expect_end();
}

#[test]
fn a_flood_is_refused_and_ends_the_connection() {
    let (_directory, served) = served();
    let mut client = Bare::connect(&served);
    client.send("WRITE 99999999999\n");
    client.expect("ERROR 文本太长: 99999999999 > 4091 bytes\n");
    client.expect_end();
    Bare::connect(&served);
}

#[test]
fn whoever_dribbles_is_closed_and_whoever_is_silent_stays() {
    let (_directory, name) = private_name();
    let limits = Limits { patience: Duration::from_millis(300), ..Limits::default() };
    let served = Served::start(name, limits);
    let mut silent = Bare::connect(&served);
    let mut dribbling = Bare::connect(&served);
    let started = Instant::now();
    // A byte at a time, each in time by itself.
    while started.elapsed() < DEADLINE && dribbling.0.write_all(b"W").is_ok() {
        thread::sleep(Duration::from_millis(20));
    }
    assert!((limits.patience..DEADLINE).contains(&started.elapsed()));
    silent.send("READ\n");
    silent.expect("OK \n");
}

#[test]
fn whoever_does_not_take_replies_is_closed() {
    let (_directory, name) = private_name();
    let served = Served::start(name, Limits { patience: Duration::from_millis(300), ..Limits::default() });
    served.host.block().write(&"界".repeat(1363)).unwrap();
    let mut client = Bare::connect(&served);
    client.0.set_write_timeout(Some(DEADLINE)).unwrap();
    // Until the replies fill every buffer on the way, and then the requests do.
    let error = loop {
        if let Err(error) = client.0.write_all(&b"READ\n".repeat(1000)) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
}

#[test]
fn connections_beyond_the_limit_are_closed_and_places_return() {
    let (_directory, name) = private_name();
    let served = Served::start(name, Limits { connections_per_address: 2, ..Limits::default() });
    let first = Bare::connect(&served);
    let _second = Bare::connect(&served);
    let mut third = Bare(TcpStream::connect(served.socket_address()).unwrap());
    third.expect_end();
    drop(first);
    await_true(|| {
        let mut stream = TcpStream::connect(served.socket_address()).unwrap();
        stream.read(&mut [0]).is_ok_and(|count| count == 1)
    });
}

#[test]
fn many_clients_are_served_and_the_loss_of_some_is_not_noticed() {
    let (_directory, served) = served();
    thread::scope(|scope| {
        for number in 0..20 {
            let served = &served;
            scope.spawn(move || {
                let mut client = Bare::connect(served);
                for _ in 0..5 {
                    if number % 4 == 0 {
                        client.send("WRITE 100\nlost in the middle");
                        client = Bare::connect(served);
                    }
                    client.send("WRITE 9\n共享内\n");
                    client.expect("OK\n");
                    client.send("READ\n");
                    client.expect("OK 共享内\n");
                }
            });
        }
    });
    assert_eq!(served.host.block().read().unwrap(), "共享内");
}

#[test]
fn stopping_closes_everything_and_removes_the_block() {
    let (directory, served) = served();
    let address = served.socket_address();
    let mut client = Bare::connect(&served);
    served.stop();
    client.expect_end();
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_host_that_is_dropped_leaves_nothing_either() {
    let (directory, served) = served();
    drop(served);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn names_and_ports_that_are_taken_are_told() {
    let (_directory, served) = served();
    let runtime = Runtime::new().unwrap();
    let again = |options| runtime.block_on(Host::start(options)).unwrap_err();
    let name = Some(served.host.name().clone());
    assert!(matches!(again(Options { name, ..Options::default() }), Error::Block(_)));
    let error = again(Options { listen: served.socket_address(), ..Options::default() });
    assert!(matches!(error, Error::Listen { .. }), "{error}");
    let spaced = memlane_interop::Name::new("a b").unwrap();
    assert!(matches!(
        again(Options { name: Some(spaced), ..Options::default() }),
        Error::UnusableName { .. }
    ));
}

/// Trap: a Python before 3.13 removes what its process attached.
#[test]
fn the_block_s_name_comes_back_when_another_program_removes_it() {
    let name = shared_name();
    let served = Served::start(name.0.clone(), Limits::default());
    let script = "../memlane-interop/tests/peers/text_block.py";
    let Some(mut visitor) = peers::python(script, &[name.0.text(), "attach"]) else { return };
    assert_eq!(visitor.hear(), "ready");
    served.host.block().write("stays").unwrap();
    visitor.finish();
    fs::remove_file(name.0.path()).ok(); // its tracker may be slower than this test
    await_true(|| name.0.path().exists());
    assert_eq!(TextBlock::attach(&name.0).unwrap().read().unwrap(), "stays");
    let client = Client::connect(&served.address, name.0.text());
    assert_eq!(served.runtime.block_on(client).unwrap().mode(), memlane_net::legacy::Mode::Local);
}

#[test]
fn an_original_client_is_served() {
    let (_directory, served) = served();
    let port = served.socket_address().port().to_string();
    let Some(mut client) = peers::python("tests/peers/original_client.py", &[&port, "psm_test"]) else {
        return;
    };
    assert_eq!(client.hear(), "ready");
    let long = "行\n".repeat(1000);
    for (request, reply) in [
        ("null".to_owned(), r#""OK \n""#.to_owned()),
        (r#""共享\n内存""#.to_owned(), r#""OK\n""#.to_owned()),
        ("null".to_owned(), r#""OK 共享\n内存\n""#.to_owned()),
        (format!("\"{}\"", long.replace('\n', "\\n")), r#""OK\n""#.to_owned()),
        ("null".to_owned(), format!("\"OK {}\"", long.replace('\n', "\\n"))),
        (format!("\"{}\"", "a".repeat(5000)), r#""ERROR 文本太长: 5000 > 4091 bytes\n""#.to_owned()),
    ] {
        writeln!(client.input, "{request}").unwrap();
        assert_eq!(client.hear(), reply);
    }
    client.finish();
}
