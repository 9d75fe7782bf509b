//! What is said on one WebSocket, from the hello to the last frame.

use bytes::Bytes;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::connections::Place;
use super::incoming::{Ending, Incoming};
use super::limits::{FAREWELL, HELLO_BYTES};
use super::link::{Link, Whereabouts};
use super::metered::Pulse;
use super::outbox::Outbox;
use super::outgoing::Outgoing;
use super::relay::{self, Far, pass_on};
use super::secret::random;
use super::session::{Asked, Session, Stop};
use super::sessions::Sessions;
use super::shared::Shared;
use crate::protocol::VERSION;
use crate::protocol::fault::{self, Fault};
use crate::protocol::hello::{ClientHello, Ends, Reply, Welcome};
use crate::protocol::message::{MAX_REQUEST_HEADER, Message};
use crate::protocol::operation::{Answer, Operation, Outcome, Outline};

/// Bytes of a challenge.
const CHALLENGE_BYTES: usize = 16;
/// Codes of the WebSocket protocol: all is well, the host goes away, a rule was broken; and one of ours: a newer
/// connection has the session.
const NORMAL: u16 = 1000;
const AWAY: u16 = 1001;
const POLICY: u16 = 1008;
const DISPLACED: u16 = 4001;

/// Who is at the other end, and since when not.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) ends: Ends,
    /// Who says that it passes on what another client says.
    pub(super) by: Option<String>,
    pub(super) pulse: Arc<Pulse>,
    /// Keeps the connection's place as long as anybody talks on it.
    #[expect(dead_code, reason = "it is there to be dropped")]
    pub(super) place: Arc<Place>,
    /// Becomes true when whoever came by the same door is served no more.
    pub(super) closed: watch::Receiver<bool>,
}

impl Peer {
    /// Until its door is closed.
    pub(super) async fn closed(&self) {
        // Whose sender is gone is closed too.
        let _ = self.closed.clone().wait_for(|closed| *closed).await;
    }

    /// Whether it is on this machine, and nobody in between said that it speaks for another.
    pub(super) fn is_local(&self) -> bool {
        self.by.is_none() && self.ends.client.ip().to_canonical().is_loopback()
    }
}

/// Why a conversation ends.
enum Last {
    /// The connection is gone: nothing can be said.
    Silence,
    /// This frame, after this message.
    Said(Option<Outgoing>, u16, &'static str),
    /// It goes on with another host.
    Through(Box<Far>),
}

/// As what a client was let in.
enum Entered {
    Session(Arc<Link>, Arc<Session>),
    Through(Box<Far>),
}

/// Talks until either side ends it.
pub(super) async fn converse(shared: Arc<Shared>, peer: Peer, socket: impl AsyncRead + AsyncWrite) {
    let (reader, mut writer) = tokio::io::split(socket);
    let mut reader = pin!(reader);
    let outbox = Arc::new(Outbox::default());
    let mut incoming = Incoming::new(reader.as_mut(), outbox.clone(), HELLO_BYTES);
    let farewell;
    let last = {
        let mut writing = pin!(outbox.write_to(&mut writer));
        let last = tokio::select! {
            biased;
            last = talk(&shared, &peer, &outbox, &mut incoming) => last,
            _ = &mut writing => Last::Silence,
            () = watch(&shared, &peer.pulse, &outbox) => Last::Silence,
        };
        farewell = Instant::now() + FAREWELL;
        match &last {
            Last::Silence => return,
            Last::Said(message, code, reason) => {
                message.iter().cloned().for_each(|message| outbox.push(message));
                outbox.close(Outgoing::close(*code, reason));
            }
            Last::Through(_) => outbox.end(),
        }
        // Whole frames: what comes after them is another's, or nothing.
        if !matches!(timeout_at(farewell, writing).await, Ok(Ok(()))) {
            return;
        }
        last
    };
    if let Last::Through(far) = last {
        let said = incoming.beyond_first();
        drop(incoming);
        return pass_on(&shared, &peer, tokio::io::join(reader, writer), said, *far).await;
    }
    let ending = async {
        let _ = writer.shutdown().await;
        incoming.forget().await;
    };
    let _ = timeout_at(farewell, ending).await;
}

/// Asks a silent client whether it is there; ends when it is not.
async fn watch(shared: &Shared, pulse: &Pulse, outbox: &Outbox) {
    let (ping_after, most) = (shared.limits.ping_after, shared.limits.silence);
    loop {
        let silence = pulse.silence();
        if silence >= most {
            return;
        }
        if silence >= ping_after {
            outbox.push(Outgoing::ping());
            sleep(ping_after.min(most.checked_sub(silence).unwrap())).await;
        } else {
            sleep(ping_after.checked_sub(silence).unwrap()).await;
        }
    }
}

async fn talk<R: AsyncRead + Unpin>(
    shared: &Arc<Shared>,
    peer: &Peer,
    outbox: &Arc<Outbox>,
    incoming: &mut Incoming<R>,
) -> Last {
    let entered = tokio::select! {
        entered = timeout(shared.limits.hello, enter(shared, peer, outbox, incoming)) => entered,
        () = peer.closed() => return farewell(shutting_down(shared)),
    };
    let late = || Fault::new(fault::UNAUTHORISED, format!("no hello came within {:?}", shared.limits.hello));
    let (link, session) = match entered.unwrap_or_else(|_| Err(Ending::Refused(late()))) {
        Ok(Entered::Session(link, session)) => (link, session),
        Ok(Entered::Through(far)) => return Last::Through(far),
        Err(Ending::Gone) => return Last::Silence,
        Err(Ending::Refused(fault)) => {
            shared.metrics.refused();
            tracing::warn!(from = %peer.ends.client, code = fault.code, reason = fault.message, "refused a client");
            return Last::Said(Some(message(&Reply::Refused(fault))), POLICY, "refused");
        }
    };
    // Given back also when this future is dropped in the middle of it.
    let _leaving = Leaving { shared, session: &session, link: &link };
    incoming.allow(shared.limits.message_bytes);
    tokio::select! {
        last = serve(shared, &session, &link, incoming) => last,
        () = link.cut.notified() => Last::Said(None, DISPLACED, "a newer connection has the session"),
        () = peer.closed() => farewell(shutting_down(shared)),
    }
}

/// The end of a session's connection.
struct Leaving<'a> {
    shared: &'a Arc<Shared>,
    session: &'a Arc<Session>,
    link: &'a Arc<Link>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.link.end();
        Sessions::leave(self.shared, self.session, self.link);
    }
}

/// Says hello and listens who it is.
async fn enter<R: AsyncRead + Unpin>(
    shared: &Arc<Shared>,
    peer: &Peer,
    outbox: &Arc<Outbox>,
    incoming: &mut Incoming<R>,
) -> Result<Entered, Ending> {
    let unlucky = |error: std::io::Error| Ending::Refused(Fault::new("system", error.to_string()));
    let challenge = random(CHALLENGE_BYTES).map_err(unlucky)?;
    outbox.push(message(&shared.hello(challenge.clone())));
    let hello: ClientHello = incoming.next().await?.header().map_err(|malformed| {
        Ending::Refused(Fault::new(fault::MALFORMED, format!("expected a hello: {malformed}")))
    })?;
    let client = hello.hello;
    if client.protocol != VERSION {
        let message = format!("the client speaks version {}, the host {VERSION}", client.protocol);
        return Err(Ending::Refused(
            Fault::new(fault::UNSUPPORTED_VERSION, message).with("versions", vec![VERSION]),
        ));
    }
    let mut entry = shared.gate.enter(&client, &challenge, &peer.ends).map_err(Ending::Refused)?;
    if let Some(via) = client.via {
        shared.gate.admit_change(entry.access).map_err(Ending::Refused)?;
        let far = relay::reach(shared, peer, &via).await.map_err(Ending::Refused)?;
        return Ok(Entered::Through(Box::new(far)));
    }
    if peer.by.is_some() && !entry.local {
        entry.why = "another host, or a proxy, passes on what the client says".into();
    }
    let place = Whereabouts { local: entry.local, why: entry.why.clone() };
    let link = Link::new(outbox.clone(), peer, client.client, place);
    let entered = shared.sessions.enter(shared, client.session.as_deref(), entry.access, &link);
    let (session, resumed) = entered.map_err(Ending::Refused)?;
    let from = link.from;
    tracing::info!(session = session.name, %from, client = link.client, resumed, local = entry.local, "connected");
    outbox.push(message(&Reply::Welcome(Welcome {
        session: session.id.clone(),
        resumed,
        access: entry.access,
        local: entry.local,
        why: entry.why,
        proof: entry.proof,
        max_message: shared.limits.message_bytes,
        max_in_flight: shared.limits.requests_in_flight,
        grace: shared.limits.grace.as_secs_f64(),
    })));
    Ok(Entered::Session(link, session))
}

/// Does what is asked, message by message.
async fn serve<R: AsyncRead + Unpin>(
    shared: &Arc<Shared>,
    session: &Arc<Session>,
    link: &Arc<Link>,
    incoming: &mut Incoming<R>,
) -> Last {
    loop {
        let stop = match incoming.next().await {
            Ok(message) => take(shared, session, link, &message).await,
            Err(Ending::Gone) => return Last::Silence,
            Err(Ending::Refused(fault)) => Err(Stop::Refused(None, fault)),
        };
        match stop {
            Ok(()) => {}
            Err(Stop::Displaced) => return Last::Said(None, DISPLACED, "a newer connection has the session"),
            Err(Stop::Bye) => {
                shared.sessions.end(session, &Fault::new(fault::CANCELLED, "the client said bye"));
                return Last::Said(None, NORMAL, "bye");
            }
            Err(Stop::Refused(n, fault)) => {
                tracing::warn!(session = session.name, from = %link.from, n, outcome = fault.code, "refused");
                return match n {
                    None => farewell(fault),
                    Some(n) => {
                        let answer = Answer { n, outcome: Outcome::Error(fault) };
                        Last::Said(Some(message(&answer)), POLICY, "a request that breaks the rules")
                    }
                };
            }
        }
    }
}

/// Does what one message asks.
async fn take(
    shared: &Arc<Shared>,
    session: &Arc<Session>,
    link: &Arc<Link>,
    message: &Message,
) -> Result<(), Stop> {
    let refused = |what: String| Stop::Refused(None, Fault::new(fault::MALFORMED, what));
    if message.header_len() > MAX_REQUEST_HEADER {
        return Err(refused(format!(
            "a header of {} bytes; a client's has at most {MAX_REQUEST_HEADER}: send long contents as the payload",
            message.header_len()
        )));
    }
    let outline: Outline = message.header().map_err(|malformed| refused(malformed.to_string()))?;
    link.credit(&outline.credit);
    if outline.ack > 0 {
        session.acknowledge(outline.ack);
    }
    let Some(n) = outline.n else { return Ok(()) };
    let (name, operation) = understand(outline.op, message);
    let mut asked = Some(Asked { n, name, operation, payload: message.payload.clone() });
    poll_fn(|context| {
        let begun = asked.take().map(|asked| session.begin(shared, link, asked, context));
        Poll::Ready(begun.unwrap_or(Ok(())))
    })
    .await
}

/// The operation and its name, which is one of those there are.
fn understand(op: Option<String>, message: &Message) -> (String, Result<Operation, Fault>) {
    let op = op.unwrap_or_default();
    match message.header::<Operation>() {
        Ok(operation) => (op, Ok(operation)),
        Err(malformed) => {
            let is_unknown =
                malformed.to_string().contains(&format!("unknown variant `{op}`, expected one of `list`"));
            let code = if is_unknown { fault::UNKNOWN_OPERATION } else { fault::MALFORMED };
            ("unknown".into(), Err(Fault::new(code, malformed.to_string())))
        }
    }
}

fn shutting_down(shared: &Shared) -> Fault {
    let stops = *shared.stopping.borrow();
    let message = if stops { "the host stops" } else { "the host is shared with other machines no more" };
    Fault::new(fault::SHUTTING_DOWN, message)
}

fn farewell(fault: Fault) -> Last {
    let code = if fault.code == fault::SHUTTING_DOWN { AWAY } else { POLICY };
    Last::Said(Some(message(&Reply::Refused(fault))), code, "the host ends the conversation")
}

fn message(header: &impl serde::Serialize) -> Outgoing {
    Outgoing::message(header, Bytes::new())
}
