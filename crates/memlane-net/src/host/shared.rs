//! What all connections of a host share.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

use super::access::Gate;
use super::connections::Connections;
use super::errand::Errand;
use super::lease::Leases;
use super::limits::Limits;
use super::metrics::{Level, Metrics};
use super::service::{Done, Service};
use super::sessions::Sessions;
use crate::protocol::fault::{self, Fault};
use crate::protocol::hello::{HostDescription, HostHello, secret_name};
use crate::protocol::operation::Operation;

/// A host while it serves.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) service: Arc<Service>,
    pub(super) gate: Gate,
    pub(super) limits: Limits,
    pub(super) sessions: Sessions,
    pub(super) connections: Arc<Connections>,
    pub(super) metrics: Arc<Metrics>,
    /// Whether the host stops.
    pub(super) stopping: watch::Sender<bool>,
    /// The machine's name.
    pub(super) host: String,
    pub(super) space: PathBuf,
    pub(super) port: u16,
    pub(super) began: Instant,
}

impl Shared {
    /// Does what a session may do, or refuses it.
    pub(super) async fn perform(
        &self,
        leases: &Leases,
        operation: Operation,
        payload: Bytes,
    ) -> Result<Done, Fault> {
        let lists_locks = matches!(operation, Operation::Locks { .. });
        let mut done = self.service.perform(leases, operation, payload).await?;
        self.gate.conceal(&mut done.fields);
        if lists_locks {
            self.name_holders(&mut done.fields);
        }
        Ok(done)
    }

    /// Says of locks that this process holds for which session it does.
    fn name_holders(&self, fields: &mut Map<String, Value>) {
        let own = Value::from(std::process::id());
        let mut holders = HashMap::new();
        for session in self.sessions.all() {
            let ids = session.leases.list().into_iter().map(|lease| lease.id);
            holders.extend(ids.map(|id| (id, session.clone())));
        }
        let rows = fields.get_mut("locks").and_then(Value::as_array_mut);
        for row in rows.into_iter().flatten() {
            let session = row.get("id").and_then(Value::as_str).and_then(|id| holders.get(id));
            let holder = row.get_mut("holder").and_then(Value::as_object_mut);
            if let (Some(session), Some(holder)) =
                (session, holder.filter(|holder| holder.get("pid") == Some(&own)))
            {
                let (client, from) = session.client();
                holder.insert("session".into(), session.name.clone().into());
                holder.insert("client".into(), client.into());
                holder.insert("from".into(), from.to_string().into());
            }
        }
    }

    /// What the host says first.
    pub(super) fn hello(&self, challenge: String) -> HostHello {
        HostHello {
            hello: HostDescription {
                protocol: crate::protocol::VERSION,
                memlane: env!("CARGO_PKG_VERSION").into(),
                host: self.host.clone(),
                instance: self.gate.instance.clone(),
                space: self.space.display().to_string(),
                secret: secret_name(self.port),
                challenge,
            },
        }
    }

    /// Until the host stops.
    pub(super) async fn stopped(&self) {
        // The sender is ours: it is not gone before we are.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// How the host does.
    pub(super) fn status(&self) -> Map<String, Value> {
        let level = self.level();
        let mut fields = Map::new();
        for (name, value) in [
            ("sessions", level.sessions),
            ("connections", level.connections),
            ("leases", level.leases),
            ("subscriptions", level.subscriptions),
        ] {
            fields.insert(name.into(), value.into());
        }
        fields.insert("uptime".into(), self.began.elapsed().as_secs_f64().into());
        fields.extend(self.metrics.totals().map(|(name, _, value)| (name.to_owned(), value.into())));
        fields.insert("clients".into(), self.clients());
        fields
    }

    /// Who has a session.
    fn clients(&self) -> Value {
        let rows = self.sessions.all().into_iter().map(|session| {
            let (client, from) = session.client();
            json!({
                "session": session.name,
                "client": client,
                "from": from.to_string(),
                "access": session.access,
                "away": session.away().map(|away| away.as_secs_f64()),
                "leases": session.leases.list().len(),
            })
        });
        rows.collect()
    }

    /// What there is at the moment.
    pub(super) fn level(&self) -> Level {
        let sessions = self.sessions.all();
        let links = sessions.iter().filter_map(|session| session.link());
        Level {
            connections: self.connections.count(),
            sessions: sessions.len(),
            leases: sessions.iter().map(|session| session.leases.list().len()).sum(),
            subscriptions: links.map(|link| link.subscriptions()).sum(),
        }
    }

    /// Whether an outcome of that code is the host's refusal, not the region's.
    pub(super) fn is_refusal(code: &str) -> bool {
        matches!(code, fault::READ_ONLY | fault::NOT_SHARED | fault::LIMIT | fault::MALFORMED)
    }

    /// Counts an answer, and notes it if it changes something or refuses it.
    pub(super) fn note(&self, errand: &Errand, outcome: &str) {
        self.metrics.answered(&errand.name, outcome);
        let is_refused = Self::is_refusal(outcome);
        if is_refused || errand.remembered {
            let (op, id, n) = (&errand.name, errand.id.as_deref().unwrap_or_default(), errand.n);
            let (session, from) = (&errand.session.name, errand.link.from);
            if is_refused {
                tracing::warn!(session, %from, n, op, id, outcome, "refused");
            } else {
                tracing::info!(session, %from, n, op, id, outcome, "done");
            }
        }
    }
}
