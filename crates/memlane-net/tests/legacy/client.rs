//! Our client: against our host, against the original, and against what is neither.

use crate::peers::PythonPeer;
use crate::{DEADLINE, Served, peers, private_name, shared_name};
use memlane_interop::text_block::{self, TextBlock};
use memlane_net::legacy::{Client, Error, Limits, Mode};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// The stand-in for the original host, where there is Python.
fn original(name: &str, more: &[&str]) -> Option<(PythonPeer, String)> {
    let mut host = peers::python("tests/peers/original_host.py", &[&[name], more].concat())?;
    let ready = host.hear();
    let port = ready.strip_prefix("ready ").expect("it says its port");
    let address = format!("127.0.0.1:{port}");
    Some((host, address))
}

/// As to another machine's host.
async fn remote(address: &str, name: &str) -> Client {
    let mut client = Client::connect(address, name).await.unwrap();
    client.use_network();
    client
}

#[test]
fn a_block_in_this_machine_s_memory_is_used_directly() {
    let name = shared_name();
    let served = Served::start(name.0.clone(), Limits::default());
    served.runtime.block_on(async {
        let mut client = Client::connect(&served.address, name.0.text()).await.unwrap();
        assert_eq!((client.mode(), client.is_locked()), (Mode::Local, Some(false)));
        assert!(client.why().contains("in this machine's memory"), "{}", client.why());
        client.write("共享\n").await.unwrap();
        assert_eq!(client.read().await.unwrap(), "共享");
        assert_eq!(client.write_if("共享", "二").await.unwrap(), Ok(()));
        assert_eq!(client.write_if("共享", "三").await.unwrap(), Err("二".to_owned()));
    });
    assert_eq!(served.host.block().read().unwrap(), "二");
}

#[test]
fn a_block_that_is_not_here_is_reached_over_the_network() {
    let (_directory, name) = private_name();
    let served = Served::start(name, Limits::default());
    served.runtime.block_on(async {
        let mut client = Client::connect(&served.address, "/psm_test").await.unwrap();
        assert_eq!((client.mode(), client.is_locked()), (Mode::Remote, None));
        assert!(client.why().contains("no block"), "{}", client.why());
        client.write("共享\n内存").await.unwrap();
        assert_eq!(client.read().await.unwrap(), "共享\n内存");
        assert_eq!(client.write_if("old", "new").await.unwrap(), Err("共享\n内存".to_owned()));
        assert_eq!(client.write_if("共享\n内存", "new").await.unwrap(), Ok(()));
        let too_long = client.write(&"a".repeat(4092)).await.unwrap_err();
        assert!(matches!(too_long, Error::Block(text_block::Error::TooLong { found: 4092 })));
        assert_eq!(client.read().await.unwrap(), "new", "the connection is as good as before");
    });
}

/// A failed attach never fails the connection, whatever bears the block's name here.
#[test]
fn what_is_no_block_is_left_for_the_network() {
    let name = shared_name();
    let (_directory, private) = private_name();
    let private = memlane_interop::Name::in_directory(private.directory(), name.0.text()).unwrap();
    let served = Served::start(private, Limits::default());
    std::fs::write(name.0.path(), [0; 100]).unwrap();
    let client = served.runtime.block_on(Client::connect(&served.address, name.0.text())).unwrap();
    assert_eq!(client.mode(), Mode::Remote);
    assert!(client.why().contains("100 bytes"), "{}", client.why());
}

#[test]
fn a_host_that_stops_is_noticed_in_both_modes() {
    let name = shared_name();
    let served = Served::start(name.0.clone(), Limits::default());
    let client = Runtime::new().unwrap();
    let mut local = client.block_on(Client::connect(&served.address, name.0.text())).unwrap();
    let mut over_network = client.block_on(remote(&served.address, name.0.text()));
    served.stop();
    for client_of_it in [&mut local, &mut over_network] {
        let error = client.block_on(async {
            loop {
                // The end of the connection may be on its way still.
                match client_of_it.read().await {
                    Ok(_) => tokio::task::yield_now().await,
                    Err(error) => return error,
                }
            }
        });
        assert!(matches!(error, Error::Closed { .. }), "{error}");
    }
}

#[tokio::test]
async fn the_original_host_is_read_and_written() {
    let name = shared_name();
    let Some((host, address)) = original(name.0.text(), &[]) else { return };
    for text in ["", "plain", "你好，世界", "first\nsecond\n\nfourth", &"界".repeat(1363)] {
        written_patiently(&address, name.0.text(), text).await;
        let mut client = remote(&address, name.0.text()).await;
        assert_eq!(client.read().await.unwrap(), text);
    }
    let local = Client::connect(&address, name.0.text()).await.unwrap();
    assert_eq!(local.mode(), Mode::Local);
    drop(local);
    host.finish();
}

/// On a machine that is too busy to take a header in time, header and content meet on the way: now and then, where a
/// client that sends them together always fails.
async fn written_patiently(address: &str, name: &str, text: &str) {
    for attempt in 0.. {
        match remote(address, name).await.write(text).await {
            Err(Error::Timeout { .. }) if attempt < 2 => {}
            written => return written.unwrap(),
        }
    }
}

/// Traps: what our client does not do, the original does not answer. So the stand-in deserves its name.
#[test]
fn the_stand_in_has_the_faults_of_the_original() {
    let name = shared_name();
    let Some((_host, address)) = original(name.0.text(), &[]) else { return };
    for request in ["WRITE 6\n你好\n", "READ\nREAD\n", "RE"] {
        let mut stream = TcpStream::connect(&address).unwrap();
        let mut byte = [0];
        while byte != *b"\n" {
            stream.read_exact(&mut byte).unwrap();
        }
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        assert!(stream.read(&mut [0]).is_err(), "{request:?} was answered");
    }
}

/// Trap: a reply cut behind an inner line end is not over.
#[tokio::test]
async fn replies_that_are_cut_are_read_to_their_end() {
    let name = shared_name();
    let Some((_host, address)) = original(name.0.text(), &["1"]) else { return };
    let mut client = remote(&address, name.0.text()).await;
    client.write("first\nsecond\nthird").await.unwrap();
    for _ in 0..5 {
        assert_eq!(client.read().await.unwrap(), "first\nsecond\nthird");
    }
}

/// Trap: what comes later than anybody can wait does not spoil the next reply.
#[tokio::test]
async fn late_bytes_are_dropped() {
    let name = shared_name();
    let Some((_host, address)) = original(name.0.text(), &["200"]) else { return };
    let block = TextBlock::attach(&name.0).unwrap();
    let mut client = remote(&address, name.0.text()).await;
    block.write("first\nlate").unwrap();
    assert_eq!(client.read().await.unwrap(), "first");
    block.write("second").unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await; // until the late bytes have come
    assert_eq!(client.read().await.unwrap(), "second");
}

/// A host that says a line and then nothing.
fn fake(line: &'static str) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let _ = stream.write_all(line.as_bytes());
        // Until the client leaves.
        while stream.read(&mut [0; 99]).is_ok_and(|count| count > 0) {}
    });
    (address, serving)
}

#[tokio::test]
async fn wrong_metadata_is_told_in_the_original_s_words() {
    for (line, words) in [
        ("psm 4096 0 4095 0\n", "无效的元数据格式"),
        ("psm 4096 0 4095 0 5 6\n", "无效的元数据格式"),
        ("HTTP/1.1 400 Bad Request\r\n", "无效的元数据格式"),
        ("other 4096 0 4095 0 5\n", "共享内存 ID 不匹配！"),
    ] {
        let (address, serving) = fake(line);
        let error = Client::connect(&address, "psm").await.unwrap_err();
        assert!(error.to_string().starts_with(words), "{line:?}: {error}");
        serving.join().unwrap();
    }
}

#[tokio::test]
async fn nobody_there_is_told() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let error = Client::connect(&unused, "psm").await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }) && error.to_string().contains(&unused), "{error}");
}

#[tokio::test]
async fn a_silent_host_is_given_up() {
    let (silent, _serving) = fake("");
    let (mute, _serving_too) = fake("psm 4096 0 4095 0 5\n");
    let mut client = Client::connect(&mute, "psm").await.unwrap();
    let started = Instant::now();
    let (metadata, reply) = tokio::join!(Client::connect(&silent, "psm"), client.read());
    let patience = |error: Error| match error {
        Error::Timeout { waited, .. } => waited.as_secs(),
        other => panic!("{other}"),
    };
    assert_eq!((patience(metadata.unwrap_err()), patience(reply.unwrap_err())), (15, 10));
    assert!(started.elapsed() >= Duration::from_secs(15));
    let error = client.write("x").await.unwrap_err();
    assert!(matches!(error, Error::Abandoned { .. }), "a late reply would be taken for its own: {error}");
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_reply_to_the_next() {
    let (mute, _serving) = fake("psm 4096 0 4095 0 5\n");
    let mut client = Client::connect(&mute, "psm").await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), client.read()).await.is_err());
    assert!(matches!(client.read().await.unwrap_err(), Error::Abandoned { .. }));
}
