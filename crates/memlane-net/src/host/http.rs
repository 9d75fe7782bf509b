//! Plain HTTP on the host's port, and how it becomes a WebSocket.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::TokioIo;
use tungstenite::handshake::derive_accept_key;

use super::conversation::{Peer, converse};
use super::shared::Shared;
use crate::protocol::PATH;

/// What `/` says.
const ABOUT: &str = "This is a memlane host. Its protocol is spoken at /api/v1; it is documented in docs/protocol.md of memlane.\n";

/// What is where.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(|| async { ABOUT }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route(PATH, get(upgrade))
        .layer(middleware::from_fn_with_state(shared.clone(), check))
        .with_state(shared)
}

/// Answers only requests that are meant for this host.
async fn check(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    // HTTP/2 and proxies name the host in the target.
    let host = text(headers, header::HOST).or(request.uri().authority().map(|authority| authority.as_str()));
    match shared.gate.checks(host, text(headers, header::ORIGIN)) {
        Ok(()) => next.run(request).await,
        Err(fault) => {
            shared.metrics.refused();
            tracing::warn!(
                host,
                origin = text(headers, header::ORIGIN),
                reason = fault.message,
                "refused a request"
            );
            (StatusCode::FORBIDDEN, format!("{fault}\n")).into_response()
        }
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Turns the connection into a WebSocket and talks on it.
async fn upgrade(State(shared): State<Arc<Shared>>, mut request: Request) -> Response {
    let Some(key) = handshake_key(&request) else {
        let advice = "the protocol is spoken over a WebSocket of version 13 here\n";
        let headers = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, "13")];
        return (StatusCode::UPGRADE_REQUIRED, headers, advice).into_response();
    };
    let accept = derive_accept_key(key.as_bytes());
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(socket) = upgrade.await {
            converse(shared, peer, TokioIo::new(socket)).await;
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    // An accept key is base64.
    headers.extend(HeaderValue::from_str(&accept).map(|accept| (header::SEC_WEBSOCKET_ACCEPT, accept)));
    response
}

/// The client's key, if it asks for a WebSocket as it should.
fn handshake_key(request: &Request) -> Option<HeaderValue> {
    let headers = request.headers();
    let says = |name, word: &str| {
        text(headers, name)
            .is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    let asks = request.version() == Version::HTTP_11
        && says(header::UPGRADE, "websocket")
        && says(header::CONNECTION, "upgrade")
        && says(header::SEC_WEBSOCKET_VERSION, "13");
    headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asks).cloned()
}
