//! What happened so far, counted for Prometheus and for `status`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The host's counters; they only grow.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    events: AtomicU64,
    drops: AtomicU64,
    connections: AtomicU64,
    refusals: AtomicU64,
    /// By operation, then by outcome: `ok`, or a fault's code.
    requests: Mutex<BTreeMap<String, BTreeMap<String, u64>>>,
}

/// What there is at the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) connections: usize,
    pub(super) sessions: usize,
    pub(super) leases: usize,
    pub(super) subscriptions: usize,
}

impl Metrics {
    pub(super) fn received(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.bytes_out.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// A connection, a hello or an HTTP request was refused.
    pub(super) fn refused(&self) {
        self.refusals.fetch_add(1, Relaxed);
    }

    /// An event was sent, and so much was left out before it.
    pub(super) fn delivered(&self, dropped: u64) {
        self.events.fetch_add(1, Relaxed);
        self.drops.fetch_add(dropped, Relaxed);
    }

    /// A request was answered.
    pub(super) fn answered(&self, operation: &str, outcome: &str) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = requests.get_mut(operation).and_then(|outcomes| outcomes.get_mut(outcome)) {
            *count += 1;
            return;
        }
        *requests.entry(operation.into()).or_default().entry(outcome.into()).or_default() += 1;
    }

    /// Names and values of the counters without labels.
    pub(super) fn totals(&self) -> [(&'static str, &'static str, u64); 6] {
        let load = |counter: &AtomicU64| counter.load(Relaxed);
        [
            ("bytes_in", "Bytes received.", load(&self.bytes_in)),
            ("bytes_out", "Bytes sent.", load(&self.bytes_out)),
            ("events", "Events sent to subscribers.", load(&self.events)),
            ("drops", "Frames and records that subscribers did not get.", load(&self.drops)),
            ("accepted", "Connections accepted.", load(&self.connections)),
            ("refused", "Connections, hellos and HTTP requests refused.", load(&self.refusals)),
        ]
    }

    /// All of it in the text format of Prometheus.
    pub(super) fn exposition(&self, level: Level) -> String {
        let mut text = String::new();
        let gauges = [
            ("connections", "Connections at the moment.", level.connections),
            ("sessions", "Sessions, those without a connection among them.", level.sessions),
            ("leases", "What sessions hold.", level.leases),
            ("subscriptions", "Subscriptions at the moment.", level.subscriptions),
        ];
        for (name, help, value) in gauges {
            let _ = writeln!(
                text,
                "# HELP memlane_{name} {help}\n# TYPE memlane_{name} gauge\nmemlane_{name} {value}"
            );
        }
        for (name, help, value) in self.totals() {
            let name = format!("memlane_{name}_total");
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}");
        }
        let name = "memlane_requests_total";
        let _ = writeln!(text, "# HELP {name} Requests by operation and outcome.\n# TYPE {name} counter");
        for (operation, outcomes) in &*self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            for (outcome, count) in outcomes {
                let _ = writeln!(text, "{name}{{op=\"{operation}\",outcome=\"{outcome}\"}} {count}");
            }
        }
        text
    }
}
