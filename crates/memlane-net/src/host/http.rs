//! Plain HTTP on the host's port, and how it becomes a WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::TokioIo;
use tungstenite::handshake::derive_accept_key;

use super::conversation::{Peer, converse};
use super::page;
use super::rest;
use super::shared::Shared;
use crate::protocol::PATH;
use crate::protocol::hello::Access;

/// What says that a request is passed on for somebody else.
const INTERMEDIARIES: [header::HeaderName; 3] =
    [header::VIA, header::FORWARDED, header::HeaderName::from_static("x-forwarded-for")];
const REGIONS: &str = "/api/v1/regions";
const REGION: &str = "/api/v1/regions/{*id}";

/// What is where.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/open/{ticket}", get(page::open))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(metrics))
        .route(PATH, get(upgrade))
        .route(REGIONS, get(rest::list))
        .route(REGION, get(rest::read).put(rest::write))
        .fallback_service(get(page::serve))
        .layer(DefaultBodyLimit::max(shared.limits.message_bytes))
        .layer(middleware::from_fn_with_state(shared.clone(), check))
        .with_state(shared)
}

async fn metrics(_: Allowed, State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.exposition(shared.level()))
}

/// What the request's token allows; without a token there is no answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    pub(super) access: Access,
    pub(super) from: Option<SocketAddr>,
}

impl FromRequestParts<Arc<Shared>> for Allowed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Response> {
        let authorization = text(&parts.headers, header::AUTHORIZATION).unwrap_or_default();
        let token = authorization.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let access = token.and_then(|(_, token)| shared.gate.enter_by_token(token.trim()));
        let from = parts.extensions.get::<Peer>().map(|peer| peer.ends.client);
        access.map(|access| Self { access, from }).ok_or_else(|| {
            shared.metrics.refused();
            tracing::warn!(?from, path = parts.uri.path(), "refused a request without a right token");
            let advice = "send the host's token as `Authorization: Bearer TOKEN`\n";
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], advice).into_response()
        })
    }
}

/// Answers only requests that are meant for this host.
async fn check(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    // HTTP/2 and proxies name the host in the target.
    let host = text(headers, header::HOST)
        .or(request.uri().authority().map(tungstenite::http::uri::Authority::as_str));
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

pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
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
    let Some(mut peer) = request.extensions().get::<Peer>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let via = text(request.headers(), header::VIA).unwrap_or_default();
    if via.contains(&shared.gate.instance) {
        return (StatusCode::LOOP_DETECTED, "this host passes nobody on to itself\n").into_response();
    }
    peer.by = INTERMEDIARIES.into_iter().find_map(|name| text(request.headers(), name)).map(Into::into);
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
