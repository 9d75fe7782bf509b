//! A client that is passed on to another host: a browser may talk to nobody but the host that served its page.
//!
//! Once the other host speaks WebSocket too, every byte goes through unchanged, both ways, until either end is silent:
//! the client says hello to the other host, is limited by it and pinged by it, and has its session there.

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional_with_sizes};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;

use super::conversation::Peer;
use super::metered::{Metered, Pulse};
use super::shared::Shared;
use crate::client::{Address, tls};
use crate::protocol::PATH;
use crate::protocol::fault::{self, Fault};
use crate::protocol::hello::Via;

/// How long the other host may take until it speaks WebSocket.
const TIME: Duration = Duration::from_secs(5);
/// Bytes of its answer's head.
const HEAD_BYTES: usize = 16 * 1024;
/// Bytes that are passed on at once.
const BUFFER: usize = 64 * 1024;

/// The other host.
pub(super) struct Far {
    socket: TokioIo<Upgraded>,
    pulse: Arc<Pulse>,
}

/// Connects to the host that a client asks for.
pub(super) async fn reach(shared: &Shared, peer: &Peer, via: &Via) -> Result<Far, Fault> {
    let unreachable = |why: String| Fault::new(fault::UNREACHABLE, format!("no host at {}: {why}", via.host));
    if peer.by.is_some() {
        return Err(unreachable("who was passed on to this host is not passed on any further".into()));
    }
    let reached = timeout(TIME, connect(shared, via)).await;
    let far = reached.unwrap_or_else(|_| Err("it did not answer in time".into())).map_err(unreachable)?;
    tracing::info!(from = %peer.ends.client, to = via.host, "passes a client on");
    Ok(far)
}

async fn connect(shared: &Shared, via: &Via) -> Result<Far, String> {
    let address: Address = via.host.parse().map_err(in_words)?;
    let socket = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(in_words)?;
    let _ = socket.set_nodelay(true);
    let pulse = Pulse::new();
    let socket = Metered::new(socket, shared.metrics.clone(), pulse.clone());
    let socket = if address.tls || via.tls || via.fingerprint.is_some() {
        let config = tls::config(via.fingerprint.as_deref()).map_err(in_words)?;
        let name = ServerName::try_from(address.host.clone()).map_err(in_words)?;
        let socket =
            TlsConnector::from(config).connect(name, socket).await.map_err(|error| tls::in_words(&error))?;
        upgrade(socket, &address, &shared.gate.instance).await?
    } else {
        upgrade(socket, &address, &shared.gate.instance).await?
    };
    Ok(Far { socket: TokioIo::new(socket), pulse })
}

/// Has the other host speak WebSocket, and tells it that somebody is passed on, and by whom.
async fn upgrade(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: &Address,
    by: &str,
) -> Result<Upgraded, String> {
    let mut client = hyper::client::conn::http1::Builder::new();
    let talk = client.max_buf_size(HEAD_BYTES).handshake(TokioIo::new(socket)).await;
    let (mut sender, connection) = talk.map_err(in_words)?;
    tokio::spawn(connection.with_upgrades());
    let key = generate_key();
    let request = Request::get(PATH)
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key)
        .header(header::VIA, format!("1.1 {by}"))
        .body(Body::empty());
    let response = sender.send_request(request.map_err(in_words)?).await;
    let response = response.map_err(|_| tls::NOT_PLAIN.to_owned())?;
    let accepted = response.headers().get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS if accepted == Some(derive_accept_key(key.as_bytes()).as_bytes()) => {
            hyper::upgrade::on(response).await.map_err(in_words)
        }
        StatusCode::LOOP_DETECTED => Err("it is the very host that was asked to go there".into()),
        StatusCode::FORBIDDEN => {
            Err(format!("`{}` is no name that it has for itself; use its address", address.host))
        }
        status => Err(format!("what answers there is no memlane host (HTTP {})", status.as_u16())),
    }
}

fn in_words(error: impl Display) -> String {
    error.to_string()
}

/// Passes everything on, from `said` on, until either side ends it or is silent.
pub(super) async fn pass_on(
    shared: &Shared,
    peer: &Peer,
    mut near: impl AsyncRead + AsyncWrite + Unpin,
    said: Bytes,
    mut far: Far,
) {
    let through = async {
        far.socket.write_all(&said).await?;
        copy_bidirectional_with_sizes(&mut near, &mut far.socket, BUFFER, BUFFER).await
    };
    // That it ended is all there is to know: either side says why in its own words.
    tokio::select! {
        _ = through => {}
        () = peer.pulse.stopped(shared.limits.silence) => {}
        () = far.pulse.stopped(shared.limits.silence) => {}
        () = peer.closed() => {}
    }
}
