//! A new connection, up to the host's welcome.

use std::time::{Duration, Instant};

use serde::Deserialize;
use tungstenite::client::IntoClientRequest;
use tungstenite::error::ProtocolError;
use tungstenite::handshake::HandshakeError;
use tungstenite::{Message, WebSocket};

use super::error::Error;
use super::options::{Address, Options};
use super::secret::Secret;
use super::socket::Socket;
use super::tls::{self, NOT_PLAIN, in_words};
use super::wire::Wire;
use crate::protocol::fault::Fault;
use crate::protocol::hello::{ClientDescription, ClientHello, HostDescription, Reply, Welcome};
use crate::protocol::message::{self, MAX_HEADER};
use crate::protocol::{PATH, VERSION};

/// For how long a host may take from the first byte to the welcome.
const TIME: Duration = Duration::from_secs(5);

/// Bytes of a greeting at most.
const MOST_GREETED: usize = 64 * 1024;

/// A connection on which requests can be sent.
#[derive(Debug)]
pub(super) struct Greeted {
    pub(super) socket: WebSocket<Wire>,
    pub(super) host: HostDescription,
    pub(super) welcome: Welcome,
    /// Why this client could prove nothing.
    pub(super) no_proof: Option<String>,
}

/// The first words of a host.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum First {
    Hello(HostDescription),
    Refused(Fault),
}

/// Connects, and goes on with `session` if the host still knows it.
pub(super) fn greet(address: &Address, options: &Options, session: Option<&str>) -> Result<Greeted, Error> {
    let unreachable = |reason: String| Error::Unreachable { host: address.to_string(), reason };
    let refused = |fault| Error::Refused { host: address.to_string(), fault };
    let tls = address.tls || options.tls;
    let config = if tls { Some(tls::config(options.fingerprint.as_deref())?) } else { None };
    let token = options.token.get()?;
    let deadline = Instant::now() + TIME;
    let socket = Socket::connect(address, config, deadline).map_err(|error| unreachable(in_words(&error)))?;
    let ends = socket.ends().map_err(|error| unreachable(error.to_string()))?;
    let mut socket = upgrade(socket, address, tls).map_err(unreachable)?;

    let host: HostDescription = match receive(&mut socket, address)? {
        First::Hello(host) => host,
        First::Refused(fault) => return Err(refused(fault)),
    };
    let secret =
        if options.remote { Err("this client was told not to try".to_owned()) } else { Secret::of(&host) };
    let proof = secret.as_ref().ok().map(|secret| secret.answer(&host, &ends));
    let session = session.map(str::to_owned);
    let hello = ClientHello {
        hello: ClientDescription {
            protocol: VERSION,
            client: options.name.clone(),
            token,
            proof,
            session,
            via: None,
        },
    };
    let hello = serde_json::to_string(&hello).unwrap_or_default();
    socket.send(Message::text(hello)).map_err(|error| unreachable(lost_in_words(&error)))?;
    match receive(&mut socket, address)? {
        Reply::Refused(fault) => Err(refused(fault)),
        Reply::Welcome(mut welcome) => {
            // Whoever does not know the secret could name any space of this user.
            let proves = |proof: &str| secret.as_ref().is_ok_and(|it| it.is_known_to(&host, &ends, proof));
            if welcome.local && !welcome.proof.as_deref().is_some_and(proves) {
                welcome.local = false;
                welcome.why = "the host says that this client is on its machine, but did not prove it".into();
            }
            let most = welcome.max_message.saturating_add(MAX_HEADER);
            socket.get_mut().never_block(most).map_err(|error| unreachable(error.to_string()))?;
            Ok(Greeted { socket, host, welcome, no_proof: secret.err() })
        }
    }
}

fn upgrade(socket: Socket, address: &Address, tls: bool) -> Result<WebSocket<Wire>, String> {
    let scheme = if tls { "wss" } else { "ws" };
    let request = format!("{scheme}://{address}{PATH}").into_client_request();
    let request = request.map_err(|error| error.to_string())?;
    match tungstenite::client::client(request, Wire::new(socket, MOST_GREETED)) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Failure(error)) => Err(lost_in_words(&error)),
        Err(HandshakeError::Interrupted(_)) => Err("it did not answer in time".into()),
    }
}

fn receive<T: serde::de::DeserializeOwned>(
    socket: &mut WebSocket<Wire>,
    address: &Address,
) -> Result<T, Error> {
    loop {
        let unreachable = |reason| Error::Unreachable { host: address.to_string(), reason };
        let message = socket.get_mut().next().map_err(|error| unreachable(lost_in_words(&error)))?;
        let message = message.ok_or_else(|| unreachable("it did not answer in time".into()))?;
        // A ping: what is said next answers it too.
        let Some(message) = understood(message) else { continue };
        let header = message.and_then(|message| message.header());
        return header
            .map_err(|error| Error::Misunderstood { host: address.to_string(), reason: error.to_string() });
    }
}

/// A message of the protocol; nothing of what keeps a WebSocket going.
pub(super) fn understood(message: Message) -> Option<Result<message::Message, message::Malformed>> {
    match message {
        Message::Text(text) => Some(message::Message::from_text(text)),
        Message::Binary(bytes) => Some(message::Message::from_binary(bytes)),
        _ => None,
    }
}

/// Why a connection was lost.
pub(super) fn lost_in_words(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Io(error) => in_words(error),
        tungstenite::Error::Http(response) => {
            let body = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            format!("it answers HTTP {} {}", response.status(), body.trim()).trim_end().to_owned()
        }
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
            "it closed the connection".into()
        }
        tungstenite::Error::Protocol(ProtocolError::HttparseError(_)) => NOT_PLAIN.into(),
        error => error.to_string(),
    }
}
