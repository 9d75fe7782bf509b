//! How a host starts, stops and starts again.

use memlane::Space;
use memlane_net::host::{Host, HostError, Tls};
use serde_json::json;
use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::client::{Client, stream};
use crate::served::{HostProcess, Served, free_port};

/// An address that was free a moment ago.
fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], free_port()).into()
}

#[test]
fn a_stop_is_told_to_everybody_within_a_second() {
    let served = Served::new(|host| host);
    let mut clients: Vec<_> = (0..20).map(|_| served.client()).collect();
    let mut stranger = Client::connect(served.address());
    // One that does not read does not hold it up.
    let deaf = served.client();
    let secret = served.space.directory().join(".memlane").join(&stranger.hello.secret);
    assert!(secret.exists());
    let (began, address) = (Instant::now(), served.address());
    served.host.stop().unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    for client in clients.iter_mut().chain([&mut stranger]) {
        assert_eq!(client.hear().0["refused"]["code"], "shutting_down");
        assert_eq!(u16::from(client.closed().code), 1001);
    }
    assert!(!secret.exists() && std::net::TcpStream::connect(address).is_err());
    drop(deaf);
}

#[test]
fn a_host_that_starts_again_has_the_same_tokens_and_certificate_and_another_secret() {
    let directory = tempfile::tempdir().unwrap();
    let space = Space::at(directory.path().join("space")).unwrap();
    let address = free_address();
    let start = || Host::new(space.clone()).listen(address).tls(Tls::self_made()).start().unwrap();
    let secret =
        || fs::read_to_string(space.directory().join(format!(".memlane/host-{}", address.port()))).unwrap();
    let first = start();
    let (tokens, fingerprint, first_secret) =
        (first.tokens().clone(), first.fingerprint().map(str::to_owned), secret());
    assert_ne!(tokens.read_write(), tokens.read_only());
    first.stop().unwrap();
    let second = start();
    assert!(*second.tokens() == tokens && second.fingerprint() == fingerprint.as_deref());
    assert_ne!(secret(), first_secret);
    for file in fs::read_dir(space.directory().join(".memlane")).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{file:?}");
    }
    let taken = Host::new(space.clone()).listen(address).start();
    assert!(matches!(taken, Err(HostError::Listen(..))));
    second.stop().unwrap();
}

#[test]
fn tokens_that_others_could_have_written_are_not_taken() {
    let directory = tempfile::tempdir().unwrap();
    let space = Space::at(directory.path().join("space")).unwrap();
    let address = free_address();
    let file = space.directory().join(format!(".memlane/tokens-{}", address.port()));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "read-write well-known-token\n").unwrap();
    let running = Host::new(space).listen(address).start().unwrap();
    assert_ne!(running.tokens().read_write(), Some("well-known-token"), "the file was readable for all");
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_host_that_was_killed_starts_again_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let (space, address) = (directory.path().join("space"), free_address());
    let host = HostProcess::start(&space, address.port());
    let tokens = || fs::read_to_string(space.join(format!(".memlane/tokens-{}", address.port()))).unwrap();
    let (before, mut clients) = (tokens(), Vec::new());
    for _ in 0..10 {
        clients.push(Client::connect(address));
    }
    let port = host.kill();
    let _next = HostProcess::start(&space, port);
    assert_eq!(tokens(), before);
    let mut client = Client::connect(address);
    assert_ne!(client.hello.instance, clients[0].hello.instance);
    let token = before.lines().next().unwrap().split_once(' ').unwrap().1;
    client.enter(json!({"token": token}));
}

#[test]
fn another_user_cannot_read_what_lets_in() {
    let served = Served::new(|host| host);
    let client = Client::connect(served.address());
    let secret = served.space.directory().join(".memlane").join(&client.hello.secret);
    // The way there is open to all, so that it is the file itself that keeps them out.
    for folder in secret.ancestors().skip(1).take_while(|folder| folder.starts_with(served.directory.path()))
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let as_nobody = |program: &str| {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", program];
        Command::new("setpriv").args(nobody).arg(&secret).output()
    };
    match as_nobody("stat") {
        Ok(looked) if looked.status.success() => {
            let read = as_nobody("cat").unwrap();
            assert!(!read.status.success() && read.stdout.is_empty(), "{read:?}");
        }
        _ => eprintln!("LEFT OUT: another user's view of the secret (setpriv, by root)"),
    }
}

#[test]
fn with_a_certificate_nobody_is_heard_in_the_clear() {
    let served = Served::new(|host| host.tls(Tls::self_made()));
    assert_eq!(served.host.fingerprint().map(str::len), Some(64));
    let mut stream = stream(served.address());
    std::io::Write::write_all(&mut stream, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
}
