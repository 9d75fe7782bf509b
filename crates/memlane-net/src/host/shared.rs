//! What all connections of a host share.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime;
use tokio::sync::watch;

use super::access::Gate;
use super::connections::Connections;
use super::errand::Errand;
use super::lease::{How, Leases};
use super::limits::Limits;
use super::link::Link;
use super::log::{Log, Who};
use super::metrics::{Level, Metrics};
use super::page;
use super::secret::Vault;
use super::service::{Done, Patience, Service};
use super::session::Session;
use super::sessions::Sessions;
use super::sharing::{self, Sharing};
use super::tls::Served;
use crate::protocol::fault::{self, Fault};
use crate::protocol::hello::{Access, HostDescription, HostHello, secret_name};
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
    /// Where it listens.
    pub(super) address: SocketAddr,
    pub(super) tls: Option<Served>,
    pub(super) vault: Vault,
    pub(super) sharing: Sharing,
    pub(super) log: Log,
    pub(super) began: Instant,
    /// Where connections are served in turn; none, where the host itself is.
    pub(super) threads: Vec<runtime::Handle>,
}

impl Shared {
    /// Does what a session asked over `link`: what is about the host itself here, what is about its space there.
    pub(super) async fn serve(
        self: &Arc<Self>,
        session: &Session,
        link: &Link,
        operation: Operation,
        payload: Bytes,
    ) -> Result<Done, Fault> {
        let sharing = || {
            let tokens = link.local && session.access == Access::ReadWrite;
            Ok(Done { fields: sharing::describe(self, tokens), payload: Bytes::new() })
        };
        if let Some(what) = not_for_others(&operation).filter(|_| !link.local) {
            let message =
                format!("{what} only by clients that are on the host's machine and talk to it directly");
            return Err(Fault::new(fault::OUT_OF_REACH, message));
        }
        match operation {
            Operation::Log { since, timeout } => {
                let patience = Patience::new(timeout)?;
                let entries = tokio::select! {
                    biased;
                    entries = self.log.after(since.unwrap_or(0)) => entries,
                    () = patience.over() => Vec::new(),
                };
                Ok(Done::of(json!({"entries": entries})))
            }
            Operation::Sharing => sharing(),
            Operation::Share { listen, tls } => {
                sharing::share(self, listen.as_deref(), tls)?;
                sharing()
            }
            Operation::Unshare => {
                sharing::unshare(self)?;
                sharing()
            }
            Operation::ForceRelease { id, confirmed, .. } if let Some(holder) = self.holder_of(&id) => {
                take_back(&id, &holder, confirmed)
            }
            operation => self.perform(&session.leases, operation, payload).await,
        }
    }

    /// The session that holds the lock of that region.
    fn holder_of(&self, id: &str) -> Option<Arc<Session>> {
        let holds = |session: &Arc<Session>| session.leases.find(|held| held.is_lock_of(id)).is_some();
        self.sessions.all().into_iter().find(holds)
    }

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
                secret: secret_name(self.address.port()),
                challenge,
            },
        }
    }

    /// The SHA-256 of its certificate, in hexadecimal digits; none without TLS.
    pub(super) fn fingerprint(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.fingerprint.as_str())
    }

    /// Where a browser finds the page, with a token.
    pub(super) fn url(&self) -> String {
        page::url(self.address, self.tls.is_some(), self.gate.tokens.most())
    }

    /// From now on nobody is served.
    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
        self.sharing.close();
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
            let place = session.place();
            json!({
                "session": session.name,
                "client": client,
                "from": from.to_string(),
                "access": session.access,
                "local": place.local,
                "why": place.why,
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
            let who = Who { session: Some(session), client: &errand.link.client, from: Some(from) };
            self.log.add(&who, op, errand.id.as_deref(), outcome);
            if is_refused {
                tracing::warn!(session, %from, n, op, id, outcome, "refused");
            } else {
                tracing::info!(session, %from, n, op, id, outcome, "done");
            }
        }
    }
}

/// What is done of an operation that is about the host's machine itself.
fn not_for_others(operation: &Operation) -> Option<&'static str> {
    match operation {
        Operation::ForceRelease { confirmed: true, .. } => Some("a process is ended"),
        Operation::Share { .. } | Operation::Unshare => Some("a host is shared"),
        Operation::Foreign | Operation::ForeignRead { .. } => Some("foreign memory is looked at"),
        _ => None,
    }
}

/// Ends the leases by which a session holds the lock of that region, as of a dead owner.
fn take_back(id: &str, holder: &Session, confirmed: bool) -> Result<Done, Fault> {
    let (client, from) = holder.client();
    let was = format!("session {} of {client} from {from}", holder.name);
    if !confirmed {
        let message = format!("the lock of `{id}` is held by {was}; confirm that it is to be taken from it");
        return Err(Fault::new("busy", message).with("holder", was));
    }
    while let Some((number, _)) = holder.leases.find(|held| held.is_lock_of(id)) {
        // Whoever gives it back meanwhile does the same.
        let _ = holder.leases.take(number).map(|held| held.give_back(How::Died));
    }
    Ok(Done::of(json!({"was": was, "killed": false})))
}
