//! Processes that die holding something.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const DIRECTORY: &str = "MEMLANE_TEST_DIRECTORY";
const HOLDS: &str = "MEMLANE_TEST_HOLDS";

/// Not a test of its own: the process that [`holder`] starts, which holds something until it is killed.
#[test]
fn holds_until_it_is_killed() {
    let (Ok(directory), Ok(what)) = (std::env::var(DIRECTORY), std::env::var(HOLDS)) else { return };
    let space = Space::at(directory).unwrap();
    let hold = || {
        println!("\nholds");
        loop {
            std::thread::park();
        }
    };
    match what.as_str() {
        "lock" => {
            let lock = memlane::Lock::open(&space, "x").unwrap();
            let _guard = lock.lock().unwrap();
            hold();
        }
        "rwlock" => {
            let lock = memlane::RwLock::open(&space, "x").unwrap();
            let _guard = lock.write(None).unwrap();
            hold();
        }
        "semaphore" => {
            let semaphore = memlane::Semaphore::open(&space, "x").unwrap();
            let _permit = semaphore.acquire(1, None).unwrap();
            hold();
        }
        "message" => {
            let queue = memlane::Queue::open(&space, "x").unwrap();
            let _lease = queue.lease(None).unwrap();
            hold();
        }
        "end" => {
            let _end = memlane::PipeEnd::open(&space, "x", memlane::Side::Left).unwrap();
            hold();
        }
        "publisher" => {
            let _publisher = memlane::FramePublisher::open(&space, "x").unwrap();
            hold();
        }
        other => panic!("nobody holds {other}"),
    }
}

/// A process that holds something.
struct Holder(Child);

impl Holder {
    fn start(ground: &Ground, what: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "host::service::tests::deaths::holds_until_it_is_killed", "--nocapture"])
            .env(DIRECTORY, ground.directory.path())
            .env(HOLDS, what)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line == "holds"));
        Self(child)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What waits for what a process holds gets it when the process is killed.
async fn inherits(ground: &Ground, what: &str, make: Value, wait: Value) -> Done {
    let session = ground.session();
    session.ok(make).await;
    if what == "message" {
        session.ask_with(json!({"op": "put", "id": "x"}), b"m").await.unwrap();
    }
    let mut holder = Holder::start(ground, what);
    let mut short = wait.clone();
    short["timeout"] = json!(0.02);
    assert_eq!(session.refused(short).await, "timeout", "{what}");
    let waiting = session.asking(wait);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished(), "{what}");
    holder.kill();
    let done = soon(what, waiting).await.unwrap().unwrap();
    session.leases.end();
    done
}

#[tokio::test]
async fn the_next_owner_of_a_lock_is_told() {
    for (what, kind) in [("lock", "lock"), ("rwlock", "rwlock")] {
        let ground = Ground::new();
        let make = json!({"op": "create", "id": "x", "kind": kind});
        let done = inherits(&ground, what, make, json!({"op": "lock", "id": "x"})).await;
        assert_eq!(done.fields["owner_died"], true, "{what}");
    }
}

#[tokio::test]
async fn permits_and_messages_of_the_dead_return() {
    let ground = Ground::new();
    let make = json!({"op": "create", "id": "x", "kind": "semaphore"});
    inherits(&ground, "semaphore", make, json!({"op": "acquire", "id": "x"})).await;
    let ground = Ground::new();
    let make = json!({"op": "create", "id": "x", "kind": "queue", "capacity": 4096, "acknowledged": true});
    let done = inherits(&ground, "message", make, json!({"op": "get", "id": "x"})).await;
    assert_eq!((&done.payload[..], &done.fields["messages"][0]["redelivered"]), (&b"m"[..], &json!(1)));
}

#[tokio::test]
async fn the_other_end_and_the_next_publisher_go_on() {
    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "x", "kind": "pipe", "capacity": 4096})).await;
    let mut holder = Holder::start(&ground, "end");
    let right = session.lease(json!({"op": "take_end", "id": "x", "end": "right"})).await;
    let waiting = session.asking(json!({"op": "receive", "lease": right}));
    until("the wait", || ground.service.watchers.things() == 1).await;
    holder.kill();
    assert_eq!(soon("the end", waiting).await.unwrap().unwrap_err().code, "end_of_pipe");

    let ground = Ground::new();
    let session = ground.session();
    session.ok(json!({"op": "create", "id": "x", "kind": "frames", "capacity": 8})).await;
    let mut holder = Holder::start(&ground, "publisher");
    assert_eq!(session.refused(json!({"op": "publish", "id": "x"})).await, "publisher_exists");
    holder.kill();
    assert_eq!(
        session.ask_with(json!({"op": "publish", "id": "x"}), b"abc").await.unwrap().fields["sequence"],
        1
    );
}
