//! Each operation against a real space, its success and its errors.

mod cells;
mod deaths;
mod hostile;
mod locks;
mod looking;
mod messages;
mod signals;
mod subscriptions;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use memlane::Space;
use serde_json::{Value, json};

use super::{Done, Outcome, Service};
use crate::host::lease::Leases;
use crate::protocol::operation::Operation;

/// Long for a machine, short for who waits for the test.
const SOON: Duration = Duration::from_secs(20);

/// A space, and a host's service of it.
struct Ground {
    directory: tempfile::TempDir,
    space: Space,
    service: Arc<Service>,
}

/// A session, as far as a service knows one.
#[derive(Clone)]
struct Session {
    service: Arc<Service>,
    leases: Arc<Leases>,
}

impl Ground {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let space = Space::at(directory.path()).unwrap();
        Self { service: Service::new(space.clone()), space, directory }
    }

    fn session(&self) -> Session {
        Session { service: Arc::clone(&self.service), leases: Arc::default() }
    }
}

impl Session {
    async fn ask(&self, operation: Value) -> Outcome {
        self.ask_with(operation, b"").await
    }

    async fn ask_with(&self, operation: Value, payload: &[u8]) -> Outcome {
        let operation = serde_json::from_value::<Operation>(operation).expect("it is an operation");
        self.service.perform(&self.leases, operation, Bytes::copy_from_slice(payload)).await
    }

    /// The fields of what has to work.
    async fn ok(&self, operation: Value) -> Value {
        let asked = operation.clone();
        match self.ask(operation).await {
            Ok(Done { fields, .. }) => Value::Object(fields),
            Err(fault) => panic!("{asked}: {}: {fault}", fault.code),
        }
    }

    /// The code of what has to fail.
    async fn refused(&self, operation: Value) -> String {
        let asked = operation.clone();
        match self.ask(operation).await {
            Ok(done) => panic!("{asked}: {done:?}"),
            Err(fault) => fault.code,
        }
    }

    /// Asks in a task of its own, which is aborted when it is dropped.
    fn asking(&self, operation: Value) -> tokio::task::JoinHandle<Outcome> {
        let session = self.clone();
        tokio::spawn(async move { session.ask(operation).await })
    }

    async fn lease(&self, operation: Value) -> u64 {
        self.ok(operation).await["lease"].as_u64().expect("there is a lease")
    }
}

/// Waits until something is so; others go on meanwhile.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let so = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(what, so).await;
}

/// What has to come to its end.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}
