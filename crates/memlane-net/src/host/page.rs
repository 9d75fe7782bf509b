//! The web page: files that come with the program, for everybody who can reach the port. What they show comes over the
//! protocol, which asks for a token.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rust_embed::{Embed, EmbeddedFile};
use std::net::SocketAddr;
use std::sync::Arc;

use super::rest::is_seen;
use super::shared::Shared;
use crate::machine;
use crate::view::document::hexadecimal;

/// Debug builds read them anew each time.
#[derive(Embed)]
#[folder = "page/"]
struct Files;

const INDEX: &str = "index.html";

/// A browser takes nothing from elsewhere, runs no script that is not a file here, and shows the page in no other one.
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; style-src 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// What is written in other characters in a URL: all but those that RFC 3986 reserves for nothing.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What every answer says.
const HEADERS: [(header::HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    // Kept by the browser, and asked about each time.
    (header::CACHE_CONTROL, "no-cache"),
];

/// The file at the request's path.
pub(super) async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { INDEX } else { path };
    let mut response = match Files::get(path) {
        Some(file) => answer(path, file, &headers),
        None => missing(path),
    };
    let headers = response.headers_mut();
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// Sends a browser that has a ticket to the page with the token.
pub(super) async fn open(State(shared): State<Arc<Shared>>, Path(ticket): Path<String>) -> Response {
    if !shared.gate.tickets.redeem(&ticket) {
        let advice = "this address was good once, for a minute; `memlane gui` gives another one\n";
        return (StatusCode::GONE, advice).into_response();
    }
    let place = format!("/{}", shared.gate.tokens.most().map(fragment).unwrap_or_default());
    let headers = [(header::LOCATION, place), (header::CACHE_CONTROL, "no-store".into())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Where a browser is let in once.
pub(super) fn url_once(shared: &Shared) -> std::io::Result<String> {
    let ticket = shared.gate.tickets.issue()?;
    Ok(format!("{}open/{ticket}", url(shared.address, shared.tls.is_some(), None)))
}

fn answer(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hexadecimal(&file.metadata.sha256_hash()[..16]));
    let is_known = is_seen(headers, Some(&tag));
    let tag = [(header::ETAG, tag)];
    if is_known {
        return (StatusCode::NOT_MODIFIED, tag).into_response();
    }
    (tag, [(header::CONTENT_TYPE, content_type(path))], file.data).into_response()
}

fn missing(path: &str) -> Response {
    let advice = "the page is at /, the protocol at /api/v1, regions are at /api/v1/regions";
    (StatusCode::NOT_FOUND, format!("there is nothing at /{path}: {advice}\n")).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

/// Where a browser finds the page of a host that listens at `address`. The token is behind a `#`, which browsers send
/// to nobody.
pub(super) fn url(address: SocketAddr, tls: bool, token: Option<&str>) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}/{}", machine::reached_at(address), token.map(fragment).unwrap_or_default())
}

fn fragment(token: &str) -> String {
    format!("#token={}", utf8_percent_encode(token, RESERVED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_url() {
        let here = ([127, 0, 0, 1], 7440).into();
        assert_eq!(url(here, false, Some("sesame-1")), "http://127.0.0.1:7440/#token=sesame-1");
        assert_eq!(url(here, true, Some("a&b%c+ü")), "https://127.0.0.1:7440/#token=a%26b%25c%2B%C3%BC");
        assert_eq!(url(here, false, None), "http://127.0.0.1:7440/");
    }
}
