//! The original manager's protocol: every split of every request, its exact words, its traps, and the company
//! of programs that know nothing of memlane.

#[path = "../../../memlane-interop/tests/peers/mod.rs"]
mod peers;

mod bridge;
mod client;
mod host;
mod request;

use memlane_interop::Name;
use memlane_net::legacy::{Host, Limits, Options};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Far beyond anything but a hang, also on a machine with much else to do.
const DEADLINE: Duration = Duration::from_secs(30);

/// A host and what it runs on.
struct Served {
    runtime: Runtime,
    host: Host,
    address: String,
}

impl Served {
    fn start(name: Name, limits: Limits) -> Self {
        let runtime = Runtime::new().unwrap();
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let options = Options { listen, name: Some(name), limits };
        let host = runtime.block_on(Host::start(options)).unwrap();
        let address = host.address().to_string();
        Self { runtime, host, address }
    }

    fn socket_address(&self) -> SocketAddr {
        self.host.address()
    }

    fn stop(self) {
        self.runtime.block_on(self.host.stop()).unwrap();
    }
}

/// Where no program but this one looks.
fn private_name() -> (TempDir, Name) {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let name = Name::in_directory(directory.path(), "psm_test").unwrap();
    (directory, name)
}

/// A name where foreign programs look; what bears it goes with the test.
struct SharedName(Name);

fn shared_name() -> SharedName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let text = format!("memlane-test-legacy-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
    SharedName(Name::new(&text).unwrap())
}

impl Drop for SharedName {
    fn drop(&mut self) {
        for prefix in ["", ".memlane-keep-", ".memlane-owner-"] {
            let _ = std::fs::remove_file(self.0.directory().join(format!("{prefix}{}", self.0.text())));
        }
    }
}

fn await_true(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "it never came true");
        std::thread::sleep(Duration::from_millis(1));
    }
}
