//! Regions as resources of plain HTTP: what a browser or `curl` can read and write without the protocol.
//!
//! Each request is an operation as of a session that holds nothing. The `ETag` is the content's version, of frames the
//! frame's sequence.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use memlane::schema::Schema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::http::{Allowed, text};
use super::lease::Leases;
use super::log::Who;
use super::picture::Setting;
use super::service::Done;
use super::shared::Shared;
use crate::protocol::event::Delivery;
use crate::protocol::fault::{self, Fault};
use crate::protocol::operation::{Form, Operation, Part};

/// Of pictures that are asked for as JPEG.
const JPEG_QUALITY: u8 = 90;

/// What follows the `?`.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    form: Form,
}

/// A failure as an answer.
struct Refusal(Fault);

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = status_of(&self.0.code);
        (status, axum::Json(json!({"error": self.0}))).into_response()
    }
}

/// `GET /api/v1/regions`.
pub(super) async fn list(allowed: Allowed, State(shared): State<Arc<Shared>>) -> Response {
    let listed = perform(&shared, allowed, Operation::List { patterns: Vec::new() }, Bytes::new()).await;
    listed.map(|done| axum::Json(done.fields)).map_err(Refusal).into_response()
}

/// `GET /api/v1/regions/ID`.
pub(super) async fn read(
    allowed: Allowed,
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Response {
    let answered = async {
        let document =
            perform(&shared, allowed, Operation::Describe { id: id.clone() }, Bytes::new()).await?.fields;
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        if kind == "frames" && wish.form == Form::Json && accepts(&headers, "image/") {
            return picture(&shared, allowed, id, &document, &headers).await.map_err(Refusal);
        }
        let has_content = matches!(kind.as_str(), "value" | "record" | "array" | "text" | "raw");
        let form = if kind == "raw" { Form::Bytes } else { wish.form };
        if !has_content && form == Form::Json {
            return Ok(axum::Json(document).into_response());
        }
        let operation = Operation::Read { id, part: Part::default(), form };
        let done = perform(&shared, allowed, operation, Bytes::new()).await?;
        Ok::<_, Refusal>(content(&kind, form, done, &headers))
    };
    answered.await.into_response()
}

/// The newest frame as a picture: a PNG, or a JPEG if that is what is asked for.
async fn picture(
    shared: &Arc<Shared>,
    allowed: Allowed,
    id: String,
    document: &Map<String, Value>,
    headers: &HeaderMap,
) -> Result<Response, Fault> {
    let schema: Option<Schema> =
        document.get("schema").and_then(Value::as_str).and_then(|schema| schema.parse().ok());
    let operation = Operation::Read { id, part: Part::default(), form: Form::Bytes };
    let done = perform(shared, allowed, operation, Bytes::new()).await?;
    let tag = tag_of(&done.fields);
    if is_seen(headers, tag.as_deref()) {
        return Ok(tagged(tag, StatusCode::NOT_MODIFIED.into_response()));
    }
    let jpeg = accepts(headers, "image/jpeg") && !accepts(headers, "image/png");
    // Compressing takes long enough to hold up others.
    let packed = tokio::task::spawn_blocking(move || packed(schema.as_ref(), &done.payload, jpeg)).await;
    let failed = |error: tokio::task::JoinError| Fault::new("system", error.to_string());
    let (kind, packed) = packed.map_err(failed)??;
    Ok(tagged(tag, ([(header::CONTENT_TYPE, kind)], packed).into_response()))
}

/// A frame as a picture file, and of which kind.
fn packed(schema: Option<&Schema>, frame: &Bytes, jpeg: bool) -> Result<(&'static str, Bytes), Fault> {
    match schema.and_then(Schema::encoding) {
        Some("jpeg") => return Ok(("image/jpeg", frame.clone())),
        Some("png") => return Ok(("image/png", frame.clone())),
        _ => {}
    }
    let delivery = Delivery { jpeg: Some(JPEG_QUALITY), ..Delivery::default() };
    let setting = Setting::of(schema, &delivery)?;
    let setting = setting.ok_or_else(|| Fault::new("bad_parameter", "the frames are no pictures"))?;
    if jpeg {
        return Ok(("image/jpeg", setting.picture_of(frame)?.bytes));
    }
    Ok(("image/png", setting.png_of(frame)?))
}

/// Whether the client takes such answers; it takes all when it does not say.
fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let accepted = text(headers, header::ACCEPT).unwrap_or("*/*");
    let takes = |accepted: &str| {
        accepted.starts_with(kind) || accepted.starts_with("image/*") || accepted.starts_with("*/*")
    };
    accepted.split(',').map(str::trim).any(takes)
}

/// A content that was read.
fn content(kind: &str, form: Form, done: Done, headers: &HeaderMap) -> Response {
    let tag = tag_of(&done.fields);
    if is_seen(headers, tag.as_deref()) {
        return tagged(tag, StatusCode::NOT_MODIFIED.into_response());
    }
    let content = done.fields.get("content").cloned().unwrap_or_default();
    let answer = match (form, kind, content) {
        (Form::Bytes, ..) => {
            ([(header::CONTENT_TYPE, "application/octet-stream")], done.payload).into_response()
        }
        (Form::Json, "text", Value::String(text)) => text.into_response(),
        (Form::Json, _, content) => axum::Json(content).into_response(),
    };
    tagged(tag, answer)
}

/// `PUT /api/v1/regions/ID`.
pub(super) async fn write(
    allowed: Allowed,
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let written = async {
        let if_version = text(&headers, header::IF_MATCH).map(version_of).transpose()?.flatten();
        let (content, payload) = match wish.form {
            Form::Bytes => (None, body),
            Form::Json => (Some(content_of(&shared, allowed, &id, &body).await?), Bytes::new()),
        };
        let operation = Operation::Write { id, part: Part::default(), content, if_version };
        let done = perform(&shared, allowed, operation, payload).await?;
        Ok::<_, Refusal>(tagged(tag_of(&done.fields), StatusCode::NO_CONTENT.into_response()))
    };
    written.await.into_response()
}

/// What the body says, for that region: a text as it is, anything else as JSON.
async fn content_of(shared: &Arc<Shared>, allowed: Allowed, id: &str, body: &[u8]) -> Result<Value, Fault> {
    let document =
        perform(shared, allowed, Operation::Describe { id: id.into() }, Bytes::new()).await?.fields;
    let malformed = |error: &dyn std::fmt::Display| Fault::new(fault::MALFORMED, error.to_string());
    if document.get("kind").and_then(Value::as_str) == Some("text") {
        return std::str::from_utf8(body).map(Into::into).map_err(|error| malformed(&error));
    }
    serde_json::from_slice(body).map_err(|error| malformed(&error))
}

async fn perform(
    shared: &Arc<Shared>,
    allowed: Allowed,
    operation: Operation,
    payload: Bytes,
) -> Result<Done, Fault> {
    let changes = operation.is_remembered();
    let id = operation.id().unwrap_or_default().to_owned();
    let Allowed { access, from } = allowed;
    let outcome = match shared.gate.admit(access, &operation) {
        Ok(()) => shared.perform(&Leases::default(), operation, payload).await,
        Err(refused) => Err(refused),
    };
    let code = outcome.as_ref().map_or_else(|fault| fault.code.as_str(), |_| "ok");
    let op = if changes { "PUT" } else { "GET" };
    shared.metrics.answered(op, code);
    if changes || Shared::is_refusal(code) {
        let who = Who { session: None, client: "plain HTTP", from };
        shared.log.add(&who, op, Some(&id), code);
        tracing::info!(op, id, outcome = code, "by plain HTTP");
    }
    outcome
}

fn tag_of(fields: &Map<String, Value>) -> Option<String> {
    let version = fields.get("version").or(fields.get("sequence")).and_then(Value::as_u64)?;
    Some(format!("\"{version}\""))
}

fn tagged(tag: Option<String>, mut response: Response) -> Response {
    let tag = tag.and_then(|tag| tag.parse().ok());
    response.headers_mut().extend(tag.map(|tag| (header::ETAG, tag)));
    response
}

/// Whether the client says that it has this version.
pub(super) fn is_seen(headers: &HeaderMap, tag: Option<&str>) -> bool {
    let (Some(seen), Some(tag)) = (text(headers, header::IF_NONE_MATCH), tag) else { return false };
    seen.split(',').map(str::trim).any(|seen| seen == "*" || seen.trim_start_matches("W/") == tag)
}

/// The version that a condition names; none for `*`.
fn version_of(condition: &str) -> Result<Option<u64>, Fault> {
    let condition = condition.trim();
    if condition == "*" {
        return Ok(None);
    }
    let version = condition.trim_matches('"').parse();
    version.map(Some).map_err(|_| {
        Fault::new(fault::MALFORMED, format!("`If-Match: {condition}` is not one version as `ETag` gives it"))
    })
}

fn status_of(code: &str) -> StatusCode {
    match code {
        "not_found" => StatusCode::NOT_FOUND,
        fault::READ_ONLY | fault::NOT_SHARED | "permission_denied" => StatusCode::FORBIDDEN,
        fault::CONFLICT => StatusCode::PRECONDITION_FAILED,
        fault::LIMIT | "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        fault::SHUTTING_DOWN | "busy" => StatusCode::SERVICE_UNAVAILABLE,
        "corrupt" | "system" | "no_space" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}
